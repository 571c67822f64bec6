"""`thermo-host calibrate` on a wearable without a camera, over its port, with its laboratory's control socket."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from laid_band import OFF, ZERO_G, Band, laid_band

from thermo_core import schema
from thermo_core.sensors.ads1115_ntc import codec
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS, correction_of
from thermo_host.application import run
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.observation import Observation, average
from thermo_host.calibrate.procedures import readings
from thermo_host.calibrate.reference import SimulatedReference


@pytest.fixture
def band(tmp_path: Path) -> Iterator[tuple[Band, str]]:
    with laid_band(tmp_path / "thermo0") as found:
        yield found


def calibrate(capsys: pytest.CaptureFixture[str], port: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    found = run(["calibrate", port, "--json", *arguments])
    said = capsys.readouterr()
    assert found == code, said.err
    answer: dict[str, Any] = json.loads(said.out.splitlines()[-1])
    return answer


def test_contact_sensors_are_calibrated_verified_and_rolled_back(
    band: tuple[Band, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    peer, port = band
    missing = calibrate(capsys, port, "--verify", "--quick", "--output", str(tmp_path / "none"), code=8)
    assert "holds no correction of wrist to verify" in missing["error"]["message"]
    figures = calibrate(
        capsys, port, "--quick", "--set-points", "25,33,41", "--yes", "--output", str(tmp_path / "first")
    )
    assert figures["written"] and figures["settings"]["sensors"] == ["wrist", "air"]
    assert figures["settings"]["pictures"] == 16
    for one in figures["sensors"]:
        (number, *_) = one["numbers"]
        assert number["hold_out_after"] < 0.02 < 0.1 < number["hold_out_before"], one["name"]
    first = dict(peer.corrections)
    assert sorted(first) == [0, 1]
    line = correction_of(first[0]).lines[0]  # type: ignore[attr-defined]
    assert line.gain == pytest.approx(1 / 1.01, abs=2e-3)
    assert line.offset + line.gain * (0.4 + 1.01 * 36) == pytest.approx(36, abs=0.02)

    verified = calibrate(capsys, port, "--verify", "--quick", "--hold-out", "29.5", "--output", str(tmp_path / "v"))
    assert verified["verified"] and verified["accepted"] and not verified["written"]
    monkeypatch.setitem(OFF, "wrist", (0.9, 1.01))
    worse = calibrate(capsys, port, "--verify", "--quick", "--output", str(tmp_path / "w"), code=8)
    assert re.search(r"\(wrist\) is 0\.(49|50)\d K off \(at most 0\.2 K\); calibrate anew", worse["error"]["message"])
    monkeypatch.undo()

    calibrate(capsys, port, "--quick", "--sensor", "wrist", "--yes", "--output", str(tmp_path / "second"))
    assert peer.corrections[0] != first[0] and peer.corrections[1] == first[1]
    assert calibrate(capsys, port, "--rollback", "--yes")["rolled_back"]
    assert peer.corrections == first


def test_an_accelerometer_is_laid_in_six_positions(
    band: tuple[Band, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer, port = band
    figures = calibrate(capsys, port, "--sensor", "motion", "--yes", "--output", str(tmp_path / "out"))
    (motion,) = figures["sensors"]
    assert motion["numbers"][0]["hold_out_after"] < 0.004 < motion["numbers"][0]["hold_out_before"]
    correction = correction_of(peer.corrections[2])
    np.testing.assert_allclose(correction.offset_g, ZERO_G, atol=0.003)  # type: ignore[attr-defined]
    # The laboratory is left as it was found.
    assert peer.up.tolist() == [0.0, 0.0, 1.0]
    page = Path(figures["report"]["html"]).read_text(encoding="utf-8")
    assert "written and read back" in page and "motion (lis3dh)" in page
    assert page.index("Hold-out error of motion") < page.index("motion (lis3dh)")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--sensor", "pulse"), 2, "no sensor 'pulse' that can be calibrated; choose of wrist, air, motion"),
        (("--sensor", "motion", "--sensor", "air"), 2, "A run is about one accelerometer"),
        (("--dry-run", "--verify"), 2, "exclude each other"),
        (("--set-points", "30,x"), 2, "no list of temperatures"),
        (("--set-points", "30,31"), 2, "3 K or more apart"),
    ],
)
def test_what_cannot_be_calibrated_is_said(
    band: tuple[Band, str], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert words in calibrate(capsys, band[1], *arguments, code=code)["error"]["message"]


def test_a_run_goes_on_where_it_was_interrupted(
    band: tuple[Band, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, port = band
    folder = str(tmp_path / "out")
    real, visited = SimulatedReference.set_point, []

    def once(reference: SimulatedReference, celsius: float) -> float:
        visited.append(celsius)
        if len(visited) == 2:
            raise KeyboardInterrupt
        return real(reference, celsius)

    monkeypatch.setattr(SimulatedReference, "set_point", once)
    calibrate(capsys, port, "--quick", "--sensor", "wrist", "--yes", "--output", folder, code=130)
    assert [path.name for path in Path(folder).iterdir()] == ["measurements.json"]
    figures = calibrate(capsys, port, "--resume", folder, "--yes")
    assert visited == [30.0, 37.0, 37.0, 34.7]
    assert figures["written"] and figures["settings"]["sensors"] == ["wrist"]
    assert sorted(path.name for path in Path(folder).iterdir()) == ["report.html", "report.json"]


def test_a_broken_thermistor_leaves_the_others_to_be_calibrated() -> None:
    plain = {"kind": "ads1115-ntc", "name": "spots", "path": [0x48], "channels": [{"name": "left"}, {"name": "right"}]}
    settings = schema.from_plain(plain, Ads1115NtcSettings, "sensor")
    reader = KINDS["ads1115-ntc"].reader(settings, b"", None)
    block = Block(1_000_000, 0, 0, 0, codec.encode((12000, None)))
    moments = list(reader.push(block))
    (reading,) = readings(settings, moments, None)
    assert np.isfinite(reading.celsius).all() and reading.valid.tolist() == [True, False]
    ((left, right),) = PROCEDURES["ads1115-ntc"].raw(settings, block, moments)
    assert left == 12000 and np.isnan(right)
    observation = average([reading] * 16, "fit", 33.0, 33.0, beside={0: (left, right)})
    kept = Observation.from_map(json.loads(json.dumps(observation.to_map(), allow_nan=False)))
    assert kept.valid.tolist() == [True, False] and np.isnan(kept.beside[0][1])

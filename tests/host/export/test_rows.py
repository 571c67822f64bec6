"""Which rows an export has, what they were made with, and what they say of that."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import recorded
from exported import exported, rows_of, swapped
from host_sessions import STARTED_NS, came, session_of

from thermo_core.recording.layout import Gap
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Stamp, fingerprint, to_bytes
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_host.about import about
from thermo_host.exports import target
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.rows import SampleRow
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom


def test_another_emissivity_is_another_temperature(patch: Recording, session: Session) -> None:
    means = []
    for choice in (Choice(), Choice(emissivity=0.80)):
        decoding = Decoding(patch, choice)
        assert len(list(decoding)) > 40
        means.append(decoding.totals.to_map()["signals"]["skin"]["mean"])
    assert means[1] > means[0] + 0.5


def test_what_temperatures_and_findings_came_from_is_kept(tmp_path: Path, patch: Recording, session: Session) -> None:
    choice = Choice(emissivity=0.9)
    arrays = np.load(exported(patch, tmp_path / "out.npz", choice)[0])
    wanted = {"serial": "0001", "name": "thermo-sim", "profile": "patch", "bundle": "1.2.3", "simulated": True}
    for name, value in wanted.items():
        assert arrays[name][()] == value, name
    about = json.loads(str(arrays["about"]))
    assert about["sensors"][0]["emissivity"] == 0.9
    assert about["sensors"][0]["uncalibrated"]
    assert about["signals"]["skin"] == {"unit": "degC", "shape": [24, 32], "rate_hz": 8.0}
    assert "Informs only" in about["notice"]
    assert set(arrays["findings-lesion.bundle"].tolist()) == {"01020304"}
    exported(patch, tmp_path / "out.csv", choice)
    row = rows_of(tmp_path / "out-skin.csv")[0]
    said = {name: row[name] for name in ("serial", "profile", "simulated", "uncalibrated", "emissivity")}
    assert said == {
        "serial": "0001",
        "profile": "patch",
        "simulated": "True",
        "uncalibrated": "True",
        "emissivity": "0.9",
    }
    assert rows_of(tmp_path / "out-findings-lesion.csv")[0]["quality"] == "uncalibrated, simulated"
    assert json.loads((tmp_path / "out-about.json").read_text())["profile_whole"] == about["profile_whole"]


def test_another_profile_later_has_tables_of_its_own(tmp_path: Path, session: Session) -> None:
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 100)
    items: list[Any] = list(came(recorded.patch_records(pages)))
    model = msgspec.structs.replace(session.profile.models[0], scores=("none", "some"))
    spots: Any = session.profile.sensors[1]
    thermistors = msgspec.structs.replace(spots, channels=spots.channels[:1])
    later = swapped(session, models=(model,), alerts=(), sensors=(session.profile.sensors[0], thermistors))
    found = recorded.recording(tmp_path / "r.mcap", session, [*items[:60], later, *items[60:]])
    arrays = np.load(exported(found, tmp_path / "out.npz")[0])
    assert arrays["findings-lesion.lesion"].size and arrays["findings-lesion-2.some"].size
    assert arrays["spots"].shape[1] == 2
    whole = len(np.load(exported(found, tmp_path / "b.npz", Choice(signals=("skin",)))[0])["skin"])
    assert len(arrays["skin"]) == whole
    assert json.loads(str(arrays["about"]))["later"][0]["profile"] == "patch"


@pytest.mark.parametrize(("start", "end"), [(2.0, 4.0), (0.0, 1.0), (3.5, 60.0), (50.0, 60.0)])
def test_a_window_holds_what_came_in_it(
    tmp_path: Path, session: Session, start: float, end: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermo_host.sinks.recorder.FLUSH_S", 0.0)
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 120)
    items = list(came(recorded.patch_records(pages)))
    found = recorded.recording(tmp_path / "r.mcap", session, items)
    whole = list(Decoding(found))
    from_ns, to_ns = (session.started_ns + round(second * 1e9) for second in (start, end))
    decoding = Decoding(found, Choice(from_ns=from_ns, to_ns=to_ns))
    rows = list(decoding)
    wanted = [row for row in whole if from_ns - 20_000_000 <= row.utc_ns <= to_ns - 20_000_000]
    assert [row.utc_ns for row in rows] == [row.utc_ns for row in wanted]
    for row, other in zip(rows, wanted, strict=True):
        if isinstance(row, SampleRow) and isinstance(other, SampleRow):
            np.testing.assert_array_equal(row.sample.values, other.sample.values)
    assert decoding.totals.lost == 0


def test_lost_blocks_and_blocks_of_unknown_constants_are_counted(tmp_path: Path, session: Session) -> None:
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 60)
    records: list[Any] = [
        record for record in recorded.patch_records(pages, key_interval=1) if getattr(record, "sensor", 1) == 0
    ]
    del records[20:23]
    records[40] = replace(records[40], constants=7)
    gap = Gap(from_ns=STARTED_NS, to_ns=STARTED_NS + 5, reason="unplugged")
    decoding = Decoding(recorded.recording(tmp_path / "r.mcap", session, [gap, *came(records)]))
    rows = list(decoding)
    assert (decoding.totals.lost, decoding.totals.undecodable) == (3, 1)
    assert rows[0].values == (gap.from_ns, gap.to_ns, "unplugged")
    assert decoding.totals.rows == {"gaps": 1}


def corrected(session: Session, constants_crc32: int) -> Session:
    stamp = Stamp(session.hello.sensors[0].id, 1_700_000_000, 0.05, constants_crc32)
    offset = np.full((24, 32), 1.0, np.float32)
    blob = to_bytes(replace(PixelCorrection.identity(stamp), offset=offset))
    states = (msgspec.structs.replace(session.hello.sensors[0], corrected=True), *session.hello.sensors[1:])
    hello = msgspec.structs.replace(session.hello, sensors=states)
    return replace(session, hello=hello, corrections={0: blob})


def test_a_correction_is_applied_to_the_chip_it_was_made_of_and_to_no_other(
    tmp_path: Path, session: Session, expected: list[Any]
) -> None:
    crc = fingerprint(session.constants[0].data)
    plain = np.array([picture.celsius for picture in expected[:20]])
    for name, crc32, choice, shift in (
        ("own", crc, None, 1.0),
        ("left-out", crc, Choice(corrected=False), 0.0),
        ("another", crc ^ 1, None, 0.0),
    ):
        items = came(recorded.patch_records(recorded.subpages(eeprom.generate(recorded.SEED), 40)))
        found = recorded.recording(tmp_path / f"{name}.mcap", corrected(session, crc32), items)
        arrays = np.load(exported(found, tmp_path / f"{name}.npz", choice)[0])
        np.testing.assert_allclose(arrays["skin"], plain + np.float32(shift), atol=1e-5)
        uncalibrated = arrays["skin.flags"] & 1 << 8 != 0
        assert uncalibrated.all() == (not shift)
        sensor = json.loads(str(arrays["about"]))["sensors"][0]
        assert sensor["uncalibrated"] == (not shift)
        assert sensor["calibrated_at"] == ("2023-11-14T22:13:20+00:00" if shift else None)


def test_pictures_of_other_constants_are_decoded_with_them(tmp_path: Path, session: Session) -> None:
    words = (eeprom.generate(recorded.SEED), eeprom.generate(recorded.SEED + 1))
    first = list(recorded.patch_records(recorded.subpages(words[0], 60)))
    second = [
        replace(record, time_us=record.time_us + 10_000_000, constants=0 if record.sensor else 1)
        for record in recorded.patch_records(recorded.subpages(words[1], 60))
        if isinstance(record, Block)
    ]
    states = (msgspec.structs.replace(session.hello.sensors[0], constants=1), *session.hello.sensors[1:])
    later = replace(
        session,
        hello=msgspec.structs.replace(session.hello, sensors=states),
        constants={0: SensorConstants(1, words[1].astype("<u2").tobytes())},
    )
    items: list[Any] = [*came(first), later, *came(second)]
    decoding = Decoding(recorded.recording(tmp_path / "r.mcap", session, items))
    target.write(decoding, tmp_path / "out.npz", decoding.first)
    assert decoding.totals.undecodable == 0
    arrays = np.load(tmp_path / "out.npz")
    for number, one in enumerate(words):
        np.testing.assert_array_equal(arrays[f"skin.constants.{number}"].view("<u2"), one)
        assembler = PictureAssembler(Decoder(Constants.from_eeprom(one), 0.98))
        made = [assembler.push(page) for page in recorded.subpages(one, 60)]
        pictures = [picture.celsius for picture in made if picture is not None]
        there = arrays["skin.time_us"] > 10_000_000 if number else arrays["skin.time_us"] < 10_000_000
        np.testing.assert_array_equal(arrays["skin"][there], pictures)
    assert json.loads(str(arrays["about"]))["later"][0]["sensors"][0]["constants"] == 1


def test_what_cannot_be_calibrated_is_not_called_uncalibrated() -> None:
    profile = file.read(resolve("wrist-stress")).profile
    session = session_of(profile, {})
    said = about(session, profile, session.engine({}))["sensors"]
    assert [one["kind"] for one in said] == ["external"] * 4 and not any(one["uncalibrated"] for one in said)

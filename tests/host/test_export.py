"""Exports and decoded dumps, against the vendor's own figures and against a second way of reading the same file."""

import csv
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thermo_core.profile import Profile

from thermo_core.errors import SensorError, StorageError, UsageError
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.dump import Dump
from thermo_core.sensors.mlx90640.frames import CONTROL, Picture, Subpage
from thermo_core.wire.records import VerdictRecord
from thermo_host import dumps, export
from thermo_host.export import Totals
from thermo_host.link.lease import Telemetry
from thermo_host.moments import parse_moment
from thermo_host.pictures import DecodeSettings
from thermo_host.stream.playback import Recording
from thermo_host.sinks.recorder import Recorder
from thermo_host.link.session import Session
from thermo_host.tables import PictureRow, Row
from thermo_sim import eeprom

Take = Callable[[int], list[Telemetry]]


@pytest.fixture
def recorded(tmp_path: Path, session: Session, telemetry: Take) -> Recording:
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        for item in telemetry(140):
            recorder.add(item)
    return Recording(tmp_path / "r.mcap")


def exported(
    recording: Recording, path: Path, settings: DecodeSettings | None = None, force: bool = False
) -> list[Path]:
    decoding = export.Decoding(recording, settings)
    return export.write(decoding, path, decoding.about, decoding.eeproms, force)


def pictures_of(dump: Dump, settings: DecodeSettings | None = None) -> tuple[list[Picture], Totals]:
    decoding = dumps.DumpDecoding(dump, settings)
    return [row.picture for row in decoding], decoding.totals


def test_npz_holds_what_decoding_the_words_gives(
    tmp_path: Path, recorded: Recording, session: Session, subpages: list[Subpage]
) -> None:
    (path,) = exported(recorded, tmp_path / "out.npz")
    arrays = np.load(path)
    assembler = PictureAssembler(Decoder(Constants.from_eeprom(session.eeproms[0]), 0.98))
    pictures = [picture for picture in map(assembler.push, subpages) if picture is not None]
    count = len(arrays["celsius"])
    assert count > 40
    np.testing.assert_array_equal(arrays["celsius"], [picture.celsius for picture in pictures[:count]])
    np.testing.assert_array_equal(arrays["valid"], [picture.valid for picture in pictures[:count]])
    np.testing.assert_allclose(arrays["ta_c"], [picture.ta for picture in pictures[:count]])
    np.testing.assert_array_equal(arrays["index"], [picture.index for picture in pictures[:count]])
    expected_ns = [session.started_ns + (picture.time_us - 1_000_000) * 1000 for picture in pictures[:count]]
    np.testing.assert_array_equal(arrays["utc_ns"], expected_ns)
    assert arrays["utc"][0].endswith("+00:00")
    np.testing.assert_array_equal(arrays["eeprom_0"], session.eeproms[0])
    readings = set(zip(arrays["thermistor_channel"].tolist(), arrays["thermistor_state"].tolist(), strict=True))
    assert readings == {("skin", "ok"), ("core", "shorted"), ("left", "ok")}
    shorted = arrays["thermistor_celsius"][arrays["thermistor_channel"] == "core"]
    assert np.isnan(shorted).all()
    assert set(arrays["verdict_label"].tolist()) == {"lesion"}
    np.testing.assert_allclose(arrays["verdict_score_lesion"], 0.75)


def test_csv_says_the_same(tmp_path: Path, recorded: Recording) -> None:
    decoded = np.load(exported(recorded, tmp_path / "out.npz")[0])
    pictures, thermistors, verdicts, about = exported(recorded, tmp_path / "out.csv")
    assert [path.name for path in (pictures, thermistors, verdicts, about)] == [
        "out.csv",
        "out-thermistors.csv",
        "out-verdicts.csv",
        "out-about.json",
    ]
    with pictures.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(decoded["celsius"])
    assert float(rows[3]["r09c11"]) == pytest.approx(float(decoded["celsius"][3, 9, 11]), abs=6e-4)
    assert float(rows[3]["ta_c"]) == pytest.approx(float(decoded["ta_c"][3]), abs=6e-4)
    assert [row["utc"] for row in rows] == decoded["utc"].tolist()
    with verdicts.open() as file:
        assert {row["score lesion"] for row in csv.DictReader(file)} == {"0.75"}


def test_another_emissivity_is_another_temperature(recorded: Recording) -> None:
    means = []
    for settings in (DecodeSettings(), DecodeSettings(emissivity=0.80)):
        decoding = export.Decoding(recorded, settings)
        assert len(list(decoding)) > 40
        means.append(decoding.totals.to_map()["mean_c"])
    assert means[1] > means[0] + 0.5


def test_an_ending_that_says_no_format_is_refused(tmp_path: Path, recorded: Recording) -> None:
    with pytest.raises(UsageError, match=r"\.npz nor \.csv"):
        exported(recorded, tmp_path / "out.xlsx")


@pytest.mark.parametrize("name", ["out.npz", "out.csv"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, recorded: Recording, name: str) -> None:
    target = tmp_path / "folder" / name
    with pytest.raises(StorageError, match="no such file or directory"):
        exported(recorded, target)
    target.parent.mkdir()
    target.write_text("old")

    def rows() -> Iterator[Row]:
        yield from islice(export.Decoding(recorded), 50)
        raise SensorError("The rest is lost.")

    with pytest.raises(SensorError):
        export.write(rows(), target, {}, {}, force=True)
    assert target.read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == [name]


@pytest.mark.parametrize(("name", "others"), [("out.npz", []), ("out.csv", ["out-verdicts.csv", "out-about.json"])])
def test_nothing_is_replaced_without_force(tmp_path: Path, recorded: Recording, name: str, others: list[str]) -> None:
    written = exported(recorded, tmp_path / name)
    first = [path.read_bytes() for path in written]
    with pytest.raises(StorageError, match=rf"{name} exists.*--force"):
        exported(recorded, tmp_path / name)
    exported(recorded, tmp_path / name, DecodeSettings(emissivity=0.8), force=True)
    assert [path.read_bytes() for path in written] != first
    for other in others:
        (tmp_path / name).unlink(missing_ok=True)
        with pytest.raises(StorageError, match="exists"):
            exported(recorded, tmp_path / name)
        (tmp_path / other).unlink()


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, recorded: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zipfile.ZipFile.open

    def full(archive: zipfile.ZipFile, name: str, *arguments: Any, **options: Any) -> Any:
        if name == "utc.npy":
            raise OSError(28, "No space left on device")
        return real(archive, name, *arguments, **options)

    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(StorageError, match="no space left on device"):
        exported(recorded, tmp_path / "out.npz")
    assert {path.name for path in tmp_path.iterdir()} == before


def test_what_temperatures_and_verdicts_came_from_is_kept(tmp_path: Path, session: Session, telemetry: Take) -> None:
    profile = cbor2.dumps(Profile.bare().to_dict(), canonical=True)
    with Recorder(tmp_path / "r.mcap", replace(session, profile_cbor=profile)) as recorder:
        for item in telemetry(140):
            recorder.add(item)
    recording = Recording(tmp_path / "r.mcap")
    wanted = {
        "serial": "0001",
        "name": "thermo-sim",
        "profile": "breast-patch",
        "model": "1.2.3",
        "simulated": True,
        "uncalibrated": True,
        "emissivity": 0.9,
    }
    arrays = np.load(exported(recording, tmp_path / "out.npz", DecodeSettings(emissivity=0.9))[0])
    for name, value in wanted.items():
        assert arrays[name][()] == value, name
    about = json.loads(str(arrays["about"]))
    assert Profile.from_dict(about["profile_whole"]) == Profile.bare()
    assert about["sensors"][0]["emissivity"] == 0.9
    for name in ("uncalibrated", "simulated"):
        assert arrays[f"verdict_{name}"].all() and arrays[f"verdict_{name}"].dtype == bool
    assert not arrays["verdict_fast_kernels"].any()
    assert set(arrays["verdict_model"].tolist()) == {"1.2.3"}
    assert set(arrays["verdict_pictures"].tolist()) == {4}
    pictures, _, verdicts, facts = exported(recording, tmp_path / "out.csv", DecodeSettings(emissivity=0.9))
    with pictures.open() as file:
        row = next(csv.DictReader(file))
    assert {name: row[name] for name in wanted if name in row} == {
        "serial": "0001",
        "profile": "breast-patch",
        "simulated": "True",
        "uncalibrated": "True",
        "emissivity": "0.9",
    }
    with verdicts.open() as file:
        verdict = next(csv.DictReader(file))
    assert (verdict["model"], verdict["uncalibrated"], verdict["fast_kernels"], verdict["simulated"]) == (
        "1.2.3",
        "True",
        "False",
        "True",
    )
    assert json.loads(facts.read_text())["profile_whole"] == about["profile_whole"]


def test_pixels_without_a_reading_of_their_own_are_named(tmp_path: Path, session: Session, telemetry: Take) -> None:
    with Recorder(
        tmp_path / "r.mcap", replace(session, eeproms={0: eeprom.generate(11, broken=(5 * 32 + 7,))})
    ) as recorder:
        for item in telemetry(60):
            recorder.add(item)
    (path, *_) = exported(Recording(tmp_path / "r.mcap"), tmp_path / "out.csv")
    with path.open() as file:
        assert {row["interpolated"] for row in csv.DictReader(file)} == {"r05c07"}


def test_labels_of_any_name_are_arrays_of_their_own(tmp_path: Path, session: Session, telemetry: Take) -> None:
    hello = replace(session.hello, labels=("../../left side", "../../left_side"))
    with Recorder(tmp_path / "r.mcap", replace(session, hello=hello)) as recorder:
        for item in telemetry(60):
            recorder.add(item)
    arrays = np.load(exported(Recording(tmp_path / "r.mcap"), tmp_path / "out.npz")[0])
    scores = sorted(name for name in arrays.files if name.startswith("verdict_score"))
    assert len(scores) == 2
    assert not any("/" in name for name in arrays.files)
    assert {round(float(arrays[name][0]), 2) for name in scores} == {0.25, 0.75}


def test_a_score_that_comes_later_is_a_column_of_its_own(tmp_path: Path, session: Session, telemetry: Take) -> None:
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        for number, item in enumerate(telemetry(140)):
            more = number > 70 and isinstance(item.record, VerdictRecord)
            recorder.add(replace(item, record=replace(item.record, scores=(0.0, 0.0, 1.0), label=2)) if more else item)
    recording = Recording(tmp_path / "r.mcap")
    arrays = np.load(exported(recording, tmp_path / "out.npz")[0])
    later = arrays["verdict_score_class_2"]
    assert len(later) == len(arrays["verdict_score_lesion"]) > 4
    assert np.isnan(later[0]) and later[-1] == 1.0
    *_, verdicts, _ = exported(recording, tmp_path / "out.csv")
    with verdicts.open() as file:
        rows = list(csv.DictReader(file))
    assert not rows[0]["score class 2"] and float(rows[-1]["score class 2"]) == 1.0


@pytest.mark.parametrize(("start", "end"), [(2.0, 4.0), (0.0, 1.0), (3.5, 60.0), (50.0, 60.0)])
def test_a_window_holds_what_came_in_it(
    tmp_path: Path, session: Session, telemetry: Take, start: float, end: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermo_host.sinks.recorder.FLUSH_S", 0.0)
    items = telemetry(140)
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        for item in items:
            recorder.add(item)
    recording = Recording(tmp_path / "r.mcap")
    whole = list(export.Decoding(recording))
    from_ns, to_ns = (session.started_ns + round(second * 1e9) for second in (start, end))
    decoding = export.Decoding(recording, window=export.Window(from_ns, to_ns))
    found = list(decoding)
    wanted = [row for row in whole if from_ns - 20_000_000 <= row.utc_ns <= to_ns - 20_000_000]
    assert [row.utc_ns for row in found] == [row.utc_ns for row in wanted]
    for row, other in zip(found, wanted, strict=True):
        if isinstance(row, PictureRow) and isinstance(other, PictureRow):
            np.testing.assert_array_equal(row.picture.celsius, other.picture.celsius)
    assert decoding.totals.lost == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("+90.5", 90.5),
        ("1:30", 90),
        ("1:00:00", 3600),
        ("2023-11-14T22:13:30Z", 10),
        ("2023-11-14T23:13:30+01:00", 10),
        ("2023-11-14 22:13:30", 10),
    ],
)
def test_moments_are_dates_or_times_since_the_start(session: Session, text: str, seconds: float) -> None:
    assert parse_moment("--from", text, session.started_ns) == session.started_ns + round(seconds * 1e9)


@given(st.text() | st.from_regex(r"[0-9:.+TZ-]{1,30}", fullmatch=True))
def test_what_is_no_moment_is_said(text: str) -> None:
    try:
        assert isinstance(parse_moment("--to", text, 0), int)
    except UsageError as error:
        assert "--to" in str(error)


def test_the_vendors_example_decodes_to_the_vendors_figures(golden_dir: Path) -> None:
    path = golden_dir / "s1_melexis_example.npz"
    (picture,), _ = pictures_of(dumps.load(path), DecodeSettings(emissivity=1.0))
    expected = np.load(path)["exp_to_frame1"].reshape(24, 32)
    own = expected != 0
    assert np.abs(picture.celsius - expected)[own & picture.valid].max() < 0.01


def test_a_dump_in_another_order_loses_halves_and_says_so(golden_dir: Path) -> None:
    dump = dumps.load(golden_dir / "s1_melexis_example.npz")
    twice = Dump(dump.eeprom, np.stack([dump.frames[0], dump.frames[0], dump.frames[1], dump.frames[1]]))
    pictures, totals = pictures_of(twice)
    assert (len(pictures), totals.lost) == (1, 2)
    damaged = dump.frames.copy()
    damaged[0, 768:832] = 0x7FFF
    with pytest.raises(
        SensorError, match=r"1 cannot be right and 1 lack the other half \(row 0: Auxiliary word 0x0700 "
    ):
        pictures_of(Dump(dump.eeprom, damaged))
    both = np.concatenate([damaged, dump.frames])
    assert pictures_of(Dump(dump.eeprom, both))[1].invalid == 1


def test_halves_of_different_reading_patterns_make_no_picture(golden_dir: Path) -> None:
    dump = dumps.load(golden_dir / "s1_melexis_example.npz")
    other = dump.frames.copy()
    other[:, CONTROL] ^= 1 << 12
    rows = np.stack([dump.frames[0], other[1], other[0], dump.frames[1]])
    pictures, totals = pictures_of(Dump(dump.eeprom, rows))
    assert (len(pictures), totals.lost, totals.invalid) == (1, 2, 0)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"frames": np.zeros((2, 834), np.uint16)}, "no EEPROM.*--eeprom FILE"),
        ({"eeprom": eeprom.generate(1)}, "no frames"),
        ({"pictures": np.zeros((2, 24, 32), np.uint16)}, "no array `eeprom`.*pictures"),
        ({"eeprom": np.array([None] * 832)}, "never loaded"),
        ({"eeprom": np.zeros(831, np.uint16), "frames": np.zeros((2, 834), np.uint16)}, "832 words"),
        ({"eeprom": np.zeros(832, np.uint16), "frames": np.zeros((2, 768), np.uint16)}, "834 words"),
        ({"eeprom": np.zeros(832), "frames": np.zeros((2, 834), np.uint16)}, "not the sensor's 16-bit words"),
        ({"eeprom": np.full(832, -40_000), "frames": np.zeros((2, 834), np.uint16)}, "not 16-bit words"),
    ],
)
def test_what_is_no_dump_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    path = tmp_path / "dump.npz"
    np.savez(path, **arrays)
    with pytest.raises(StorageError, match=message):
        dumps.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY", b"text"])
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dump.npz"
    path.write_bytes(content)
    with pytest.raises(StorageError):
        dumps.load(path)

"""Exports and decoded dumps, against the vendor's own figures and against a second way of reading the same file."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from thermo_core.errors import SensorError, StorageError, UsageError
from thermo_core.frames import CONTROL, Subpage
from thermo_core.mlx90640.assemble import PictureAssembler
from thermo_core.mlx90640.calibration import Calibration
from thermo_core.mlx90640.decode import Decoder
from thermo_host import dumps, export
from thermo_host.lease import Telemetry
from thermo_host.pictures import DecodeSettings
from thermo_host.playback import Recording
from thermo_host.recording import Recorder
from thermo_host.session import Session
from thermo_sim import eeprom

Take = Callable[[int], list[Telemetry]]


@pytest.fixture
def recorded(tmp_path: Path, session: Session, telemetry: Take) -> Recording:
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        for item in telemetry(140):
            recorder.add(item)
    return Recording(tmp_path / "r.mcap")


def test_npz_holds_what_decoding_the_words_gives(
    tmp_path: Path, recorded: Recording, session: Session, subpages: list[Subpage]
) -> None:
    (path,) = export.write(export.decode_recording(recorded), tmp_path / "out.npz")
    arrays = np.load(path)
    assembler = PictureAssembler(Decoder(Calibration.from_eeprom(session.eeproms[0]), 0.98))
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
    decoded = export.decode_recording(recorded)
    pictures, thermistors, verdicts = export.write(decoded, tmp_path / "out.csv")
    assert [path.name for path in (pictures, thermistors, verdicts)] == [
        "out.csv",
        "out-thermistors.csv",
        "out-verdicts.csv",
    ]
    with pictures.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(decoded.celsius)
    assert float(rows[3]["r09c11"]) == pytest.approx(float(decoded.celsius[3, 9, 11]), abs=6e-4)
    assert float(rows[3]["ta_c"]) == pytest.approx(float(decoded.ta[3]), abs=6e-4)
    with verdicts.open() as file:
        assert {row["score lesion"] for row in csv.DictReader(file)} == {"0.75"}


def test_another_emissivity_is_another_temperature(recorded: Recording) -> None:
    usual = export.decode_recording(recorded).celsius.mean()
    warmer = export.decode_recording(recorded, DecodeSettings(emissivity=0.80)).celsius.mean()
    assert warmer > usual + 0.5


def test_an_ending_that_says_no_format_is_refused(tmp_path: Path, recorded: Recording) -> None:
    with pytest.raises(UsageError, match=r"\.npz nor \.csv"):
        export.write(export.decode_recording(recorded), tmp_path / "out.xlsx")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, recorded: Recording) -> None:
    target = tmp_path / "folder" / "out.npz"
    with pytest.raises(StorageError, match="no such file or directory"):
        export.write(export.decode_recording(recorded), target)
    target.parent.mkdir()
    target.write_text("old")
    broken = export.decode_recording(recorded)
    broken.thermistors.rows.append([object()])
    export.write(broken, target)
    assert [path.name for path in target.parent.iterdir()] == ["out.npz"]


def test_the_vendors_example_decodes_to_the_vendors_figures(golden_dir: Path) -> None:
    path = golden_dir / "s1_melexis_example.npz"
    decoded = dumps.decode(dumps.load(path), DecodeSettings(emissivity=1.0))
    expected = np.load(path)["exp_to_frame1"].reshape(24, 32)
    assert decoded.celsius.shape == (1, 24, 32)
    own = expected != 0
    assert np.abs(decoded.celsius[0] - expected)[own & decoded.valid[0]].max() < 0.01


def test_a_dump_in_another_order_loses_halves_and_says_so(golden_dir: Path) -> None:
    dump = dumps.load(golden_dir / "s1_melexis_example.npz")
    twice = dumps.Dump(dump.eeprom, np.stack([dump.frames[0], dump.frames[0], dump.frames[1], dump.frames[1]]))
    decoded = dumps.decode(twice)
    assert (len(decoded.celsius), decoded.lost) == (1, 2)
    damaged = dump.frames.copy()
    damaged[0, 768:832] = 0x7FFF
    with pytest.raises(
        SensorError, match=r"1 cannot be right and 1 lack the other half \(row 0: Auxiliary word 0x0700 "
    ):
        dumps.decode(dumps.Dump(dump.eeprom, damaged))
    both = np.concatenate([damaged, dump.frames])
    assert dumps.decode(dumps.Dump(dump.eeprom, both)).invalid == 1


def test_halves_of_different_reading_patterns_make_no_picture(golden_dir: Path) -> None:
    dump = dumps.load(golden_dir / "s1_melexis_example.npz")
    other = dump.frames.copy()
    other[:, CONTROL] ^= 1 << 12
    rows = np.stack([dump.frames[0], other[1], other[0], dump.frames[1]])
    decoded = dumps.decode(dumps.Dump(dump.eeprom, rows))
    assert (len(decoded.celsius), decoded.lost, decoded.invalid) == (1, 2, 0)


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

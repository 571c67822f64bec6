"""Raw dumps of other tools decoded to pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.errors import SensorError, StorageError, UsageError
from thermo_core.sensors.mlx90640.dump import Dump
from thermo_core.sensors.mlx90640.frames import CONTROL
from thermo_host.exports import dumps, target
from thermo_host.exports.rows import SampleRow
from thermo_host.exports.totals import Totals
from thermo_sim.chips.mlx90640 import eeprom


def pictures_of(dump: Dump, emissivity: float | None = None) -> tuple[list[SampleRow], Totals]:
    decoding = dumps.DumpDecoding(dump, emissivity)
    return [row for row in decoding if row.track.is_picture], decoding.totals


def test_the_vendors_example_decodes_to_the_vendors_figures(golden_dir: Path) -> None:
    path = golden_dir / "s1_melexis_example.npz"
    (picture,), _ = pictures_of(dumps.load(path), emissivity=1.0)
    expected = np.load(path)["exp_to_frame1"].reshape(24, 32)
    own = expected != 0
    assert np.abs(picture.sample.values - expected)[own & picture.measured].max() < 0.01


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
    assert pictures_of(Dump(dump.eeprom, both))[1].undecodable == 1


def test_halves_of_different_reading_patterns_make_no_picture(golden_dir: Path) -> None:
    dump = dumps.load(golden_dir / "s1_melexis_example.npz")
    other = dump.frames.copy()
    other[:, CONTROL] ^= 1 << 12
    rows = np.stack([dump.frames[0], other[1], other[0], dump.frames[1]])
    pictures, totals = pictures_of(Dump(dump.eeprom, rows))
    assert (len(pictures), totals.lost, totals.undecodable) == (1, 2, 0)


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
def test_what_is_no_dump_is_refused(tmp_path: Path, arrays: dict[str, NDArray[Any]], message: str) -> None:
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


def test_a_dump_is_written_as_a_recording_is(tmp_path: Path, golden_dir: Path) -> None:
    decoding = dumps.DumpDecoding(dumps.load(golden_dir / "s1_melexis_example.npz"), emissivity=0.95)
    (path,) = target.write(decoding, tmp_path / "out.npz", decoding.first)
    arrays = np.load(path)
    assert arrays["celsius"].shape == (1, 24, 32)
    assert arrays["emissivity"] == 0.95 and arrays["uncalibrated"]
    assert arrays["utc"].tolist() == [""]
    assert arrays["camera.constants.0"].size == 2 * 832
    with pytest.raises(UsageError, match="emissivity"):
        dumps.DumpDecoding(dumps.load(golden_dir / "s1_melexis_example.npz"), emissivity=2.0)

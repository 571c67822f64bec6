"""Files that the simulator replays: dumps and recordings load or are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import StorageError
from thermo_sim.chips.mlx90640.dumps import load_eeprom, load_replay, load_sensor
from thermo_sim.chips.mlx90640.eeprom import generate


def test_every_file_format_gives_the_same_words(tmp_path: Path) -> None:
    words = generate(7)
    np.savez(tmp_path / "a.npz", eeprom=words, frames=np.zeros(3))
    np.save(tmp_path / "a.npy", words)
    (tmp_path / "a.bin").write_bytes(words.astype(">u2").tobytes())
    (tmp_path / "hex.txt").write_text("\n".join(f"0x{word:04X}," for word in words))
    (tmp_path / "decimal.csv").write_text(",".join(str(word) for word in words))
    for path in tmp_path.iterdir():
        loaded = load_eeprom(path)
        assert loaded.dtype == np.uint16
        assert np.array_equal(loaded, words), path.name


def test_files_that_hold_no_eeprom_are_refused(tmp_path: Path) -> None:
    (tmp_path / "short.bin").write_bytes(bytes(100))
    (tmp_path / "odd.bin").write_bytes(bytes(1663))
    (tmp_path / "words.txt").write_text("not numbers at all")
    (tmp_path / "large.txt").write_text("70000 " * 832)
    (tmp_path / "negative.txt").write_text("-40000 " * 832)
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "empty.npy").write_bytes(b"")
    np.savez(tmp_path / "other.npz", frames=np.zeros(3))
    np.save(tmp_path / "float.npy", np.zeros(832))
    np.save(tmp_path / "objects.npy", np.array([{}] * 832, dtype=object), allow_pickle=True)
    (tmp_path / "folder.bin").mkdir()
    for path in [*tmp_path.iterdir(), tmp_path / "absent.bin"]:
        with pytest.raises(StorageError, match=path.name):
            load_eeprom(path)


def test_frames_load_or_are_refused(tmp_path: Path, golden_dir: Any) -> None:
    frames = load_replay(golden_dir / "s1_melexis_example.npz").frames
    assert frames.shape == (2, 834)
    assert frames.dtype == np.uint16
    np.save(tmp_path / "again.npy", frames)
    assert np.array_equal(load_replay(tmp_path / "again.npy", generate(1)).frames, frames)
    np.savez(tmp_path / "none.npz", eeprom=generate(1))
    np.savez(tmp_path / "flat.npz", frames=np.zeros(834, dtype=int))
    np.savez(tmp_path / "empty.npz", frames=np.zeros((0, 834), dtype=int))
    np.savez(tmp_path / "large.npz", frames=np.full((1, 834), 70_000))
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    for name in ("none.npz", "flat.npz", "empty.npz", "large.npz", "cut.npz", "absent.npz"):
        with pytest.raises(StorageError, match=name):
            load_replay(tmp_path / name)


def test_an_eeprom_of_another_file_goes_with_frames(tmp_path: Path, golden_dir: Path) -> None:
    whole = load_replay(golden_dir / "s1_melexis_example.npz")
    assert whole.eeprom is not None
    (tmp_path / "nvmem.bin").write_bytes(whole.eeprom.astype("<u2").tobytes())
    (tmp_path / "frames.csv").write_text("\n".join(",".join(map(str, row)) for row in whole.frames.tolist()))
    eeprom, frames = load_sensor(tmp_path / "nvmem.bin", tmp_path / "frames.csv")
    assert eeprom is not None and frames is not None
    np.testing.assert_array_equal(eeprom, whole.eeprom)
    np.testing.assert_array_equal(frames, whole.frames)
    with pytest.raises(StorageError, match="--eeprom"):
        load_sensor(None, tmp_path / "frames.csv")
    assert load_sensor(None, None) == (None, None)

"""The store of a sensor's corrections: two of them, one way back, and no way to lose a whole one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import CorrectionError, StorageError
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_device.correction_store import CURRENT, PREVIOUS, CorrectionStore, Source

SENSOR = bytes(range(6))
PLACE = Path("/state")


def blob(offset: float, sensor: bytes = SENSOR) -> bytes:
    identity = PixelCorrection.identity(Stamp(sensor))
    return to_bytes(replace(identity, offset=np.full((24, 32), offset, dtype=np.float32)))


FIRST, SECOND, THIRD = blob(0.1), blob(0.2), blob(0.3)


@pytest.fixture
def store(tmp_path: Path) -> CorrectionStore:
    """First, then second written."""
    store = CorrectionStore(tmp_path, 0)
    store.write(FIRST)
    store.write(SECOND)
    return store


def test_empty_store_says_so(tmp_path: Path) -> None:
    store = CorrectionStore(tmp_path / "new", 0)
    loaded = store.load()
    assert (loaded.correction, loaded.source, loaded.problem) == (None, Source.NONE, "")
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (b"", b"")
    with pytest.raises(CorrectionError, match="before"):
        store.rollback()


def test_last_written_is_in_use_and_the_one_before_is_kept(store: CorrectionStore, tmp_path: Path) -> None:
    again = CorrectionStore(tmp_path, 0)
    loaded = again.load()
    assert loaded.source is Source.CURRENT
    assert loaded.correction is not None
    assert to_bytes(loaded.correction) == SECOND
    assert (again.read(CURRENT), again.read(PREVIOUS)) == (SECOND, FIRST)


def test_rollback_swaps_the_two(store: CorrectionStore) -> None:
    assert to_bytes(store.rollback()) == FIRST
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (FIRST, SECOND)
    store.rollback()
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (SECOND, FIRST)


def test_same_calibration_written_twice_does_not_push_out_the_one_before(store: CorrectionStore) -> None:
    store.write(SECOND)
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (SECOND, FIRST)


@few(40, of=100)
@given(st.integers(0, len(SECOND) - 1), st.integers(1, 255))
def test_damaged_calibration_is_refused_and_nothing_changes(
    fragile_files: Callable[..., Any], position: int, difference: int
) -> None:
    store = CorrectionStore(PLACE, 0, fragile_files())
    store.write(FIRST)
    damaged = bytearray(SECOND)
    damaged[position] ^= difference
    with pytest.raises(CorrectionError):
        store.write(bytes(damaged))
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (FIRST, b"")


def test_sensors_have_corrections_of_their_own(store: CorrectionStore, tmp_path: Path) -> None:
    other = CorrectionStore(tmp_path, 1)
    assert other.read(CURRENT) == b""
    other.write(THIRD)
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (SECOND, FIRST)
    assert (other.read(CURRENT), other.read(PREVIOUS)) == (THIRD, b"")


@pytest.mark.parametrize("content", [b"", b"\x00" * 90000, SECOND[:-1], SECOND + b"\x00", b"TCOR"])
def test_damaged_current_one_falls_back_to_the_one_before(
    store: CorrectionStore, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "correction-0.current").write_bytes(content)
    loaded = CorrectionStore(tmp_path, 0).load()
    assert loaded.source is Source.PREVIOUS
    assert loaded.correction is not None
    assert to_bytes(loaded.correction) == FIRST
    assert "damaged" in loaded.problem
    assert store.read(CURRENT) == FIRST
    store.write(THIRD)
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (THIRD, FIRST)
    assert CorrectionStore(tmp_path, 0).load().problem == ""


def test_both_damaged_is_told_and_a_new_one_repairs(store: CorrectionStore, tmp_path: Path) -> None:
    for name in ("current", "previous"):
        (tmp_path / f"correction-0.{name}").write_bytes(b"\xff" * 100)
    loaded = store.load()
    assert (loaded.correction, loaded.source) == (None, Source.NONE)
    assert "calibrate anew" in loaded.problem
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (b"", b"")
    with pytest.raises(CorrectionError):
        store.rollback()
    store.write(THIRD)
    assert store.load().source is Source.CURRENT


def prepared(fragile_files: Callable[..., Any]) -> Any:
    files = fragile_files()
    store = CorrectionStore(PLACE, 0, files)
    store.write(FIRST)
    store.write(SECOND)
    return files.after_power_cut("nothing")


SURVIVALS = [("nothing", 0), ("everything", 0), *(("something", seed) for seed in range(8))]


@pytest.mark.parametrize(("survival", "seed"), SURVIVALS)
@pytest.mark.parametrize("action", ["write", "rollback"])
def test_power_cut_at_every_operation_keeps_a_whole_calibration_and_a_way_back(
    fragile_files: Callable[..., Any], power_cut: type[Exception], action: str, survival: str, seed: int
) -> None:
    def act(store: CorrectionStore) -> None:
        if action == "write":
            store.write(THIRD)
        else:
            store.rollback()

    clean = prepared(fragile_files)
    act(CorrectionStore(PLACE, 0, clean))
    after = (THIRD, SECOND) if action == "write" else (FIRST, SECOND)
    assert clean.operations > 5
    for cut in range(1, clean.operations + 1):
        files = prepared(fragile_files)
        files.cut_at = cut
        with pytest.raises(power_cut):
            act(CorrectionStore(PLACE, 0, files))
        found = files.after_power_cut(survival, 100 * seed + cut)
        for second in range(1, 4):
            twice = found.after_power_cut("nothing")
            twice.cut_at = second
            try:
                CorrectionStore(PLACE, 0, twice).load()
            except power_cut:
                twice = twice.after_power_cut(survival, second)
            assert CorrectionStore(PLACE, 0, twice).load().problem == ""
        store = CorrectionStore(PLACE, 0, found)
        loaded = store.load()
        assert (loaded.source, loaded.problem) == (Source.CURRENT, "")
        assert (store.read(CURRENT), store.read(PREVIOUS)) in ((SECOND, FIRST), after), f"operation {cut}"
        store.write(THIRD)
        assert store.read(CURRENT) == THIRD


def test_refused_write_at_every_operation_leaves_a_whole_calibration(fragile_files: Callable[..., Any]) -> None:
    clean = prepared(fragile_files)
    CorrectionStore(PLACE, 0, clean).write(THIRD)
    for failing in range(1, clean.operations + 1):
        files = prepared(fragile_files)
        files.fail_at = failing
        store = CorrectionStore(PLACE, 0, files)
        with pytest.raises(StorageError):
            store.write(THIRD)
        assert store.load().source is Source.CURRENT
        assert (store.read(CURRENT), store.read(PREVIOUS)) in ((SECOND, FIRST), (THIRD, SECOND))
        store.write(THIRD)
        assert (store.read(CURRENT), store.read(PREVIOUS)) == (THIRD, SECOND)

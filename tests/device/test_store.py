"""The calibration store: two calibrations, one way back, and no way to lose a whole one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thermo_core.correction import Correction
from thermo_device.store import CURRENT, PREVIOUS, CalibrationStore, Source

from thermo_core.errors import CorrectionError, StorageError

SENSOR = bytes(range(6))
PLACE = Path("/state")


def blob(offset: float, sensor: bytes = SENSOR) -> bytes:
    identity = Correction.identity(sensor)
    return replace(identity, offset=np.full((24, 32), offset, dtype=np.float32)).to_bytes()


FIRST, SECOND, THIRD = blob(0.1), blob(0.2), blob(0.3)


@pytest.fixture
def store(tmp_path: Path) -> CalibrationStore:
    """First, then second written."""
    store = CalibrationStore(tmp_path)
    store.write(FIRST, SENSOR)
    store.write(SECOND, SENSOR)
    return store


def test_empty_store_says_so(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path / "new")
    loaded = store.load()
    assert (loaded.correction, loaded.source, loaded.problem) == (None, Source.NONE, "")
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (b"", b"")
    with pytest.raises(CorrectionError, match="before"):
        store.rollback()


def test_last_written_is_in_use_and_the_one_before_is_kept(store: CalibrationStore, tmp_path: Path) -> None:
    again = CalibrationStore(tmp_path)
    loaded = again.load()
    assert loaded.source is Source.CURRENT
    assert loaded.correction is not None
    assert loaded.correction.to_bytes() == SECOND
    assert (again.read(CURRENT), again.read(PREVIOUS)) == (SECOND, FIRST)


def test_rollback_swaps_the_two(store: CalibrationStore) -> None:
    assert store.rollback().to_bytes() == FIRST
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (FIRST, SECOND)
    store.rollback()
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (SECOND, FIRST)


def test_same_calibration_written_twice_does_not_push_out_the_one_before(store: CalibrationStore) -> None:
    store.write(SECOND)
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (SECOND, FIRST)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SECOND) - 1), st.integers(1, 255))
def test_damaged_calibration_is_refused_and_nothing_changes(
    fragile_files: Callable[..., Any], position: int, difference: int
) -> None:
    store = CalibrationStore(PLACE, fragile_files())
    store.write(FIRST)
    damaged = bytearray(SECOND)
    damaged[position] ^= difference
    with pytest.raises(CorrectionError):
        store.write(bytes(damaged))
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (FIRST, b"")


def test_calibration_of_another_sensor_is_refused_by_both_names(store: CalibrationStore) -> None:
    with pytest.raises(CorrectionError, match=r"aaaaaaaaaaaa and 000102030405"):
        store.write(blob(0.3, b"\xaa" * 6), SENSOR)
    assert store.read(CURRENT) == SECOND


@pytest.mark.parametrize("content", [b"", b"\x00" * 9000, SECOND[:-1], SECOND + b"\x00", b"TCOR"])
def test_damaged_current_one_falls_back_to_the_one_before(
    store: CalibrationStore, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "calibration.current").write_bytes(content)
    loaded = CalibrationStore(tmp_path).load()
    assert loaded.source is Source.PREVIOUS
    assert loaded.correction is not None
    assert loaded.correction.to_bytes() == FIRST
    assert "damaged" in loaded.problem
    assert store.read(CURRENT) == FIRST
    store.write(THIRD)
    assert (store.read(CURRENT), store.read(PREVIOUS)) == (THIRD, FIRST)
    assert CalibrationStore(tmp_path).load().problem == ""


def test_both_damaged_is_told_and_a_new_one_repairs(store: CalibrationStore, tmp_path: Path) -> None:
    for name in ("current", "previous"):
        (tmp_path / f"calibration.{name}").write_bytes(b"\xff" * 100)
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
    store = CalibrationStore(PLACE, files)
    store.write(FIRST)
    store.write(SECOND)
    return files.after_power_cut("nothing")


SURVIVALS = [("nothing", 0), ("everything", 0), *(("something", seed) for seed in range(8))]


@pytest.mark.parametrize(("survival", "seed"), SURVIVALS)
@pytest.mark.parametrize("action", ["write", "rollback"])
def test_power_cut_at_every_operation_keeps_a_whole_calibration_and_a_way_back(
    fragile_files: Callable[..., Any], power_cut: type[Exception], action: str, survival: str, seed: int
) -> None:
    def act(store: CalibrationStore) -> None:
        if action == "write":
            store.write(THIRD)
        else:
            store.rollback()

    clean = prepared(fragile_files)
    act(CalibrationStore(PLACE, clean))
    after = (THIRD, SECOND) if action == "write" else (FIRST, SECOND)
    assert clean.operations > 5
    for cut in range(1, clean.operations + 1):
        files = prepared(fragile_files)
        files.cut_at = cut
        with pytest.raises(power_cut):
            act(CalibrationStore(PLACE, files))
        found = files.after_power_cut(survival, 100 * seed + cut)
        for second in range(1, 4):
            twice = found.after_power_cut("nothing")
            twice.cut_at = second
            try:
                CalibrationStore(PLACE, twice).load()
            except power_cut:
                twice = twice.after_power_cut(survival, second)
            assert CalibrationStore(PLACE, twice).load().problem == ""
        store = CalibrationStore(PLACE, found)
        loaded = store.load()
        assert (loaded.source, loaded.problem) == (Source.CURRENT, "")
        assert (store.read(CURRENT), store.read(PREVIOUS)) in ((SECOND, FIRST), after), f"operation {cut}"
        store.write(THIRD)
        assert store.read(CURRENT) == THIRD


def test_refused_write_at_every_operation_leaves_a_whole_calibration(fragile_files: Callable[..., Any]) -> None:
    clean = prepared(fragile_files)
    CalibrationStore(PLACE, clean).write(THIRD)
    for failing in range(1, clean.operations + 1):
        files = prepared(fragile_files)
        files.fail_at = failing
        store = CalibrationStore(PLACE, files)
        with pytest.raises(StorageError):
            store.write(THIRD)
        assert store.load().source is Source.CURRENT
        assert (store.read(CURRENT), store.read(PREVIOUS)) in ((SECOND, FIRST), (THIRD, SECOND))
        store.write(THIRD)
        assert (store.read(CURRENT), store.read(PREVIOUS)) == (THIRD, SECOND)

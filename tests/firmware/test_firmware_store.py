"""A correction in flash outlives a power cut in any operation: afterwards the old state or the new one, never less."""

import ctypes
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS

SENSOR = bytes.fromhex("0d22d1850189")
OK, DAMAGED, STORAGE, EMPTY, ARGUMENT = 0, 9, 11, 13, 14
BEFORE, AFTER, PARTLY, GARBAGE = range(4)
CUTS = (BEFORE, AFTER, PARTLY, GARBAGE)
PAGE, PAGES, AREA = 4096, 9, 3 * 4096
SLOTS = (0, 1)
State = tuple[int | None, int | None]
"""Which corrections are current and previous, by seed."""


@cache
def blob(seed: int) -> bytes:
    """A correction that tells its seed; the odd ones are shorter."""
    zero = np.zeros((ROWS, COLUMNS), np.float32)
    offset = np.random.default_rng(seed).normal(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    whole = to_bytes(PixelCorrection(offset, zero + 1, zero, zero > 0, Stamp(SENSOR, seed)))[:-4]
    kept = whole[: len(whole) - 75 * (seed % 2)]
    return kept + crc32(kept).to_bytes(4, "little")


class Store:
    """The firmware's store over a flash that can lose power."""

    def __init__(self, wire: Any, block: int = PAGE, blocks: int = PAGES, read: int = 1, program: int = 8) -> None:
        self.wire = wire
        wire.flash_bytes.restype = ctypes.POINTER(ctypes.c_uint8)
        wire.flash_operations.restype = ctypes.c_long
        self.bytes = block * blocks
        self.works = wire.wire_new_flash(*map(ctypes.c_size_t, (block, blocks, read, program)))

    def open(self) -> None:
        """As after a reset."""
        self.wire.wire_open_store()

    def write(self, data: bytes, part: int = 1024) -> int:
        """Write and commit."""
        for at in range(0, len(data), part):
            piece = data[at : at + part]
            status = self.wire.wire_store_write(
                ctypes.c_size_t(at), ctypes.c_size_t(len(data)), piece, ctypes.c_size_t(len(piece))
            )
            if status != OK:
                return int(status)
        return int(self.wire.wire_store_commit())

    def rollback(self) -> int:
        return int(self.wire.wire_store_rollback())

    def read(self, slot: int) -> bytes:
        data = ctypes.create_string_buffer(10000)
        size = self.wire.wire_store_read(slot, data)
        return data.raw[:size]

    @property
    def state(self) -> State:
        """Seeds of what the slots hold; what is not one of `blob` is an error."""
        seeds: list[int | None] = []
        for slot in SLOTS:
            data = self.read(slot)
            seed = int.from_bytes(data[16:24], "little") if data else None
            assert seed is None or data == blob(seed)
            seeds.append(seed)
        return seeds[0], seeds[1]

    @property
    def damaged(self) -> bool:
        return bool(self.wire.wire_store_damaged())

    @property
    def flash(self) -> bytes:
        return bytes(self.wire.flash_bytes()[: self.bytes])

    @flash.setter
    def flash(self, data: bytes) -> None:
        ctypes.memmove(self.wire.flash_bytes(), data, len(data))

    def cut(self, after: int, kind: int = BEFORE, seed: int = 0) -> None:
        """Lose power in the operation after so many; -1: have it back for good."""
        self.wire.flash_cut_after(ctypes.c_long(after), kind, ctypes.c_uint32(seed))

    @property
    def operations(self) -> int:
        return int(self.wire.flash_operations())


Step = Callable[[Store], int]


def writing(seed: int, part: int = 1024) -> Step:
    return lambda store: store.write(blob(seed), part)


def rolling_back(store: Store) -> int:
    return store.rollback()


SEQUENCE: tuple[tuple[Step, State], ...] = (
    (writing(1), (1, None)),
    (writing(2), (2, 1)),
    (writing(3), (3, 2)),
    (rolling_back, (2, 3)),
    (rolling_back, (3, 2)),
    (writing(4), (4, 3)),
)
"""Steps and what the store holds after each."""


def test_states_without_cuts(wire: Any) -> None:
    store = Store(wire)
    assert store.works and store.state == (None, None) and not store.damaged
    assert store.rollback() == EMPTY
    for step, wanted in SEQUENCE:
        assert step(store) == OK
        assert store.state == wanted
        store.open()
        assert store.state == wanted and not store.damaged


def moments(operations: int, seed: int) -> Iterator[tuple[int, int]]:
    """Each operation with one kind of cut; erases, and the operations around the ends, with all."""
    kinds = random.Random(seed)
    for operation in range(operations):
        ends = operation < 4 or operation >= operations - 6 or operation % 512 in (0, 1)
        for kind in CUTS if ends else (kinds.choice(CUTS),):
            yield operation, kind


@pytest.mark.parametrize("units", [(1, 8), (4, 4), (16, 32)], ids=str)
@pytest.mark.parametrize("step", range(len(SEQUENCE)))
def test_a_cut_in_any_operation_leaves_the_old_state_or_the_new_one(
    wire: Any, step: int, units: tuple[int, int]
) -> None:
    store = Store(wire, PAGE, PAGES, *units)
    for earlier, _ in SEQUENCE[:step]:
        assert earlier(store) == OK
    old, (run, new) = store.state, SEQUENCE[step]
    before = store.flash
    store.cut(-1)
    assert run(store) == OK
    operations = store.operations
    assert operations >= len(blob(1)) // units[1] + 4  # units, three blocks, and what makes it current
    seen: set[State] = set()
    for operation, kind in moments(operations, step):
        store.flash = before
        store.open()
        store.cut(operation, kind, operation * 4 + kind)
        run(store)
        store.cut(-1)
        store.open()
        state = store.state
        assert state in (old, new), (operation, kind)
        assert not store.damaged
        seen.add(state)
        if operation % 101 == 0 or operation > operations - 6:  # it is not worn out either
            assert store.write(blob(9)) == OK
            assert store.state == (9, state[0])
    assert seen == {old, new}


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 6), st.integers(1, 1024), st.integers(0, 1300), st.sampled_from(CUTS), st.booleans()),
        max_size=8,
    ),
    blocks=st.sampled_from([(4096, 9), (2048, 15), (1024, 30), (512, 63), (8192, 6), (9408, 4)]),
    units=st.tuples(st.sampled_from([1, 2, 4, 8, 16, 32]), st.sampled_from([1, 2, 4, 8, 16, 32])),
)
def test_any_sequence_of_writes_rollbacks_and_cuts(
    wire: Any, steps: list[tuple[int, int, int, int, bool]], blocks: tuple[int, int], units: tuple[int, int]
) -> None:
    """One cut after another, and flash of other blocks and units. Seed 0 rolls back."""
    store = Store(wire, *blocks, *units)
    assert store.works
    state: State = (None, None)
    for seed, part, operation, kind, has_power in steps:
        new = (state[1], state[0]) if seed == 0 else (seed, state[0])
        if state[0] == seed or (seed == 0 and state[1] is None):
            new = state
        store.cut(-1 if has_power else operation, kind, operation)
        status = store.rollback() if seed == 0 else store.write(blob(seed), part)
        store.cut(-1)
        if has_power:
            assert status == (EMPTY if seed == 0 and state[1] is None else OK)
            assert store.state == new
        store.open()
        assert store.state in ((new,) if has_power else (state, new))
        state = store.state


def test_an_upload_that_breaks_off_changes_nothing(wire: Any) -> None:
    store = Store(wire)
    assert store.write(blob(1)) == store.write(blob(2)) == OK
    whole, part = blob(3), ctypes.c_size_t(1000)
    for at in range(0, 9000, 1000):
        assert wire.wire_store_write(ctypes.c_size_t(at), ctypes.c_size_t(len(whole)), whole[at:], part) == OK
    assert wire.wire_store_commit() == EMPTY
    assert store.state == (2, 1)
    assert store.rollback() == OK
    assert store.state == (1, 2)
    again = wire.wire_store_write(ctypes.c_size_t(9000), ctypes.c_size_t(len(whole)), whole[9000:], ctypes.c_size_t(10))
    assert again == ARGUMENT
    store.open()
    assert store.state == (1, 2)


def test_what_is_no_correction_is_refused(wire: Any) -> None:
    store = Store(wire)
    assert store.write(blob(1)) == OK
    damaged = bytearray(blob(2))
    damaged[4000] ^= 1
    assert store.write(bytes(damaged)) == DAMAGED
    assert store.write(blob(2)[:-1]) == DAMAGED
    store.open()
    assert store.state == (1, None)


def test_the_same_correction_again_pushes_nothing_out(wire: Any) -> None:
    store = Store(wire)
    assert [store.write(blob(seed)) for seed in (1, 2, 2)] == [OK] * 3
    assert store.state == (2, 1)
    store.open()
    assert store.state == (2, 1)


def test_a_damaged_current_one_gives_way_to_the_one_before(wire: Any) -> None:
    store = Store(wire)
    assert [store.write(blob(seed)) for seed in (1, 2)] == [OK] * 2
    flash = bytearray(store.flash)
    flash[flash.index(blob(2)) + 5000] ^= 0xFF
    store.flash = bytes(flash)
    store.open()
    assert store.state == (1, None) and store.damaged
    assert store.write(blob(3)) == OK
    assert store.state == (3, 1) and not store.damaged
    store.open()
    assert store.state == (3, 1) and not store.damaged


@pytest.mark.parametrize("content", [b"\x00", b"\xff", b"\x5a", b"TCOR"])
def test_flash_full_of_anything_is_empty(wire: Any, content: bytes) -> None:
    store = Store(wire)
    store.flash = (content * store.bytes)[: store.bytes]
    store.open()
    assert store.state == (None, None)
    assert store.write(blob(1)) == OK
    assert store.state == (1, None)


def test_worn_out_flash_is_told_and_the_stored_one_stays(wire: Any) -> None:
    for page in range(6, 9):
        store = Store(wire)
        assert [store.write(blob(seed)) for seed in (1, 2)] == [OK] * 2
        wire.flash_wear_out(ctypes.c_size_t(page))
        assert store.write(blob(3)) == STORAGE
        assert store.state == (2, 1)
        assert store.rollback() == STORAGE
        store.open()
        assert store.state == (2, 1)


@pytest.mark.parametrize(("page", "pages"), [(4096, 8), (4096, 0), (0, 9), (12, 5000), (512, 56)])
def test_flash_that_is_too_small_stores_nothing(wire: Any, page: int, pages: int) -> None:
    store = Store(wire, page, pages)
    assert not store.works
    assert store.write(blob(1)) == STORAGE
    assert store.rollback() == EMPTY
    assert store.state == (None, None)


def test_sequence_numbers_wrap(wire: Any) -> None:
    """65535 is followed by 0: what flash says is kept, and the next one is still the newer."""
    store = Store(wire)
    assert [store.write(blob(seed)) for seed in (1, 2)] == [OK] * 2
    flash = bytearray(store.flash)
    for area, sequence in ((0, 65534), (1, 65535)):
        word = (area + 1) * AREA - 8
        data = blob(area + 1)
        head = sequence.to_bytes(2, "little") + len(data).to_bytes(2, "little")
        flash[word : word + 8] = head + crc32(data[-4:] + head).to_bytes(4, "little")
    store.flash = bytes(flash)
    store.open()
    assert store.state == (2, 1)
    for seed, state in ((3, (3, 2)), (4, (4, 3)), (5, (5, 4))):
        assert store.write(blob(seed)) == OK
        store.open()
        assert store.state == state

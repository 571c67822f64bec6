"""Alerts that are raised or acknowledged outlive a reset: in C and in Python alike, whatever moment power fails at."""

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from firmware_library import HARNESS, NOR_FLASH, build
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_device.alert_store import EVERY_US, AlertStore

COUNT = 3


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The firmware's store of alerts over a flash that can lose power."""
    modules = ["alert_store", "journal", "flash", "crc", "float32"]
    found = build(tmp_path_factory.mktemp("alerts"), "alerts", modules, NOR_FLASH, HARNESS / "failing_flash.c")
    found.flash_operations.restype = ctypes.c_long
    return found


@dataclass
class Firmware:
    """Calls of the harness; `block` and `units` of the flash."""

    library: Any
    block: tuple[int, int] = (256, 2)
    units: tuple[int, int] = (1, 8)

    def __post_init__(self) -> None:
        self.library.alerts_new(*map(ctypes.c_size_t, (*self.block, *self.units)))

    def open(self, profile: int = 1, count: int = COUNT, now_us: int = 1 << 40) -> dict[int, AlertChange]:
        """As after a reset; those that stand."""
        self.count = count
        self.works = self.library.alerts_open(ctypes.c_uint8(profile), ctypes.c_uint8(count), ctypes.c_uint64(now_us))
        return {number: one for number in range(count) if (one := self.get(number)).state}

    def set(self, change: AlertChange) -> None:
        number, state, time_us = (
            ctypes.c_uint8(change.alert),
            ctypes.c_int(change.state),
            ctypes.c_int64(change.time_us),
        )
        self.library.alerts_set(number, state, time_us, ctypes.c_float(change.value), ctypes.c_uint16(change.flags))

    def get(self, number: int) -> AlertChange:
        time_us, value, flags = ctypes.c_int64(), ctypes.c_float(), ctypes.c_uint16()
        state = self.library.alerts_get(
            ctypes.c_uint8(number), ctypes.byref(time_us), ctypes.byref(value), ctypes.byref(flags)
        )
        return AlertChange(number, AlertState(state), time_us.value, value.value, flags.value)

    def keep(self, now_us: int, at_once: bool = False) -> bool:
        return bool(self.library.alerts_keep(ctypes.c_uint64(now_us), int(at_once)))

    def cut(self, after: int, kind: int = 0) -> None:
        """Lose power in the operation after so many; -1: have it back for good."""
        self.library.flash_cut_after(ctypes.c_long(after), kind, ctypes.c_uint32(after & 0xFF))


def plain(standing: dict[int, AlertChange]) -> dict[int, tuple[int, int, float | None, int]]:
    """What can be compared: a NaN is like another."""
    return {
        number: (int(one.state), one.time_us, None if math.isnan(one.value) else one.value, one.flags)
        for number, one in standing.items()
    }


CHANGES = st.builds(
    AlertChange,
    st.integers(0, COUNT - 1),
    st.sampled_from(AlertState),
    st.integers(0, 1 << 39),
    st.one_of(st.just(math.nan), st.floats(width=32, allow_nan=False)),
    st.integers(0, 0xFFFF),
)
STEPS = st.lists(
    st.one_of(
        CHANGES,
        st.tuples(st.just("keep"), st.integers(0, 2 * EVERY_US), st.booleans()),
        st.tuples(st.just("reset"), st.integers(1, 2), st.integers(0, 1 << 40)),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_keeps_what_the_agent_keeps(library: Any, tmp_path_factory: pytest.TempPathFactory, steps: Any) -> None:
    firmware, place = Firmware(library), tmp_path_factory.mktemp("agent")
    agent, now_us = AlertStore(place), 0
    assert firmware.open() == {} and firmware.works == 2
    agent.open("1", COUNT, 1 << 40)
    for step in steps:
        if isinstance(step, AlertChange):
            firmware.set(step)
            agent.take([step])
        elif step[0] == "keep":
            now_us += step[1]
            firmware.keep(now_us, step[2])
            agent.keep(now_us, step[2])
        else:
            agent = AlertStore(place)
            stood = {one.alert: one for one in agent.open(str(step[1]), COUNT, step[2])}
            assert plain(firmware.open(step[1], now_us=step[2])) == plain(stood)
            assert all(one.time_us <= step[2] for one in stood.values())


@pytest.mark.parametrize(("block", "units"), [((256, 2), (1, 8)), ((512, 2), (32, 32)), ((256, 2), (4, 4))], ids=str)
@pytest.mark.parametrize("kind", range(4))
def test_a_cut_in_any_operation_leaves_the_old_states_or_the_new_ones(
    library: Any, kind: int, block: tuple[int, int], units: tuple[int, int]
) -> None:
    """Over a history that fills both blocks, each operation loses power once, and the history goes on."""
    history = [AlertChange(i % COUNT, AlertState(2 + i // 3 % 2), 1000 + i, i / 4, i) for i in range(24)]
    firmware = Firmware(library, block, units)
    firmware.open()
    firmware.cut(-1)
    for change in history:
        firmware.set(change)
        assert firmware.keep(0, at_once=True)
    operations = library.flash_operations()
    assert operations > len(history) + 2
    for at in range(operations):
        firmware = Firmware(library, block, units)
        firmware.open()
        firmware.cut(at, kind)
        standing: dict[int, AlertChange] = {}
        cut = False
        for change in history:
            before = dict(standing)
            standing[change.alert] = change
            firmware.set(change)
            kept = firmware.keep(0, at_once=True)
            if not cut and library.flash_operations() > at:
                cut = True
                firmware.cut(-1)
                found = plain(firmware.open())
                assert found in (plain(before), plain(standing)), at
                for one in standing.values():
                    firmware.set(one)
                kept = firmware.keep(0, at_once=True)
            assert kept
        assert cut and plain(firmware.open()) == plain(standing)


def test_only_changes_are_written_and_not_too_often(library: Any) -> None:
    firmware = Firmware(library, (4096, 2))
    firmware.open()
    firmware.cut(-1)

    def written(act: Callable[[], bool]) -> tuple[bool, bool]:
        """Whether it was kept, and whether flash was written for it."""
        before = library.flash_operations()
        return act(), library.flash_operations() > before

    assert written(lambda: firmware.keep(0)) == (True, False)
    firmware.set(AlertChange(0, AlertState.PENDING, 5, 1.0, 0))
    assert written(lambda: firmware.keep(0, True)) == (True, False)  # begins anew after a reset
    firmware.set(AlertChange(0, AlertState.RAISED, 6, 1.0, 0))
    assert written(lambda: firmware.keep(7)) == (True, True)
    firmware.set(AlertChange(0, AlertState.CLEAR, 8, 0.0, 0))
    assert written(lambda: firmware.keep(9)) == (False, False)  # comes and goes
    assert written(lambda: firmware.keep(7 + EVERY_US)) == (True, True)
    assert written(lambda: firmware.keep(7 + 9 * EVERY_US, True)) == (True, False)
    assert firmware.open() == {}


def test_worn_flash_is_told(library: Any) -> None:
    firmware = Firmware(library)
    firmware.open()
    library.flash_wear_out(ctypes.c_size_t(0))
    firmware.set(AlertChange(0, AlertState.RAISED, 6, 1.0, 0))
    assert not firmware.keep(0) and library.alerts_problem()


def test_flash_without_room_keeps_nothing(library: Any) -> None:
    for block in ((256, 1), (64, 2)):
        firmware = Firmware(library, block)
        assert firmware.open() == {} and firmware.works == 0
        firmware.set(AlertChange(0, AlertState.RAISED, 6, 1.0, 0))
        assert firmware.keep(0, True)
        assert firmware.open() == {}

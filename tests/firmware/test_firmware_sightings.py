"""What the firmware remembers of sensors: as the agent does, and no number twice whatever moment power fails at."""

import ctypes
import random
from typing import Any, NamedTuple

import pytest
from firmware_library import HARNESS, build
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.sensors.correction import fingerprint
from thermo_device.sightings import Sightings

CUTS = range(4)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The firmware's memory over the model of flash."""
    folder = tmp_path_factory.mktemp("sightings")
    return build(folder, "sightings", ["sightings", "crc"], HARNESS / "flash.c")


class Chip(NamedTuple):
    """What a chip holds."""

    identity: bytes
    constants: bytes


def chip(number: int, content: int) -> Chip:
    return Chip(bytes((number, 1, 2, 3, 4, 5, 6, 7)), bytes((content,)) * 64)


class Firmware:
    """Calls of the harness."""

    def __init__(self, library: Any, page_size: int = 4096, pages: int = 3) -> None:
        self.library = library
        library.sightings_new(ctypes.c_size_t(page_size), ctypes.c_size_t(pages))
        self.reopen()

    def reopen(self) -> None:
        """As after a reset."""
        self.library.sightings_reopen(ctypes.c_size_t(1))

    def meet(self, found: Chip, sensor: int = 0) -> tuple[int, bool]:
        """Number of the constants, and whether they changed."""
        seen = self.library.sightings_see(sensor, found.identity, ctypes.c_uint32(fingerprint(found.constants)))
        return seen & 0x7FFFFFFF, bool(seen >> 31 & 1)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("meet"), st.integers(1, 3), st.integers(0, 2)), st.just(("trust",)), st.just(("reopen",))
    ),
    max_size=40,
)


@given(STEPS)
def test_it_remembers_what_the_agent_does(library: Any, tmp_path_factory: pytest.TempPathFactory, steps: Any) -> None:
    firmware, place = Firmware(library), tmp_path_factory.mktemp("agent")
    agent, newest = Sightings(place), None
    for step in steps:
        if step[0] == "meet":
            newest = chip(*step[1:])
            sighting = agent.meet(0, *newest)
            assert firmware.meet(newest) == (sighting.number, sighting.changed)
        elif step[0] == "trust" and newest is not None:
            agent.trust(newest.identity, fingerprint(newest.constants))
            library.sightings_take()
        elif step[0] == "reopen":
            agent = Sightings(place)
            firmware.reopen()
            newest = None  # a calibration comes for a sensor that was met


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.booleans()), max_size=40))
def test_each_sensors_numbers_rise_with_its_changes_whatever_the_other_does(library: Any, steps: Any) -> None:
    firmware = Firmware(library)
    before: dict[int, tuple[int, int]] = {}
    first: dict[int, int] = {}
    for sensor, content, restarts in steps:
        if restarts:
            firmware.reopen()
        number, changed = firmware.meet(chip(sensor, content), sensor)
        known = before.get(sensor)
        assert known is None or (number == known[0] if content == known[1] else number > known[0])
        assert changed == (first.setdefault(sensor, content) != content)
        before[sensor] = number, content


def test_numbers_rise_and_the_first_sight_is_kept_through_many_pages(library: Any) -> None:
    firmware = Firmware(library, page_size=256)  # ten entries a page
    before, _ = firmware.meet(chip(9, 0))
    for count in range(200):
        number, changed = firmware.meet(chip(9, 1 + count % 2))
        assert number == before + 1 and changed
        before = number
        if count % 7 == 0:
            firmware.reopen()
    assert firmware.meet(chip(9, 0)) == (before + 1, False)


@pytest.mark.parametrize("cut", CUTS)
def test_no_number_stands_for_two_contents_whenever_power_fails(library: Any, cut: int) -> None:
    """Every operation of a history with two page changes loses power once, and the history goes on."""
    history = [chip(1 + i % 2, i // 3 % 3) for i in range(24)]
    firmware = Firmware(library, page_size=256)
    library.flash_operations.restype = ctypes.c_long
    library.flash_cut_after(ctypes.c_long(-1), 0, 0)
    for found in history:
        firmware.meet(found)
    operations = library.flash_operations()
    assert operations > 60
    for at in range(operations):
        firmware = Firmware(library, page_size=256)
        named: dict[int, Chip] = {}
        library.flash_cut_after(ctypes.c_long(at), cut, at)
        last = 0
        for place, found in enumerate(history):
            if library.flash_operations() > at and place % 2:
                library.flash_cut_after(ctypes.c_long(-1), 0, 0)
                firmware.reopen()
            number, _ = firmware.meet(found)
            # A number that power took from flash was told to nobody who is still there: the device restarted.
            if number <= last:
                named = {known: what for known, what in named.items() if known < number}
            assert named.setdefault(number, found) == found
            last = number


def test_a_worn_page_is_a_problem_and_no_end(library: Any) -> None:
    firmware = Firmware(library)
    library.flash_wear_out(ctypes.c_size_t(1))
    seen = [firmware.meet(chip(1, content))[0] for content in (0, 1, 2)]
    assert seen == [1, 2, 3] and library.sightings_has_problem()


def test_a_board_without_pages_for_it_numbers_all_the_same(library: Any) -> None:
    firmware = Firmware(library, pages=2)
    assert [firmware.meet(chip(1, content)) for content in (0, 0, 1, 0)] == [
        (1, False), (1, False), (2, True), (3, False)
    ]  # fmt: skip


def test_rubbish_in_flash_is_passed_over(library: Any) -> None:
    rng = random.Random(4)
    for _ in range(200):
        firmware = Firmware(library, page_size=512)
        flash = library.flash_bytes
        flash.restype = ctypes.POINTER(ctypes.c_uint8)
        for at in range(512, 1536):
            flash()[at] = rng.choice((0xFF, rng.randrange(256)))
        firmware.reopen()
        assert firmware.meet(chip(1, 0))[0] == 1


def test_it_writes_only_what_changed(library: Any) -> None:
    firmware = Firmware(library)
    library.flash_operations.restype = ctypes.c_long
    firmware.meet(chip(1, 0))
    library.flash_cut_after(ctypes.c_long(-1), 0, 0)
    for _ in range(100):
        firmware.meet(chip(1, 0))
        library.sightings_take()
        firmware.reopen()
        library.sightings_take()
    assert library.flash_operations() == 0

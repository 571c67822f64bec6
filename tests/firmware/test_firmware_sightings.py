"""What the firmware remembers of sensors: as the agent does, and no number twice whatever moment power fails at."""

import ctypes
import random
from dataclasses import dataclass
from typing import Any

import pytest
from firmware_library import HARNESS, NOR_FLASH, build
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.sensors.correction import fingerprint
from thermo_device.sightings import Sightings

CUTS = range(4)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The firmware's memory over the model of flash."""
    folder = tmp_path_factory.mktemp("sightings")
    return build(folder, "sightings", ["sightings", "journal", "flash", "crc"], NOR_FLASH, HARNESS / "failing_flash.c")


@dataclass(frozen=True)
class Chip:
    """A chip that answers at the place of a sensor."""

    identity: bytes
    constants: bytes
    sensor: int = 0


def chip(name: int, content: int, sensor: int = 0) -> Chip:
    """One by its name; an identity of six bytes, as a camera's."""
    return Chip(bytes([name, 0, 1, 0, 2, 0]), bytes([content]) * 64, sensor)


class Firmware:
    """Calls of the harness."""

    def __init__(self, library: Any, block: int = 4096, blocks: int = 3, read: int = 1, program: int = 8) -> None:
        self.library = library
        library.sightings_new(*map(ctypes.c_size_t, (block, blocks, read, program)))
        self.reopen()

    def reopen(self) -> None:
        """As after a reset."""
        self.library.sightings_reopen(ctypes.c_size_t(1))

    def meet(self, found: Chip) -> tuple[int, int, bool]:
        crc32, padded = fingerprint(found.constants), found.identity.ljust(8, b"\0")
        seen = self.library.sightings_see(ctypes.c_uint8(found.sensor), padded, ctypes.c_uint32(crc32)) & 0xFFFFFFFF
        return seen & 0x7FFFFFFF, crc32, bool(seen >> 31)

    def trust(self, sensor: int = 0) -> None:
        self.library.sightings_take(ctypes.c_uint8(sensor))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("meet"), st.integers(1, 4), st.integers(0, 2), st.integers(0, 1)),
        st.tuples(st.just("trust"), st.integers(0, 1)),
        st.just(("reopen",)),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_remembers_what_the_agent_does(library: Any, tmp_path_factory: pytest.TempPathFactory, steps: Any) -> None:
    """What changed, of every sensor; numbers rise over all sensors here, and there over each."""
    firmware, place = Firmware(library), tmp_path_factory.mktemp("agent")
    agent, newest = Sightings(place), dict[int, Chip]()
    numbers: dict[int, dict[int, int]] = {0: {0: 0}, 1: {0: 0}}
    for step in steps:
        if step[0] == "meet":
            name, content, sensor = step[1:]
            found = newest[sensor] = chip(name + 10 * sensor, content, sensor)
            sighting = agent.meet(sensor, found.identity, found.constants)
            number, crc32, changed = firmware.meet(found)
            assert (crc32, changed) == (sighting.fingerprint, sighting.changed)
            assert numbers[sensor].setdefault(sighting.number, number) == number >= max(numbers[sensor].values())
        elif step[0] == "trust" and step[1] in newest:
            agent.trust(newest[step[1]].identity, fingerprint(newest[step[1]].constants))
            firmware.trust(step[1])
        elif step[0] == "reopen":
            agent = Sightings(place)
            firmware.reopen()
            newest.clear()  # a correction comes for a sensor that was met


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), max_size=20))
def test_one_sensors_numbers_are_the_agents(library: Any, found: list[tuple[int, int]]) -> None:
    firmware, agent = Firmware(library), Sightings()
    for name, content in found:
        sighting = agent.meet(0, chip(name, content).identity, chip(name, content).constants)
        assert firmware.meet(chip(name, content)) == (sighting.number, sighting.fingerprint, sighting.changed)


def test_numbers_rise_and_the_first_sight_is_kept_through_many_pages(library: Any) -> None:
    firmware = Firmware(library, block=256)  # ten entries a page
    first = firmware.meet(chip(9, 0))
    before = first[0]
    for count in range(200):
        constants, _, changed = firmware.meet(chip(9, 1 + count % 2))
        assert constants == before + 1 and changed
        before = constants
        if count % 7 == 0:
            firmware.reopen()
    assert firmware.meet(chip(9, 0)) == (before + 1, first[1], False)


@pytest.mark.parametrize(("block", "units"), [(256, (1, 8)), (256, (8, 1)), (512, (32, 32))])
@pytest.mark.parametrize("cut", CUTS)
def test_no_number_stands_for_two_contents_whenever_power_fails(
    library: Any, cut: int, block: int, units: tuple[int, int]
) -> None:
    """Every operation of a history that fills blocks loses power once, and the history goes on."""
    history = [chip(1 + i % 2, i // 3 % 3) for i in range(24)]
    firmware = Firmware(library, block, 3, *units)
    library.flash_operations.restype = ctypes.c_long
    library.flash_cut_after(ctypes.c_long(-1), 0, 0)
    for found in history:
        firmware.meet(found)
    operations = library.flash_operations()
    assert operations > 20
    for at in range(0, operations, 1 if units[1] >= 8 else 7):
        firmware = Firmware(library, block, 3, *units)
        named: dict[int, tuple[bytes, int]] = {}
        library.flash_cut_after(ctypes.c_long(at), cut, at)
        last = 0
        for number, found in enumerate(history):
            if library.flash_operations() > at and number % 2:
                library.flash_cut_after(ctypes.c_long(-1), 0, 0)
                firmware.reopen()
            constants, crc32, _ = firmware.meet(found)
            content = found.identity, crc32
            # A number that power took from flash was told to nobody who is still there: the device restarted.
            if constants <= last:
                named = {known: what for known, what in named.items() if known < constants}
            assert named.setdefault(constants, content) == content
            last = constants


def test_a_worn_page_is_a_problem_and_no_end(library: Any) -> None:
    firmware = Firmware(library)
    library.flash_wear_out(ctypes.c_size_t(1))
    seen = [firmware.meet(chip(1, content))[0] for content in (0, 1, 2)]
    assert seen == [1, 2, 3] and library.sightings_has_problem()


def test_a_board_without_pages_for_it_numbers_all_the_same(library: Any) -> None:
    firmware = Firmware(library, blocks=2)
    assert [firmware.meet(chip(1, content))[::2] for content in (0, 0, 1, 0)] == [
        (1, False), (1, False), (2, True), (3, False)
    ]  # fmt: skip


def test_rubbish_in_flash_is_passed_over(library: Any) -> None:
    rng = random.Random(4)
    for _ in range(200):
        firmware = Firmware(library, block=512)
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
        firmware.trust()
        firmware.reopen()
        firmware.trust()
    assert library.flash_operations() == 0

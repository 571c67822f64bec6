"""Sensors behind multiplexers in the firmware: each block is of its own chip, whatever happens to the multiplexers."""

import ctypes
import random
from types import SimpleNamespace
from typing import Any

import pytest
from firmware_library import build, everything
from firmware_wearable import FirmwareWearable
from hypothesis import given, settings
from hypothesis import strategies as st
from multiplexed import WAYS, MultiplexedBus

from thermo_core import schema
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.path import parse
from thermo_core.wearable.profile import Profile
from thermo_core.wire.management import Hello, read
from thermo_core.wire.table import Command
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_quantize.firmware import generate_bare

PLACES = (*WAYS, (0x49,))
"""Behind the multiplexers, and on the bus itself."""
PROFILE = schema.from_plain(
    {
        "name": "tree",
        "version": "1.0.0",
        "sensors": [
            {"kind": "tmp117", "name": f"node-{number}", "path": list(way), "rate_hz": 4.0}
            for number, way in enumerate(PLACES)
        ],
    },
    Profile,
    "profile",
)


class Tree(MultiplexedBus):
    """The simulated chips; node n is at 20 + n degC."""

    def __init__(self) -> None:
        super().__init__()
        self.chips = [self.put(parse(way), 20.0 + number, number + 1) for number, way in enumerate(PLACES)]
        self.bus.clock.sleep_until_us(10_000)

    def harm(self, what: str, rng: random.Random) -> None:
        if what == "reset":
            rng.choice(list(self.muxes.values())).reset()
        elif what == "nack":
            self.bus.add_faults(f"nack@+{rng.randrange(12)}x3")
        elif what == "silent":
            self.silence(rng.choice(sorted(self.muxes)))
        elif what == "stuck":
            self.bus.add_faults(f"stuck@+{rng.randrange(12)}")
        elif what == "short":
            self.bus.add_faults(f"short@+{rng.randrange(12)}")

    def silence(self, address: int) -> None:
        """A multiplexer acknowledges none of three transactions."""
        self.bus.add_faults(f"nack@+0x3:addr=0x{address:02x}")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("tree")
    for name, text in generate_bare(PROFILE).files.items():
        (folder / name).write_text(text)
    return build(folder, "wearable", [], *everything(), *sorted(folder.glob("*.c")))


def started(library: ctypes.CDLL, tree: Tree, bus: Any = None) -> FirmwareWearable:
    hardware: Any = SimpleNamespace(bus=tree.bus if bus is None else bus, clock=tree.bus.clock)
    return FirmwareWearable(library, hardware)


def sensors_of(wearable: FirmwareWearable) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < len(PLACES):
        found += [state.id for state in read(Hello, wearable.ask(Command.HELLO, {"first": len(found)})).sensors]
    return found


def check(blocks: list[Block]) -> None:
    """Each says the temperature of its own chip."""
    for block in blocks:
        name = f"node-{block.sensor}"
        reader = KINDS["tmp117"].reader(PROFILE.sensors[block.sensor], b"", None)
        for moment in reader.push(block):
            assert float(moment[name].values.max()) == pytest.approx(20 + block.sensor, abs=0.5), block


def blocks_of(wearable: FirmwareWearable) -> list[Block]:
    return [record for _, record in wearable.telemetry if isinstance(record, Block)]


def test_each_block_is_of_its_own_chip_and_each_chip_is_known_as_the_agent_knows_it(library: ctypes.CDLL) -> None:
    wearable = started(library, Tree())
    wearable.listen(lease_ms=10_000)
    wearable.run(5.0)
    blocks = blocks_of(wearable)
    check(blocks)
    assert {block.sensor for block in blocks} == set(range(len(PLACES)))
    assert all(sum(one.sensor == number for one in blocks) >= 15 for number in range(len(PLACES)))

    tree = Tree()
    pipeline = Pipeline(Hardware(tree.bus, tree.bus.clock, "tree", "0001", True), PROFILE, None, inline=True)
    pipeline.start()
    known = [pipeline.found(number) for number in range(len(PLACES))]
    assert sensors_of(wearable) == [one.identity if one is not None else b"" for one in known]


def test_channels_that_somebody_left_open_are_closed_first(library: ctypes.CDLL) -> None:
    tree = Tree()
    for mux in tree.muxes.values():
        mux.mask = 0xFF
    wearable = started(library, tree)
    wearable.listen(lease_ms=10_000)
    wearable.run(3.0)
    check(blocks_of(wearable))
    assert len({block.sensor for block in blocks_of(wearable)}) == len(PLACES)


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["", "reset", "nack", "silent", "stuck", "short"]), min_size=1, max_size=8),
    seed=st.integers(0, 1000),
)
def test_whatever_happens_no_other_chip_is_taken_for_the_one_asked(
    library: ctypes.CDLL, steps: list[str], seed: int
) -> None:
    tree, rng = Tree(), random.Random(seed)
    wearable = started(library, tree)
    wearable.listen(lease_ms=10_000)
    wearable.run(1.5)
    for step in steps:
        tree.harm(step, rng)
        wearable.run(0.6)
    wearable.listen(lease_ms=10_000)
    before = len(wearable.telemetry)
    wearable.run(3.0)
    check(blocks_of(wearable))
    later = [record for _, record in wearable.telemetry[before:] if isinstance(record, Block)]
    assert {block.sensor for block in later} == set(range(len(PLACES))), "all of them come back"
    numbers = {(block.sensor, block.constants) for block in blocks_of(wearable)}
    assert len(numbers) == len(PLACES), "no chip was taken for another one"


class Leaving:
    """A bus that leaves 0x70 open: now and then it acknowledges none of three messages that are to close it."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._closes = 0
        self.times = 0

    def i2c_rdwr(self, *messages: Any) -> None:
        tree, first = self._tree, messages[0]
        if first.addr == 0x70 and bytes(first) == b"\0" and tree.muxes[0x70].mask:
            self._closes += 1
            if self._closes % 50 == 0:
                tree.silence(0x70)
                self.times += 1
        tree.bus.i2c_rdwr(*messages)

    def recover(self) -> None:
        self._tree.bus.recover()


def test_a_multiplexer_that_does_not_acknowledge_its_close_is_not_taken_for_closed(library: ctypes.CDLL) -> None:
    tree = Tree()
    bus = Leaving(tree)
    wearable = started(library, tree, bus)
    wearable.listen(lease_ms=10_000)
    wearable.run(8.0)
    check(blocks_of(wearable))
    counts = [sum(block.sensor == number for block in blocks_of(wearable)) for number in range(len(PLACES))]
    assert bus.times >= 2 and min(counts) >= 28, (counts, "the next visit closes it")


def test_a_multiplexer_that_loses_its_supply_takes_its_own_chips_and_no_others(library: ctypes.CDLL) -> None:
    tree = Tree()
    wearable = started(library, tree)

    def heard() -> set[int]:
        """Sensors that say something from three seconds on."""
        wearable.listen(lease_ms=10_000)
        wearable.run(3.0)
        before = len(wearable.telemetry)
        wearable.run(3.0)
        return {record.sensor for _, record in wearable.telemetry[before:] if isinstance(record, Block)}

    assert heard() == set(range(len(PLACES)))
    tree.bus.unplug(address=0x71)
    assert heard() == {0, 1, 4, 5, 6}
    tree.bus.plug()
    assert heard() == set(range(len(PLACES)))
    check(blocks_of(wearable))


def test_a_multiplexer_that_is_gone_takes_its_own_chips_and_no_others(library: ctypes.CDLL) -> None:
    tree = Tree()
    tree.bus.unplug(address=0x71)
    wearable = started(library, tree)
    wearable.listen(lease_ms=10_000)
    wearable.run(3.0)
    check(blocks_of(wearable))
    assert {block.sensor for block in blocks_of(wearable)} == {0, 1, 4, 5, 6}
    state = read(Hello, wearable.ask(Command.HELLO, {"first": 2})).sensors[0]
    assert "does not acknowledge" in state.fault

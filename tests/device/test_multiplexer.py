"""Chips behind multiplexers: each is reached by its own way, whatever happens to the multiplexers."""

import errno
import random

import pytest
from chip_bus import bus_of
from hypothesis import example, given
from hypothesis import strategies as st
from multiplexed import NODE, WAYS, MultiplexedBus
from smbus2 import i2c_msg

from thermo_core import schema
from thermo_core.errors import BusError
from thermo_core.sensors.kind import Block
from thermo_core.sensors.path import BusPath, parse
from thermo_core.wearable.profile import Profile
from thermo_core.wire.records import SignalRecord
from thermo_device.bus import Registers
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.multiplexer import LOST_VISITS, MultiplexerError, Switchboard
from thermo_device.pipeline import Pipeline
from thermo_sim.chips.mlx90632 import SimulatedMlx90632
from thermo_sim.chips.tca9548a import SimulatedTca9548a
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.i2c import SimulatedBus
from thermo_sim.surface import steady


class Tree(MultiplexedBus):
    """TMP117s of one address behind the multiplexers; their serial numbers tell them apart."""

    def __init__(self) -> None:
        super().__init__()
        self.chips: dict[str, SimulatedTmp117] = {}
        for way in WAYS:
            self.add(parse(way))
        self.paths = [parse(tuple(self._written(name))) for name in self.chips]
        self.bus.clock.sleep_until_us(10_000)
        self.board = Switchboard(self.bus, self.paths)

    def add(self, path: BusPath) -> None:
        self.chips[str(path)] = self.put(path, 30.0, len(self.chips) + 1)

    def serial(self, path: BusPath) -> int:
        """Serial number of what answers."""
        registers = Registers(self.board.at(path), self.bus.clock, path.address, Counters())
        high, middle, low = (int(registers.read_words(bytes((pointer,)), 1)[0]) for pointer in (5, 6, 8))
        return high << 32 | middle << 16 | low

    def expected(self, path: BusPath) -> int:
        return self.chips[str(path)].serial

    @staticmethod
    def _written(name: str) -> list[str | int]:
        *hops, address = name.split("/")
        return [*hops, int(address, 16)]


def test_each_way_leads_to_its_own_chip() -> None:
    tree = Tree()
    order = [0, 4, 2, 5, 1, 3, 0, 5, 4, 0, 0, 3, 1, 2]
    for number in order:
        assert tree.serial(tree.paths[number]) == tree.expected(tree.paths[number])
    before = tree.bus.transactions
    tree.serial(tree.paths[order[-1]])
    assert tree.bus.transactions == before + 3, "a way that is open costs nothing"


def test_channels_that_somebody_left_open_are_closed_first() -> None:
    tree = Tree()
    for mux in tree.muxes.values():
        mux.mask = 0xFF
    for path in tree.paths:
        assert tree.serial(path) == tree.expected(path)


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["", "", "reset", "nack", "silent", "open", "flip"])), max_size=30
    )
)
@example(steps=[(4, ""), (4, "silent"), (2, "nack")])
def test_whatever_happens_to_a_multiplexer_no_other_chip_is_taken_for_the_one_asked_for(
    steps: list[tuple[int, str]],
) -> None:
    tree, rng = Tree(), random.Random(1)
    for number, harm in steps:
        path = tree.paths[number]
        if harm == "reset":
            rng.choice(list(tree.muxes.values())).reset()
        elif harm == "open":
            tree.board.recover()  # what a host does that was reset itself: nothing is known any more
            rng.choice(list(tree.muxes.values())).mask = 1 << rng.randrange(8)
        elif harm == "nack":
            tree.bus.add_faults(f"nack@+{rng.randrange(4)}")
        elif harm == "silent":
            tree.bus.add_faults(f"nack@+0x3:addr=0x{rng.choice(sorted(tree.muxes)):02x}")
        elif harm == "flip" and tree.board._open != path.hops:
            tree.bus.add_faults("flip@+1")  # what the multiplexer says it has opened
        is_silent = any(fault.address is not None for fault in tree.bus.faults._faults)
        try:
            assert tree.serial(path) == tree.expected(path)
        except BusError:
            assert harm == "flip" or is_silent


def _leave_open(tree: Tree) -> None:
    """Open the first way, and have a transaction fail, so that nobody knows what is open."""
    assert tree.serial(tree.paths[0]) == tree.expected(tree.paths[0])
    tree.bus.add_faults(f"nack@+0:addr=0x{NODE:02x}")
    with pytest.raises(OSError, match="I/O"):
        tree.board.at(tree.paths[0]).i2c_rdwr(i2c_msg.read(NODE, 2))
    assert tree.muxes[0x70].mask == 1


def test_a_multiplexer_that_does_not_acknowledge_its_close_is_not_taken_for_closed() -> None:
    tree = Tree()
    other = tree.paths[2]
    _leave_open(tree)
    tree.bus.add_faults("nack@+0x3:addr=0x70")
    with pytest.raises(MultiplexerError) as raised:
        tree.board.at(other).i2c_rdwr(i2c_msg.read(NODE, 2))
    assert raised.value.address == 0x70 and tree.muxes[0x71].mask == 0
    for times in (3, 6, 9):
        _leave_open(tree)
        tree.bus.add_faults(f"nack@+0x{times}:addr=0x70")
        assert tree.serial(other) == tree.expected(other), "the next visit closes it"


def test_a_multiplexer_that_loses_its_supply_for_good_blocks_no_chip_for_ever() -> None:
    tree = Tree()
    for path in tree.paths:
        tree.serial(path)
    tree.bus.unplug(address=0x71)
    with pytest.raises(BusError, match="I2C chip 0x71"):
        tree.serial(tree.paths[2])
    visits = 0
    while True:
        try:
            tree.board.at(tree.paths[0]).i2c_rdwr(i2c_msg.read(NODE, 2))
            break
        except MultiplexerError as error:
            assert error.address == 0x71
            visits += 1
    assert visits == LOST_VISITS - 1
    for path in (tree.paths[4], tree.paths[1], tree.paths[0]):
        with pytest.raises(BusError, match="I2C chip 0x71"):
            tree.serial(tree.paths[3])
        assert tree.serial(path) == tree.expected(path)
    tree.bus.plug()
    for path in tree.paths:
        assert tree.serial(path) == tree.expected(path)
    tree.board.recover()
    tree.bus.add_faults("nack@+0x3:addr=0x71")
    with pytest.raises(MultiplexerError):
        tree.board.at(tree.paths[0]).i2c_rdwr(i2c_msg.read(NODE, 2))


def test_a_multiplexer_that_is_not_there_is_named() -> None:
    tree = Tree()
    tree.bus.unplug(address=0x71)
    with pytest.raises(BusError, match="I2C chip 0x71"):
        tree.serial(tree.paths[2])
    assert tree.serial(tree.paths[0]) == tree.expected(tree.paths[0])


def test_a_multiplexer_that_does_other_than_told_is_an_error() -> None:
    class Deaf:
        def i2c_rdwr(self, *messages: i2c_msg) -> None:
            pass

        def recover(self) -> None:
            pass

    path = parse(("tca9548a@0x70:0", NODE))
    with pytest.raises(MultiplexerError) as raised:
        Switchboard(Deaf(), [path]).at(path).i2c_rdwr(i2c_msg.read(NODE, 1))
    assert (raised.value.address, raised.value.errno) == (0x70, errno.EIO)


def _wall(bus: SimulatedBus) -> tuple[Profile, dict[str, SimulatedMlx90632]]:
    """Sixteen thermopiles, two behind each channel of one multiplexer, each in front of a temperature of its own."""
    mux = SimulatedTca9548a(0x70)
    bus.attach(mux)
    sensors, chips = [], {}
    for number in range(16):
        channel, address = number // 2, 0x3A + number % 2
        name = f"node{number}"
        chip = SimulatedMlx90632(steady(30.0 + number / 2), steady(28.0), address=address, seed=number)
        bus.attach(chip, mux.channel(channel))
        chips[name] = chip
        sensors.append(
            {"kind": "mlx90632", "name": name, "path": [f"tca9548a@0x70:{channel}", address], "rate_hz": 1.0}
        )
    plain = {"name": "garment", "version": "1", "sensors": sensors}
    return schema.from_plain(plain, Profile, "profile"), chips


def test_sixteen_thermopiles_behind_a_multiplexer_run_at_their_rate() -> None:
    bus = bus_of(frequency_hz=400_000)
    profile, _ = _wall(bus)
    bus.clock.sleep_until_us(10_000)
    pipeline = Pipeline(Hardware(bus, bus.clock, "garment", "0002", simulated=True), profile, inline=True)
    pipeline.start()
    end_us = bus.clock.now_us() + 20_000_000
    pipeline.send_signals(tuple(range(0, 32, 2)))
    newest: dict[int, float] = {}
    counts = [0] * 16
    while bus.clock.now_us() < end_us:
        for record in pipeline.step():
            if isinstance(record, SignalRecord):
                newest[record.signal // 2] = float(record.values[0])
            elif isinstance(record, Block):
                counts[record.sensor] += 1
    assert min(counts) >= 17 and max(counts) <= 21
    assert pipeline.counters.get("blocks_lost") == 0
    assert len({found.identity for sensor in range(16) if (found := pipeline.found(sensor)) is not None}) == 16
    for number, celsius in newest.items():
        assert celsius == pytest.approx(30.0 + number / 2, abs=0.3)
    assert all(result.passed for result in pipeline.self_test())

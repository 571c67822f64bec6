"""The multiplexer: a chip on the bus that has buses behind it."""

import errno
from typing import Any

import pytest
from chip_bus import read, wait, write
from smbus2 import i2c_msg

from thermo_core.errors import UsageError
from thermo_sim.chips.tca9548a import SimulatedTca9548a
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.clock import VirtualClock
from thermo_sim.i2c import SimulatedBus
from thermo_sim.surface import steady

MUX, NODE = 0x70, 0x48


class Tree:
    """A multiplexer with one TMP117 at the same address behind each of four channels, of 30 to 33 degC."""

    def __init__(self) -> None:
        self.bus = SimulatedBus(VirtualClock(), 400_000)
        self.mux = SimulatedTca9548a(MUX)
        self.bus.attach(self.mux)
        for number in range(4):
            chip = SimulatedTmp117(steady(30.0 + number), seed=number, noise=False)
            self.bus.attach(chip, self.mux.channel(number))
        wait(self.bus, 1.2)

    def celsius(self) -> float:
        return int.from_bytes(read(self.bus, NODE, 2, [0]), "big") / 128


@pytest.fixture
def tree() -> Tree:
    return Tree()


def error_of(run: Any) -> int | None:
    try:
        run()
    except OSError as error:
        return error.errno
    return None


def test_all_channels_are_closed_at_power_on(tree: Any) -> None:
    assert read(tree.bus, MUX, 1) == b"\x00"
    assert error_of(tree.celsius) == errno.EREMOTEIO


def test_each_channel_leads_to_its_own_chip(tree: Any) -> None:
    for number in (0, 3, 1, 2):
        write(tree.bus, MUX, 1 << number)
        assert read(tree.bus, MUX, 1) == bytes((1 << number,))
        assert tree.celsius() == pytest.approx(30 + number, abs=0.01)
    write(tree.bus, MUX, 0)
    assert error_of(tree.celsius) == errno.EREMOTEIO


def test_the_mask_applies_at_the_stop(tree: Any) -> None:
    word = i2c_msg.read(NODE, 2)
    with pytest.raises(OSError, match="121"):
        tree.bus.i2c_rdwr(i2c_msg.write(MUX, [1]), i2c_msg.write(NODE, [0]), word)
    assert tree.celsius() == pytest.approx(30, abs=0.01)


def test_chips_of_one_address_behind_two_open_channels_pull_the_same_wire(tree: Any) -> None:
    words = []
    for number in (1, 2):
        write(tree.bus, MUX, 1 << number)
        words.append(int.from_bytes(read(tree.bus, NODE, 2, [0]), "big"))
    write(tree.bus, MUX, 0b110)
    assert int.from_bytes(read(tree.bus, NODE, 2, [0]), "big") == words[0] & words[1]
    write(tree.bus, NODE, 2, 0x12, 0x34)
    for number in (1, 2):
        write(tree.bus, MUX, 1 << number)
        assert read(tree.bus, NODE, 2, [2]) == b"\x12\x34"


def test_a_chip_on_the_main_bus_collides_with_those_behind(tree: Any) -> None:
    tree.bus.attach(SimulatedTmp117(steady(20.0), noise=False))
    wait(tree.bus, 1.2)
    assert tree.celsius() == pytest.approx(20, abs=0.01)
    write(tree.bus, MUX, 0b1000)
    assert tree.celsius() == ((20 * 128) & (33 * 128)) / 128


def test_two_chips_of_one_segment_may_not_have_one_address(tree: Any) -> None:
    with pytest.raises(UsageError, match="0x48"):
        tree.bus.attach(SimulatedTmp117(steady(1.0)), tree.mux.channel(2))
    with pytest.raises(UsageError, match="leads nowhere"):
        tree.bus.attach(SimulatedTmp117(steady(1.0)), SimulatedTca9548a(0x71).channel(0))


def test_a_multiplexer_behind_a_multiplexer(tree: Any) -> None:
    inner = SimulatedTca9548a(0x71)
    tree.bus.attach(inner, tree.mux.channel(7))
    tree.bus.attach(SimulatedTmp117(steady(40.0), noise=False), inner.channel(5))
    wait(tree.bus, 1.2)
    write(tree.bus, MUX, 0x80)
    assert error_of(tree.celsius) == errno.EREMOTEIO
    write(tree.bus, 0x71, 0x20)
    assert tree.celsius() == pytest.approx(40, abs=0.01)
    write(tree.bus, MUX, 0)
    assert error_of(tree.celsius) == errno.EREMOTEIO
    write(tree.bus, MUX, 0x80)
    assert tree.celsius() == pytest.approx(40, abs=0.01)


def test_channels_stay_open_when_the_host_starts_anew_and_close_with_the_supply(tree: Any) -> None:
    write(tree.bus, MUX, 0b0001)
    tree.bus.recover()
    assert tree.celsius() == pytest.approx(30, abs=0.01)
    tree.bus.unplug(1000, MUX)
    assert error_of(tree.celsius) == errno.EREMOTEIO
    wait(tree.bus, 0.002)
    assert read(tree.bus, MUX, 1) == b"\x00"


def test_sda_held_low_behind_a_channel_blocks_the_tree_while_that_is_open(tree: Any) -> None:
    write(tree.bus, MUX, 0b0010)
    tree.bus.add_faults(f"stuck:addr={NODE}:ch=2")
    assert tree.celsius() == pytest.approx(31, abs=0.01)
    write(tree.bus, MUX, 0b0100)
    for run in (tree.celsius, lambda: write(tree.bus, MUX, 0)):
        assert error_of(run) == errno.ETIMEDOUT
    tree.bus.recover()
    assert tree.celsius() == pytest.approx(32, abs=0.01)


def test_a_chip_that_never_lets_go_is_left_behind_by_the_reset_pin(tree: Any) -> None:
    write(tree.bus, MUX, 0b0100)
    tree.bus.add_faults(f"stuck:addr={NODE}:ch=2:permanent")
    assert error_of(tree.celsius) == errno.ETIMEDOUT
    tree.bus.recover()
    assert error_of(tree.celsius) == errno.ETIMEDOUT
    tree.mux.reset()
    write(tree.bus, MUX, 0b0001)
    assert tree.celsius() == pytest.approx(30, abs=0.01)


def test_a_channel_left_open(tree: Any) -> None:
    tree.bus.add_faults(f"leftopen:addr={MUX}:ch=3")
    write(tree.bus, MUX, *[])
    assert tree.mux.mask == 0b1000
    assert tree.celsius() == pytest.approx(33, abs=0.01)


def test_a_fault_behind_one_channel_spares_the_chips_behind_the_others(tree: Any) -> None:
    tree.bus.add_faults(f"drift:addr={NODE}:ch=1:by=36")
    write(tree.bus, MUX, 0b0001)
    tree.celsius()
    wait(tree.bus, 100)
    found = []
    for number in range(4):
        write(tree.bus, MUX, 1 << number)
        found.append(tree.celsius())
    assert found == pytest.approx([30, 32, 32, 33], abs=0.03)

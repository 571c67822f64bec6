"""A controller that moves bytes by itself hears what one hears that hands over whole messages."""

from pathlib import Path

import numpy as np
import pytest
from chip_wearable import write
from smbus2 import i2c_msg

from thermo_sim.byte_master import ByteMaster
from thermo_sim.clock import VirtualClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.i2c import SimulatedBus

HZ = 100_000
NACK, STUCK, SHORT = 121, 110, 5
LOST = -1
"""A read of which the rest did not come, as a controller has it that moves bytes by itself."""
COMMANDS = {
    0x33: [b"\x24\x00", b"\x24\x0d", b"\x80\x00", b"\x04\x00", b"\x80\x0d\x19\x01"],
    0x3A: [b"\x24\x05", b"\x3f\xff", b"\x40\x05"],
    0x5A: [b"\x06", b"\x07", b"\x25", b"\x04"],
    0x57: [b"\x00", b"\x04", b"\x07", b"\xff", b"\x0c\x24\x24"],
    0x18: [b"\x0f", b"\xa8", b"\x28", b"\x22\x08"],
    0x44: [b"\x89", b"\xfd", b"\x12"],
    0x49: [b"\x00", b"\x0f", b"\x01", b"\x01\x02\x20"],
    0x48: [b"\x00", b"\x0f"],
    0x70: [b"\x01", b"\x80", b"\x00"],
    0x11: [b"\x00"],
}
"""What is written to chips before they are read; nobody is at the last."""
STARTED = ((0x57, b"\x09\x03"), (0x18, b"\x20\x57"), (0x18, b"\x2e\x40"))
"""What starts chips that sample by themselves, from when on is no matter here."""
WORDS = (0x48, 0x49)
"""Chips that say a word over and over, which for some words is another one each time."""
MORE = """
[[sensors]]
name = "gun"
kind = "mlx90614"
path = [0x5A]
rate_hz = 1.0
[[sensors]]
name = "camera"
kind = "mlx90640"
path = [0x33]
rate_hz = 2.0
"""


def hardware(folder: Path, faults: str = "") -> SimulatedHardware:
    """All kinds of chips on one bus, started."""
    toml = write(folder, MORE)
    made = SimulatedHardware.from_profile(toml, seed=3, bus_hz=HZ, clock=VirtualClock(), faults=faults, warm_up_tau_s=0)
    made.clock.sleep_until_us(1_000_000)  # in which they start
    return made


def by_messages(bus: SimulatedBus, address: int, write: bytes, size: int) -> bytes | int:
    """What a kernel gives: data, or a number of an error."""
    messages = [i2c_msg.write(address, write)] if write else []
    read = i2c_msg.read(address, size)
    try:
        bus.i2c_rdwr(*messages, *([read] if size else []))
    except OSError as error:
        return error.errno or 0
    return bytes(read) if size else b""


def by_bytes(bus: SimulatedBus, address: int, write: bytes, size: int) -> bytes | int:
    """The same by a controller that moves bytes by itself, each in the time it takes on the wire."""
    master = ByteMaster(bus)

    def take(bits: int) -> None:
        bus.clock.sleep_until_us(bus.clock.now_us() + bits * 1_000_000 // HZ)

    if not master.start(address):
        return STUCK
    try:
        if write:
            take(10)
            if not master.address(address, False, False, HZ):
                return NACK
            for place, byte in enumerate(write):
                take(9)
                if not master.write(byte, not size and place + 1 == len(write), HZ):
                    return NACK
        if not size:
            return b""
        take(10)
        if not master.start(address) or not master.address(address, True, size == 1, HZ):
            return NACK
        heard = []
        for place in range(size):
            heard.append(master.read(place + 1 == size, HZ))
            take(9)
        return LOST if None in heard else bytes(byte for byte in heard if byte is not None)
    finally:
        master.stop(HZ)


def test_both_hear_the_same_of_every_chip(tmp_path: Path) -> None:
    """What is written reaches chips at the end of its message in the one, at its beginning in the other."""
    rng = np.random.default_rng(3)
    one, other = hardware(tmp_path), hardware(tmp_path)
    for made in (one, other):
        assert all(by_messages(made.bus, address, write, 0) == b"" for address, write in STARTED)
    answered: dict[int, int] = dict.fromkeys(COMMANDS, 0)
    for _ in range(600):
        address = int(rng.choice(list(COMMANDS)))
        commands = COMMANDS[address]
        write = commands[rng.integers(len(commands))] if rng.random() < 0.9 else b""
        sizes = [0, 1, 2] if address in WORDS else [0, 1, 2, 3, 6, 7, 12]
        size = int(rng.choice(sizes)) if write else 2
        wanted = by_messages(one.bus, address, write, size)
        assert by_bytes(other.bus, address, write, size) == wanted, (address, write, size)
        answered[address] += isinstance(wanted, bytes)
        now_us = max(one.clock.now_us(), other.clock.now_us()) + int(rng.integers(1_000, 60_000))
        for made in (one, other):
            made.clock.sleep_until_us(now_us)
    assert one.bus.transactions == other.bus.transactions
    assert all(count for address, count in answered.items() if address != 0x11) and not answered[0x11]


@pytest.mark.parametrize(
    ("fault", "wanted", "heard"), [("nack@0", NACK, NACK), ("short@0", SHORT, LOST), ("stuck@0", STUCK, STUCK)]
)
def test_faults_strike_it_too(tmp_path: Path, fault: str, wanted: int, heard: int) -> None:
    one, other = hardware(tmp_path, fault), hardware(tmp_path, fault)
    assert by_messages(one.bus, 0x49, b"\x0f", 2) == wanted and by_bytes(other.bus, 0x49, b"\x0f", 2) == heard
    for bus in (one.bus, other.bus):
        bus.recover()
    assert by_bytes(other.bus, 0x49, b"\x0f", 2) == by_messages(one.bus, 0x49, b"\x0f", 2) == b"\x01\x17"


@pytest.mark.parametrize("level", ["ones@0", "zeros@0", "flip@0"])
def test_what_a_fault_makes_of_bytes_is_heard(tmp_path: Path, level: str) -> None:
    bus = hardware(tmp_path, level).bus
    said = by_bytes(bus, 0x49, b"\x0f", 2)
    assert isinstance(said, bytes)
    if level == "flip@0":
        assert bin(int.from_bytes(said, "big") ^ 0x0117).count("1") == 1
    else:
        assert said == (b"\xff" if level == "ones@0" else b"\x00") * 2


def test_a_general_call_reaches_every_chip(tmp_path: Path) -> None:
    """0x06 gives a TMP117 what its EEPROM has for its configuration."""

    def averages() -> int:
        said = by_bytes(bus, 0x49, b"\x01", 2)
        assert isinstance(said, bytes)
        return said[1]

    bus = hardware(tmp_path).bus
    before = averages()
    assert by_bytes(bus, 0x49, bytes((0x01, 0x02, before ^ 0x40)), 0) == b""
    assert averages() == before ^ 0x40
    assert by_bytes(bus, 0x00, b"\x06", 0) == b""
    bus.clock.sleep_until_us(bus.clock.now_us() + 100_000)
    assert averages() == before

"""The device's side of I2C: errors, retries, recovery, pieces; through smbus2's own messages on the simulated bus."""

import errno
import os
from typing import Any

import numpy as np
import pytest
from smbus2 import i2c_msg

from thermo_core.errors import BusError, BusStuckError, NackError, ShortReadError, UsageError
from thermo_device import bus as bus_module
from thermo_device.bus import LinuxBus, Registers, bus_error
from thermo_device.counters import Counters
from thermo_sim.hardware import SimulatedHardware

EEPROM = 0x2400


def _registers(faults: str = "", **options: int) -> tuple[Registers, SimulatedHardware, Counters]:
    hardware = SimulatedHardware.from_profile(seed=1, faults=faults, warm_up_tau_s=0)
    counters = Counters()
    return Registers(hardware.bus, hardware.clock, 0x33, counters, **options), hardware, counters


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENXIO, NackError),
        (errno.EREMOTEIO, NackError),
        (errno.ETIMEDOUT, BusStuckError),
        (errno.EAGAIN, BusStuckError),
        (errno.EBUSY, BusStuckError),
        (errno.EIO, ShortReadError),
        (errno.ENODEV, BusError),
        (errno.EOPNOTSUPP, BusError),
    ],
)
def test_each_error_number_of_the_kernel_has_its_type_and_names_the_chip(number: int, kind: type[BusError]) -> None:
    error = bus_error(OSError(number, os.strerror(number)), 0x33)
    assert type(error) is kind
    assert "0x33" in str(error)
    assert error.address == 0x33


@pytest.mark.parametrize("limit", [8192, 1664, 256, 32, 2])
def test_a_block_is_the_same_in_pieces_of_any_size(limit: int) -> None:
    registers, hardware, _ = _registers(max_read_bytes=limit)
    words = registers.read_block(EEPROM, 832)
    np.testing.assert_array_equal(words, hardware.chip.cells.words)
    assert hardware.bus.transactions == -(-1664 // min(limit, 1664))


def test_an_odd_limit_reads_whole_words() -> None:
    registers, hardware, _ = _registers(max_read_bytes=33)
    np.testing.assert_array_equal(registers.read_block(EEPROM, 100), hardware.chip.cells.words[:100])


def test_a_limit_below_a_word_is_refused() -> None:
    with pytest.raises(UsageError, match="1 bytes"):
        _registers(max_read_bytes=1)


@pytest.mark.parametrize(
    ("fault", "counter"), [("nack", "bus_nack"), ("short", "bus_short_read"), ("stuck", "bus_stuck")]
)
def test_only_the_piece_that_failed_is_repeated(fault: str, counter: str) -> None:
    registers, hardware, counters = _registers(f"{fault}@3", max_read_bytes=128)
    np.testing.assert_array_equal(registers.read_block(EEPROM, 832), hardware.chip.cells.words)
    assert hardware.bus.transactions == 13 + 1
    assert counters.get(counter) == 1


def test_a_stuck_bus_is_freed_by_nine_clocks() -> None:
    registers, hardware, counters = _registers("stuck@0")
    assert registers.read_word(EEPROM) == hardware.chip.cells.words[0]
    assert counters.snapshot() == {"bus_stuck": 1, "bus_recovered": 1}


def test_it_gives_up_after_the_last_attempt_with_the_last_error() -> None:
    registers, hardware, counters = _registers("nack@0x9", attempts=3)
    with pytest.raises(NackError):
        registers.read_word(EEPROM)
    assert hardware.bus.transactions == 3
    assert counters.get("bus_nack") == 3


def test_a_word_that_was_written_reads_back() -> None:
    registers, _, _ = _registers()
    registers.write_word(b"\x80\x0d", 0x1881)
    assert registers.read_word(0x800D) == 0x1881


def test_a_missing_adapter_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"/dev/i2c-nowhere.*raspi-config"):
        LinuxBus("/dev/i2c-nowhere").open()


class _Adapter:
    """smbus2's SMBus with a simulated bus behind it, and a log of what was done to it."""

    opened: list[str]
    hardware: SimulatedHardware

    def __init__(self, path: str) -> None:
        self.opened.append(path)
        self.open = True

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        assert self.open
        self.hardware.bus.i2c_rdwr(*messages)

    def close(self) -> None:
        self.open = False


def test_recovery_clocks_a_byte_out_of_an_address_nobody_has_and_opens_the_adapter_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hardware = SimulatedHardware.from_profile(seed=1, warm_up_tau_s=0)
    seen: list[tuple[int, int]] = []
    transfer = hardware.bus.i2c_rdwr

    def watched(*messages: i2c_msg) -> None:
        seen.extend((message.addr, message.len) for message in messages)
        transfer(*messages)

    monkeypatch.setattr(hardware.bus, "i2c_rdwr", watched)
    adapter: Any = type("Adapter", (_Adapter,), {"opened": [], "hardware": hardware})
    monkeypatch.setattr(bus_module, "SMBus", adapter)
    bus = LinuxBus("/dev/i2c-1")
    registers = Registers(bus, hardware.clock, 0x33, Counters())
    first = registers.read_word(EEPROM)
    bus.recover()
    assert seen[-1] == (0x7F, 1)
    assert registers.read_word(EEPROM) == first
    assert adapter.opened == ["/dev/i2c-1", "/dev/i2c-1"]

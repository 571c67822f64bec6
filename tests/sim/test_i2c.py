"""The simulated bus as a Linux user of smbus2 sees it."""

import errno
from typing import Any

import numpy as np
import pytest
from smbus2 import i2c_msg

from thermo_core.errors import UsageError
from thermo_sim.chips.ads1115_ntc.adc import SimulatedAds1115
from thermo_sim.clock import VirtualClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.i2c import SimulatedBus


def test_a_long_read_equals_single_reads(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    at_once = chip.read(0x2400, 64)
    assert np.array_equal(at_once, [chip.word(0x2400 + offset) for offset in range(64)])
    assert np.array_equal(at_once, hardware.chip.cells.words[:64])


def test_the_address_pointer_does_not_survive_a_stop(hardware: Any) -> None:
    address = (0x2407).to_bytes(2, "big")
    combined = i2c_msg.read(0x33, 6)
    hardware.bus.i2c_rdwr(i2c_msg.write(0x33, address), combined)
    separate = i2c_msg.read(0x33, 6)
    hardware.bus.i2c_rdwr(i2c_msg.write(0x33, address))
    hardware.bus.i2c_rdwr(separate)
    assert bytes(combined) == hardware.chip.radiometry.calibration.device_id
    assert bytes(separate) != bytes(combined)


@pytest.mark.parametrize("frequency_hz", [100_000, 400_000, 1_000_000])
def test_a_transaction_costs_nine_clocks_a_byte(frequency_hz: int, master: Any) -> None:
    hardware = SimulatedHardware.from_profile(seed=0, bus_hz=frequency_hz)
    before_us = hardware.clock.now_us()
    master(hardware.bus).read(0x0400, 832)
    # Two starts, two address bytes, two bytes of pointer, 1664 of data, one stop.
    clocks = 2 + 9 * (2 + 2 + 1664) + 1
    assert hardware.clock.now_us() - before_us == pytest.approx(clocks / frequency_hz * 1e6, abs=1)


def test_nobody_at_an_address_is_what_a_pi_reports(hardware: Any) -> None:
    with pytest.raises(OSError) as caught:
        hardware.bus.i2c_rdwr(i2c_msg.write(0x20, b"\x00"))
    assert caught.value.errno == errno.EREMOTEIO


def test_the_kernels_limits_hold(hardware: Any) -> None:
    for messages in ([], [i2c_msg.write(0x33, b"\x24\x00")] * 43, [i2c_msg.read(0x33, 8193)]):
        with pytest.raises(OSError) as caught:
            hardware.bus.i2c_rdwr(*messages)
        assert caught.value.errno == errno.EINVAL


def test_two_chips_of_one_address_are_refused(hardware: Any) -> None:
    with pytest.raises(UsageError, match="0x48"):
        hardware.bus.attach(SimulatedAds1115(lambda _channel, _time: 0.0))


@pytest.mark.parametrize("frequency_hz", [0, 9_999, 1_000_001])
def test_an_impossible_frequency_is_refused(frequency_hz: int) -> None:
    with pytest.raises(UsageError, match="frequency"):
        SimulatedBus(VirtualClock(), frequency_hz)


def test_unplugging_by_hand_lasts_until_plugged_and_powers_on_again(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    chip.write(0x800D, 0x1981)
    hardware.bus.unplug()
    hardware.clock.sleep_until_us(60_000_000)
    with pytest.raises(OSError):
        chip.word(0x800D)
    hardware.bus.plug()
    assert chip.word(0x800D) == 0x1901

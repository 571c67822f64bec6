"""Every fault of the bus: how it is written down, when it strikes, what a driver sees of it."""

import errno
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smbus2 import i2c_msg

from thermo_core.errors import AuxiliaryDataError, UsageError
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_sim.faults import Fault, FaultKind, FaultPlan, parse_faults
from thermo_sim.hardware import SimulatedHardware


def _hardware(faults: str, seed: int = 1) -> SimulatedHardware:
    return SimulatedHardware.from_profile(seed=seed, warm_up_tau_s=0, bus_hz=400_000, faults=faults)


@pytest.mark.parametrize(
    ("specification", "faults"),
    [
        ("", ()),
        ("nack", (Fault(FaultKind.NACK),)),
        ("nack@120", (Fault(FaultKind.NACK, at=120),)),
        ("nack@+3x5", (Fault(FaultKind.NACK, at=3, relative=True, count=5),)),
        ("stuck:p=0.001", (Fault(FaultKind.STUCK, probability=0.001),)),
        ("unplug@300+2s", (Fault(FaultKind.UNPLUG, at=300, duration_us=2_000_000),)),
        ("unplug+1.5ms", (Fault(FaultKind.UNPLUG, duration_us=1_500),)),
        ("flip@7:bits=3:addr=0x33", (Fault(FaultKind.FLIP, at=7, bits=3, address=0x33),)),
        ("eeprom@0:permanent", (Fault(FaultKind.EEPROM, at=0, permanent=True),)),
        ("delay@4+40ms", (Fault(FaultKind.DELAY, at=4, duration_us=40_000),)),
        ("aux", (Fault(FaultKind.AUXILIARY),)),
        (" short@1 , stale@2 ", (Fault(FaultKind.SHORT, at=1), Fault(FaultKind.STALE, at=2))),
    ],
)
def test_specifications(specification: str, faults: tuple[Fault, ...]) -> None:
    assert parse_faults(specification) == faults


@pytest.mark.parametrize(
    ("specification", "token"),
    [
        ("nack@120,nak@3", "nak@3"),
        ("nack@", "nack@"),
        ("nack@-1", "nack@-1"),
        ("nack@1x0", "nack@1x0"),
        ("stuck:p=2", "stuck:p=2"),
        ("stuck:p=", "stuck:p="),
        ("stuck:p=nan", "stuck:p=nan"),
        ("stuck:q=1", "q"),
        ("nack@1+2s", "nack@1+2s"),
        ("unplug@1+2h", "unplug@1+2h"),
        ("flip:bits=0", "bits"),
        ("flip:addr=0x80", "0x80"),
        ("nack@5:p=0.1", "nack@5:p=0.1"),
        ("eeprom:permanent=1", "permanent"),
    ],
)
def test_a_bad_specification_is_refused_by_the_name_of_its_part(specification: str, token: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults(specification)
    assert token in str(caught.value)


@given(st.text(alphabet="nackstufliperom@+x:=.,0123456789 ", max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parse_faults(text)
    except UsageError as error:
        assert str(error).endswith(".")


def test_a_scheduled_fault_strikes_its_transaction_alone(master: Any) -> None:
    chip = master(_hardware("nack@3,nack@5x2").bus)
    seen = []
    for transaction in range(10):
        try:
            chip.word(0x8000)
        except OSError as error:
            assert error.errno == errno.EREMOTEIO
            seen.append(transaction)
    assert seen == [3, 5, 6]


def test_a_fault_for_an_address_waits_for_it(hardware: Any, master: Any) -> None:
    hardware.bus.add_faults("nack:addr=0x33")
    master(hardware.bus, 0x48).read(0, 1)
    with pytest.raises(OSError):
        master(hardware.bus).word(0x8000)
    assert master(hardware.bus).word(0x800D) == 0x1901


def test_relative_faults_count_from_the_moment_they_are_added(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    for _ in range(4):
        chip.word(0x8000)
    hardware.bus.add_faults("nack@+1")
    chip.word(0x8000)
    with pytest.raises(OSError):
        chip.word(0x8000)


def test_probability_is_seeded_and_about_right() -> None:
    def struck(seed: int) -> list[int]:
        plan = FaultPlan("nack:p=0.1", seed)
        return [n for n in range(5000) if plan.strike(n, frozenset({0x33}))]

    assert struck(1) == struck(1) != struck(2)
    assert 400 < len(struck(1)) < 600


def test_stuck_sda_blocks_every_chip_until_nine_clocks(hardware: Any, master: Any) -> None:
    hardware.bus.add_faults("stuck@0")
    for address in (0x33, 0x48):
        before_us = hardware.clock.now_us()
        with pytest.raises(OSError) as caught:
            master(hardware.bus, address).read(0, 1)
        assert caught.value.errno == errno.ETIMEDOUT
        assert hardware.clock.now_us() - before_us == 1_000_000
    hardware.bus.recover()
    assert master(hardware.bus).word(0x800D) == 0x1901


@pytest.mark.parametrize("bits", [1, 5])
def test_flipped_bits_are_silent_and_counted(hardware: Any, master: Any, bits: int) -> None:
    hardware.bus.add_faults(f"flip@0:bits={bits}")
    damaged = master(hardware.bus).read(0x2400, 832)
    difference = damaged ^ hardware.chip.cells.words
    assert sum(int(word).bit_count() for word in difference) == bits
    assert np.array_equal(master(hardware.bus).read(0x2400, 832), hardware.chip.cells.words)


def test_a_short_read_is_an_error_and_leaves_the_buffer_alone(hardware: Any) -> None:
    hardware.bus.add_faults("short@0")
    message = i2c_msg.read(0x33, 8)
    with pytest.raises(OSError) as caught:
        hardware.bus.i2c_rdwr(i2c_msg.write(0x33, b"\x24\x00"), message)
    assert caught.value.errno == errno.EIO
    assert bytes(message) == bytes(8)


def test_a_stale_flag_shows_a_page_that_was_already_read(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    first = chip.frame()
    assert not chip.word(0x8000) & 8
    hardware.bus.add_faults("stale")
    status = chip.word(0x8000)
    assert status & 8
    assert status & 1 == first[833]
    assert np.array_equal(chip.read(0x0400, 832), first[:832])


def test_an_invalid_auxiliary_word_is_refused_by_the_decoder_until_measured_again(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    decoder = Decoder(hardware.chip.radiometry.calibration)
    chip.rate(4)
    chip.frame()
    chip.wait()
    hardware.bus.add_faults("aux")
    with pytest.raises(AuxiliaryDataError) as caught:
        decoder.decode(chip.frame())
    assert caught.value.value == 0x7FFF
    assert caught.value.address in (0x700, 0x708, 0x70A, 0x720, 0x728, 0x72A)
    chip.frame()
    decoder.decode(chip.frame())


def test_a_host_that_is_held_up_finds_a_newer_page(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    chip.rate(5)
    chip.frame()
    number = chip.wait()
    chip.write(0x8000, 0x0010)
    hardware.bus.add_faults("delay+70ms")
    before_us = hardware.clock.now_us()
    chip.read(0x0400, 832)
    assert hardware.clock.now_us() - before_us > 70_000
    assert chip.word(0x8000) & 9 == 8 | 1 - number


def test_eeprom_corruption_passes_or_stays(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    good = hardware.chip.cells.words.copy()
    hardware.bus.add_faults("eeprom:bits=2")
    assert not np.array_equal(chip.read(0x2400, 832), good)
    assert np.array_equal(chip.read(0x2400, 832), good)
    hardware.bus.add_faults("eeprom:permanent")
    chip.word(0x8000)
    assert sum(int(word).bit_count() for word in chip.read(0x2400, 832) ^ good) == 1
    assert sum(int(word).bit_count() for word in chip.read(0x2400, 832) ^ good) == 1


def test_an_unplugged_chip_comes_back_with_defaults(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    chip.write(0x800D, 0x1981)
    hardware.bus.add_faults("unplug+2s:addr=0x33")
    start_us = hardware.clock.now_us()
    while hardware.clock.now_us() < start_us + 1_990_000:
        with pytest.raises(OSError) as caught:
            chip.word(0x800D)
        assert caught.value.errno == errno.EREMOTEIO
        assert master(hardware.bus, 0x48).read(1).size == 1
        hardware.clock.sleep_until_us(hardware.clock.now_us() + 100_000)
    hardware.clock.sleep_until_us(start_us + 2_000_000)
    assert chip.word(0x800D) == 0x1901
    assert not chip.word(0x8000) & 8

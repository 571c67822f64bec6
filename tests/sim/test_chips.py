"""The simulated chips against what their data sheets say of time, flags, FIFOs and EEPROMs."""

import errno
import struct
from typing import Any

import numpy as np
import pytest
from chip_bus import AIR, DIE, MAKE, SKIN, bus_of, pulse, read, still, wait, write
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_bytes import ADDRESS, mlx90632_constants

from thermo_core.crc8 import crc8
from thermo_core.sensors.mlx90614 import decode as mlx90614
from thermo_core.sensors.mlx90614.registers import SETTLING_MS
from thermo_core.sensors.mlx90632 import decode
from thermo_core.sensors.mlx90632.constants import Constants
from thermo_sim.chips.lis3dh import SimulatedLis3dh
from thermo_sim.chips.max3010x import SimulatedMax3010x
from thermo_sim.chips.mlx90614 import SimulatedMlx90614
from thermo_sim.chips.mlx90632 import SimulatedMlx90632, counts_of
from thermo_sim.chips.sht4x import SimulatedSht4x
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.i2c import SimulatedBus
from thermo_sim.surface import steady


def _nacks(run: Any) -> bool:
    try:
        run()
    except OSError as error:
        assert error.errno == errno.EREMOTEIO
        return True
    return False


def _word(bus: SimulatedBus, address: int, register: int, size: int = 2) -> int:
    return int.from_bytes(read(bus, address, 2, register.to_bytes(size, "big")), "big")


@pytest.mark.parametrize("kind", sorted(MAKE))
def test_every_chip_acknowledges_an_empty_write_and_ignores_other_addresses(kind: str) -> None:
    bus = bus_of(MAKE[kind](ADDRESS[kind], 0))
    wait(bus, 1)
    write(bus, ADDRESS[kind])
    assert _nacks(lambda: write(bus, ADDRESS[kind] + 1))


@pytest.mark.parametrize("kind", sorted(MAKE))
def test_a_chip_repeats_itself_with_its_seed_and_differs_with_another(kind: str) -> None:
    commands = {
        "mlx90632": [0x40, 0x03],
        "mlx90614": [0x07],
        "max3010x": [0x07],
        "lis3dh": [0xA8],
        "tmp117": [0x00],
        "sht4x": None,
    }

    def said(seed: int) -> bytes:
        bus = bus_of(MAKE[kind](ADDRESS[kind], seed))
        wait(bus, 0.02)
        if kind == "sht4x":
            write(bus, 0x44, 0xFD)
        if kind == "lis3dh":
            write(bus, 0x18, 0x20, 0x57)
        if kind == "max3010x":
            for register, value in ((0x0A, 0x27), (0x0C, 0x20), (0x0D, 0x20), (0x09, 0x03)):
                write(bus, 0x57, register, value)
        wait(bus, 2)
        return read(bus, ADDRESS[kind], 3 if kind == "mlx90614" else 6, commands[kind])

    assert said(1) == said(1)
    assert said(1) != said(2)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(MAKE)),
    st.lists(
        st.tuples(st.binary(max_size=6), st.integers(0, 40), st.sampled_from([0.0, 0.001, 0.1, 20.0, 4000.0])),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(
        ["", "freeze@2", "brownout@3", "overflow@3", "torn@2x3", "checksum@1", "drift@1:by=2", "contact@1+1s:tau=1"]
    ),
)
def test_any_transactions_are_answered_or_not_acknowledged(
    kind: str, steps: list[tuple[bytes, int, float]], faults: str
) -> None:
    bus = bus_of(MAKE[kind](ADDRESS[kind], 0), faults=faults)
    for command, length, pause_s in steps:
        try:
            if command:
                assert len(read(bus, ADDRESS[kind], length, command)) == length
                write(bus, ADDRESS[kind], *command)
            else:
                assert len(read(bus, ADDRESS[kind], length)) == length
        except OSError as error:
            assert error.errno == errno.EREMOTEIO
        wait(bus, pause_s)


class TestMlx90632:
    def test_formulas_run_backwards_and_forwards_agree_within_a_count(self) -> None:
        constants = Constants.from_bytes(mlx90632_constants())
        worst = [0.0, 0.0]
        for ambient in np.arange(5.0, 46.0, 2.5):
            for to in np.arange(-10.0, 61.0, 2.5):
                said = counts_of(constants, to, ambient, 1.0, None)
                objects, counts = (np.array(round(value), np.float64)[()] for value in said)
                amb = decode.ambient_signal(constants, counts, np.float64(23_030))
                signal = decode.object_signal(constants, objects, counts, np.float64(23_030))
                ta = decode.sensor_celsius(constants, amb)
                found = decode.object_celsius(constants, signal, ta, np.float64(1.0))
                worst[0] = max(worst[0], abs(found - to))
                worst[1] = max(worst[1], abs(decode.ambient_celsius(constants, amb) - ambient))
        assert worst[0] < 0.017
        assert worst[1] < 0.005

    def test_emissivity_and_what_is_reflected_are_undone_by_the_formulas(self) -> None:
        constants = Constants.from_bytes(mlx90632_constants())
        objects, counts = counts_of(constants, 34.0, 30.0, 0.9, 15.0)
        amb = decode.ambient_signal(constants, np.float64(counts), np.float64(23_030))
        signal = decode.object_signal(constants, np.float64(objects), np.float64(counts), np.float64(23_030))
        ta = decode.sensor_celsius(constants, amb)
        found = decode.object_celsius(constants, signal, ta, np.float64(0.9), np.float64(15.0))
        assert found == pytest.approx(34.0, abs=1e-3)

    def test_measurements_1_and_2_take_turns_at_the_refresh_rate(self) -> None:
        bus = bus_of(SimulatedMlx90632(SKIN, DIE), frequency_hz=400_000)
        wait(bus, 0.001)
        seen: list[Any] = []
        while len(seen) < 6:
            status = _word(bus, 0x3A, 0x3FFF)
            if status & 1:
                seen.append((bus.clock.now_us(), status >> 2 & 31))
                write(bus, 0x3A, 0x3F, 0xFF, 0, 0)
            wait(bus, 0.001)
        assert [cycle for _, cycle in seen] == [1, 2, 1, 2, 1, 2]
        assert np.diff([time_us for time_us, _ in seen]) == pytest.approx(500_000, abs=3_000)

    def test_eeprom_takes_a_word_with_key_in_halt_after_erasing_and_nothing_else(self) -> None:
        bus = bus_of(SimulatedMlx90632(SKIN, DIE), frequency_hz=400_000)
        wait(bus, 0.01)
        cell, before = (0x24, 0xE1), _word(bus, 0x3A, 0x24E1)

        def put(word: int, key: bool = True) -> None:
            if key:
                write(bus, 0x3A, 0x30, 0x05, 0x55, 0x4C)
            write(bus, 0x3A, *cell, word >> 8, word & 0xFF)

        put(0x8100)
        assert _word(bus, 0x3A, 0x24E1) == before  # it measures
        write(bus, 0x3A, 0x30, 0x01, 0, 0)
        put(0x8100, key=False)
        assert _word(bus, 0x3A, 0x24E1) == before
        put(0x0000)
        assert _word(bus, 0x3A, 0x3FFF) & 0x0200
        put(0x8400)
        assert _word(bus, 0x3A, 0x24E1) == 0  # it was busy
        wait(bus, 0.01)
        assert not _word(bus, 0x3A, 0x3FFF) & 0x0200
        put(0x8400)
        wait(bus, 0.01)
        assert _word(bus, 0x3A, 0x24E1) == 0x8400
        put(0x0100)
        assert _word(bus, 0x3A, 0x24E1) == 0x8500  # not erased: bits add up
        write(bus, 0x3A, 0x30, 0x05, 0x55, 0x4C)
        write(bus, 0x3A, 0x24, 0x0C, 0, 0)
        assert _word(bus, 0x3A, 0x240C)  # the factory's

    def test_a_burst_in_step_mode_measures_both_once(self) -> None:
        bus = bus_of(SimulatedMlx90632(SKIN, DIE), frequency_hz=400_000)
        wait(bus, 0.01)
        write(bus, 0x3A, 0x30, 0x01, 0x00, 0x04)
        write(bus, 0x3A, 0x3F, 0xFF, 0, 0)
        wait(bus, 3)
        assert not _word(bus, 0x3A, 0x3FFF) & 1
        write(bus, 0x3A, 0x30, 0x01, 0x08, 0x04)
        wait(bus, 0.9)
        assert _word(bus, 0x3A, 0x3FFF) & 0x0400
        wait(bus, 0.2)
        status = _word(bus, 0x3A, 0x3FFF)
        assert status & 1
        assert status >> 2 & 31 == 2
        assert not status & 0x0400
        assert not _word(bus, 0x3A, 0x3001) & 0x0800

    def test_reset_takes_its_time_and_the_supply_leaves_a_flag(self) -> None:
        bus = bus_of(SimulatedMlx90632(SKIN, DIE), frequency_hz=400_000)
        wait(bus, 0.01)
        assert _word(bus, 0x3A, 0x3FFF) & 0x0100
        write(bus, 0x3A, 0x3F, 0xFF, 0, 0)
        write(bus, 0x3A, 0x30, 0x05, 0, 6)
        assert _nacks(lambda: _word(bus, 0x3A, 0x3FFF))
        wait(bus, 0.0002)
        assert not _word(bus, 0x3A, 0x3FFF) & 0x0100
        bus.add_faults("brownout")
        assert _nacks(lambda: _word(bus, 0x3A, 0x3FFF))
        wait(bus, 0.001)
        assert _word(bus, 0x3A, 0x3FFF) & 0x0100


class TestMlx90614:
    @staticmethod
    def to(bus: SimulatedBus, command: int = 0x07) -> float:
        return float(mlx90614.celsius(mlx90614.word_of(read(bus, 0x5A, 3, [command]), 0x5A, command)))

    def test_it_answers_no_bus_above_100_khz_and_no_read_without_a_repeated_start(self) -> None:
        bus = bus_of(SimulatedMlx90614(SKIN, DIE), frequency_hz=400_000)
        assert _nacks(lambda: write(bus, 0x5A))
        bus = bus_of(SimulatedMlx90614(SKIN, DIE))
        write(bus, 0x5A, 0x07)
        assert _nacks(lambda: read(bus, 0x5A, 3))

    @pytest.mark.parametrize("supply_v", [3, 5])
    @pytest.mark.parametrize("iir", [0, 1, 3, 4, 5, 7])
    @pytest.mark.parametrize("fir", [4, 7])
    def test_a_step_settles_in_the_data_sheets_time(self, supply_v: int, iir: int, fir: int) -> None:
        chip = SimulatedMlx90614(lambda t: 30.0 if t < 20 else 40.0, DIE, supply_v=supply_v, noise_k=0.0)
        chip.cells[0x05] = 0x9FB4 & ~0x0707 | iir | fir << 8
        bus = bus_of(chip)
        settling_s = SETTLING_MS[supply_v][iir][fir - 4] / 1000
        wait(bus, 20 + 0.4 * settling_s)
        early = self.to(bus)
        wait(bus, 0.8 * settling_s)
        assert self.to(bus) == pytest.approx(40.0, abs=0.15)
        assert iir == 4 or early < 39.8

    def test_first_data_after_250_ms_and_sleep_until_sda_is_held_low(self) -> None:
        chip = SimulatedMlx90614(SKIN, DIE)
        bus = bus_of(chip)
        wait(bus, 0.2)
        assert self.to(bus) == pytest.approx(-273.15)
        wait(bus, 0.1)
        assert self.to(bus) == pytest.approx(34.0, abs=0.3)
        assert _nacks(lambda: write(bus, 0x5A, 0xFF, 0x00))  # not its packet error code
        assert not _nacks(lambda: self.to(bus))
        write(bus, 0x5A, 0xFF, crc8(b"\xb4\xff"))
        assert _nacks(lambda: self.to(bus))
        chip.sda_low(20_000, bus.clock.now_us())
        assert _nacks(lambda: self.to(bus))
        chip.sda_low(33_000, bus.clock.now_us())
        wait(bus, 0.5)
        assert self.to(bus) == pytest.approx(34.0, abs=0.3)

    @staticmethod
    def put(bus: SimulatedBus, cell: int, word: int) -> None:
        write(bus, 0x5A, *mlx90614.write_message(0x5A, 0x20 + cell, word))

    def test_eeprom_is_erased_then_written_and_applies_at_power_on(self) -> None:
        bus = bus_of(SimulatedMlx90614(SKIN, DIE))
        wait(bus, 1)
        message = mlx90614.write_message(0x5A, 0x2E, 0)
        assert _nacks(lambda: write(bus, 0x5A, *message[:-1], message[-1] ^ 1))
        self.put(bus, 0x0E, 0)
        assert mlx90614.word_of(read(bus, 0x5A, 3, [0xF0]), 0x5A, 0xF0) & 0x80
        assert _nacks(lambda: self.put(bus, 0x0E, 0xBE2A))
        wait(bus, 0.01)
        self.put(bus, 0x0E, 0xBE2A)
        wait(bus, 0.01)
        assert self.to(bus) == pytest.approx(34.0, abs=0.3)
        bus.unplug(1000)
        wait(bus, 1)
        assert _nacks(lambda: write(bus, 0x5A))
        write(bus, 0x2A)

    def test_a_new_emissivity_needs_the_sensitivity_rescaled(self) -> None:
        """The vendor's rule: cell 0x2F new = old E_old / E_new."""
        bus = bus_of(SimulatedMlx90614(SKIN, DIE, emissivity=0.95, noise_k=0.0))
        wait(bus, 5)
        assert self.to(bus) == pytest.approx(30 + 0.95 * 4, abs=0.05)

        def change(cell: int, word: int) -> None:
            for value in (0, word):
                self.put(bus, cell, value)
                wait(bus, 0.015)

        change(0x04, round(0.95 * 65535))
        bus.unplug(1000)
        wait(bus, 5)
        assert self.to(bus) == pytest.approx(30 + 0.95 * 4, abs=0.05)  # the emissivity alone does nothing
        change(0x0F, round(0x1000 / 0.95))
        bus.unplug(1000)
        wait(bus, 5)
        assert self.to(bus) == pytest.approx(34.0, abs=0.05)

    def test_a_case_that_warms_unevenly_shows_an_error_of_tenths(self) -> None:
        bus = bus_of(SimulatedMlx90614(SKIN, lambda t: 28.0 + 0.01 * t, noise_k=0.0))
        wait(bus, 60)
        assert self.to(bus) - 34.0 == pytest.approx(0.3, abs=0.1)


class TestMax3010x:
    @staticmethod
    def start(*registers: tuple[int, int], noise: bool = False, **options: object) -> SimulatedBus:
        bus = bus_of(SimulatedMax3010x(pulse, DIE, noise=noise, **options), frequency_hz=400_000)  # type: ignore[arg-type]
        for register, value in registers:
            write(bus, 0x57, register, value)
        return bus

    SPO2 = ((0x0C, 0x20), (0x0D, 0x20), (0x0A, 0x27), (0x09, 0x03))

    @staticmethod
    def pointers(bus: SimulatedBus) -> tuple[int, int, int]:
        written, overflow, taken = read(bus, 0x57, 3, [0x04])
        return written, overflow, taken

    def test_samples_come_at_rate_over_averaging(self) -> None:
        bus = self.start((0x08, 0x40), *self.SPO2)
        wait(bus, 1.01)
        assert self.pointers(bus) == (25, 0, 0)
        counts = np.frombuffer(b"".join(b"\0" + bytes(part) for part in _threes(read(bus, 0x57, 150, [7]))), ">u4")
        assert counts.reshape(25, 2).mean(axis=0) == pytest.approx([150 * 6.4 * 64] * 2, rel=0.02)
        assert self.pointers(bus) == (25, 0, 25)

    def test_a_full_fifo_keeps_the_old_or_the_new_and_counts_what_is_lost(self) -> None:
        for config, first in ((0x00, 0), (0x10, 8)):
            bus = self.start((0x08, config), *self.SPO2)
            wait(bus, 0.405)
            written, overflow, taken = self.pointers(bus)
            assert written == taken == first % 32
            assert overflow == 8
            read(bus, 0x57, 6, [7])
            assert self.pointers(bus)[1] == 0
            wait(bus, 1)
            assert self.pointers(bus)[1] == 31

    @pytest.mark.parametrize(("code", "waiting"), [(0, 32), (15, 17)])
    def test_almost_full_is_raised_by_the_places_left(self, code: int, waiting: int) -> None:
        bus = self.start((0x08, code), (0x02, 0x80), *self.SPO2)
        chip = bus._nodes[0].chip
        read(bus, 0x57, 2, [0])
        wait(bus, waiting / 100 - 0.003)
        assert not chip.interrupt(bus.clock.now_us())  # type: ignore[attr-defined]
        wait(bus, 0.01)
        assert chip.interrupt(bus.clock.now_us())  # type: ignore[attr-defined]
        assert read(bus, 0x57, 1, [0])[0] & 0x80
        assert not chip.interrupt(bus.clock.now_us())  # type: ignore[attr-defined]

    def test_power_ready_once_and_after_a_dip_of_the_supply(self) -> None:
        bus = self.start()
        assert read(bus, 0x57, 1, [0]) == b"\x01"
        assert read(bus, 0x57, 1, [0]) == b"\x00"
        write(bus, 0x57, 0x09, 0x40)
        assert read(bus, 0x57, 1, [0]) == b"\x00"
        bus.add_faults("brownout")
        assert read(bus, 0x57, 1, [0]) == b"\x01"

    def test_the_die_is_ready_after_29_ms_and_only_where_that_is_enabled(self) -> None:
        for enabled in (0, 2):
            bus = self.start((0x03, enabled), (0x21, 1))
            assert read(bus, 0x57, 1, [0x21]) == b"\x00"
            wait(bus, 0.028)
            assert read(bus, 0x57, 1, [0x01]) == b"\x00"
            wait(bus, 0.002)
            assert read(bus, 0x57, 1, [0x01])[0] == enabled
            whole, fraction = struct.unpack("bB", read(bus, 0x57, 2, [0x1F]))
            assert whole + fraction / 16 == pytest.approx(30.0, abs=0.07)

    def test_a_rate_beyond_the_width_of_pulses_changes_by_itself(self) -> None:
        bus = self.start((0x09, 0x03), (0x0A, 0x20 | 7 << 2 | 3))
        assert read(bus, 0x57, 1, [0x0A])[0] >> 2 & 7 == 3  # 400 a second

    @pytest.mark.parametrize("pulse_code", range(4))
    def test_shorter_pulses_leave_the_lowest_bits_zero(self, pulse_code: int) -> None:
        bus = self.start((0x0C, 0x20), (0x0A, 0x24 | pulse_code), (0x09, 0x02), noise=True)
        wait(bus, 0.3)
        counts = [int.from_bytes(bytes(part), "big") for part in _threes(read(bus, 0x57, 60, [7]))]
        low = (1 << 3 - pulse_code) - 1
        assert not any(count & low for count in counts)
        assert any(count & (low + 1) for count in counts)

    def test_slots_give_the_leds_in_their_order_and_a_max30102_has_no_green_one(self) -> None:
        for green, leds in ((True, 3), (False, 2)):
            bus = self.start(
                (0x0C, 10), (0x0D, 20), (0x0E, 30), (0x11, 0x23), (0x12, 0x01), (0x0A, 0x27), (0x09, 7), green=green
            )
            wait(bus, 0.1)
            data = read(bus, 0x57, 3 * leds, [7])
            counts = [int.from_bytes(bytes(part), "big") for part in _threes(data)]
            wanted = [30, 20, 10] if green else [20, 10]
            assert counts == pytest.approx([150 * 0.2 * step * 64 for step in wanted], rel=0.05)

    def test_too_much_other_light_is_flagged(self) -> None:
        bus = self.start(*self.SPO2, ambient_na=steady(250_000.0))
        wait(bus, 0.1)
        assert read(bus, 0x57, 1, [0])[0] & 0x20


def _threes(data: bytes) -> list[bytes]:
    return [data[at : at + 3] for at in range(0, len(data), 3)]


class TestLis3dh:
    @staticmethod
    def start(*registers: tuple[int, int], noise: bool = False) -> tuple[SimulatedBus, SimulatedLis3dh]:
        chip = SimulatedLis3dh(still(0.25, -0.5, 1.0), noise=noise)
        bus = bus_of(chip, frequency_hz=400_000)
        wait(bus, 0.01)
        for register, value in registers:
            write(bus, 0x18, register, value)
        return bus, chip

    STREAM = ((0x23, 0x98), (0x24, 0x40), (0x2E, 0x80 | 24), (0x20, 0x37))
    """25 Hz, 4 g, high resolution, stream."""

    def test_a_burst_a_second_of_150_bytes(self) -> None:
        bus, _ = self.start(*self.STREAM)
        wait(bus, 1.005)
        assert read(bus, 0x18, 1, [0x2F]) == bytes((0x80 | 25,))
        before_us = bus.clock.now_us()
        words = struct.unpack("<75h", read(bus, 0x18, 150, [0x28 | 0x80]))
        assert bus.clock.now_us() - before_us == pytest.approx(3_500, abs=100)
        assert set(words[0::3]) == {125 << 4}
        assert set(words[2::3]) == {500 << 4}
        assert read(bus, 0x18, 1, [0x2F]) == b"\x20"

    def test_addresses_stand_still_without_the_increment_bit(self) -> None:
        bus, _ = self.start((0x20, 0x57), (0x23, 0x88))
        wait(bus, 0.05)
        low, high = read(bus, 0x18, 2, [0xA8])
        assert low != high
        assert read(bus, 0x18, 2, [0x28]) == bytes((low, low))

    def test_a_full_fifo_says_31_and_overrun_and_streams_on(self) -> None:
        bus, _ = self.start(*self.STREAM)
        wait(bus, 31 / 25 + 0.01)
        assert read(bus, 0x18, 1, [0x2F])[0] & 0x5F == 31
        wait(bus, 0.04)
        assert read(bus, 0x18, 1, [0x2F])[0] & 0x5F == 0x40 | 31
        wait(bus, 10)
        assert len(read(bus, 0x18, 192, [0xA8])) == 192
        assert read(bus, 0x18, 1, [0x2F])[0] & 0x20

    def test_fifo_mode_stops_when_full_until_bypass(self) -> None:
        bus, _ = self.start(*self.STREAM[:2], (0x2E, 0x40), (0x20, 0x57))
        wait(bus, 1)
        assert read(bus, 0x18, 1, [0x2F])[0] & 0x40
        read(bus, 0x18, 192, [0xA8])
        wait(bus, 1)
        assert read(bus, 0x18, 1, [0x2F])[0] & 0x20
        write(bus, 0x18, 0x2E, 0x00)
        write(bus, 0x18, 0x2E, 0x40)
        wait(bus, 0.055)
        assert read(bus, 0x18, 1, [0x2F])[0] & 0x1F == 5

    def test_the_watermark_reaches_the_interrupt_line(self) -> None:
        bus, chip = self.start(*self.STREAM, (0x22, 0x04))
        wait(bus, 0.98)
        assert not chip.interrupt(bus.clock.now_us())
        wait(bus, 0.04)
        assert chip.interrupt(bus.clock.now_us())
        read(bus, 0x18, 150, [0xA8])
        assert not chip.interrupt(bus.clock.now_us())

    @pytest.mark.parametrize("code", range(1, 8))
    def test_every_rate(self, code: int) -> None:
        rate_hz = (1, 10, 25, 50, 100, 200, 400)[code - 1]
        bus, _ = self.start(*self.STREAM[:3], (0x20, code << 4 | 7))
        wait(bus, 20.2 / rate_hz)
        assert read(bus, 0x18, 1, [0x2F])[0] & 0x1F == 20

    def test_it_shows_its_offsets_noise_and_clock(self) -> None:
        bus, chip = self.start(*self.STREAM[:3], (0x20, 0x77), noise=True)
        words = []
        start_us = bus.clock.now_us()
        for _ in range(20):
            wait(bus, 0.05)
            count = read(bus, 0x18, 1, [0x2F])[0] & 0x1F
            words += list(struct.iter_unpack("<3h", read(bus, 0x18, 6 * count, [0xA8])))
        g = np.array(words) / 8000
        assert g.mean(axis=0) == pytest.approx(np.array([0.25, -0.5, 1.0]) + chip.offset_g, abs=0.002)
        assert g.std(axis=0) == pytest.approx([220e-6 * 200**0.5] * 3, rel=0.2)
        elapsed_s = (bus.clock.now_us() - start_us) / 1e6
        assert len(words) == pytest.approx(400 * elapsed_s / (1 + chip.clock_error), abs=3)


class TestSht4x:
    @pytest.mark.parametrize(("command", "ms"), [(0xFD, 8.2), (0xF6, 4.5), (0xE0, 1.7)])
    def test_an_answer_too_early_is_none(self, command: int, ms: float) -> None:
        bus = bus_of(SimulatedSht4x(AIR, noise=False), frequency_hz=400_000)
        wait(bus, 0.01)
        write(bus, 0x44, command)
        wait(bus, ms / 1000 - 0.0002)
        assert _nacks(lambda: read(bus, 0x44, 6))
        assert _nacks(lambda: write(bus, 0x44, 0x94))
        wait(bus, 0.0003)
        answer = read(bus, 0x44, 6)
        assert -45 + 175 * int.from_bytes(answer[:2], "big") / 65535 == pytest.approx(24.0, abs=0.003)
        assert -6 + 125 * int.from_bytes(answer[3:5], "big") / 65535 == pytest.approx(45.0, abs=0.003)
        assert crc8(answer[:2], 0x31, 0xFF) == answer[2]
        assert _nacks(lambda: read(bus, 0x44, 6))  # given once

    def test_reset_and_unknown_commands(self) -> None:
        bus = bus_of(SimulatedSht4x(AIR), frequency_hz=400_000)
        assert _nacks(lambda: write(bus, 0x44, 0xFD))  # starts up
        wait(bus, 0.002)
        assert _nacks(lambda: write(bus, 0x44, 0x12))
        write(bus, 0x44, 0xFD)
        wait(bus, 0.01)
        write(bus, 0x44, 0x94)
        wait(bus, 0.001)
        assert _nacks(lambda: read(bus, 0x44, 6))


class TestTmp117:
    def test_reset_state_and_the_first_conversion(self) -> None:
        bus = bus_of(SimulatedTmp117(SKIN, noise=False), frequency_hz=400_000)
        wait(bus, 0.002)
        assert _word(bus, 0x48, 1, 1) == 0x0220
        assert _word(bus, 0x48, 0x0F, 1) == 0x0117
        assert _word(bus, 0x48, 0, 1) == 0x8000
        wait(bus, 0.12)
        assert _word(bus, 0x48, 0, 1) == 0x8000
        wait(bus, 0.01)
        assert _word(bus, 0x48, 1, 1) == 0x2220
        assert _word(bus, 0x48, 1, 1) == 0x0220
        assert _word(bus, 0x48, 0, 1) == 34 * 128

    @pytest.mark.parametrize(
        ("averaging", "cycle", "seconds"), [(0, 1, 0.125), (1, 4, 1.0), (3, 0, 0.992), (2, 5, 4.0)]
    )
    def test_results_come_at_cycle_or_conversion_time(self, averaging: int, cycle: int, seconds: float) -> None:
        bus = bus_of(SimulatedTmp117(SKIN), frequency_hz=400_000)
        wait(bus, 0.002)
        write(bus, 0x48, 1, cycle >> 1, (cycle & 1) << 7 | averaging << 5)
        ready: list[Any] = []
        while len(ready) < 4:
            if _word(bus, 0x48, 1, 1) & 0x2000:
                ready.append(bus.clock.now_us())
            wait(bus, 0.001)
        assert np.diff(ready) == pytest.approx(1e6 * seconds, abs=3_000)

    def test_one_shot_ends_in_shutdown(self) -> None:
        bus = bus_of(SimulatedTmp117(SKIN), frequency_hz=400_000)
        wait(bus, 0.002)
        write(bus, 0x48, 1, 0x0C, 0x00)
        wait(bus, 0.014)
        assert not _word(bus, 0x48, 1, 1) & 0x2000
        wait(bus, 0.002)
        assert _word(bus, 0x48, 1, 1) & 0x2C00 == 0x2400

    def test_eeprom_keeps_what_is_written_unlocked(self) -> None:
        bus = bus_of(SimulatedTmp117(SKIN), frequency_hz=400_000)
        wait(bus, 0.002)
        write(bus, 0x48, 2, 0x11, 0x00)
        bus.unplug(1000)
        wait(bus, 0.01)
        assert _word(bus, 0x48, 2, 1) == 0x6000
        write(bus, 0x48, 4, 0x80, 0x00)
        write(bus, 0x48, 2, 0x11, 0x00)
        assert _word(bus, 0x48, 1, 1) & 0x1000
        wait(bus, 0.008)
        assert not _word(bus, 0x48, 1, 1) & 0x1000
        bus.unplug(1000)
        wait(bus, 0.01)
        assert _word(bus, 0x48, 2, 1) == 0x1100

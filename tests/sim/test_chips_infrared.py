"""The simulated thermopiles against what their data sheets say of time, flags and EEPROMs."""

from typing import Any

import numpy as np
import pytest
from chip_bus import DIE, SKIN, bus_of, read, wait, write
from chip_words import nacks, read_word
from sensor_bytes import mlx90632_constants

from thermo_core.crc8 import crc8
from thermo_core.sensors.mlx90614 import decode as mlx90614
from thermo_core.sensors.mlx90614.registers import SETTLING_MS
from thermo_core.sensors.mlx90632 import decode
from thermo_core.sensors.mlx90632.constants import Constants
from thermo_sim.chips.mlx90614 import SimulatedMlx90614
from thermo_sim.chips.mlx90632 import SimulatedMlx90632, counts_of
from thermo_sim.i2c import SimulatedBus


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
            status = read_word(bus, 0x3A, 0x3FFF)
            if status & 1:
                seen.append((bus.clock.now_us(), status >> 2 & 31))
                write(bus, 0x3A, 0x3F, 0xFF, 0, 0)
            wait(bus, 0.001)
        assert [cycle for _, cycle in seen] == [1, 2, 1, 2, 1, 2]
        assert np.diff([time_us for time_us, _ in seen]) == pytest.approx(500_000, abs=3_000)

    def test_eeprom_takes_a_word_with_key_in_halt_after_erasing_and_nothing_else(self) -> None:
        bus = bus_of(SimulatedMlx90632(SKIN, DIE), frequency_hz=400_000)
        wait(bus, 0.01)
        cell, before = (0x24, 0xE1), read_word(bus, 0x3A, 0x24E1)

        def put(word: int, key: bool = True) -> None:
            if key:
                write(bus, 0x3A, 0x30, 0x05, 0x55, 0x4C)
            write(bus, 0x3A, *cell, word >> 8, word & 0xFF)

        put(0x8100)
        assert read_word(bus, 0x3A, 0x24E1) == before  # it measures
        write(bus, 0x3A, 0x30, 0x01, 0, 0)
        put(0x8100, key=False)
        assert read_word(bus, 0x3A, 0x24E1) == before
        put(0x0000)
        assert read_word(bus, 0x3A, 0x3FFF) & 0x0200
        put(0x8400)
        assert read_word(bus, 0x3A, 0x24E1) == 0  # it was busy
        wait(bus, 0.01)
        assert not read_word(bus, 0x3A, 0x3FFF) & 0x0200
        put(0x8400)
        wait(bus, 0.01)
        assert read_word(bus, 0x3A, 0x24E1) == 0x8400
        put(0x0100)
        assert read_word(bus, 0x3A, 0x24E1) == 0x8500  # not erased: bits add up
        write(bus, 0x3A, 0x30, 0x05, 0x55, 0x4C)
        write(bus, 0x3A, 0x24, 0x0C, 0, 0)
        assert read_word(bus, 0x3A, 0x240C)  # the factory's

    def test_a_burst_in_step_mode_measures_both_once(self) -> None:
        bus = bus_of(SimulatedMlx90632(SKIN, DIE), frequency_hz=400_000)
        wait(bus, 0.01)
        write(bus, 0x3A, 0x30, 0x01, 0x00, 0x04)
        write(bus, 0x3A, 0x3F, 0xFF, 0, 0)
        wait(bus, 3)
        assert not read_word(bus, 0x3A, 0x3FFF) & 1
        write(bus, 0x3A, 0x30, 0x01, 0x08, 0x04)
        wait(bus, 0.9)
        assert read_word(bus, 0x3A, 0x3FFF) & 0x0400
        wait(bus, 0.2)
        status = read_word(bus, 0x3A, 0x3FFF)
        assert status & 1
        assert status >> 2 & 31 == 2
        assert not status & 0x0400
        assert not read_word(bus, 0x3A, 0x3001) & 0x0800

    def test_reset_takes_its_time_and_the_supply_leaves_a_flag(self) -> None:
        bus = bus_of(SimulatedMlx90632(SKIN, DIE), frequency_hz=400_000)
        wait(bus, 0.01)
        assert read_word(bus, 0x3A, 0x3FFF) & 0x0100
        write(bus, 0x3A, 0x3F, 0xFF, 0, 0)
        write(bus, 0x3A, 0x30, 0x05, 0, 6)
        assert nacks(lambda: read_word(bus, 0x3A, 0x3FFF))
        wait(bus, 0.0002)
        assert not read_word(bus, 0x3A, 0x3FFF) & 0x0100
        bus.add_faults("brownout")
        assert nacks(lambda: read_word(bus, 0x3A, 0x3FFF))
        wait(bus, 0.001)
        assert read_word(bus, 0x3A, 0x3FFF) & 0x0100


class TestMlx90614:
    @staticmethod
    def to(bus: SimulatedBus, command: int = 0x07) -> float:
        return float(mlx90614.celsius(mlx90614.word_of(read(bus, 0x5A, 3, [command]), 0x5A, command)))

    def test_it_answers_no_bus_above_100_khz_and_no_read_without_a_repeated_start(self) -> None:
        bus = bus_of(SimulatedMlx90614(SKIN, DIE), frequency_hz=400_000)
        assert nacks(lambda: write(bus, 0x5A))
        bus = bus_of(SimulatedMlx90614(SKIN, DIE))
        write(bus, 0x5A, 0x07)
        assert nacks(lambda: read(bus, 0x5A, 3))

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
        assert nacks(lambda: write(bus, 0x5A, 0xFF, 0x00))  # not its packet error code
        assert not nacks(lambda: self.to(bus))
        write(bus, 0x5A, 0xFF, crc8(b"\xb4\xff"))
        assert nacks(lambda: self.to(bus))
        chip.sda_low(20_000, bus.clock.now_us())
        assert nacks(lambda: self.to(bus))
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
        assert nacks(lambda: write(bus, 0x5A, *message[:-1], message[-1] ^ 1))
        self.put(bus, 0x0E, 0)
        assert mlx90614.word_of(read(bus, 0x5A, 3, [0xF0]), 0x5A, 0xF0) & 0x80
        assert nacks(lambda: self.put(bus, 0x0E, 0xBE2A))
        wait(bus, 0.01)
        self.put(bus, 0x0E, 0xBE2A)
        wait(bus, 0.01)
        assert self.to(bus) == pytest.approx(34.0, abs=0.3)
        bus.unplug(1000)
        wait(bus, 1)
        assert nacks(lambda: write(bus, 0x5A))
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

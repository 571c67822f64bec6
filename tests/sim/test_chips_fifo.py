"""The simulated chips with FIFOs against what their data sheets say of time, flags and samples."""

import struct

import numpy as np
import pytest
from chip_bus import DIE, bus_of, pulse, read, still, wait, write

from thermo_sim.chips.lis3dh import SimulatedLis3dh
from thermo_sim.chips.max3010x import SimulatedMax3010x
from thermo_sim.i2c import SimulatedBus
from thermo_sim.surface import steady


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

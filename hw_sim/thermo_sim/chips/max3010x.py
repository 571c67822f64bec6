"""A MAX30101 or MAX30102 as seen from the I2C bus: registers, FIFO, interrupts, die temperature (data sheets 19-7740, 19-8413).

Samples are made when somebody looks: all that are due, at once. Where the data sheets are silent:

* The first sample is complete one period after the mode was chosen, and again after a change of mode or rate.
* A read that ends within a sample leaves the read pointer before it: what was read of it is read again, so reads of other lengths
  than whole samples tear.
* With rollover a full FIFO is written on, its oldest samples are gone and the read pointer moves with them; without it new
  samples are gone. Both are counted, and both show equal pointers, as an empty FIFO does.
* The start bit of the die temperature clears at once and says nothing; its flag is raised where it is enabled, and nowhere else.
* Proximity mode is not simulated: its registers keep what is written.
"""

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.max3010x import registers as r
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_sim.chips.faulty import ChipFaults, generator
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.chips.sampling import Sampling
from thermo_sim.faults import Fault, FaultKind, FaultPlan
from thermo_sim.surface import ROOM, CelsiusAt, Surface, WavesAt, steady

ADDRESS = 0x57
DIE_US = 29_000
NOISE_NA = 0.25
"""RMS of a measurement with the longest pulse; shorter ones have more."""
AMBIENT_LIMIT_NA = 200_000.0
"""Photocurrent of other light that the chip can take away."""
CLOCK_ERROR = 0.01

_FULL = (1 << r.BITS) - 1
_MODES = {r.HEART_RATE: (1,), r.SPO2: (1, 2)}


class SimulatedMax3010x:
    """The chip.

    Args:
        waves: photocurrent of the red, infrared and green LED for each mA through it, nA, (n, 3) at (n,) times.
        die: temperature of the chip.
        ambient_na: photocurrent of other light, by time.
        green: whether it is a MAX30101.
        seed: of its noise and clock, which is off by up to a hundredth.
        noise: whether there is any.
    """

    def __init__(
        self,
        waves: WavesAt,
        die: CelsiusAt = ROOM,
        ambient_na: CelsiusAt | None = None,
        green: bool = False,
        seed: int = 0,
        noise: bool = True,
    ) -> None:
        self._waves, self._die = waves, die
        self._ambient_na = steady(0.0) if ambient_na is None else ambient_na
        self._leds = 3 if green else 2
        self._rng = generator(seed, 0x3010, int(green))
        self._noise = noise
        self.clock_error = float(self._rng.uniform(-CLOCK_ERROR, CLOCK_ERROR)) if noise else 0.0
        self._skin = Surface(steady(1.0), steady(0.0))
        self._faults = ChipFaults()

    @property
    def address(self) -> int:
        """7-bit I2C address, the same for all of them."""
        return ADDRESS

    @property
    def made(self) -> int:
        """Samples since it was started last, seen or not."""
        return 0 if self._sampling is None else self._sampling.made

    def power_on(self, time_us: int) -> None:
        """Registers are 0, and the flag that only this raises is set."""
        self._reset(time_us)
        self._flags = [r.POWER_READY, 0]

    def interrupt(self, time_us: int) -> bool:
        """Whether the INT pin is low."""
        self._advance(time_us)
        enabled = self._registers[r.ENABLE_1] | r.POWER_READY, self._registers[r.ENABLE_2]
        active = any(flags & mask for flags, mask in zip(self._flags, enabled, strict=True))
        return active or self._faults.interrupt_stuck(time_us)

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """A byte of address, then bytes for it and the next ones."""
        self._advance(time_us)
        if data:
            self._pointer = data[0]
        for byte in data[1:]:
            self._write_register(self._pointer, byte, time_us)
            self._step()
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """Bytes from the address on; from the FIFO's again and again."""
        data = bytearray()
        for place in range(length):
            self._advance(time_us + place * 9_000_000 // bus_hz)
            data.append(self._read_register(self._pointer, time_us))
            self._step()
        return bytes(data)

    def stop(self) -> None:
        """The address survives a STOP, part of a sample does not."""
        self._byte = 0

    def general_call(self, data: bytes, time_us: int) -> None:
        """It has no answer to that."""

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """FREEZE, BROWNOUT, OVERFLOW, TORN, INTERRUPT and CONTACT, as `faults.FaultKind` says; the chip has no others."""
        self._advance(time_us)
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        elif fault.kind is FaultKind.OVERFLOW:
            for _ in range(r.FIFO_DEPTH + r.MOST_OVERFLOWS):
                self._push(self._newest)
        elif fault.kind is FaultKind.CONTACT or not self._faults.take(fault, plan, time_us):
            self._skin.take(fault, time_us)

    def _reset(self, time_us: int) -> None:
        self._registers = bytearray(256)
        self._registers[r.PART_ID], self._registers[r.REVISION] = r.PART, 0x03
        self._flags = [0, 0]
        self._fifo = [(0,) * r.BYTES] * r.FIFO_DEPTH
        self._newest: tuple[int, ...] = (0,)
        self._unread = 0
        self._pointer = self._byte = 0
        self._sampling: Sampling | None = None
        self._die_us: int | None = None

    @property
    def _slots(self) -> tuple[int, ...]:
        """Numbers of the LEDs of a sample."""
        mode = self._registers[r.MODE_CONFIG] & r.MODE_MASK
        if mode != r.MULTI_LED:
            return _MODES.get(mode, ())
        pairs = (self._registers[slot] for slot in r.SLOTS)
        slots = [number for pair in pairs for number in (pair & 7, pair >> 4 & 7)]
        used = slots[: slots.index(0)] if 0 in slots else slots
        return tuple(number for number in used if number <= self._leds)

    @property
    def period_us(self) -> float:
        """From one sample to the next by its own clock, microseconds."""
        config = self._registers[r.SPO2_CONFIG]
        averages = r.AVERAGES[min(self._registers[r.FIFO_CONFIG] >> r.AVERAGING_SHIFT, len(r.AVERAGES) - 1)]
        return averages * 1e6 / r.RATES_HZ[config >> r.RATE_SHIFT & 7] * (1 + self.clock_error)

    def _advance(self, time_us: int) -> None:
        if self._die_us is not None and self._die_us <= time_us:
            self._finish_die(self._die_us)
        if self._sampling is not None:
            self._sampling.due(time_us, self._measure, self._take)

    def _take(self, sample: tuple[int, ...], time_us: int) -> None:
        if not self._faults.frozen(time_us) or len(self._newest) != len(sample):
            self._newest = sample
        self._push(self._newest)

    def _measure(self, ends_us: NDArray[np.float64]) -> list[tuple[int, ...]]:
        config, slots = self._registers[r.SPO2_CONFIG], self._slots
        averages = r.AVERAGES[min(self._registers[r.FIFO_CONFIG] >> r.AVERAGING_SHIFT, len(r.AVERAGES) - 1)]
        back = (np.arange(averages) - averages + 0.5) / averages * self.period_us
        times_s = ((ends_us[:, np.newaxis] + back) / 1e6).ravel()
        contact = np.array([self._skin.contact(time_s) for time_s in times_s.tolist()])[:, np.newaxis]
        milliamperes = np.array([self._registers[r.CURRENTS[number - 1]] for number in slots]) * r.CURRENT_STEP_MA
        light = np.asarray(self._waves(times_s), np.float64)[:, [number - 1 for number in slots]]
        current = light * contact * milliamperes
        pulse = config & 3
        if self._noise:
            current = current + NOISE_NA * 2 ** (3 - pulse) * self._rng.standard_normal(current.shape)
        over = max(self._ambient_na(time_s) for time_s in times_s[:: max(1, averages)].tolist()) - AMBIENT_LIMIT_NA
        if over > 0:
            current = current + over
            self._flags[0] |= r.AMBIENT_OVERFLOW
        step = r.RANGES_NA[config >> r.RANGE_SHIFT & 3] / (1 << r.BITS)
        coarse = 1 << (r.BITS - r.FIRST_BITS - pulse)
        counts = np.floor(current / (step * coarse)) * coarse
        counts = counts.reshape(len(ends_us), averages, len(slots)).mean(axis=1)
        counts = np.clip(np.floor(counts / coarse) * coarse, 0, _FULL // coarse * coarse)
        return [tuple(row) for row in counts.astype(np.int64).tolist()]

    def _push(self, sample: tuple[int, ...]) -> None:
        full = self._unread == r.FIFO_DEPTH
        self._flags[0] |= r.READY
        if full:
            self._registers[r.OVERFLOWS] = min(r.MOST_OVERFLOWS, self._registers[r.OVERFLOWS] + 1)
            if not self._registers[r.FIFO_CONFIG] & r.ROLLOVER:
                return
            self._forward()
        at = self._registers[r.WRITE_POINTER]
        self._fifo[at] = sample
        self._registers[r.WRITE_POINTER] = at + 1 & r.POINTER_MASK
        self._unread = min(r.FIFO_DEPTH, self._unread + 1)
        if self._unread == r.FIFO_DEPTH - (self._registers[r.FIFO_CONFIG] & r.ALMOST_FULL_MASK):
            self._flags[0] |= r.ALMOST_FULL

    def _step(self) -> None:
        if self._pointer != r.FIFO:
            self._pointer = self._pointer + 1 & 0xFF

    def _read_register(self, address: int, time_us: int) -> int:
        if address == r.FIFO:
            return self._read_fifo()
        if address in (r.INTERRUPT_1, r.INTERRUPT_2):
            flags, self._flags[address] = self._flags[address], 0
            return flags
        if address == r.DIE_FRACTION:
            self._flags[1] &= ~r.DIE_READY
        return self._registers[address]

    def _read_fifo(self) -> int:
        self._flags[0] &= ~(r.ALMOST_FULL | r.READY)
        if not self._unread:
            return 0
        at = self._registers[r.READ_POINTER]
        data = b"".join(value.to_bytes(r.BYTES, "big") for value in self._fifo[at])
        if self._byte == len(data) // 2 and self._faults.torn():
            # The other half comes from the sample behind it.
            self._forward()
            at = self._registers[r.READ_POINTER]
            data = b"".join(value.to_bytes(r.BYTES, "big") for value in self._fifo[at]).ljust(len(data), b"\x00")
        byte = data[self._byte]
        self._byte += 1
        if self._byte == len(data):
            self._byte = 0
            self._registers[r.OVERFLOWS] = 0
            self._forward()
        return byte

    def _forward(self) -> None:
        self._registers[r.READ_POINTER] = self._registers[r.READ_POINTER] + 1 & r.POINTER_MASK
        self._unread = max(0, self._unread - 1)

    def _write_register(self, address: int, byte: int, time_us: int) -> None:
        if address == r.MODE_CONFIG and byte & r.RESET:
            self._reset(time_us)
            return
        if address in (r.WRITE_POINTER, r.READ_POINTER, r.OVERFLOWS):
            self._registers[address] = byte & r.POINTER_MASK
            distance = self._registers[r.WRITE_POINTER] - self._registers[r.READ_POINTER]
            self._unread, self._byte = distance & r.POINTER_MASK, 0
            return
        if address in (r.INTERRUPT_1, r.INTERRUPT_2, r.FIFO, r.DIE_WHOLE, r.DIE_FRACTION, r.REVISION, r.PART_ID):
            return
        if address == r.CURRENTS[2] and self._leds < 3:
            return
        if address == r.DIE_START:
            if byte & 1:
                self._die_us = time_us + DIE_US
            return
        self._registers[address] = byte
        if address in (r.MODE_CONFIG, r.SPO2_CONFIG, r.FIFO_CONFIG, *r.SLOTS):
            self._restart(time_us)

    def _restart(self, time_us: int) -> None:
        slots, config = self._slots, self._registers[r.SPO2_CONFIG]
        if slots:
            fastest = r.FASTEST_HZ[r.PULSES_US[config & 3]][len(set(slots)) - 1]
            code = config >> r.RATE_SHIFT & 7
            while r.RATES_HZ[code] > fastest:
                code -= 1
            self._registers[r.SPO2_CONFIG] = config & ~(7 << r.RATE_SHIFT) | code << r.RATE_SHIFT
        running = slots and not self._registers[r.MODE_CONFIG] & r.SHUTDOWN
        self._sampling = Sampling(time_us, self.period_us) if running else None

    def _finish_die(self, time_us: int) -> None:
        sixteenths = round(self._die(time_us / 1e6) * 16)
        self._registers[r.DIE_WHOLE], self._registers[r.DIE_FRACTION] = sixteenths >> 4 & 0xFF, sixteenths & 0xF
        if self._registers[r.ENABLE_2] & r.DIE_READY:
            self._flags[1] |= r.DIE_READY
        self._die_us = None


def _make(settings: Max3010xSettings, site: Site) -> SimulatedMax3010x:
    return SimulatedMax3010x(
        site.around.light(settings.name), site.around.die, green=settings.variant == "max30101", seed=site.seed
    )


def _says(settings: Max3010xSettings, worn: Worn) -> tuple[Array]:
    light = worn.around.light(worn.sensor)(worn.times_s)[:, [r.LEDS.index(led) for led in settings.leds]]
    noise_na = NOISE_NA * 2 ** (3 - r.PULSES_US.index(settings.pulse_us)) / settings.averages**0.5
    current = light * settings.current_ma + worn.noise(noise_na, len(settings.leds))
    step_na = settings.range_na / (1 << r.BITS)
    return (np.clip(np.floor(current / step_na), 0, settings.full_count) * step_na,)


KIND = ChipKind(_make, _says)

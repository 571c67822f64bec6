"""A LIS3DH as seen from the I2C bus: registers, FIFO, interrupt line (ST data sheet DocID17530, application note AN3308).

Samples are made when somebody looks: all that are due, at once. Where the papers are silent:

* The first sample is complete one period after the rate was chosen.
* The watermark is reached by one sample more than its register says; a full FIFO says 31 samples and an overrun.
* In FIFO mode a full FIFO takes nothing more, however much of it is read, until it was in bypass mode.
* Stream-to-FIFO streams, for there is nothing here that would trigger it; clicks, free fall and orientation are not simulated and
  their source registers read 0, the auxiliary ADC as well.
* Without block update a word may change between its two bytes.
"""

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.lis3dh import registers as r
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_sim.chips.faulty import ChipFaults, generator
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.chips.sampling import Sampling
from thermo_sim.faults import Fault, FaultKind, FaultPlan
from thermo_sim.surface import WavesAt

BOOT_US = 5_000
NOISE_G_PER_ROOT_HZ = 220e-6
OFFSET_G = 0.04
"""Zero-g level, typically."""
CLOCK_ERROR = 0.02

_LOW_POWER_HZ = {8: 1620.0, 9: 5376.0}
_DEFAULTS = {r.CONTROL_1: 0x07, 0x0F: r.IDENTITY}
_READ_ONLY = frozenset({*range(0x07, 0x10), *range(r.STATUS, 0x2E), r.FIFO_SOURCE, 0x31, 0x35, 0x39})


class SimulatedLis3dh:
    """The chip.

    Args:
        acceleration: along its axes, g, (n, 3) at (n,) times; at rest it points up with 1 g.
        address: 0x18, or 0x19 with SA0 high.
        seed: of its offsets, noise and clock, which is off by up to two hundredths.
        noise: whether there is any of these.
    """

    def __init__(self, acceleration: WavesAt, address: int = 0x18, seed: int = 0, noise: bool = True) -> None:
        self._acceleration = acceleration
        self._address = address
        self._rng = generator(seed, 0x3D, address)
        self._noise = noise
        self.offset_g = self._rng.normal(0, OFFSET_G / 2, 3) if noise else np.zeros(3)
        self.clock_error = float(self._rng.uniform(-CLOCK_ERROR, CLOCK_ERROR)) if noise else 0.0
        self._faults = ChipFaults()

    @property
    def address(self) -> int:
        """7-bit I2C address, set by the SA0 pin."""
        return self._address

    @property
    def made(self) -> int:
        """Samples since it was started last, seen or not."""
        return 0 if self._sampling is None else self._sampling.made

    def power_on(self, time_us: int) -> None:
        """Registers take their defaults; nothing is measured."""
        self._registers = bytearray(128)
        for address, value in _DEFAULTS.items():
            self._registers[address] = value
        self._pointer, self._increments = 0, False
        self._fifo: list[tuple[int, ...]] = []
        self._overrun = self._stopped = False
        self._shown: tuple[int, ...] = (0, 0, 0)
        self._read: tuple[int, ...] = self._shown
        self._flags = 0
        self._boot_until_us = time_us + BOOT_US
        self._sampling: Sampling | None = None

    def interrupt(self, time_us: int) -> bool:
        """Whether the INT1 pin is active."""
        self._advance(time_us)
        wanted = self._registers[r.CONTROL_3]
        source = self._source()
        active = (
            (wanted & r.READY_PIN and self._flags & r.NEW_DATA)
            or (wanted & r.WATERMARK_PIN and source & r.WATERMARK)
            or (wanted & r.OVERRUN_PIN and source & r.OVERRUN)
        )
        return bool(active) or self._faults.interrupt_stuck(time_us)

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """A byte of address, with a bit for auto-increment, then bytes for it and the next ones."""
        self._advance(time_us)
        if data:
            self._pointer, self._increments = data[0] & 0x7F, bool(data[0] & r.AUTO_INCREMENT)
        for byte in data[1:]:
            self._write_register(self._pointer, byte, time_us)
            self._step()
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """Bytes from the address on; behind the last byte of a sample comes the next sample."""
        data = bytearray()
        for place in range(length):
            self._advance(time_us + place * 9_000_000 // bus_hz)
            data.append(self._read_register(self._pointer))
            self._step()
        return bytes(data)

    def stop(self) -> None:
        """The address survives a STOP."""

    def general_call(self, data: bytes, time_us: int) -> None:
        """It has no answer to that."""

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """FREEZE, BROWNOUT, OVERFLOW, TORN and INTERRUPT, as `faults.FaultKind` says; the chip has no others.

        A torn sample has x of one and y and z of the next.
        """
        self._advance(time_us)
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        elif fault.kind is FaultKind.OVERFLOW:
            for _ in range(2 * r.FIFO_DEPTH):
                self._push(self._shown)
        else:
            self._faults.take(fault, plan, time_us)

    @property
    def period_us(self) -> float:
        """From one sample to the next by its own clock, microseconds; 0 while it is switched off."""
        code = self._registers[r.CONTROL_1] >> 4
        low_power = bool(self._registers[r.CONTROL_1] & r.LOW_POWER)
        if not code:
            return 0.0
        rate_hz = r.RATES_HZ[code - 1] if code <= len(r.RATES_HZ) else _LOW_POWER_HZ.get(code, 0.0)
        if code == 9 and not low_power:
            rate_hz = 1344.0
        return 1e6 / rate_hz * (1 + self.clock_error) if rate_hz else 0.0

    @property
    def _mode(self) -> str:
        if self._registers[r.CONTROL_1] & r.LOW_POWER:
            return "low-power"
        return "high-resolution" if self._registers[r.CONTROL_4] & r.HIGH_RESOLUTION else "normal"

    @property
    def _fifo_mode(self) -> int:
        if not self._registers[r.CONTROL_5] & r.FIFO_ENABLE:
            return r.BYPASS
        return self._registers[r.FIFO_CONTROL] & r.FIFO_MODE_MASK

    def _advance(self, time_us: int) -> None:
        if self._sampling is not None:
            self._sampling.due(time_us, self._measure, self._take)

    def _take(self, sample: tuple[int, ...], time_us: int) -> None:
        self._push(self._shown if self._faults.frozen(time_us) else sample)

    def _measure(self, ends_us: NDArray[np.float64]) -> list[tuple[int, ...]]:
        mode = self._mode
        code = self._registers[r.CONTROL_4] >> r.RANGE_SHIFT & 3
        g = np.asarray(self._acceleration(ends_us / 1e6), np.float64) + self.offset_g
        if self._noise:
            rms = NOISE_G_PER_ROOT_HZ * (5e5 / self.period_us) ** 0.5
            g = g + rms * self._rng.standard_normal(g.shape)
        half = 1 << 15 - r.SHIFT[mode]
        counts = np.clip(np.rint(1000 * g / r.MG_A_COUNT[mode][code]), -half, half - 1).astype(np.int64)
        enabled = [self._registers[r.CONTROL_1] >> axis & 1 for axis in range(3)]
        return [tuple(row) for row in ((counts << r.SHIFT[mode]) * enabled).tolist()]

    def _push(self, sample: tuple[int, ...]) -> None:
        self._flags |= r.NEW_DATA | (r.OVERWRITTEN if self._flags & r.NEW_DATA else 0)
        self._shown = sample
        mode = self._fifo_mode
        if mode == r.BYPASS or (mode == r.FIFO and self._stopped):
            return
        if len(self._fifo) == r.FIFO_DEPTH:
            self._fifo.pop(0)
        self._fifo.append(sample)
        self._overrun = self._stopped = len(self._fifo) == r.FIFO_DEPTH

    def _source(self) -> int:
        unread = len(self._fifo)
        watermark = unread > self._registers[r.FIFO_CONTROL] & r.WATERMARK_MASK
        return (
            r.WATERMARK * (watermark and self._fifo_mode != r.BYPASS)
            | r.OVERRUN * self._overrun
            | r.EMPTY * (not unread)
            | min(unread, r.UNREAD_MASK)
        )

    def _step(self) -> None:
        if not self._increments:
            return
        last_of_sample = self._pointer == r.OUT + 5
        self._pointer = r.OUT if last_of_sample and self._fifo_mode != r.BYPASS else self._pointer + 1 & 0x7F

    def _read_register(self, address: int) -> int:
        if r.OUT <= address < r.OUT + 6:
            return self._read_sample(address - r.OUT)
        if address == r.FIFO_SOURCE:
            return self._source()
        if address == r.STATUS:
            return self._flags | (0x07 if self._flags & r.NEW_DATA else 0)
        return self._registers[address]

    def _read_sample(self, place: int) -> int:
        if place == 0:
            self._flags = 0
            self._read = self._fifo[0] if self._fifo else self._shown
        elif place == 2 and self._faults.torn():
            self._read = self._fifo[1] if len(self._fifo) > 1 else self._shown
        elif not self._fifo and not self._registers[r.CONTROL_4] & r.BLOCK_UPDATE:
            self._read = self._shown
        word = self._read[place // 2] & 0xFFFF
        if place == 5 and self._fifo:
            self._fifo.pop(0)
            self._overrun = False
        big_endian = bool(self._registers[r.CONTROL_4] & r.BIG_ENDIAN)
        return word >> (8 if (place % 2 == 1) != big_endian else 0) & 0xFF

    def _write_register(self, address: int, byte: int, time_us: int) -> None:
        if address in _READ_ONLY:
            return
        if address == r.CONTROL_5 and byte & r.BOOT:
            # Reads the trimming of the factory anew and keeps what the host has set.
            self._boot_until_us = time_us + BOOT_US
            byte &= ~r.BOOT
        before = self.period_us
        self._registers[address] = byte
        if address == r.FIFO_CONTROL and byte & r.FIFO_MODE_MASK == r.BYPASS:
            self._fifo, self._overrun, self._stopped = [], False, False
        if address == r.CONTROL_1 and self.period_us != before:
            start_us = max(time_us, self._boot_until_us)
            self._sampling = Sampling(start_us, self.period_us) if self.period_us else None


def _make(settings: Lis3dhSettings, site: Site) -> SimulatedLis3dh:
    return SimulatedLis3dh(site.around.acceleration, settings.bus_path.address, site.seed)


def _says(settings: Lis3dhSettings, worn: Worn) -> tuple[Array]:
    g = worn.around.acceleration(worn.times_s) + worn.errors * worn.own.normal(0, OFFSET_G / 2, 3)
    g = g + worn.noise(NOISE_G_PER_ROOT_HZ * (settings.rate_hz / 2) ** 0.5, 3)
    step_g, form = settings.mg_a_count / 1000, settings.format
    return (step_g * np.clip(np.rint(g / step_g), form.low, form.high),)


KIND = ChipKind(_make, _says)

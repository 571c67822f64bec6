"""A TMP117 as seen from the I2C bus: registers behind a pointer, conversions that take their time, EEPROM (data sheet SNOSD82)."""

import numpy as np

from thermo_core.sensors.tmp117 import registers as r
from thermo_core.sensors.tmp117.settings import Tmp117Settings
from thermo_sim.chips.faulty import ChipFaults, generator
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.faults import Fault, FaultKind, FaultPlan
from thermo_sim.surface import ROOM, CelsiusAt, Surface

START_UP_US = 1_500
RESET_US = 2_000
EEPROM_US = 7_000
NOISE_K = 0.012
ERROR_K = 0.05
"""RMS of one conversion."""

_STORED = {r.CONFIGURATION: 0x0FFC, r.HIGH_LIMIT: 0xFFFF, r.LOW_LIMIT: 0xFFFF, r.OFFSET: 0xFFFF}
"""Registers that have a cell in the EEPROM, and the bits that it keeps."""
_WRITABLE = 0x0FFE


class SimulatedTmp117:
    """The chip. The pointer survives a STOP; data-ready clears when the result or the configuration is read.

    Args:
        celsius: of what it touches.
        air: around it, which it goes to when it loses touch.
        address: 0x48 to 0x4B, by a pin.
        seed: of its noise, its identity, and its error of up to 0.1 K.
        noise: whether there is any.
        device_id: of register 0x0F.
    """

    def __init__(
        self,
        celsius: CelsiusAt,
        air: CelsiusAt = ROOM,
        address: int = 0x48,
        seed: int = 0,
        noise: bool = True,
        device_id: int = r.ID,
    ) -> None:
        self._surface = Surface(celsius, air)
        self._address = address
        self._rng = generator(seed, 0x117, address)
        self._noise = noise
        self._device_id = device_id
        self.error_k = float(self._rng.uniform(-ERROR_K, ERROR_K)) if noise else 0.0
        self._cells = {r.CONFIGURATION: r.RESET_CONFIGURATION, r.HIGH_LIMIT: 0x6000, r.LOW_LIMIT: 0x8000, r.OFFSET: 0}
        self._cells |= {cell: int(self._rng.integers(1, 0xFFFF)) for cell in r.EEPROM}
        self._faults = ChipFaults()

    @property
    def address(self) -> int:
        """7-bit I2C address."""
        return self._address

    @property
    def serial(self) -> int:
        """The 48-bit identity in its EEPROM."""
        return int.from_bytes(b"".join(self._cells[cell].to_bytes(2, "big") for cell in r.EEPROM), "big")

    def power_on(self, time_us: int) -> None:
        """Registers are as the EEPROM has them; the first conversion starts."""
        self._load(time_us + START_UP_US)
        self._pointer = 0

    def interrupt(self, time_us: int) -> bool:
        """Whether the ALERT pin is active."""
        self._advance(time_us)
        active = self._flags & (r.DATA_READY if self._configuration & r.READY_PIN else r.HIGH_ALERT | r.LOW_ALERT)
        return bool(active) or self._faults.interrupt_stuck(time_us)

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """A byte of pointer, then perhaps a word."""
        if time_us < self._busy_until_us:
            return False
        self._advance(time_us)
        if data:
            self._pointer = data[0]
        if len(data) >= 3:
            self._write_word(self._pointer, int.from_bytes(data[1:3], "big"), time_us)
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """The register the pointer stands on, over and over."""
        if time_us < self._busy_until_us:
            return None
        self._advance(time_us)
        word = self._read_word(self._pointer, time_us)
        return (word.to_bytes(2, "big") * ((length + 1) // 2))[:length]

    def stop(self) -> None:
        """The pointer survives a STOP."""

    def general_call(self, data: bytes, time_us: int) -> None:
        """0x06 resets it."""
        if data[:1] == b"\x06":
            self._load(time_us + RESET_US)

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """FREEZE, BROWNOUT, INTERRUPT, DRIFT, CONTACT and AMBIENT, as `faults.FaultKind` says; the chip has no others."""
        self._advance(time_us)
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        elif not self._faults.take(fault, plan, time_us):
            self._surface.take(fault, time_us)

    def _load(self, ready_us: int) -> None:
        self._configuration = self._cells[r.CONFIGURATION]
        self._registers = {cell: self._cells[cell] for cell in (r.HIGH_LIMIT, r.LOW_LIMIT, r.OFFSET)}
        self._result = r.NOT_CONVERTED
        self._flags = 0
        self._unlocked = False
        self._busy_until_us = ready_us
        self._eeprom_until_us = 0
        self._start(ready_us)

    @property
    def _mode(self) -> int:
        return (self._configuration & r.MODE_MASK) >> r.MODE_SHIFT

    def _conversion_us(self) -> int:
        averages = r.AVERAGES[(self._configuration & r.AVERAGING_MASK) >> r.AVERAGING_SHIFT]
        return round(1e6 * averages * r.CONVERSION_S)

    def _period_us(self) -> int:
        cycle_us = round(1e6 * r.CYCLES_S[(self._configuration & r.CYCLE_MASK) >> r.CYCLE_SHIFT])
        return max(cycle_us, self._conversion_us())

    def _start(self, time_us: int) -> None:
        self._done_us: int | None = None if self._mode == r.SHUTDOWN else time_us + self._conversion_us()

    def _advance(self, time_us: int) -> None:
        if self._done_us is None or self._done_us > time_us:
            return
        if self._mode == r.ONE_SHOT:
            self._convert(self._done_us)
            self._configuration = self._configuration & ~r.MODE_MASK | r.SHUTDOWN << r.MODE_SHIFT
            self._done_us = None
            return
        period_us = self._period_us()
        last_us = self._done_us + (time_us - self._done_us) // period_us * period_us
        self._convert(last_us)
        self._done_us = last_us + period_us

    def _convert(self, time_us: int) -> None:
        self._flags |= r.DATA_READY
        if not self._faults.frozen(time_us):
            kelvin = self._surface.celsius(time_us / 1e6) + self.error_k
            if self._noise:
                averages = self._conversion_us() / 1e6 / r.CONVERSION_S
                kelvin += float(self._rng.normal(0, NOISE_K)) / averages**0.5
            counts = round(kelvin * 128) + _signed(self._registers[r.OFFSET])
            self._result = max(-32768, min(32767, counts)) & 0xFFFF
        high, low = (_signed(self._registers[limit]) for limit in (r.HIGH_LIMIT, r.LOW_LIMIT))
        counts = _signed(self._result)
        if self._configuration & r.THERM:
            if counts > high:
                self._flags |= r.HIGH_ALERT
            elif counts < low:
                self._flags &= ~r.HIGH_ALERT
        else:
            self._flags |= r.HIGH_ALERT * (counts > high) | r.LOW_ALERT * (counts < low)

    def _read_word(self, pointer: int, time_us: int) -> int:
        if pointer == r.RESULT:
            self._flags &= ~r.DATA_READY
            return self._result
        if pointer == r.CONFIGURATION:
            word = self._configuration | self._flags | r.EEPROM_BUSY * (time_us < self._eeprom_until_us)
            self._flags &= r.HIGH_ALERT if self._configuration & r.THERM else 0
            return word
        if pointer == r.EEPROM_UNLOCK:
            return r.EEPROM_UNLOCKED * self._unlocked | r.EEPROM_UNLOCK_BUSY * (time_us < self._eeprom_until_us)
        if pointer == r.DEVICE_ID:
            return self._device_id
        return self._registers.get(pointer, self._cells.get(pointer, 0))

    def _write_word(self, pointer: int, word: int, time_us: int) -> None:
        if pointer == r.CONFIGURATION:
            if word & r.SOFT_RESET:
                self._load(time_us + RESET_US)
                return
            before, self._configuration = self._configuration, word & _WRITABLE
            if before != self._configuration or self._mode == r.ONE_SHOT:
                self._start(time_us)
        elif pointer == r.EEPROM_UNLOCK:
            self._unlocked = bool(word & r.EEPROM_UNLOCKED)
        elif pointer in self._registers:
            self._registers[pointer] = word
        if self._unlocked and time_us >= self._eeprom_until_us and (pointer in _STORED or pointer in r.EEPROM):
            self._cells[pointer] = word & _STORED.get(pointer, 0xFFFF)
            self._eeprom_until_us = time_us + EEPROM_US


def _signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word


def _make(settings: Tmp117Settings, site: Site) -> SimulatedTmp117:
    around = site.around
    return SimulatedTmp117(
        around.touched(settings.name), around.beside(settings.name), settings.bus_path.address, site.seed
    )


def _says(settings: Tmp117Settings, worn: Worn) -> tuple[Array]:
    kelvin = (
        worn.felt() + worn.errors * worn.own.uniform(-ERROR_K, ERROR_K) + worn.noise(NOISE_K / settings.averages**0.5)
    )
    return (np.rint(128 * kelvin) / 128,)


KIND = ChipKind(_make, _says)

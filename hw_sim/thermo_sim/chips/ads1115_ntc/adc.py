"""An ADS1115 as seen from the I2C bus: pointer, four registers, conversions that take their time."""

from collections.abc import Callable

import numpy as np

from thermo_sim.chips.faulty import ChipFaults
from thermo_sim.faults import Fault, FaultKind, FaultPlan

CONFIG_DEFAULT = 0x8583
DATA_RATES_HZ = (8, 16, 32, 64, 128, 250, 475, 860)
FULL_SCALE_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
WAKE_UP_US = 25
NOISE_V = 60e-6
"""RMS of a conversion."""

_CONVERSION, _CONFIG = 0, 1
_START_OR_READY = 0x8000
_SINGLE_SHOT = 0x0100
_PAIRS = ((0, 1), (0, 3), (1, 3), (2, 3))

VoltsAt = Callable[[int, float], float]
"""Volts at input AIN0-AIN3 at a time in seconds."""


class SimulatedAds1115:
    """The chip, datasheet SBAS444: single-shot and continuous conversion, multiplexer, gain, data rate.

    The comparator's registers can be written and read back; its pin is not simulated. A change of the configuration
    while converting starts anew. Inputs are clamped to the supply rails.

    Args:
        volts: what the inputs carry.
        address: 7-bit I2C address.
        noise_v: RMS of a conversion.
        seed: of the noise and of the oscillator, which is off by up to 10 %.
        supply_v: of the chip.
    """

    def __init__(
        self, volts: VoltsAt, address: int = 0x48, noise_v: float = NOISE_V, seed: int = 0, supply_v: float = 3.3
    ) -> None:
        self._volts = volts
        self._address = address
        self._noise_v = noise_v
        self._supply_v = supply_v
        self._rng = np.random.default_rng([seed, 0xAD5])
        self._period_scale = float(self._rng.uniform(0.9, 1.1))
        self._faults = ChipFaults()
        self._said: dict[int, int] = {}

    @property
    def address(self) -> int:
        """7-bit I2C address, set by the ADDR pin."""
        return self._address

    def power_on(self, time_us: int) -> None:
        """Registers take their defaults; the chip sleeps."""
        self._registers = [0x0000, CONFIG_DEFAULT & ~_START_OR_READY, 0x8000, 0x7FFF]
        self._pointer = 0
        self._done_us: int | None = None

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """One byte of pointer, then perhaps two of content."""
        self._advance(time_us)
        if data:
            self._pointer = data[0] & 3
        if len(data) >= 3:
            self._write_register(int.from_bytes(data[1:3], "big"), time_us)
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """The register the pointer stands on, over and over."""
        self._advance(time_us)
        word = self._registers[self._pointer]
        if self._pointer == _CONFIG and self._done_us is None:
            word |= _START_OR_READY
        return (word.to_bytes(2, "big") * ((length + 1) // 2))[:length]

    def stop(self) -> None:
        """The pointer survives a STOP."""

    def general_call(self, data: bytes, time_us: int) -> None:
        """0x06 resets the chip."""
        if data[:1] == b"\x06":
            self.power_on(time_us)

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """FREEZE and BROWNOUT, as `faults.FaultKind` says; the chip has no others."""
        self._advance(time_us)
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        else:
            self._faults.take(fault, plan, time_us)

    def _write_register(self, word: int, time_us: int) -> None:
        if self._pointer == _CONFIG:
            self._registers[_CONFIG] = word & ~_START_OR_READY
            if not word & _SINGLE_SHOT or word & _START_OR_READY:
                self._done_us = time_us + WAKE_UP_US + self._period_us()
            else:
                self._done_us = None
        elif self._pointer != _CONVERSION:
            self._registers[self._pointer] = word

    def _advance(self, time_us: int) -> None:
        if self._done_us is None or self._done_us > time_us:
            return
        config = self._registers[_CONFIG]
        if config & _SINGLE_SHOT:
            self._registers[_CONVERSION] = self._convert(self._done_us)
            self._done_us = None
            return
        period_us = self._period_us()
        last_us = self._done_us + (time_us - self._done_us) // period_us * period_us
        self._registers[_CONVERSION] = self._convert(last_us)
        self._done_us = last_us + period_us

    def _period_us(self) -> int:
        return round(1e6 / DATA_RATES_HZ[self._registers[_CONFIG] >> 5 & 7] * self._period_scale)

    def _convert(self, time_us: int) -> int:
        config = self._registers[_CONFIG]
        mux = config >> 12 & 7
        if self._faults.frozen(time_us) and mux in self._said:
            return self._said[mux]
        positive, negative = (mux - 4, None) if mux >= 4 else _PAIRS[mux]
        volts = self._input(positive, time_us)
        if negative is not None:
            volts -= self._input(negative, time_us)
        volts += self._noise_v * float(self._rng.standard_normal())
        counts = round(volts / FULL_SCALE_V[config >> 9 & 7] * 32768)
        self._said[mux] = max(-32768, min(32767, counts)) & 0xFFFF
        return self._said[mux]

    def _input(self, channel: int, time_us: int) -> float:
        return min(max(self._volts(channel, time_us / 1e6), 0.0), self._supply_v)

"""An SHT4x as seen from the I2C bus: commands of a byte, answers that take their time (Sensirion data sheet SHT4x, version 6)."""

import math

import numpy as np

from thermo_core.sensors.sht4x.decode import MEASURE, SERIAL_NUMBER, SOFT_RESET, answer_of
from thermo_core.sensors.sht4x.settings import CONVERSION_MS, Sht4xSettings
from thermo_sim.chips.faulty import ChipFaults, generator
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.faults import Fault, FaultKind, FaultPlan
from thermo_sim.surface import CelsiusAt, Surface, steady

START_UP_US = 1_000
RESET_US = 1_000
HEATERS = {
    0x39: (200, 1.0),
    0x32: (200, 0.1),
    0x2F: (110, 1.0),
    0x24: (110, 0.1),
    0x1E: (20, 1.0),
    0x15: (20, 0.1),
}
"""Milliwatts and seconds by command."""
NOISE_CELSIUS = {"high": 0.04, "medium": 0.07, "low": 0.1}
NOISE_RH = {"high": 0.08, "medium": 0.15, "low": 0.25}
ERROR_K, ERROR_RH = 0.07, 0.7
"""Repeatability, three standard deviations."""

_HEATING_K_PER_MW, _HEATING_TAU_S = 0.3, 0.4
_SERIAL = -1
_DRY = steady(45.0)


class SimulatedSht4x:
    """The chip. It does not acknowledge while it measures, nor a read without an answer to give; an answer is given once.

    Args:
        celsius: of the air.
        humidity: relative humidity of the air, %, by time.
        address: 0x44, 0x45 or 0x46, by part.
        seed: of its noise and of its errors, which are within the data sheet's typical ones.
        noise: whether there is any.
    """

    def __init__(
        self,
        celsius: CelsiusAt,
        humidity: CelsiusAt = _DRY,
        address: int = 0x44,
        seed: int = 0,
        noise: bool = True,
    ) -> None:
        self._surface = Surface(celsius, celsius)
        self._humidity = humidity
        self._address = address
        self._rng = generator(seed, 0x5447, address)
        self.serial = int(self._rng.integers(1, 1 << 32))
        self.error_k = float(self._rng.normal(0, ERROR_K)) if noise else 0.0
        self.error_rh = float(self._rng.normal(0, ERROR_RH)) if noise else 0.0
        self._noise = noise
        self._faults = ChipFaults()
        self._words = (0x6666, 0x6666)

    @property
    def address(self) -> int:
        """7-bit I2C address."""
        return self._address

    def power_on(self, time_us: int) -> None:
        """Nothing is measured."""
        self._busy_until_us = time_us + START_UP_US
        self._command: int | None = None
        self._rest = b""
        self._warm_us, self._warm_mw = time_us, 0.0
        self._heat_k = 0.0

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """One command."""
        if time_us < self._busy_until_us:
            return False
        if not data:
            return True
        command = data[0]
        precision = _precision(command)
        self._rest = b""
        if command == SOFT_RESET:
            self.power_on(time_us)
            self._busy_until_us = time_us + RESET_US
        elif command == SERIAL_NUMBER:
            self._command = _SERIAL
        elif precision is not None or command in HEATERS:
            self._command = command
            milliwatt, seconds = HEATERS.get(command, (0, 0.0))
            self._heat(time_us, milliwatt, seconds)
            conversion_us = round(1000 * CONVERSION_MS[precision or "high"])
            self._busy_until_us = time_us + round(seconds * 1e6) + conversion_us
            self._measure(precision or "high", self._busy_until_us)
        else:
            return False
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """The answer to the last command, once."""
        if time_us < self._busy_until_us or (self._command is None and not self._rest):
            return None
        if not self._rest:
            words = (self.serial >> 16, self.serial & 0xFFFF) if self._command == _SERIAL else self._words
            self._command = None
            answer = bytearray(answer_of(*words))
            answer[2] = self._faults.check_byte(answer[2])
            self._rest = bytes(answer)
        said, self._rest = self._rest[:length], self._rest[length:]
        return said.ljust(length, b"\xff")

    def stop(self) -> None:
        """A command goes on; what was not read of an answer is gone."""
        self._rest = b""

    def general_call(self, data: bytes, time_us: int) -> None:
        """0x06 resets it."""
        if data[:1] == b"\x06":
            self.power_on(time_us)

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """FREEZE, CHECKSUM, BROWNOUT, DRIFT and AMBIENT, as `faults.FaultKind` says; the chip has no others."""
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        elif fault.kind is not FaultKind.CONTACT and not self._faults.take(fault, plan, time_us):
            self._surface.take(fault, time_us)

    def _heat(self, time_us: int, milliwatt: float, seconds: float) -> None:
        since_s = (time_us - self._warm_us) / 1e6
        settled = _HEATING_K_PER_MW * milliwatt
        left = self._heat_k * math.exp(-since_s / _HEATING_TAU_S)
        self._heat_k = settled + (left - settled) * math.exp(-seconds / _HEATING_TAU_S) if seconds else left
        self._warm_us = time_us + round(seconds * 1e6)

    def _measure(self, precision: str, time_us: int) -> None:
        if self._faults.frozen(time_us):
            return
        time_s = time_us / 1e6
        heat_k = self._heat_k * math.exp(-(time_us - self._warm_us) / 1e6 / _HEATING_TAU_S)
        air = self._surface.air(time_s) + self._surface.drift(time_s)
        celsius = air + heat_k + self.error_k
        # Warmer air of the same moisture is relatively drier: the saturation pressure by Magnus' formula.
        humidity = self._humidity(time_s) * _saturation(air) / _saturation(air + heat_k) + self.error_rh
        if self._noise:
            celsius += self._rng.normal(0, NOISE_CELSIUS[precision] / 3)
            humidity += self._rng.normal(0, NOISE_RH[precision] / 3)
        self._words = (_word((celsius + 45) / 175), _word((humidity + 6) / 125))


def _precision(command: int) -> str | None:
    return next((name for name, code in MEASURE.items() if code == command), None)


def _saturation(celsius: float) -> float:
    return math.exp(17.62 * celsius / (243.12 + celsius))


def _word(share: float) -> int:
    return min(0xFFFF, max(0, round(share * 0xFFFF)))


def _make(settings: Sht4xSettings, site: Site) -> SimulatedSht4x:
    return SimulatedSht4x(
        site.around.beside(settings.name), site.around.damp(settings.name), settings.bus_path.address, site.seed
    )


def _says(settings: Sht4xSettings, worn: Worn) -> tuple[Array, Array]:
    air, damp = worn.around.airs(worn.sensor, worn.times_s)
    precision = settings.repeatability
    celsius = air + worn.errors * worn.own.normal(0, ERROR_K) + worn.noise(NOISE_CELSIUS[precision] / 3)
    humidity = damp + worn.errors * worn.own.normal(0, ERROR_RH) + worn.noise(NOISE_RH[precision] / 3)
    # The chip's words, as `_word` has them.
    return (
        np.rint((celsius + 45) / 175 * 0xFFFF) * 175 / 0xFFFF - 45,
        np.clip(np.rint((humidity + 6) / 125 * 0xFFFF), 0, 0xFFFF) * 125 / 0xFFFF - 6,
    )


KIND = ChipKind(_make, _says)

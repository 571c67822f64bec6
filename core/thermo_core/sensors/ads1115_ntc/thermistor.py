"""NTC thermistors: ADC counts -> volts -> ohm -> degC and back, and the fit of a curve to measured points.

Curves: Steinhart-Hart, 1/T = a + b ln R + c (ln R)^3 (Steinhart & Hart 1968, Deep-Sea Research 15:497), and Beta,
R = R25 exp(beta (1/T - 1/298.15 K)); T in kelvin, R in ohm. Everything takes and gives scalars or arrays alike.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermo_core.errors import ThermistorError
from thermo_core.sensors.ads1115_ntc.settings import Thermistor
from thermo_core.units import KELVIN

Array = NDArray[np.float64]

KELVIN_25 = KELVIN + 25.0
RAIL = 0.005
"""A tap within this share of the supply from either rail is a broken or bridged thermistor, not a temperature."""

_LOG_OHM_LIMIT = float(np.log(1e6))
"""A curve must fall with temperature up to this resistance."""
_LOG_OHM_START = float(np.log(1e4))
_NEWTON_STEPS = 8


class ChannelState(IntEnum):
    """What can be said of a channel."""

    OK = 0
    OPEN = 1
    SHORTED = 2
    MISSING = 3
    FROZEN = 4


@dataclass(frozen=True, slots=True)
class SteinhartHart:
    """Curve of three constants; c = 0 makes it a Beta curve.

    Raises:
        ThermistorError: a constant is not finite, or resistance would not fall with temperature.
    """

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        slopes = [self.b, self.b + 3 * self.c * _LOG_OHM_LIMIT**2]
        if not np.isfinite((self.a, self.b, self.c)).all() or min(slopes) <= 0:
            raise ThermistorError(
                f"Steinhart-Hart constants {self.a:g}, {self.b:g}, {self.c:g} are no NTC's; check points and wiring."
            )

    def celsius(self, ohm: ArrayLike) -> Array:
        """Temperature, degC, at resistances in ohm."""
        log = np.log(np.asarray(ohm, dtype=np.float64))
        celsius: Array = 1 / (self.a + log * (self.b + self.c * log * log)) - KELVIN
        return celsius

    def ohm(self, celsius: ArrayLike) -> Array:
        """Resistance, ohm, at temperatures in degC: the cubic in ln R solved by Newton's method.

        Cardano's formula loses its digits to cancellation where c is small, and c = 0 is a curve too.
        """
        target = 1 / (np.asarray(celsius, dtype=np.float64) + KELVIN) - self.a
        log = np.full_like(target, _LOG_OHM_START)
        for _ in range(_NEWTON_STEPS):
            log = log - (log * (self.b + self.c * log * log) - target) / (self.b + 3 * self.c * log * log)
        return np.asarray(np.exp(log))


@dataclass(frozen=True, slots=True)
class Beta:
    """Curve of a data sheet's two constants.

    Attributes:
        r25: resistance at 25 degC, ohm.
        beta: K.

    Raises:
        ThermistorError: a constant is not positive.
    """

    r25: float
    beta: float

    def __post_init__(self) -> None:
        if not (np.isfinite((self.r25, self.beta)).all() and self.r25 > 0 and self.beta > 0):
            raise ThermistorError(
                f"R25 of {self.r25:g} ohm and beta of {self.beta:g} K are no NTC's; check the data sheet."
            )

    def steinhart_hart(self) -> SteinhartHart:
        """The same curve with three constants."""
        return SteinhartHart(1 / KELVIN_25 - np.log(self.r25).item() / self.beta, 1 / self.beta, 0.0)

    def celsius(self, ohm: ArrayLike) -> Array:
        """Temperature, degC, at resistances in ohm."""
        return self.steinhart_hart().celsius(ohm)

    def ohm(self, celsius: ArrayLike) -> Array:
        """Resistance, ohm, at temperatures in degC."""
        return self.steinhart_hart().ohm(celsius)


Curve = SteinhartHart | Beta


@dataclass(frozen=True, slots=True)
class Divider:
    """A resistor and an NTC across a supply, measured at their tap.

    Attributes:
        series_ohm: the resistor.
        supply_v: the supply.
        ntc_to_ground: NTC between tap and ground, or between supply and tap where False.
    """

    series_ohm: float = 10_000.0
    supply_v: float = 3.3
    ntc_to_ground: bool = True

    def volts(self, ohm: ArrayLike) -> Array:
        """Volts at the tap for resistances of the NTC in ohm."""
        ohm = np.asarray(ohm, dtype=np.float64)
        upper = self.series_ohm if self.ntc_to_ground else ohm
        return np.asarray(self.supply_v * (1 - upper / (ohm + self.series_ohm)))

    def ohm(self, volts: ArrayLike) -> Array:
        """Resistance of the NTC, ohm, for volts strictly between the rails."""
        share = np.asarray(volts, dtype=np.float64) / self.supply_v
        if not self.ntc_to_ground:
            share = 1 - share
        return np.asarray(self.series_ohm * share / (1 - share))

    def milliwatt(self, ohm: ArrayLike) -> Array:
        """Power the NTC turns to heat, mW, at resistances in ohm."""
        ohm = np.asarray(ohm, dtype=np.float64)
        return np.asarray(1e3 * ohm * (self.supply_v / (ohm + self.series_ohm)) ** 2)

    def state(self, volts: ArrayLike) -> NDArray[np.uint8]:
        """`ChannelState` of each tap, by the rail it is at."""
        share = np.asarray(volts, dtype=np.float64) / self.supply_v
        low, high = ChannelState.SHORTED, ChannelState.OPEN
        if not self.ntc_to_ground:
            low, high = high, low
        state = np.where(share <= RAIL, low, np.where(share >= 1 - RAIL, high, ChannelState.OK))
        return np.asarray(state, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class AdcScale:
    """A signed ADC.

    Attributes:
        full_scale_v: volts of the largest count plus one.
        bits: including the sign.
    """

    full_scale_v: float = 4.096
    bits: int = 16

    @property
    def largest(self) -> int:
        """Counts at the upper end of the scale."""
        return int((1 << (self.bits - 1)) - 1)

    def volts(self, counts: ArrayLike) -> Array:
        """Volts of signed counts."""
        return np.asarray(np.asarray(counts, dtype=np.float64) * (self.full_scale_v / (1 << (self.bits - 1))))

    def counts(self, volts: ArrayLike) -> NDArray[np.int32]:
        """Signed counts nearest to volts, saturated."""
        end = 1 << (self.bits - 1)
        counts = np.rint(np.asarray(volts, dtype=np.float64) * (end / self.full_scale_v))
        return np.asarray(np.clip(counts, -end, end - 1), dtype=np.int32)


@dataclass(frozen=True, slots=True)
class ThermistorChannel:
    """One thermistor from the ADC's counts to the temperature of what it touches.

    The bead is warmer than that by self-heating: T = T(R) - k P with P the power in the NTC.

    Attributes:
        name: where it sits.
        divider: what it is wired into.
        curve: its resistance by temperature.
        adc: what measures the tap.
        self_heating_k_per_mw: k, kelvin per milliwatt.
    """

    name: str
    divider: Divider
    curve: Curve
    adc: AdcScale = AdcScale()
    self_heating_k_per_mw: float = 0.0

    @classmethod
    def from_settings(cls, settings: Thermistor) -> "ThermistorChannel":
        """The channel a profile describes.

        Raises:
            ThermistorError: the constants of its curve are no NTC's.
        """
        curve = SteinhartHart(*settings.curve) if len(settings.curve) == 3 else Beta(*settings.curve)
        divider = Divider(settings.series_ohm, settings.supply_v, settings.ntc == "to ground")
        return cls(settings.name, divider, curve, self_heating_k_per_mw=settings.self_heating_k_per_mw)

    def ohm(self, counts: ArrayLike) -> tuple[Array, NDArray[np.uint8]]:
        """Resistance of the NTC, ohm, and `ChannelState` of signed counts; the series resistor's where not OK."""
        # at the end of its scale the ADC may stand before any voltage beyond
        saturated = np.asarray(counts) >= self.adc.largest
        volts = np.where(saturated, self.divider.supply_v, self.adc.volts(counts))
        state = self.divider.state(volts)
        return self.divider.ohm(np.where(state == ChannelState.OK, volts, self.divider.supply_v / 2)), state

    def celsius(self, counts: ArrayLike) -> tuple[Array, NDArray[np.uint8]]:
        """Temperature, degC, and `ChannelState` of signed counts; the temperature is 0 where the state is not OK."""
        ohm, state = self.ohm(counts)
        celsius = self.curve.celsius(ohm) - self.self_heating_k_per_mw * self.divider.milliwatt(ohm)
        return np.asarray(np.where(state == ChannelState.OK, celsius, 0.0)), state

    def counts(self, celsius: ArrayLike) -> NDArray[np.int32]:
        """Counts the ADC would give for temperatures, degC, of what the thermistor touches."""
        object_celsius = np.asarray(celsius, dtype=np.float64)
        bead = object_celsius
        for _ in range(4):  # converges by a factor of about 100 a step for tenths of a kelvin
            bead = object_celsius + self.self_heating_k_per_mw * self.divider.milliwatt(self.curve.ohm(bead))
        return self.adc.counts(self.divider.volts(self.curve.ohm(bead)))


def fit_steinhart_hart(ohm: ArrayLike, celsius: ArrayLike) -> SteinhartHart:
    """The curve through three points, or nearest to more in the sense of least squares of 1/T.

    Args:
        ohm: (n,) resistances, at least three different ones.
        celsius: (n,) temperatures of the bead, degC.

    Raises:
        ThermistorError: too few different points, values that cannot be, or points that are no NTC's.
    """
    log, inverse = _points(ohm, celsius, 3)
    # In units of the points' own spread the three columns stay far from parallel.
    centre, spread = log.mean(), log.std()
    u = (log - centre) / spread
    basis = np.stack([np.ones_like(u), u, (centre + spread * u) ** 3], axis=1)
    basis[:, 2] -= centre**3 + 3 * centre**2 * spread * u
    scale = np.abs(basis).max(axis=0)
    weights, _, rank, _ = np.linalg.lstsq(basis / scale, inverse, rcond=None)
    if rank < 3:
        raise ThermistorError("Three of the points for Steinhart-Hart coincide; measure at temperatures further apart.")
    level, slope, c = weights / scale
    b = slope / spread - 3 * c * centre**2
    a = level - b * centre - c * centre**3
    return SteinhartHart(float(a), float(b), float(c))


def fit_beta(ohm: ArrayLike, celsius: ArrayLike) -> Beta:
    """The Beta curve through two points, or nearest to more in the sense of least squares of 1/T.

    Args:
        ohm: (n,) resistances, at least two different ones.
        celsius: (n,) temperatures of the bead, degC.

    Raises:
        ThermistorError: as `fit_steinhart_hart`.
    """
    log, inverse = _points(ohm, celsius, 2)
    slope, level = np.polyfit(log - log.mean(), inverse, 1)
    if slope <= 0:
        raise ThermistorError("The resistance does not fall with temperature; check that the points belong together.")
    return Beta(float(np.exp(log.mean() + (1 / KELVIN_25 - level) / slope)), float(1 / slope))


def _points(ohm: ArrayLike, celsius: ArrayLike, least: int) -> tuple[Array, Array]:
    ohm, celsius = np.asarray(ohm, dtype=np.float64), np.asarray(celsius, dtype=np.float64)
    if ohm.ndim != 1 or ohm.shape != celsius.shape or np.unique(ohm).size < least or np.unique(celsius).size < least:
        raise ThermistorError(f"A thermistor's curve needs at least {least} different points; measure more of them.")
    if not (np.isfinite(ohm).all() and (ohm > 0).all() and np.isfinite(celsius).all() and (celsius > -KELVIN).all()):
        raise ThermistorError("A point of the thermistor has no possible resistance or temperature; leave it out.")
    return np.log(ohm), 1 / (celsius + KELVIN)

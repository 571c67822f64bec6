"""kalman_core: core temperature from heart rate by ECTemp, a Kalman filter with one step a minute."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MINUTE_US = 60_000_000
_RATE_HZ = 1 / 60
START = 37.0
A0, A1, A2 = -7887.1, 384.4286, -4.5714
"""Heart rate a minute of core temperature in degC: A0 + A1 T + A2 T^2."""
LEVEL = np.float32(A0 + A1 * START + A2 * START**2)
SLOPE = np.float32(A1 + 2 * A2 * START)
BEND = np.float32(A2)
"""The same of T - 37, which float32 holds to a millionth of a degree."""
VARIANCE = np.float32(0.022**2)
"""Of what core temperature moves in a minute, K^2."""
HEART_VARIANCE = np.float32(18.88**2)
LOWEST, HIGHEST = np.float32(36.5 - START), np.float32(39.5 - START)
LONGEST_MINUTES = 10_000


class KalmanCore(OneInput, frozen=True, tag="kalman_core"):
    """Core temperature in degC and its standard deviation, from a heart rate once a minute (ECTemp, Buller 2013).

    It starts at 37.0 degC with no spread. A minute without a heart rate, or with one that has a flag which alerts do not trust, only
    lets the spread grow, and is flagged FILLED; so does each minute of a time without samples, which its state outlives. An estimate
    outside of 36.5 to 39.5 degC, for which the method was made, is flagged OUT_OF_DOMAIN.

    The method takes heart rate to follow from heat and work alone: fever, illness, medicines that slow the heart, and stress in a chair
    move its estimate without moving the body's temperature.

    Attributes:
        start: core temperature to start from, degC.
    """

    start: Annotated[float, Meta(ge=35, le=42)] = START


class _Filter:
    def __init__(self, stage: KalmanCore, inputs: Signals) -> None:
        self._above = np.float32(stage.start) - np.float32(START)  # core temperature above 37 degC
        self._variance = np.float32(0)
        self._newest_us: int | None = None

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        rates = moments.values[0].reshape(-1)
        trusted = np.isfinite(rates) & ((moments.flags & np.uint16(DOUBTFUL)) == 0)
        found = np.empty((len(rates), 2), np.float32)
        flags = np.where(trusted, 0, int(Quality.FILLED)).astype(np.uint16)
        with np.errstate(all="ignore"):
            for place, time_us in enumerate(moments.times_us.tolist()):
                self._pass(time_us)
                if trusted[place]:
                    self._take(rates[place])
                found[place] = self._above + np.float32(START), np.sqrt(self._variance)
                if not LOWEST <= self._above <= HIGHEST:
                    flags[place] |= int(Quality.OUT_OF_DOMAIN)
        return found, flags

    def _pass(self, time_us: int) -> None:
        minutes = 1
        if self._newest_us is not None:
            minutes = min(max((time_us - self._newest_us + MINUTE_US // 2) // MINUTE_US, 1), LONGEST_MINUTES)
        self._newest_us = time_us
        self._variance = self._variance + np.float32(minutes) * VARIANCE

    def _take(self, rate: np.float32) -> None:
        steepness = (np.float32(2) * BEND) * self._above + SLOPE
        gain = self._variance * steepness / ((steepness * steepness) * self._variance + HEART_VARIANCE)
        expected = (BEND * self._above + SLOPE) * self._above + LEVEL
        above = self._above + gain * (rate - expected)
        if np.isfinite(above):
            self._above = above
            self._variance = (np.float32(1) - gain * steepness) * self._variance


def _result(stage: KalmanCore, inputs: Signals) -> Signal:
    """Two numbers in degC; takes one number a minute."""
    (signal,) = inputs
    if signal.elements != 1:
        raise stage.fail(f'takes one number, and "{signal.name}" has {signal.elements}; select the heart rate first')
    if abs(signal.rate_hz / _RATE_HZ - 1) > 0.01:
        raise stage.fail(
            f'has a step of a minute, and "{signal.name}" comes {signal.rate_hz:g} times a second; resample it to '
            "rate_hz = 0.0166667 first"
        )
    return Signal(stage.gives, (2,), "degC", signal.rate_hz, signal.clock)


OP = Recursive(
    KalmanCore,
    _result,
    _Filter,
    "float32 of T - 37 degC; variance grows by 0.022^2 a minute; steepness 2 a2 T + a1, gain v c / (c c v + 18.88^2); the expected rate "
    "by Horner's rule; constants from float64. A rate that leaves float32 is not taken.",
    lasting=True,
    bound="rate_hz",
)

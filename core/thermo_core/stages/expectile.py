"""expectile: the level that a signal seldom falls below, as a heart rate at rest."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages.elapsed import Elapsed
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals


class Expectile(OneInput, frozen=True, tag="expectile"):
    """The level on whose lower side lies a `share` of all deviations, element by element (Newey & Powell 1987): 0.5 is the mean.

    It moves by 2 (1 - share) w (x - level) towards what is lower and by 2 share w (x - level) towards what is higher, where w is the
    sample's time over all time learned, at most `memory_s`: a share of 0.05 follows what is low, like a heart rate at rest, and
    hardly what exercise adds.

    With `start` it begins there, as if that had been learned for `start_s`; otherwise with the first value. Numbers without a value, and
    samples with a flag that alerts do not trust, teach nothing; what is given stays, flagged UNCALIBRATED before `least_s` of
    learning. It outlives times without samples; a restart begins anew.

    Attributes:
        share: of the deviations that lies below.
        memory_s: seconds over which the level follows.
        start: level to begin with, in the signal's unit; the first value where left out.
        start_s: seconds of learning that `start` stands for.
        least_s: seconds of learning before the flag goes.
    """

    share: Annotated[float, Meta(ge=0.001, le=0.999)] = 0.05
    memory_s: Annotated[float, Meta(ge=1, le=1e7)] = 259_200.0
    start: Annotated[float, Meta(ge=-1e9, le=1e9)] | None = None
    start_s: Annotated[float, Meta(ge=0, le=1e7)] = 3600.0
    least_s: Annotated[float, Meta(ge=0, le=1e7)] = 3600.0


def micros(seconds: float) -> int:
    """Seconds in whole microseconds."""
    return round(seconds * 1e6)


def paces(stage: Expectile) -> tuple[np.float32, np.float32]:
    """What w is multiplied by towards what is lower, and towards what is higher."""
    return np.float32(2 * (1 - stage.share)), np.float32(2 * stage.share)


class _Level:
    def __init__(self, stage: Expectile, inputs: Signals) -> None:
        self._elapsed = Elapsed(inputs[0].gap_us)
        self._lower, self._higher = paces(stage)
        self._memory_us, self._least_us = micros(stage.memory_s), micros(stage.least_s)
        self._before_us = 0 if stage.start is None else micros(stage.start_s)
        self._level = np.full(inputs[0].elements, np.nan if stage.start is None else stage.start, np.float32)
        self._learned_us = 0

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        (values,) = moments.values
        rows = values.reshape(len(values), -1)
        found = np.empty_like(rows)
        trusted = (moments.flags & np.uint16(DOUBTFUL)) == 0
        flags = np.zeros(len(rows), np.uint16)
        with np.errstate(all="ignore"):
            for place, time_us in enumerate(moments.times_us.tolist()):
                since_us = self._elapsed.since(time_us)
                if trusted[place]:
                    self._learn(rows[place], since_us)
                if self._learned_us < self._least_us:
                    flags[place] = Quality.UNCALIBRATED
                found[place] = self._level
        return found.reshape(values.shape), flags

    def _learn(self, x: Values, since_us: int) -> None:
        finite = np.isfinite(x)
        if not finite.any():
            return
        self._learned_us += since_us
        most_us = min(self._before_us + self._learned_us, self._memory_us)
        weight = np.float32(since_us) / np.float32(most_us) if most_us else np.float32(0)
        apart = x - self._level
        pace = np.minimum(np.where(apart < 0, self._lower, self._higher) * weight, np.float32(1))
        moved = (self._level + pace * apart).astype(np.float32)
        begun = np.where(np.isnan(self._level), x, np.where(np.isfinite(moved), moved, self._level))
        self._level = np.where(finite, begun, self._level).astype(np.float32)


def _result(stage: Expectile, inputs: Signals) -> Signal:
    """That of the input, which comes at a rate."""
    (signal,) = inputs
    stage.needs_rate(signal)
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(
    Expectile,
    _result,
    _Level,
    "float32; level + min(p w, 1) (x - level) with w = float32(microseconds that the sample stands for) over float32(those learned and those "
    "of the start, at most `memory_s`), p = 2 (1 - share) or 2 share from float64. A sample stands for the time since the one before, or "
    "for a period where that is longer than a gap.",
    lasting=True,
)

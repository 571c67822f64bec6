"""reference: how far a signal is from what is usual of this wearer, which is learned while it is worn."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import GAP_PERIODS, Ref, Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MAX_BINS = 16
MAX_NUMBERS = 65_536


class Reference(OneInput, frozen=True, tag="reference"):
    """Each element less the wearer's own slowly learned level of it, then the hours for which that level was learned.

    The level is a mean weighed by time: of all that was learned at first, of about the last `memory_s` later on. With `ambient` there
    is one for each of `bins` equal parts from `low` to `high`, since cold skin has another level than warm skin; what is beyond
    belongs to the first and the last part. A part learns only while it is at hand, and hours are those of the part.

    Before `least_s` of learning there are hours alone, and the sample is flagged UNCALIBRATED. Nothing is learned of a sample with a flag
    that alerts do not trust, of numbers without a value, and of numbers more than `limit` away from the level, or an inflammation
    would become usual. A time without samples neither teaches nor forgets; another sensor starts anew, and so does a restart.
    Without a value of the ambient there is no result.

    Attributes:
        ambient: one number at the same moments, such as the temperature of the air; one level for all where left out.
        low: of `ambient`, where the first part begins.
        high: where the last one ends.
        bins: parts.
        memory_s: seconds over which the level follows.
        least_s: seconds of learning before there is a result.
        limit: how far from the level a number may be to be learned, in the signal's unit; 0: however far.
    """

    ambient: Ref | None = None
    low: Annotated[float, Meta(ge=-1e6, le=1e6)] = 10.0
    high: Annotated[float, Meta(ge=-1e6, le=1e6)] = 34.0
    bins: Annotated[int, Meta(ge=1, le=MAX_BINS)] = 1
    memory_s: Annotated[float, Meta(ge=1, le=1e7)] = 259_200.0
    least_s: Annotated[float, Meta(ge=0, le=1e7)] = 3600.0
    limit: Annotated[float, Meta(ge=0, le=1e6)] = 0.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """The signal, and the ambient where it is given."""
        return (self.of,) if self.ambient is None else (self.of, self.ambient)

    @property
    def memory_us(self) -> int:
        """`memory_s` in microseconds."""
        return round(self.memory_s * 1e6)

    @property
    def least_us(self) -> int:
        """`least_s` in microseconds."""
        return round(self.least_s * 1e6)


def parts_a_unit(stage: Reference) -> np.float32:
    """Parts in a unit of the ambient."""
    return np.float32(stage.bins / (stage.high - stage.low))


class _Learner:
    def __init__(self, stage: Reference, inputs: Signals) -> None:
        self._stage = stage
        self._gap_us = inputs[0].gap_us
        self._low, self._parts = np.float32(stage.low), parts_a_unit(stage)
        self._limit = np.float32(stage.limit)
        self._levels = np.full((stage.bins, inputs[0].elements), np.nan, np.float32)
        self._learned_us = [0] * stage.bins
        self._newest_us: int | None = None

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        x = moments.values[0].reshape(len(moments.times_us), -1)
        found = np.full((len(x), x.shape[1] + 1), np.nan, np.float32)
        flags = np.zeros(len(x), np.uint16)
        trusted = (moments.flags & np.uint16(DOUBTFUL)) == 0
        with np.errstate(all="ignore"):
            parts = self._parts_of(moments, len(x))
            for place, time_us in enumerate(moments.times_us.tolist()):
                since_us = self._since(time_us)
                part = parts[place]
                if part < 0:
                    continue
                apart = x[place] - self._levels[part]
                if self._learned_us[part] >= self._stage.least_us:
                    found[place, :-1] = apart
                else:
                    flags[place] = Quality.UNCALIBRATED
                found[place, -1] = np.float32(self._learned_us[part] // 1_000_000) / np.float32(3600)
                if trusted[place]:
                    self._learn(part, x[place], apart, since_us)
        return found, flags

    def _parts_of(self, moments: Moments, count: int) -> list[int]:
        """Which part each moment belongs to; -1 where nobody knows."""
        if len(moments.values) == 1:
            return [0] * count
        ambient = moments.values[1].reshape(count)
        place = np.clip((ambient - self._low) * self._parts, np.float32(0), np.float32(self._stage.bins - 1))
        known = np.isfinite(ambient)
        return [int(one) for one in np.where(known, np.where(known, place, 0).astype(np.int64), -1)]

    def _since(self, time_us: int) -> int:
        """Microseconds that a sample stands for: those since the one before, or a period after a time without samples."""
        before, self._newest_us = self._newest_us, time_us
        since_us = self._gap_us if before is None else time_us - before
        return since_us if 0 <= since_us < self._gap_us else self._gap_us // GAP_PERIODS

    def _learn(self, part: int, x: Values, apart: Values, since_us: int) -> None:
        level, finite = self._levels[part], np.isfinite(x)
        if not finite.any():
            return
        self._learned_us[part] += since_us
        most_us = min(self._learned_us[part], self._stage.memory_us)
        weight = np.float32(since_us) / np.float32(most_us) if most_us else np.float32(0)
        moved = level + min(weight, np.float32(1)) * apart
        near = (np.abs(apart) <= self._limit) | (self._limit == 0)
        learned = np.where(near & np.isfinite(moved), moved, level)
        self._levels[part] = np.where(finite, np.where(np.isnan(level), x, learned), level)


def _result(stage: Reference, inputs: Signals) -> Signal:
    """The elements in a row and one more, the hours; takes a signal at a rate. Without a unit, since hours are none of the signal's."""
    signal = inputs[0]
    if not signal.rate_hz:
        raise stage.fail(f'takes "{signal.name}", which comes now and then, not at a rate; resample it first')
    for ambient in inputs[1:]:
        if ambient.elements != 1:
            raise stage.fail(f'takes "{ambient.name}" as ambient, which has {ambient.elements} numbers; select one')
    if not stage.low < stage.high:
        raise stage.fail(f"has parts from {stage.low:g} to {stage.high:g}; make low the lower one")
    if stage.bins > 1 and stage.ambient is None:
        raise stage.fail("has several bins and no ambient to tell them by; name one, or leave out bins")
    if stage.bins * signal.elements > MAX_NUMBERS:
        raise stage.fail(f"would keep {stage.bins * signal.elements} numbers and may keep {MAX_NUMBERS}; lower bins")
    return Signal(stage.gives, (signal.elements + 1,), "", signal.rate_hz, signal.clock)


OP = Recursive(
    Reference,
    _result,
    _Learner,
    "float32; level + w (x - level) with w = float32(microseconds that the sample stands for) over float32(those learned, at most "
    "`memory_s`); the part is (ambient - low) times float32(bins / (high - low)), rounded towards 0; hours are whole seconds over 3600. A "
    "sample stands for the time since the one before, or for a period where that is longer than a gap.",
    lasting=True,
)

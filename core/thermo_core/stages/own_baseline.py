"""own_baseline: numbers by what is usual of this wearer, whose middle and spread are learned over the first days."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages import learning
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MAX_ELEMENTS = 2048
TO_DEVIATION = np.float32(1.2533141)
"""Standard deviation over mean magnitude of a normal spread: sqrt(pi / 2)."""
FAR = np.float32(3)
"""Spreads from the middle beyond which a number pulls no more."""


class OwnBaseline(OneInput, frozen=True, tag="own_baseline"):
    """(x - centre) / spread with the wearer's own centre and spread of each element, held within a limit.

    Both are learned while it is worn: the centre as a mean weighed by time, the spread as the mean magnitude around it, put to what a
    normal one's standard deviation would be; of all that was learned at first, of about the last `memory_s` later on. A number further than
    three spreads from the centre pulls both as one at three spreads does, so that an hour of fever moves little.

    Before `learn_s` of learning there is no result, and the sample is flagged UNCALIBRATED. Nothing is learned of a sample with a flag that
    alerts do not trust, nor of numbers without a value, which give none. A time without samples neither teaches nor forgets, and what
    is learned is kept over pauses and restarts.

    Attributes:
        learn_s: seconds of learning before there is a result.
        memory_s: seconds over which both follow later on.
        least_spread: below which no spread is taken to be, in the signal's unit: what a sensor's own noise makes of a steady wearer.
        limit: largest magnitude of the result.
    """

    learn_s: Annotated[float, Meta(ge=1, le=1e7)] = 172_800.0
    memory_s: Annotated[float, Meta(ge=1, le=1e7)] = 1_209_600.0
    least_spread: Annotated[float, Meta(ge=1e-6, le=1e6)] = 0.05
    limit: Annotated[float, Meta(gt=0, le=1e6)] = 8.0

    @property
    def learn_us(self) -> int:
        """`learn_s` in microseconds."""
        return round(self.learn_s * 1e6)

    @property
    def memory_us(self) -> int:
        """`memory_s` in microseconds."""
        return round(self.memory_s * 1e6)


def kept_bytes(elements: int) -> int:
    """Bytes of what is kept: `Progress`, then float32 centres, then float32 mean magnitudes."""
    return learning.HEAD_BYTES + 8 * elements


class _Learner:
    def __init__(self, stage: OwnBaseline, inputs: Signals) -> None:
        self._stage, self._shape = stage, inputs[0].shape
        self._least, self._limit = np.float32(stage.least_spread), np.float32(stage.limit)
        self._clock = learning.Clock(inputs[0].gap_us)
        self._centres = np.full(inputs[0].elements, np.nan, np.float32)
        self._apart = np.zeros(inputs[0].elements, np.float32)
        self.progress = learning.Progress()

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        x = moments.values[0].reshape(len(moments.times_us), -1)
        found = np.full(x.shape, np.nan, np.float32)
        flags = np.zeros(len(x), np.uint16)
        trusted = (moments.flags & np.uint16(DOUBTFUL)) == 0
        with np.errstate(all="ignore"):
            for place, time_us in enumerate(moments.times_us.tolist()):
                since_us = self._clock.since(time_us)
                spreads = self._spreads()
                if self.progress.ready:
                    scaled = (x[place] - self._centres) / spreads
                    found[place] = np.clip(scaled, -self._limit, self._limit)
                else:
                    flags[place] = Quality.UNCALIBRATED
                if trusted[place] and np.isfinite(x[place]).any():
                    self._learn(x[place], spreads, time_us, since_us)
        return found.reshape(len(x), *self._shape), flags

    def interrupt(self) -> None:
        self._clock.interrupt()

    def save(self) -> bytes:
        return self.progress.to_bytes() + self._centres.astype("<f4").tobytes() + self._apart.astype("<f4").tobytes()

    def load(self, data: bytes) -> None:
        elements = len(self._centres)
        if len(data) != kept_bytes(elements):
            raise ValueError(f"{len(data)} bytes are not the {kept_bytes(elements)} of this stage")
        progress = learning.Progress.from_bytes(data, 1)
        both = np.frombuffer(data[learning.HEAD_BYTES :], "<f4").astype(np.float32).reshape(2, elements)
        self.progress = progress
        self._centres = np.where(np.isfinite(both[0]), both[0], np.float32(np.nan))
        self._apart = np.where(np.isfinite(both[1]) & (both[1] >= 0), both[1], np.float32(0))
        self._count_ready()

    def _spreads(self) -> Values:
        return np.maximum(self._apart * TO_DEVIATION, self._least)

    def _learn(self, x: Values, spreads: Values, time_us: int, since_us: int) -> None:
        progress = self.progress
        most_us = min(progress.learned_us + since_us, self._stage.memory_us)
        weight = min(np.float32(since_us) / np.float32(most_us), np.float32(1)) if most_us else np.float32(0)
        bound = FAR * spreads
        # The first hours know no spread that could bound anything.
        early = progress.learned_us < self._stage.learn_us // 8
        pull = x - self._centres if early else np.clip(x - self._centres, -bound, bound)
        centres = self._centres + weight * pull
        apart = self._apart + weight * (np.abs(pull) - self._apart)
        known = np.isfinite(x) & np.isfinite(centres) & np.isfinite(apart)
        begun = np.isfinite(x) & np.isnan(self._centres)
        self._centres = np.where(begun, x, np.where(known, centres, self._centres))
        self._apart = np.where(known, apart, self._apart)
        progress.age_us += self._clock.aged(time_us)
        progress.learned_us += since_us
        progress.samples = min(progress.samples + 1, 0xFFFFFFFF)
        self._count_ready()

    def _count_ready(self) -> None:
        self.progress.ready = int(self.progress.learned_us >= self._stage.learn_us)


def _result(stage: OwnBaseline, inputs: Signals) -> Signal:
    """That of the input, without a unit; takes a signal at a rate."""
    (signal,) = inputs
    stage.needs_rate(signal)
    if signal.elements > MAX_ELEMENTS:
        raise stage.fail(
            f'takes up to {MAX_ELEMENTS} numbers, and "{signal.name}" has {signal.elements}; resize or select first'
        )
    return Signal(stage.gives, signal.shape, "", signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(
    OwnBaseline,
    _result,
    _Learner,
    "float32; with w = float32(microseconds that the sample stands for) over float32(those learned, at most `memory_s`) the centre is centre + w "
    "p, the mean magnitude m + w (|p| - m), p = x - centre held within 3 spreads from an eighth of `learn_s` on, the spread m times "
    "1.2533141, at least `least_spread`. A sample stands for the time since the one before, or for a period where that is longer than a gap.",
    lasting=True,
    kept=lambda stage, inputs: kept_bytes(inputs[0].elements),
)

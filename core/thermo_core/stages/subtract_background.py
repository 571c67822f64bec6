"""subtract_background: what stands out from a scene whose background is learned slowly."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages.elapsed import Elapsed
from thermo_core.stages.picture import difference_unit
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MAX_NUMBERS = 65_536
CLOCK_SECONDS = 1 << 16
"""A clock of whole seconds that starts anew after 18 hours is enough for the longest patience."""


class SubtractBackground(OneInput, frozen=True, tag="subtract_background"):
    """Each element less the background behind it, which is learned while nothing stands before it.

    What is farther than `threshold` from the background is foreground and not learned, so that somebody who sits still stays
    foreground; after `patience_s` as foreground without a break an element starts anew with its value, so that a chair that was moved
    does not. Nothing is learned of a sample with a flag that alerts do not trust, nor of an element without a value.

    Before `least_s` of learning there is no result, and the sample is flagged UNCALIBRATED; all is learned then. A time without samples
    neither teaches nor forgets; another sensor starts anew, and so does a restart.

    Attributes:
        time_constant_s: seconds over which the background follows.
        threshold: how far from the background foreground is, in the signal's unit.
        by: "mean", one weighed by time: of all that was learned at first, of about the last `time_constant_s` later on; or "median",
            which goes `threshold` in `time_constant_s` at most, faster at first, towards what is seen, however far that is.
        give: "difference", or "mask": 1 for foreground, 0 for background and for what has no value.
        least_s: seconds of learning before there is a result.
        patience_s: whole seconds after which foreground becomes background; 0: never.
    """

    time_constant_s: Annotated[float, Meta(ge=0.1, le=1e6)] = 300.0
    threshold: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    by: Literal["mean", "median"] = "mean"
    give: Literal["difference", "mask"] = "difference"
    least_s: Annotated[float, Meta(ge=0, le=1e6)] = 10.0
    patience_s: Annotated[int, Meta(ge=0, le=32_767)] = 600

    @property
    def time_constant_us(self) -> int:
        """`time_constant_s` in microseconds."""
        return round(self.time_constant_s * 1e6)

    @property
    def least_us(self) -> int:
        """`least_s` in microseconds."""
        return round(self.least_s * 1e6)


class _Background:
    def __init__(self, stage: SubtractBackground, inputs: Signals) -> None:
        self._stage = stage
        self._elapsed = Elapsed(inputs[0].gap_us)
        self._threshold = np.float32(stage.threshold)
        self._level = np.full(inputs[0].elements, np.nan, np.float32)
        self._seen_s = np.zeros(inputs[0].elements, np.int64)  # when each element was background last
        self._learned_us = 0

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        (values,) = moments.values
        x = values.reshape(len(values), -1)
        found = np.full(x.shape, np.nan, np.float32)
        flags = np.zeros(len(x), np.uint16)
        trusted = (moments.flags & np.uint16(DOUBTFUL)) == 0
        with np.errstate(all="ignore"):
            for place, time_us in enumerate(moments.times_us.tolist()):
                since_us = self._elapsed.since(time_us)
                ready = self._learned_us >= self._stage.least_us
                apart = x[place] - self._level
                before = np.isfinite(x[place]) & (np.abs(apart) > self._threshold)
                if ready:
                    found[place] = before if self._stage.give == "mask" else apart
                else:
                    flags[place] = Quality.UNCALIBRATED
                if trusted[place]:
                    self._learn(x[place], apart, before & ready, since_us)
        return found.reshape(values.shape), flags

    def _learn(self, x: Values, apart: Values, foreground: NDArray[np.bool_], since_us: int) -> None:
        self._learned_us += since_us
        now_s = self._learned_us // 1_000_000 % CLOCK_SECONDS
        most_us = min(self._learned_us, self._stage.time_constant_us)
        share = min(np.float32(since_us) / np.float32(max(most_us, 1)), np.float32(1))
        if self._stage.by == "mean":
            step = share * apart
        else:
            reach = self._threshold * share
            step = np.where(apart > reach, reach, np.where(apart < -reach, -reach, apart)).astype(np.float32)
        moved = self._level + step
        waited_s = (now_s - self._seen_s) % CLOCK_SECONDS
        patience_s = self._stage.patience_s
        impatient = foreground & (waited_s >= patience_s) if patience_s else np.zeros_like(foreground)
        anew = np.isfinite(x) & (np.isnan(self._level) | impatient)
        learned = np.isfinite(moved) & ~foreground & np.isfinite(x)
        self._level = np.where(anew, x, np.where(learned, moved, self._level))
        self._seen_s = np.where(foreground & ~anew, self._seen_s, now_s)


def _result(stage: SubtractBackground, inputs: Signals) -> Signal:
    """That of the input, which comes at a rate and is no window; K where it is degC, without a unit as a mask."""
    (signal,) = inputs
    stage.needs_rate(signal)
    if signal.spacing_s:
        raise stage.fail(f'takes samples, and "{signal.name}" is a window of time; put it before the window')
    if signal.elements > MAX_NUMBERS:
        raise stage.fail(f"would keep {signal.elements} numbers and may keep {MAX_NUMBERS}; resize the picture first")
    unit = "" if stage.give == "mask" else difference_unit(signal.unit)
    return Signal(stage.gives, signal.shape, unit, signal.rate_hz, signal.clock)


OP = Recursive(
    SubtractBackground,
    _result,
    _Background,
    "float32; w = float32(microseconds that the sample stands for) over float32(those learned, at most `time_constant_s`); mean: level + "
    "w (x - level); median: level + (x - level) held within threshold * w. Where infinite, nothing is learned. A sample stands for the time "
    "since the one before, or for a period where that is longer than a gap; patience counts whole seconds of learning.",
    lasting=True,
)

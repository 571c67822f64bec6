"""slope: how fast a signal rises or falls, by least squares over the time that has just passed."""

import math
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MAX_SAMPLES = 4096
_MS_PER = {"s": 1e3, "min": 60e3, "h": 3600e3}
_AT_ONCE = 512
"""Moments whose windows are worked on together, which bounds memory."""


class Slope(OneInput, frozen=True, tag="slope"):
    """The slope of a straight line through the samples of the last seconds, element by element, by least squares over their times.

    Samples that were dropped and clocks that wander do no harm, because it goes by the times at which samples came. Numbers without
    a value do not count; with fewer than half the numbers that the span would have, there is no slope.

    Attributes:
        span_s: seconds from the oldest sample to the newest.
        per: unit of time of the result, "s", "min" or "h".
    """

    span_s: Annotated[float, Meta(gt=0, le=86400)]
    per: Literal["s", "min", "h"] = "s"


def length(stage: Slope, signal: Signal) -> int:
    """Samples in a span."""
    return math.floor(stage.span_s * signal.rate_hz + 0.5) + 1


def span_ms(stage: Slope) -> int:
    """Age of the oldest sample that counts, in milliseconds; a tenth more than asked for, since clocks wander."""
    return math.ceil(stage.span_s * 1100)


def factor(stage: Slope) -> np.float32:
    """Milliseconds in the unit of time."""
    return np.float32(_MS_PER[stage.per])


class _Line:
    """The newest samples, and lines through them."""

    def __init__(self, stage: Slope, inputs: Signals) -> None:
        (signal,) = inputs
        self._stage, self._length = stage, length(stage, signal)
        self._times_ms = np.zeros(self._length - 1, np.int64)
        self._values = np.full((self._length - 1, signal.elements), np.nan, np.float32)

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        count, values = len(moments.times_us), moments.values[0]
        times_ms = np.concatenate([self._times_ms, moments.times_us // 1000])
        rows = np.concatenate([self._values, values.reshape(count, -1)])
        self._times_ms, self._values = times_ms[count:], rows[count:]
        ages = times_ms[self._length - 1 :, np.newaxis] - sliding_window_view(times_ms, self._length)
        windows = np.moveaxis(sliding_window_view(rows, self._length, axis=0), -1, 1)
        parts = [slice(at, at + _AT_ONCE) for at in range(0, count, _AT_ONCE)]
        slopes = np.concatenate([self._slopes(ages[part], windows[part]) for part in parts])
        return slopes.reshape(values.shape), np.zeros(count, np.uint16)

    def _slopes(self, ages: NDArray[np.int64], windows: Values) -> Values:
        """(m, elements) of (m, length) ages in milliseconds and (m, length, elements) numbers."""
        counts = np.isfinite(windows) & (ages <= span_ms(self._stage))[:, :, np.newaxis]
        t = np.where(counts, -ages.astype(np.float32)[:, :, np.newaxis], np.float32(0)).astype(np.float32)
        x = np.where(counts, windows, np.float32(0)).astype(np.float32)
        known = counts.sum(1)
        with np.errstate(all="ignore"):
            number = known.astype(np.float32)
            mean_t, mean_x = float32.total(t, 1) / number, float32.total(x, 1) / number
            apart_t = np.where(counts, t - mean_t[:, np.newaxis], np.float32(0)).astype(np.float32)
            apart_x = np.where(counts, x - mean_x[:, np.newaxis], np.float32(0)).astype(np.float32)
            found = float32.total(apart_t * apart_x, 1) / float32.total(apart_t * apart_t, 1) * factor(self._stage)
        enough = (known >= 2) & (2 * known >= self._length) & np.isfinite(found)
        return np.where(enough, found, np.float32(np.nan)).astype(np.float32)


def _result(stage: Slope, inputs: Signals) -> Signal:
    """That of the input, which comes at a rate; its unit, K where that is degC, by the unit of time."""
    (signal,) = inputs
    stage.needs_rate(signal)
    samples = length(stage, signal)
    if not 2 <= samples <= MAX_SAMPLES:
        raise stage.fail(
            f"spans {samples} samples of {signal.rate_hz:g} Hz, and 2 to {MAX_SAMPLES} are possible; change span_s, or "
            "resample the signal first"
        )
    unit = "K" if signal.unit == "degC" else signal.unit
    slower = f"{unit}/{stage.per}"[:16] if unit else ""
    return Signal(stage.gives, signal.shape, slower, signal.rate_hz, signal.clock)


OP = Recursive(
    Slope,
    _result,
    _Line,
    "float32; times are whole milliseconds before the newest sample; sum of (t - mean t)(x - mean x) over sum of (t - mean t)^2, all "
    "sums from the oldest sample to the newest, times the milliseconds of the unit. Samples older than 1.1 `span_s` do not count.",
    lambda stage, inputs: length(stage, inputs[0]),
    bound="rate_hz",
)

"""normalise_percentiles: a sample by the range most of its own numbers are in."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

MOST_ELEMENTS = 65_535


class NormalisePercentiles(OneInput, frozen=True, tag="normalise_percentiles"):
    """A percentile of the sample's own numbers to 0 and a higher one to 1, what is beyond held at these.

    Unlike `normalise` it needs no constants: what warms or cools all alike goes, and so does how much they differ. Elements without
    a value do not count and stay so. A sample whose numbers are all but alike is not blown up beyond `least`.

    Attributes:
        low: the percentile that becomes 0, a whole number of 0 to 99.
        high: the one that becomes 1, above `low`.
        least: smallest range that becomes 0 to 1, in the signal's unit; a lesser one counts as this.
    """

    low: Annotated[int, Meta(ge=0, le=99)] = 2
    high: Annotated[int, Meta(ge=1, le=100)] = 98
    least: Annotated[float, Meta(ge=1e-6, le=1e6)] = 0.1


def _result(stage: NormalisePercentiles, inputs: Signals) -> Signal:
    """That of the input, which has 2 to 65535 elements, without a unit."""
    (signal,) = inputs
    if not stage.low < stage.high:
        raise stage.fail(f"goes from percentile {stage.low} to {stage.high}; make low the lower one")
    if not 2 <= signal.elements <= MOST_ELEMENTS:
        raise stage.fail(f'ranks 2 to {MOST_ELEMENTS} elements, and "{signal.name}" has {signal.elements}')
    return Signal(stage.gives, signal.shape, "", signal.rate_hz, signal.clock, signal.spacing_s)


def _ranked(ordered: Values, known: NDArray[np.int64], percent: int) -> Values:
    """(n, 1) of rows in ascending order, NaN last, the nearest element below a percentile of those known."""
    rank = np.maximum(known - 1, 0) * percent // 100
    # Which of equal zeros sorting puts first is not told; adding zero leaves no negative one.
    found: Values = ordered[np.arange(len(ordered)), rank][:, np.newaxis] + np.float32(0)
    return found


def _apply(stage: NormalisePercentiles, inputs: Signals, values: Arrays) -> Values:
    x = values[0].reshape(len(values[0]), -1)
    ordered = np.sort(x, axis=1)
    known = x.shape[1] - np.isnan(x).sum(1)
    low = _ranked(ordered, known, stage.low)
    with np.errstate(all="ignore"):
        apart = _ranked(ordered, known, stage.high) - low
        least = np.float32(stage.least)
        share = (x - low) / np.where(apart > least, apart, least)
    held = np.where(share > 1, np.float32(1), np.where(share <= 0, np.float32(0), share))
    return np.asarray(held, np.float32).reshape(values[0].shape)


OP = Elementwise(
    NormalisePercentiles,
    _result,
    _apply,
    "the nearest element below a percentile, of rank (elements with a value - 1) * percentile / 100 rounded down; two float32 subtractions "
    "and one division an element.",
)

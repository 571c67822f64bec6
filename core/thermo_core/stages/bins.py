"""bins: a recovery curve as a few weighed means, ready for the shapes that such curves have.

A body that recovers from a challenge follows a sum of exponentials (a Foster network). Seconds after it most happens, minutes
after it little: bins that widen with time hold the same in far fewer numbers, and a mean weighed by the root of its samples keeps
white noise white.
"""

import itertools
from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals
from thermo_core.widening import edges, weights


class Bins(OneInput, frozen=True, tag="bins"):
    """Weighed means of a window in bins that widen with time, of the curve as it comes or brought to 1 at its start and 0 at its end.

    Attributes:
        bins: how many.
        settled: samples at the end whose mean is the curve's asymptote, taken away and divided by; 0 takes the curve as it is.
    """

    bins: Annotated[int, Meta(ge=4, le=256)] = 64
    settled: Annotated[int, Meta(ge=0, le=1024)] = 0


def _result(stage: Bins, inputs: Signals) -> Signal:
    """A number a bin, columns x bins of a window of several; takes a window with at least two samples a bin. Without a unit."""
    (signal,) = inputs
    if not signal.spacing_s or len(signal.shape) > 2:
        raise stage.fail(f'takes a window of numbers in a row; "{signal.name}" has the shape {list(signal.shape)}')
    if signal.shape[0] < 2 * stage.bins or stage.settled > signal.shape[0] // 2:
        raise stage.fail(
            f"needs a window of {max(2 * stage.bins, 2 * stage.settled)} samples or more, not {signal.shape[0]}"
        )
    return Signal(stage.gives, (*signal.shape[1:], stage.bins), "", signal.rate_hz, signal.clock)


def _apply(stage: Bins, inputs: Signals, values: Arrays) -> Values:
    taken = values[0]
    curve = np.moveaxis(taken.reshape(*taken.shape[:2], -1), 1, 2).reshape(-1, taken.shape[1])
    if stage.settled:
        asymptote = float32.mean(curve[:, -stage.settled :])[:, np.newaxis]
        with np.errstate(divide="ignore", invalid="ignore"):
            curve = np.asarray((curve - asymptote) / (curve[:, :1] - asymptote), np.float32)
        curve = np.where(np.isfinite(curve), curve, np.float32(np.nan)).astype(np.float32)
    borders = edges(curve.shape[1], stage.bins)
    sums = [float32.total(curve[:, a:b]) for a, b in itertools.pairwise(borders)]
    means = np.stack(sums, axis=1) * weights(curve.shape[1], stage.bins)
    return np.asarray(means.reshape(len(taken), *taken.shape[2:], stage.bins), np.float32)


OP = Elementwise(
    Bins,
    _result,
    _apply,
    "float32; the asymptote is a mean in the order of samples; sums of bins in the order of samples, times float32(1 / root of their "
    "number).",
)

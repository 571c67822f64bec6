"""median3: each pixel by the median of 3 x 3."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import around, picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Median3(OneInput, frozen=True, tag="median3"):
    """Each pixel by the median of itself and its eight neighbours: single wrong pixels go, edges stay sharp.

    Edges are repeated beyond the picture. Pixels without a value do not count, and one of them becomes the median of the neighbours
    that have one; it stays without where none has.
    """


def _result(stage: Median3, inputs: Signals) -> Signal:
    """That of the input, which is a picture."""
    (signal,) = inputs
    picture(stage, signal)
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock)


def _apply(stage: Median3, inputs: Signals, values: Arrays) -> Values:
    (x,) = values
    ordered = np.sort(np.stack([beside for _, _, beside in around(x)], axis=-1), axis=-1)  # NaN last
    known = 9 - np.isnan(ordered).sum(-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, axis=-1)[..., 0]
    high = np.take_along_axis(ordered, np.minimum(known // 2, 8), axis=-1)[..., 0]
    even = known[..., 0] % 2 == 0
    # Which of equal zeros is the middle is not told; adding zero leaves no negative one.
    return np.asarray(np.where(even, (low + high) * np.float32(0.5), low) + np.float32(0), np.float32)


def _flags(stage: Median3, inputs: Signals, values: Arrays, out: Values) -> NDArray[np.uint16]:
    filled = (np.isnan(values[0]) & ~np.isnan(out)).any((1, 2))
    return np.where(filled, np.uint16(Quality.FILLED), np.uint16(0)).astype(np.uint16)


OP = Elementwise(
    Median3,
    _result,
    _apply,
    "copies; of an even number of values (lower middle + upper middle) * 0.5 in float32. Zeros lose their sign. Adds the flag FILLED "
    "where a pixel without a value got one.",
    _flags,
)

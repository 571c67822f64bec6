"""sobel: how steeply a picture rises."""

from typing import Literal

import numpy as np

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import difference_unit, gradients, picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Sobel(OneInput, frozen=True, tag="sobel"):
    """The slope of a picture at each pixel by Sobel's 3 x 3 weights, in its unit per pixel: 1 where it rises by 1 from pixel to pixel.

    Edges are repeated beyond the picture. A pixel is without a value where one of its eight neighbours is, but for those right above
    and below (of x), or right beside (of y), whose weight is none.

    Attributes:
        give: "magnitude", "x" (along a row, rising to the right) or "y" (down a column).
    """

    give: Literal["magnitude", "x", "y"] = "magnitude"


def _result(stage: Sobel, inputs: Signals) -> Signal:
    """That of the input, which is a picture; its unit per pixel."""
    (signal,) = inputs
    picture(stage, signal)
    unit = difference_unit(signal.unit)
    return Signal(stage.gives, signal.shape, f"{unit}/px"[:16] if unit else "", signal.rate_hz, signal.clock)


def _apply(stage: Sobel, inputs: Signals, values: Arrays) -> Values:
    along, down = gradients(values[0])
    eighth = np.float32(0.125)
    if stage.give == "magnitude":
        return np.asarray(np.sqrt(along * along + down * down) * eighth, np.float32)
    return np.asarray((along if stage.give == "x" else down) * eighth, np.float32)


OP = Elementwise(
    Sobel,
    _result,
    _apply,
    "float32; each column's s = (above + here) + (here + below) and d = below - above; x = s right - s left, y = (d left + d) + "
    "(d + d right); magnitude sqrt(x * x + y * y); times 0.125.",
)

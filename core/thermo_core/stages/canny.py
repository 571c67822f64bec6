"""canny: edges of a picture, one pixel wide."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import components, gradients, picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_Slope = Annotated[float, Meta(gt=0, le=1e4)]
TANGENT = np.float32(np.tan(np.pi / 8))
COTANGENT = np.float32(1 / np.tan(np.pi / 8))


class Canny(OneInput, frozen=True, tag="canny"):
    """Edges after Canny: where Sobel's slope is greatest across itself, from strong edges along weaker ones. Smooth a picture first.

    1 is an edge, 0 is none. A slope that cannot be told for want of a value is no edge, and no pixel beside it across the slope.

    Attributes:
        high: slopes above are strong edges, in the signal's unit per pixel.
        low: slopes above are edges where they are connected, at corners too, with a strong one.
    """

    high: _Slope
    low: _Slope


def squares(stage: Canny) -> tuple[np.float32, np.float32]:
    """Squares of eight times `high` and `low`."""
    return np.float32((8 * stage.high) ** 2), np.float32((8 * stage.low) ** 2)


def _result(stage: Canny, inputs: Signals) -> Signal:
    """That of the input, which is a picture, without a unit."""
    (signal,) = inputs
    picture(stage, signal)
    if stage.low > stage.high:
        raise stage.fail(f"has a low of {stage.low:g} above its high of {stage.high:g}; exchange them")
    return Signal(stage.gives, signal.shape, "", signal.rate_hz, signal.clock)


def _crests(along: Values, down: Values, steep: Values) -> NDArray[np.bool_]:
    """Where the slope is greatest across itself; beyond the picture it is 0."""
    rows, columns = steep.shape[1:]
    wide = np.pad(steep, ((0, 0), (1, 1), (1, 1)))

    def beside(row: int, column: int) -> Values:
        found: Values = wide[:, 1 + row : 1 + row + rows, 1 + column : 1 + column + columns]
        return found

    across, upright = np.abs(along), np.abs(down)
    flat, steepest = upright < across * TANGENT, upright > across * COTANGENT
    falls = (along < 0) != (down < 0)
    horizontal = (steep > beside(0, -1)) & (steep >= beside(0, 1))
    vertical = (steep > beside(-1, 0)) & (steep >= beside(1, 0))
    rising = (steep > beside(-1, -1)) & (steep > beside(1, 1))
    falling = (steep > beside(-1, 1)) & (steep > beside(1, -1))
    return np.where(flat, horizontal, np.where(steepest, vertical, np.where(falls, falling, rising)))


def _apply(stage: Canny, inputs: Signals, values: Arrays) -> Values:
    high, low = squares(stage)
    along, down = gradients(values[0])
    steep = along * along + down * down
    edge = (steep > low) & _crests(along, down, steep)
    strong = (edge & (steep > high)).reshape(len(steep), -1)
    labels = components(edge, diagonal=True).reshape(len(steep), -1)
    kept = np.zeros((len(steep), labels.shape[1] + 1), np.bool_)
    moments, places = np.nonzero(strong)
    kept[moments, labels[moments, places]] = True
    return np.take_along_axis(kept, labels, axis=1).reshape(steep.shape).astype(np.float32)


OP = Elementwise(
    Canny,
    _result,
    _apply,
    "x and y of `sobel` before the factor 0.125; x * x + y * y in float32 against float32((8 high)^2) and float32((8 low)^2); along a row where "
    "|y| < |x| * float32(tan 22.5 deg), down where |y| > |x| * float32(cot 22.5 deg), else diagonal. Greater than the pixel before, and not "
    "less than the one behind (of diagonals greater than both).",
)

"""median3: each pixel by the median of 3 x 3, in fixed-point steps."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import padded, picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_LARGEST = np.float32(32767)
_NO_VALUE = np.int32(1 << 20)
"""Behind all steps in their order."""


class Median3(OneInput, frozen=True, tag="median3"):
    """Each pixel by the median of itself and its eight neighbours: single wrong pixels go, edges stay sharp.

    Values are brought to whole steps, of which a microcontroller compares two at a time: the median is off by at most half a step.
    Edges are repeated beyond the picture. Pixels without a value do not count, and one of them becomes the median of the neighbours
    that have one; it stays without where none has.

    Attributes:
        step: size of a step, in the signal's unit; values beyond 32767 steps saturate.
    """

    step: Annotated[float, Meta(ge=1e-6, le=1e3)] = 0.0078125


def factors(stage: Median3) -> tuple[np.float32, np.float32]:
    """What a value, and the sum of the two middle steps, are multiplied by: 1 / step and step / 2."""
    return np.float32(1) / np.float32(stage.step), np.float32(stage.step) * np.float32(0.5)


def _result(stage: Median3, inputs: Signals) -> Signal:
    """That of the input, which is a picture."""
    (signal,) = inputs
    picture(stage, signal)
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock)


def _apply(stage: Median3, inputs: Signals, values: Arrays) -> Values:
    (x,) = values
    inverse, half = factors(stage)
    missing = np.isnan(x)
    known = np.where(missing, np.float32(0), x)
    steps = np.rint(np.clip(known * inverse, -_LARGEST, _LARGEST)).astype(np.int32)
    wide = padded(np.where(missing, _NO_VALUE, steps))
    rows, columns = x.shape[1:]
    around = [wide[:, row : row + rows, column : column + columns] for row in range(3) for column in range(3)]
    ordered = np.sort(np.stack(around, axis=-1), axis=-1)
    count = (ordered != _NO_VALUE).sum(-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)[..., 0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, 8), axis=-1)[..., 0]
    middle = (low + high).astype(np.float32) * half
    return np.where(count[..., 0] > 0, middle, np.float32(np.nan)).astype(np.float32)


def _flags(stage: Median3, inputs: Signals, values: Arrays, out: Values) -> NDArray[np.uint16]:
    filled = (np.isnan(values[0]) & ~np.isnan(out)).any((1, 2))
    return np.where(filled, np.uint16(Quality.FILLED), np.uint16(0)).astype(np.uint16)


OP = Elementwise(
    Median3,
    _result,
    _apply,
    "x / step, saturated to +-32767 and rounded half to even, as whole numbers; lower middle + upper middle, which are one of an odd "
    "number; float32 of the sum times float32(step / 2). Adds the flag FILLED where a pixel without a value got one.",
    _flags,
)

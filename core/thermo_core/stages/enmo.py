"""enmo: how much somebody moves, from an accelerometer."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

AXES = 3


class Enmo(OneInput, frozen=True, tag="enmo"):
    """Euclidean norm minus one g, 0 where that is less (van Hees 2013): of a sample, or its mean and SD over a window.

    The mean tells how much somebody moves; the standard deviation, that of the norm itself, tells movement from an axis that is a
    little off. Rows without a value on each axis do not count; with fewer than half of a window's rows there is no result.

    Attributes:
        gravity: what an accelerometer at rest says, in the signal's unit.
    """

    gravity: Annotated[float, Meta(gt=0, le=1e5)] = 1.0


def _result(stage: Enmo, inputs: Signals) -> Signal:
    """Of a sample of three axes a number; of a window of such samples two, mean and SD. The unit of the input."""
    (signal,) = inputs
    windowed = len(signal.shape) == 2 and signal.spacing_s > 0
    if signal.shape[-1:] != (AXES,) or not (windowed or len(signal.shape) == 1):
        raise stage.fail(
            f'takes three axes or a window of them; "{signal.name}" has the shape {list(signal.shape)}; select the axes first'
        )
    return Signal(stage.gives, (2,) if windowed else (), signal.unit, signal.rate_hz, signal.clock)


def _apply(stage: Enmo, inputs: Signals, values: Arrays) -> Values:
    x = values[0]
    rows = x.reshape(len(x), -1, AXES)
    gravity = np.float32(stage.gravity)
    with np.errstate(all="ignore"):
        norm = np.sqrt((rows[..., 0] * rows[..., 0] + rows[..., 1] * rows[..., 1]) + rows[..., 2] * rows[..., 2])
        counts = np.isfinite(norm)
        moved = np.where(counts, np.maximum(norm - gravity, np.float32(0)), np.float32(np.nan)).astype(np.float32)
        if x.ndim == 2:
            return moved[:, 0]
        known = counts.sum(1)
        number = known.astype(np.float32)
        mean = float32.total(np.where(counts, moved, np.float32(0)).astype(np.float32), 1) / number
        middle = float32.total(np.where(counts, norm, np.float32(0)).astype(np.float32), 1) / number
        apart = np.where(counts, norm - middle[:, np.newaxis], np.float32(0)).astype(np.float32)
        sd = np.sqrt(float32.total(apart * apart, 1) / number)
    found = np.stack([mean, sd], axis=1)
    enough = (2 * known >= rows.shape[1])[:, np.newaxis]
    return np.where(enough, found, np.float32(np.nan)).astype(np.float32)


OP = Elementwise(
    Enmo,
    _result,
    _apply,
    "float32; root of (x x + y y) + z z; sums in the order of rows; SD of the norm in two passes, of all rows.",
)

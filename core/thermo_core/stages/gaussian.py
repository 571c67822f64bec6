"""gaussian: a picture smoothed by a bell of 3 x 3 or 5 x 5 pixels."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import around, padded, picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Gaussian(OneInput, frozen=True, tag="gaussian"):
    """A picture smoothed by a Gaussian bell; white noise falls to 0.38 of its deviation with 3 x 3 pixels and sigma 0.8.

    Edges are repeated beyond the picture. A pixel without a value stays so and does not count: its neighbours are the weighed mean
    of those that have one.

    Attributes:
        size: rows and columns of the bell, 3 or 5.
        sigma: standard deviation of the bell, pixels.
    """

    size: Literal[3, 5] = 3
    sigma: Annotated[float, Meta(ge=0.1, le=10)] = 0.8


def weights(stage: Gaussian) -> tuple[tuple[np.float32, ...], np.float32]:
    """Weights of pixels 0, 1 (and 2) away, that of the middle 1; and 1 over the sum of all in a picture."""
    away = np.arange(stage.size // 2 + 1)
    along = np.exp(-(away**2) / (2 * stage.sigma**2)).astype(np.float32)
    scale = np.float32(1 / (2 * float(along[1:].sum(dtype=np.float64)) + 1) ** 2)
    return tuple(along), scale


def _result(stage: Gaussian, inputs: Signals) -> Signal:
    """That of the input, which is a picture."""
    (signal,) = inputs
    picture(stage, signal)
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock)


def _weighed(lines: list[Values], along: tuple[np.float32, ...]) -> Values:
    """Lines 2 radius + 1 of them, the middle one and then pairs ever farther away."""
    middle = len(lines) // 2
    found = lines[middle]
    for away in range(1, middle + 1):
        found = found + (lines[middle - away] + lines[middle + away]) * along[away]
    return found


def _apply(stage: Gaussian, inputs: Signals, values: Arrays) -> Values:
    (x,) = values
    along, scale = weights(stage)
    rows, columns = x.shape[1:]
    wide = padded(x, stage.size // 2)
    down = _weighed([wide[:, place : place + rows] for place in range(stage.size)], along)
    smooth = _weighed([down[:, :, place : place + columns] for place in range(stage.size)], along) * scale
    broken = np.isnan(smooth)
    if broken.any():
        some = broken.any((1, 2))
        smooth[some] = np.where(broken[some], _mended(x[some], along), smooth[some])
    return np.asarray(smooth, np.float32)


def _mended(x: Values, along: tuple[np.float32, ...]) -> Values:
    """The weighed mean of those that have a value."""
    total, weight = np.zeros_like(x), np.zeros_like(x)
    for row, column, beside in around(x, len(along) - 1):
        known, share = ~np.isnan(beside), along[abs(row)] * along[abs(column)]
        total = np.where(known, total + beside * share, total)
        weight = np.where(known, weight + share, weight)
    with np.errstate(invalid="ignore"):
        mean = total / weight
    return np.where(np.isnan(x), np.float32(np.nan), mean).astype(np.float32)


OP = Elementwise(
    Gaussian,
    _result,
    _apply,
    "float32 weights exp(-d^2 / (2 sigma^2)); down columns, then along rows, each (middle + (nearest pair) * w1) + (next pair) * w2; "
    "times float32(1 / the square of the weights' sum). Where that gives NaN and the pixel has a value: the sum of value * weight over "
    "the sum of weights, row by row over those that have a value.",
)

"""domain: flags what lies far from all that was learnt from."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.quality import Quality
from thermo_core.schema import Floats
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Domain(OneInput, frozen=True, tag="domain"):
    """Holds a sample within the range that a model has learnt from, and flags it OUT_OF_DOMAIN where it lies far from all of that.

    Far is what has an element beyond its range, or lies too far along some axes (Hotelling's T), or too far from the space they
    span (Q of Jackson and Mudholkar 1979), both from 0. An element without a value stays without, and counts as 0.

    Attributes:
        low: least of each element, or of all; lower values become it.
        high: greatest likewise.
        axes: orthonormal, one after another, each with a number for each element.
        spread: standard deviation along each axis, above 0.
        along: greatest T, the root of the sum of (x along an axis / its spread)^2.
        across: greatest root of Q, the distance from what the axes span.
    """

    low: Floats
    high: Floats
    axes: Floats
    spread: Floats
    along: Annotated[float, Meta(gt=0, le=1e6)]
    across: Annotated[float, Meta(gt=0, le=1e6)]


def _result(stage: Domain, inputs: Signals) -> Signal:
    """That of the input; takes 1 low and high, or one an element, and a number of an axis an element."""
    (signal,) = inputs
    for name, bounds in (("low", stage.low), ("high", stage.high)):
        if len(bounds) not in (1, signal.elements):
            raise stage.fail(
                f"has {len(bounds)} numbers as {name} for {signal.elements} elements; give 1 or {signal.elements}"
            )
    if (stage.low.array > stage.high.array).any():
        raise stage.fail("has an element whose low is above its high; exchange them")
    count = len(stage.spread) * signal.elements
    if len(stage.axes) != count:
        raise stage.fail(
            f"has axes of {len(stage.axes)} numbers; {len(stage.spread)} axes of {signal.elements} elements are {count}"
        )
    if (stage.spread.array <= 0).any():
        raise stage.fail("has a spread that is not above 0; correct it")
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: Domain, inputs: Signals, values: Arrays) -> Values:
    flat = values[0].reshape(len(values[0]), -1)
    held = np.where(flat < stage.low.array, stage.low.array, flat)
    return np.where(held > stage.high.array, stage.high.array, held).astype(np.float32).reshape(values[0].shape)


def distances(stage: Domain, x: Values) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n,) T^2 and Q of samples x (n, elements), before they are held within their range."""
    known = np.where(np.isnan(x), np.float32(0), x)
    with np.errstate(over="ignore", invalid="ignore"):
        found = float32.products(known, stage.axes.array.reshape(len(stage.spread), -1))
        scaled = found / stage.spread.array
        return float32.total(scaled * scaled), float32.total(known * known) - float32.total(found * found)


def _flags(stage: Domain, inputs: Signals, values: Arrays, out: Values) -> NDArray[np.uint16]:
    flat = values[0].reshape(len(values[0]), -1)
    along, across = distances(stage, flat)
    limits = np.float32(stage.along), np.float32(stage.across)
    # What overflows lies far too, and is no number.
    near = (along <= limits[0] * limits[0]) & (across <= limits[1] * limits[1])
    beyond = ((flat < stage.low.array) | (flat > stage.high.array)).any(1)
    return np.where(near & ~beyond, np.uint16(0), np.uint16(Quality.OUT_OF_DOMAIN)).astype(np.uint16)


OP = Elementwise(
    Domain,
    _result,
    _apply,
    "clipped. For the flag OUT_OF_DOMAIN: NaN to 0; products as projection has them; squares of products, of products over spread and of elements "
    "are summed each in their order, all float32.",
    _flags,
)

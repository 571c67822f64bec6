"""projection: a sample by how much of each of some shapes it holds."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.schema import Floats
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Projection(OneInput, frozen=True, tag="projection"):
    """Products of a sample with the rows of a matrix, as for an orthonormal basis or a linear map, plus an offset.

    With `least_noise`, one more number: the decimal logarithm of the root mean square that the rows leave unexplained, which tells
    how noisy the sample is (rows must be orthonormal for that).

    Attributes:
        basis: the matrix, row by row.
        rows: how many rows it has.
        offset: added to each product; none where left out.
        least_noise: added before the logarithm; no such number where 0.
        unit: of the result.
    """

    basis: Floats
    rows: Annotated[int, Meta(ge=1, le=1024)]
    offset: Floats | None = None
    least_noise: Annotated[float, Meta(ge=0, le=1e3)] = 0.0
    unit: Annotated[str, Meta(max_length=16)] = ""


def _result(stage: Projection, inputs: Signals) -> Signal:
    """A number a row, and one more with `least_noise`; the basis has rows times elements numbers."""
    (signal,) = inputs
    if len(stage.basis) != stage.rows * signal.elements:
        raise stage.fail(
            f"has a basis of {len(stage.basis)} numbers; {stage.rows} rows of {signal.elements} elements are "
            f"{stage.rows * signal.elements}"
        )
    if stage.offset is not None and len(stage.offset) != stage.rows:
        raise stage.fail(f"has {len(stage.offset)} offsets for {stage.rows} rows; give one a row")
    if stage.least_noise and stage.rows >= signal.elements:
        raise stage.fail("has as many rows as elements, which leaves nothing unexplained; set least_noise to 0")
    length = stage.rows + (1 if stage.least_noise else 0)
    return Signal(stage.gives, (length,), stage.unit, signal.rate_hz, signal.clock)


def _apply(stage: Projection, inputs: Signals, values: Arrays) -> Values:
    x = values[0].reshape(len(values[0]), -1)
    basis = stage.basis.array.reshape(stage.rows, -1)
    along = float32.products(x, basis)
    result = along if stage.offset is None else np.asarray(along + stage.offset.array, np.float32)
    if not stage.least_noise:
        return result
    left = x - float32.products(along, np.ascontiguousarray(basis.T))
    mean = float32.total(left * left) / np.float32(x.shape[1] - stage.rows)
    noise = float32.log10(np.sqrt(mean) + np.float32(stage.least_noise))
    return np.concatenate([result, noise[:, np.newaxis]], axis=1)


OP = Elementwise(
    Projection,
    _result,
    _apply,
    "float32 products summed in the order of elements, each product rounded before it is added; the unexplained part likewise.",
)

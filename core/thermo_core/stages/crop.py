"""crop: a part of a picture."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_Place = Annotated[int, Meta(ge=0, le=4095)]
_Length = Annotated[int, Meta(ge=1, le=4096)]


class Crop(OneInput, frozen=True, tag="crop"):
    """Some rows and columns of a picture; pixels without a value stay so.

    Attributes:
        rows: how many.
        columns: how many.
        row: the first, counted from 0 at the top.
        column: the first, counted from 0 at the left.
    """

    rows: _Length
    columns: _Length
    row: _Place = 0
    column: _Place = 0

    @property
    def corner(self) -> tuple[int, int]:
        """As `Stage`."""
        return self.row, self.column


def _result(stage: Crop, inputs: Signals) -> Signal:
    """`rows` x `columns` of the input, which is a picture that has them."""
    (signal,) = inputs
    rows, columns = picture(stage, signal)
    for name, first, length, there in (
        ("rows", stage.row, stage.rows, rows),
        ("columns", stage.column, stage.columns, columns),
    ):
        if first + length > there:
            raise stage.fail(f'takes {name} {first} to {first + length - 1} of "{signal.name}", which has {there}')
    return Signal(stage.gives, (stage.rows, stage.columns), signal.unit, signal.rate_hz, signal.clock)


def _apply(stage: Crop, inputs: Signals, values: Arrays) -> Values:
    rows = slice(stage.row, stage.row + stage.rows)
    columns = slice(stage.column, stage.column + stage.columns)
    return np.ascontiguousarray(values[0][:, rows, columns])


OP = Elementwise(Crop, _result, _apply, "copies.")

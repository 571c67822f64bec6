"""difference: one side less the other."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import difference_unit, picture
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_Place = Annotated[int, Meta(ge=0, le=65535)]


class Difference(OneInput, frozen=True, tag="difference"):
    """What one side has more than the other: of pairs of channels, as left and right toe, or of a picture's left half and right half.

    A body is nearly alike on both sides, so that ambient, sweat and fever cancel. A difference of which either side has no value has
    none.

    Attributes:
        first: places counted from 0 of what is taken from; left out, the sample is a picture whose left half less its mirrored right
            half is given, a middle column being in neither.
        second: places of what is taken away, one for each of `first`.
    """

    first: Annotated[tuple[_Place, ...], Meta(max_length=1024)] = ()
    second: Annotated[tuple[_Place, ...], Meta(max_length=1024)] = ()


def places(stage: Difference, signal: Signal) -> tuple[list[int], list[int]]:
    """Places of what is taken from, and of what is taken away."""
    if stage.first:
        return list(stage.first), list(stage.second)
    rows, columns = signal.shape
    starts = range(0, rows * columns, columns)
    half = range(columns // 2)
    return [row + at for row in starts for at in half], [row + columns - 1 - at for row in starts for at in half]


def _result(stage: Difference, inputs: Signals) -> Signal:
    """A number a pair, or a picture of half the columns; K where the input is in degC."""
    (signal,) = inputs
    if len(stage.first) != len(stage.second):
        raise stage.fail(
            f"has {len(stage.first)} places as first and {len(stage.second)} as second; give as many of both"
        )
    if stage.first:
        most = max(*stage.first, *stage.second)
        if most >= signal.elements:
            raise stage.fail(f'takes place {most} of "{signal.name}", which has {signal.elements}, counted from 0')
        shape: tuple[int, ...] = (len(stage.first),)
    else:
        rows, columns = picture(stage, signal)
        shape = (rows, columns // 2)
    return Signal(stage.gives, shape, difference_unit(signal.unit), signal.rate_hz, signal.clock)


def _apply(stage: Difference, inputs: Signals, values: Arrays) -> Values:
    (signal,) = inputs
    first, second = places(stage, signal)
    flat = values[0].reshape(len(values[0]), -1)
    found = np.asarray(flat[:, first] - flat[:, second], np.float32)
    return found if stage.first else found.reshape(len(found), signal.shape[0], -1)


OP = Elementwise(Difference, _result, _apply, "one float32 subtraction a pair.")

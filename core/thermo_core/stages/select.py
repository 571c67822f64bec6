"""select: some elements of a sample, in any order and as often as wanted."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Select(OneInput, frozen=True, tag="select"):
    """Elements by their places in the sample, counted row by row from 0.

    Attributes:
        places: of each element of the result.
        shape: of the result; as many in a row as there are places where left out.
    """

    places: Annotated[tuple[Annotated[int, Meta(ge=0, le=65535)], ...], Meta(min_length=1, max_length=4096)]
    shape: Annotated[tuple[Annotated[int, Meta(ge=1, le=4096)], ...], Meta(max_length=3)] | None = None


def _result(stage: Select, inputs: Signals) -> Signal:
    """A number a place, in `shape` where given."""
    (signal,) = inputs
    if max(stage.places) >= signal.elements:
        raise stage.fail(f"selects place {max(stage.places)} of {signal.elements} elements; they are counted from 0")
    shape = (len(stage.places),) if stage.shape is None else stage.shape
    if int(np.prod(shape, dtype=np.int64)) != len(stage.places):
        raise stage.fail(f"has the shape {list(shape)} for {len(stage.places)} places; make them agree")
    return Signal(stage.gives, shape, signal.unit, signal.rate_hz, signal.clock)


def _apply(stage: Select, inputs: Signals, values: Arrays) -> Values:
    picked = values[0].reshape(len(values[0]), -1)[:, list(stage.places)]
    shape = picked.shape[1:] if stage.shape is None else stage.shape
    return picked.reshape(len(picked), *shape)


OP = Elementwise(Select, _result, _apply, "copies.")

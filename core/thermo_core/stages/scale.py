"""scale: a sample times a factor, less an offset."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.signals import Signal, Unit, Values
from thermo_core.stages.picture import difference_unit
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_Real = Annotated[float, Meta(ge=-1e9, le=1e9)]


class Scale(OneInput, frozen=True, tag="scale"):
    """(x - offset) * factor.

    Attributes:
        offset: taken away first, in the signal's unit.
        factor: multiplied by.
        unit: of the result. Where left out: that of the signal without offset and factor, K of degC less an offset; none times a factor.
    """

    offset: _Real = 0.0
    factor: _Real = 1.0
    unit: Unit | None = None


def _result(stage: Scale, inputs: Signals) -> Signal:
    """That of the input, with `unit` where given."""
    (signal,) = inputs
    unit = stage.unit
    if unit is None:
        unit = "" if stage.factor != 1 else difference_unit(signal.unit) if stage.offset else signal.unit
    return Signal(stage.gives, signal.shape, unit, signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: Scale, inputs: Signals, values: Arrays) -> Values:
    return np.asarray((values[0] - np.float32(stage.offset)) * np.float32(stage.factor), np.float32)


OP = Elementwise(Scale, _result, _apply, "one float32 subtraction, one float32 multiplication.")

"""prefer: the first of several signals that has a value."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import NO_VALUE, Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, Signals, Stage


class Prefer(Stage, frozen=True, tag="prefer"):
    """Element by element the first signal that has a value there, as when one sensor stands in for another.

    Why one of them has no value does not go on as a flag; where none has a value there, the sample is flagged MISSING.

    Attributes:
        of: the signals, the best one first, all of one shape and clock.
    """

    of: Annotated[tuple[Ref, ...], Meta(min_length=2, max_length=8)]


def _result(stage: Prefer, inputs: Signals) -> Signal:
    """That of the inputs, which share shape, unit and clock."""
    first = inputs[0]
    for signal in inputs[1:]:
        if signal.shape != first.shape or signal.unit != first.unit:
            raise stage.fail(
                f'takes "{signal.name}" ({list(signal.shape)} in {signal.unit or "no unit"}) in place of "{first.name}" '
                f"({list(first.shape)} in {first.unit or 'no unit'}); give signals of one shape and unit"
            )
    return Signal(stage.gives, first.shape, first.unit, first.rate_hz, first.clock, first.spacing_s)


def _apply(stage: Prefer, inputs: Signals, values: Arrays) -> Values:
    found = values[0]
    for other in values[1:]:
        found = np.where(np.isnan(found), other, found)
    return np.asarray(found, np.float32)


def _flags(stage: Prefer, inputs: Signals, values: Arrays, out: Values) -> NDArray[np.uint16]:
    replaced = (np.isnan(values[0]) & ~np.isnan(out)).reshape(len(out), -1).any(1)
    filled = np.where(replaced, np.uint16(Quality.FILLED), np.uint16(0))
    missing = np.where(np.isnan(out).reshape(len(out), -1).any(1), np.uint16(Quality.MISSING), np.uint16(0))
    return np.asarray(filled | missing, np.uint16)


OP = Elementwise(
    Prefer, _result, _apply, "copies. Adds the flag FILLED where the first signal had no value.", _flags, NO_VALUE
)

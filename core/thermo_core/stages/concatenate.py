"""concatenate: several signals as one."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, Signals, Stage


class Concatenate(Stage, frozen=True, tag="concatenate"):
    """The elements of several signals of one clock in a row, those of the first signal first.

    Attributes:
        of: the signals, in order.
    """

    of: Annotated[tuple[Ref, ...], Meta(min_length=2, max_length=64)]


def _result(stage: Concatenate, inputs: Signals) -> Signal:
    """One row of all elements; inputs of one clock. Their unit where they share one."""
    units = {signal.unit for signal in inputs}
    return Signal(
        stage.gives,
        (sum(signal.elements for signal in inputs),),
        units.pop() if len(units) == 1 else "",
        inputs[0].rate_hz,
        inputs[0].clock,
    )


def _apply(stage: Concatenate, inputs: Signals, values: Arrays) -> Values:
    return np.concatenate([part.reshape(len(part), -1) for part in values], axis=1)


OP = Elementwise(Concatenate, _result, _apply, "copies.")

"""stack: several pictures as the channels of one."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.picture import picture
from thermo_core.stages.stage import Arrays, Elementwise, Signals, Stage


class Stack(Stage, frozen=True, tag="stack"):
    """Pictures of one size laid upon each other: each pixel has a number of each, as a network takes channels.

    Attributes:
        of: the pictures, in order.
    """

    of: Annotated[tuple[Ref, ...], Meta(min_length=2, max_length=16)]


def _result(stage: Stack, inputs: Signals) -> Signal:
    """Rows x columns x pictures; inputs are pictures of one size and clock. Their unit where they share one."""
    first = inputs[0]
    for signal in inputs:
        if picture(stage, signal) != picture(stage, first):
            raise stage.fail(
                f'takes "{signal.name}" ({" x ".join(map(str, signal.shape))}) with "{first.name}" '
                f"({' x '.join(map(str, first.shape))}); give pictures of one size"
            )
    units = {signal.unit for signal in inputs}
    unit = units.pop() if len(units) == 1 else ""
    return Signal(stage.gives, (*first.shape, len(inputs)), unit, first.rate_hz, first.clock)


def _apply(stage: Stack, inputs: Signals, values: Arrays) -> Values:
    return np.stack(values, axis=-1)


OP = Elementwise(Stack, _result, _apply, "copies.")

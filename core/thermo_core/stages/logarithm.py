"""logarithm: numbers that spread over decades, evenly."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Logarithm(OneInput, frozen=True, tag="logarithm"):
    """ln(x + offset); no value where that is not above 0.

    Attributes:
        offset: added first, in the signal's unit.
    """

    offset: Annotated[float, Meta(ge=0, le=1e6)] = 0.0


def _result(stage: Logarithm, inputs: Signals) -> Signal:
    """That of the input, without a unit."""
    (signal,) = inputs
    return Signal(stage.gives, signal.shape, "", signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: Logarithm, inputs: Signals, values: Arrays) -> Values:
    return float32.log(np.asarray(values[0] + np.float32(stage.offset), np.float32))


OP = Elementwise(Logarithm, _result, _apply, "one float32 addition, then the float32 logarithm of `float32.log`.")

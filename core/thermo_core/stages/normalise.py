"""normalise: numbers by what is usual of each."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.schema import Floats
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Normalise(OneInput, frozen=True, tag="normalise"):
    """(x - centre) / spread, held within a limit; an element without a value becomes 0, which is its centre.

    Attributes:
        centre: of each element, or one of all, in the signal's unit.
        spread: likewise, above 0.
        limit: largest magnitude of the result.
    """

    centre: Floats
    spread: Floats
    limit: Annotated[float, Meta(gt=0, le=1e6)] = 4.0


def _result(stage: Normalise, inputs: Signals) -> Signal:
    """That of the input, without a unit; takes 1 centre and spread, or one an element."""
    (signal,) = inputs
    for name, constants in (("centre", stage.centre), ("spread", stage.spread)):
        if len(constants) not in (1, signal.elements):
            raise stage.fail(
                f"has {len(constants)} numbers as {name} for {signal.elements} elements; give 1 or {signal.elements}"
            )
    if (stage.spread.array <= 0).any():
        raise stage.fail("has a spread that is not above 0; correct it")
    return Signal(stage.gives, signal.shape, "", signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: Normalise, inputs: Signals, values: Arrays) -> Values:
    flat = values[0].reshape(len(values[0]), -1)
    scaled = (flat - stage.centre.array) / stage.spread.array
    limit = np.float32(stage.limit)
    bounded = np.clip(np.where(np.isnan(scaled), np.float32(0), scaled), -limit, limit)
    return np.asarray(bounded, np.float32).reshape(values[0].shape)


def _flags(stage: Normalise, inputs: Signals, values: Arrays, out: Values) -> NDArray[np.uint16]:
    missing = np.isnan(values[0]).reshape(len(values[0]), -1).any(1)
    return np.where(missing, np.uint16(Quality.FILLED), np.uint16(0)).astype(np.uint16)


OP = Elementwise(
    Normalise,
    _result,
    _apply,
    "one float32 subtraction and one float32 division an element; NaN to 0; clipped. Adds the flag FILLED where there was NaN.",
    _flags,
)

"""centre: a sample less its own middle."""

from typing import Literal

import numpy as np

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Centre(OneInput, frozen=True, tag="centre"):
    """Each element less the sample's middle: what ambient and skin add to all alike goes.

    The median, unlike the mean, hardly moves with a small warm spot. Elements without a value stay so and do not count.

    Attributes:
        by: "median" or "mean".
    """

    by: Literal["median", "mean"] = "median"


def _result(stage: Centre, inputs: Signals) -> Signal:
    """That of the input, which has two elements or more; K where that is degC."""
    (signal,) = inputs
    if signal.elements < 2:
        raise stage.fail("takes away a sample's middle, which leaves nothing of a single number; leave it out")
    unit = "K" if signal.unit == "degC" else signal.unit
    return Signal(stage.gives, signal.shape, unit, signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: Centre, inputs: Signals, values: Arrays) -> Values:
    flat = values[0].reshape(len(values[0]), -1)
    middle = float32.median(flat) if stage.by == "median" else _mean(flat)
    return (flat - middle[:, np.newaxis]).reshape(values[0].shape)


def _mean(flat: Values) -> Values:
    missing = np.isnan(flat)
    count = (flat.shape[1] - missing.sum(1)).astype(np.float32)
    with np.errstate(invalid="ignore"):
        return np.asarray(float32.total(np.where(missing, np.float32(0), flat)) / count, np.float32)


OP = Elementwise(
    Centre,
    _result,
    _apply,
    "median: (lower middle + upper middle) * 0.5 in float32; mean: float32 sum in the order of elements over float32 of their "
    "number; then one float32 subtraction an element.",
)

"""lacking: which numbers have no value."""

import numpy as np

from thermo_core.quality import NO_VALUE
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Lacking(OneInput, frozen=True, tag="lacking"):
    """1 for each element that has no value, 0 for the others: which nodes of a garment are off, for an alert to go by.

    That numbers lack is what this tells, so why they lack does not go on as a flag.
    """


def _result(stage: Lacking, inputs: Signals) -> Signal:
    """That of the input, without a unit."""
    (signal,) = inputs
    return Signal(stage.gives, signal.shape, "", signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: Lacking, inputs: Signals, values: Arrays) -> Values:
    return np.asarray(~np.isfinite(values[0]), np.float32)


OP = Elementwise(Lacking, _result, _apply, "0 and 1. Infinity is no value.", settles=NO_VALUE)

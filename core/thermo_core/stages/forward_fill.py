"""forward_fill: what has no value for a moment keeps the one it had."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals


class ForwardFill(OneInput, frozen=True, tag="forward_fill"):
    """Element by element the last value there was, for a while; then none.

    Flags of the samples that are filled in stay as they are, so that alerts doubt what a sensor was off for.

    Attributes:
        oldest_s: age from which a value is none any more.
    """

    oldest_s: Annotated[float, Meta(gt=0, le=86_400)] = 10.0


def oldest_us(stage: ForwardFill) -> int:
    """`oldest_s` in microseconds."""
    return round(stage.oldest_s * 1e6)


class _Filler:
    def __init__(self, stage: ForwardFill, inputs: Signals) -> None:
        self._oldest_us = oldest_us(stage)
        self._last = np.full(inputs[0].elements, np.nan, np.float32)
        self._since_us = np.zeros(inputs[0].elements, np.int64)

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        (values,) = moments.values
        found = values.reshape(len(values), -1).copy()
        flags = np.zeros(len(values), np.uint16)
        for place, time_us in enumerate(moments.times_us.tolist()):
            row = found[place]
            known = ~np.isnan(row)
            self._last[known], self._since_us[known] = row[known], time_us
            filled = ~known & ~np.isnan(self._last) & (time_us - self._since_us <= self._oldest_us)
            if filled.any():
                row[filled] = self._last[filled]
                flags[place] = Quality.FILLED
        return found.reshape(values.shape), flags


def _result(stage: ForwardFill, inputs: Signals) -> Signal:
    """That of the input."""
    (signal,) = inputs
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(ForwardFill, _result, _Filler, "copies. Adds the flag FILLED where a value was filled in.")

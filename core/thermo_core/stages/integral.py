"""integral: what a rate has come to since the start."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Signal, Unit, Values
from thermo_core.stages.elapsed import Elapsed
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals


class Integral(OneInput, frozen=True, tag="integral"):
    """The sum of a signal over time, element by element: watts become joules.

    A sample stands for the time since the one before, or for a period where that is longer than a gap. Numbers without a value, and
    samples with a flag that alerts do not trust, add nothing: the sum so far is given, flagged FILLED. There is no value before
    something was added. The sum outlives times without samples, and begins anew with a restart.

    Attributes:
        factor: multiplied by, as 1 / 4184 for kilocalories out of watts.
        unit: of the result; none where left out.
    """

    factor: Annotated[float, Meta(gt=0, le=1e9)] = 1.0
    unit: Unit = ""


class _Sum:
    def __init__(self, stage: Integral, inputs: Signals) -> None:
        self._elapsed = Elapsed(inputs[0].gap_us)
        self._factor = np.float32(stage.factor)
        self._sum = np.full(inputs[0].elements, np.nan, np.float32)
        self._rest = np.zeros(inputs[0].elements, np.float32)

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        (values,) = moments.values
        rows = values.reshape(len(values), -1)
        found = np.empty_like(rows)
        trusted = (moments.flags & np.uint16(DOUBTFUL)) == 0
        flags = np.zeros(len(rows), np.uint16)
        with np.errstate(all="ignore"):
            for place, time_us in enumerate(moments.times_us.tolist()):
                seconds = np.float32(self._elapsed.since(time_us)) * np.float32(1e-6)
                if not (trusted[place] and self._add((rows[place] * seconds) * self._factor)):
                    flags[place] = Quality.FILLED
                found[place] = self._sum
        return found.reshape(values.shape), flags

    def _add(self, step: Values) -> bool:
        """Kahan's sum, in which small steps are not lost beside a large sum; whether each element had a step."""
        wanted = step + self._rest
        before = np.where(np.isnan(self._sum), np.float32(0), self._sum)
        added = before + wanted
        known = np.isfinite(added)
        self._rest = np.where(known, wanted - (added - before), self._rest).astype(np.float32)
        self._sum = np.where(known, added, self._sum).astype(np.float32)
        return bool(known.all())


def _result(stage: Integral, inputs: Signals) -> Signal:
    """That of the input, which comes at a rate, with `unit` where given: times a second it is another one."""
    (signal,) = inputs
    stage.needs_rate(signal)
    return Signal(stage.gives, signal.shape, stage.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(
    Integral,
    _result,
    _Sum,
    "float32; step = (x * (float32(microseconds) * float32(1e-6))) * factor; Kahan's sum: wanted = step + rest, new = sum + wanted, rest = "
    "wanted - (new - sum). What leaves float32 adds nothing.",
    lasting=True,
)

"""domain_gate: flags what cannot be told because something about it is beyond what it was made for."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals


class DomainGate(OneInput, frozen=True, tag="domain_gate"):
    """Lets a signal through and flags it OUT_OF_DOMAIN while a number of another is beyond a range or has no value.

    The numbers stay as they are: what they are worth goes by the flag, and an alert does not move. What is told by may be the signal
    itself, a statistic of it, or what a network says of its own input.

    Attributes:
        by: what tells it, at the same moments.
        low: the lowest of its numbers that is within.
        high: the highest.
        calibrated: whether what is flagged UNCALIBRATED is beyond, too.
    """

    by: Ref
    low: Annotated[float, Meta(ge=-1e9, le=1e9)] = -1e9
    high: Annotated[float, Meta(ge=-1e9, le=1e9)] = 1e9
    calibrated: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """What is let through, and what tells."""
        return (self.of, self.by)


class _Gate:
    def __init__(self, stage: DomainGate, inputs: Signals) -> None:
        self._low, self._high = np.float32(stage.low), np.float32(stage.high)
        self._told = np.uint16(Quality.UNCALIBRATED if stage.calibrated else 0)

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        values, by = moments.values
        numbers = by.reshape(len(by), -1)
        beyond = ~((numbers >= self._low) & (numbers <= self._high)).all(1) | ((moments.flags & self._told) != 0)
        return values, np.where(beyond, np.uint16(Quality.OUT_OF_DOMAIN), np.uint16(0)).astype(np.uint16)


def _result(stage: DomainGate, inputs: Signals) -> Signal:
    """That of the first input."""
    if not stage.low <= stage.high:
        raise stage.fail(f"lets through from {stage.low:g} to {stage.high:g}; make low the lower one")
    signal = inputs[0]
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(DomainGate, _result, _Gate, "copies; float32 comparisons. Adds the flag OUT_OF_DOMAIN.")

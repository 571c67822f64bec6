"""motion_gate: flags what was measured while somebody moved."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

_LONG_AGO_US = -(1 << 62)


class MotionGate(OneInput, frozen=True, tag="motion_gate"):
    """Lets a signal through and flags it MOVING while a number of another is above a threshold, and for a while after.

    The numbers stay as they are: what needs rest goes by the flag, as alerts do. Motion without a value is not above the threshold,
    and what its sensor was flagged with goes on to the result as its flags.

    Attributes:
        motion: what tells motion, such as the spread that "enmo" gives, at the same moments.
        threshold: in the unit of `motion`.
        hold_s: seconds for which the flag stays after the last motion.
    """

    motion: Ref
    threshold: Annotated[float, Meta(ge=0, le=1e6)] = 0.03
    hold_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """What is let through, and what tells motion."""
        return (self.of, self.motion)


def hold_us(stage: MotionGate) -> int:
    """`hold_s` in microseconds."""
    return round(stage.hold_s * 1e6)


class _Gate:
    def __init__(self, stage: MotionGate, inputs: Signals) -> None:
        self._threshold = np.float32(stage.threshold)
        self._hold_us = hold_us(stage)
        self._newest_us = _LONG_AGO_US  # time of the newest motion

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        values, motion = moments.values
        moving = (motion.reshape(len(motion), -1) > self._threshold).any(1)
        newest_us = np.where(moving, moments.times_us, _LONG_AGO_US)
        newest_us = np.maximum(np.maximum.accumulate(newest_us), self._newest_us)
        self._newest_us = int(newest_us[-1])
        flags = np.where(moments.times_us - newest_us <= self._hold_us, np.uint16(Quality.MOVING), np.uint16(0)).astype(
            np.uint16
        )
        return values, flags


def _result(stage: MotionGate, inputs: Signals) -> Signal:
    """That of the first input."""
    signal = inputs[0]
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(MotionGate, _result, _Gate, "copies. Adds the flag MOVING.")

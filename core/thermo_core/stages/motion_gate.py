"""motion_gate: flags what was measured while somebody moved."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MAX_HELD = 65_535


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


def held(stage: MotionGate, signal: Signal) -> int:
    """Samples that are flagged for one with motion, itself among them."""
    return 1 + round(stage.hold_s * signal.rate_hz)


class _Gate:
    def __init__(self, stage: MotionGate, inputs: Signals) -> None:
        self._threshold = np.float32(stage.threshold)
        self._held = held(stage, inputs[0])
        self._since = self._held  # samples since the newest motion

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        values, motion = moments.values
        moving = (motion.reshape(len(motion), -1) > self._threshold).any(1)
        places = np.arange(len(motion))
        newest = np.maximum.accumulate(np.where(moving, places, -1))
        since = np.where(newest >= 0, places - newest, places + 1 + self._since)
        self._since = min(int(since[-1]), self._held)
        flags = np.where(since < self._held, np.uint16(Quality.MOVING), np.uint16(0)).astype(np.uint16)
        return values, flags


def _result(stage: MotionGate, inputs: Signals) -> Signal:
    """That of the first input."""
    signal = inputs[0]
    if stage.hold_s and not signal.rate_hz:
        raise stage.fail(f'takes "{signal.name}", which comes now and then, not at a rate; leave out hold_s')
    if held(stage, signal) > MAX_HELD:
        raise stage.fail(f"holds for {held(stage, signal)} samples, and {MAX_HELD} are possible; shorten hold_s")
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(MotionGate, _result, _Gate, "copies; times are counted in samples. Adds the flag MOVING.")

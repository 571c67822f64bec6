"""contact_gate: nodes that were lifted or set down, told by their steps."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MAX_BEHIND = 64
MAX_HELD = 65_535


class ContactGate(OneInput, frozen=True, tag="contact_gate"):
    """Takes away the numbers of a node for a while after a step that skin cannot make, which means that the node has moved.

    A node that changes by more than `step` within `within_s` has no value from that sample on for `hold_s`, and so again with each
    further step. The sample is flagged MOVING as long as a node is held back. Numbers without a value tell no step.

    Attributes:
        step: largest change that is one of the skin, in the signal's unit.
        within_s: seconds in which it may come; one sample at least.
        hold_s: seconds for which the node has no value; the sample with the step in any case.
    """

    step: Annotated[float, Meta(gt=0, le=1e6)] = 0.3
    within_s: Annotated[float, Meta(gt=0, le=60)] = 1.0
    hold_s: Annotated[float, Meta(ge=0, le=3600)] = 60.0


def behind(stage: ContactGate, signal: Signal) -> int:
    """Samples before a sample that it is compared with."""
    return max(1, round(stage.within_s * signal.rate_hz))


def held(stage: ContactGate, signal: Signal) -> int:
    """Samples for which a node has no value, the one with the step among them."""
    return max(1, round(stage.hold_s * signal.rate_hz))


class _Gate:
    def __init__(self, stage: ContactGate, inputs: Signals) -> None:
        (signal,) = inputs
        self._step = np.float32(stage.step)
        self._behind, self._held = behind(stage, signal), held(stage, signal)
        self._before = np.full((self._behind, signal.elements), np.nan, np.float32)
        self._since = np.full(signal.elements, self._held, np.int64)  # samples since the newest step

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        values = moments.values[0]
        count = len(values)
        x = values.reshape(count, -1)
        rows = np.concatenate([self._before, np.where(np.isfinite(x), x, np.float32(np.nan)).astype(np.float32)])
        self._before = rows[count:]
        now = rows[self._behind :]
        moved = np.zeros(x.shape, np.bool_)
        with np.errstate(all="ignore"):
            for back in range(1, self._behind + 1):
                moved |= np.abs(now - rows[self._behind - back : len(rows) - back]) > self._step
        places = np.arange(count)[:, np.newaxis]
        newest = np.maximum.accumulate(np.where(moved, places, -1), axis=0)
        since = np.where(newest >= 0, places - newest, places + 1 + self._since)
        self._since = np.minimum(since[-1], self._held)
        shut = since < self._held
        given = np.where(shut, np.float32(np.nan), now).astype(np.float32)
        flags = np.where(shut.any(1), np.uint16(Quality.MOVING), np.uint16(0)).astype(np.uint16)
        return given.reshape(values.shape), flags


def _result(stage: ContactGate, inputs: Signals) -> Signal:
    """That of the input, which comes at a rate."""
    (signal,) = inputs
    stage.needs_rate(signal)
    if behind(stage, signal) > MAX_BEHIND or held(stage, signal) > MAX_HELD:
        raise stage.fail(
            f"looks back over {behind(stage, signal)} samples and holds back {held(stage, signal)}; {MAX_BEHIND} and {MAX_HELD} are "
            "possible, so shorten within_s and hold_s or resample the signal first"
        )
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Recursive(
    ContactGate,
    _result,
    _Gate,
    "copies; float32 differences to each of the samples of the last `within_s`; times are counted in samples. Infinity is no value.",
    bound="rate_hz",
)

"""average: the running mean of the last samples, in fixed-point steps."""

from collections import deque
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import OneInput, Remembering, Signals
from thermo_core.wire.table import within

_LARGEST = np.float32(32767)
_NO_VALUE = np.int16(-32768)


class Average(OneInput, frozen=True, tag="average"):
    """The mean of the last samples, element by element: it lowers white noise by the root of their number.

    Samples are kept in whole steps, so that a microcontroller holds sixteen pictures in 24 kB: the mean is off by at most half a
    step, and what rounding adds to its noise is 0.29 steps over the root of their number.

    Attributes:
        pictures: how many samples; nothing is given before so many have come.
        step: size of a step, in the signal's unit; values beyond 32767 steps saturate.
    """

    pictures: Annotated[int, within("average_pictures")]
    step: Annotated[float, Meta(ge=1e-6, le=1e3)] = 0.0078125


def factors(stage: Average) -> tuple[np.float32, np.float32]:
    """What a sample, and the sum of steps, are multiplied by: 1 / step and step / pictures."""
    return np.float32(1) / np.float32(stage.step), np.float32(stage.step) / np.float32(stage.pictures)


class _Mean:
    def __init__(self, stage: Average, signal: Signal) -> None:
        self._inverse, self._factor = factors(stage)
        self._length = stage.pictures
        self._kept: deque[NDArray[np.int16]] = deque(maxlen=stage.pictures)

    def push(self, values: Values) -> Values | None:
        self._kept.append(self._steps(values))
        if len(self._kept) < self._length:
            return None
        return self._mean(np.stack(self._kept), 0)

    def run(self, values: Values) -> tuple[NDArray[np.int64], Values]:
        if len(values) < self._length:
            return np.zeros(0, np.int64), np.zeros((0, *values.shape[1:]), np.float32)
        windows = sliding_window_view(self._steps(values), self._length, axis=0)
        return np.arange(self._length - 1, len(values)), self._mean(windows, -1)

    def _steps(self, values: Values) -> NDArray[np.int16]:
        missing = np.isnan(values)
        known = np.where(missing, np.float32(0), values)  # 0 would make float64 of a single number
        steps = np.rint(np.clip(known * self._inverse, -_LARGEST, _LARGEST)).astype(np.int16)
        return np.where(missing, _NO_VALUE, steps).astype(np.int16)

    def _mean(self, steps: NDArray[np.int16], axis: int) -> Values:
        sums = steps.sum(axis, dtype=np.int32).astype(np.float32) * self._factor
        return np.where((steps == _NO_VALUE).any(axis), np.float32(np.nan), sums).astype(np.float32)


def _result(stage: Average, inputs: Signals) -> Signal:
    """That of the input; its unit, rate and clock too."""
    (signal,) = inputs
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


OP = Remembering(
    Average,
    _result,
    _Mean,
    lambda stage: stage.pictures,
    "x / step, saturated to +-32767 and rounded half to even, as int16 (-32768 is no value); int32 sum; float32 of it times "
    "float32(step / pictures). Exact in any order.",
)

"""window: the last samples as rows of one array."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import OneInput, Remembering, Signals

MAX_ELEMENTS = 65_536


class Window(OneInput, frozen=True, tag="window"):
    """The last samples, the oldest first: time becomes the first axis.

    Attributes:
        length: samples in a window.
        every: samples from one window to the next.
    """

    length: Annotated[int, Meta(ge=2, le=4096)]
    every: Annotated[int, Meta(ge=1, le=4096)] = 1


class _Ring:
    def __init__(self, stage: Window, signal: Signal) -> None:
        self._length, self._every = stage.length, stage.every
        self._rows = np.zeros((stage.length, *signal.shape), np.float32)
        self._count = 0

    def push(self, values: Values) -> Values | None:
        self._rows[self._count % self._length] = values
        self._count += 1
        if self._count < self._length or (self._count - self._length) % self._every:
            return None
        return np.roll(self._rows, -(self._count % self._length), axis=0)

    def run(self, values: Values) -> tuple[NDArray[np.int64], Values]:
        if len(values) < self._length:
            return np.zeros(0, np.int64), np.zeros((0, self._length, *values.shape[1:]), np.float32)
        windows = np.moveaxis(sliding_window_view(values, self._length, axis=0), -1, 1)[:: self._every]
        return self._length - 1 + self._every * np.arange(len(windows)), np.ascontiguousarray(windows)


def _result(stage: Window, inputs: Signals) -> Signal:
    """`length` x that of the input, of two axes at most and 65536 numbers in all; a clock of its own where `every` is above 1."""
    (signal,) = inputs
    if len(signal.shape) > 2:
        raise stage.fail(f'takes "{signal.name}", which has {len(signal.shape)} axes already; select from it first')
    stage.needs_rate(signal)
    if stage.length * signal.elements > MAX_ELEMENTS:
        raise stage.fail(f"would hold {stage.length * signal.elements} numbers and may hold {MAX_ELEMENTS}; shorten it")
    clock = signal.clock if stage.every == 1 else f"{signal.clock}/{stage.length}/{stage.every}"
    shape = (stage.length, *signal.shape)
    return Signal(stage.gives, shape, signal.unit, signal.rate_hz / stage.every, clock, 1 / signal.rate_hz)


OP = Remembering(Window, _result, _Ring, lambda stage: stage.length, "copies.")

"""What a kernel tells the planner (scratch, overlaps) and the emitter (its C)."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np

from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Layer, Window
from thermo_quantize.compiler.memory import NONE, Overlap

L = TypeVar("L", bound=Layer)


class Kernel(ABC, Generic[L]):
    """The code of one layer."""

    def __init__(self, layer: L) -> None:
        self.layer = layer

    @property
    def scratch(self) -> int:
        """Bytes of scratch."""
        return 0

    def overlap(self, number: int) -> Overlap:
        """How the output may overlap input `number`."""
        return NONE

    @property
    @abstractmethod
    def instructions(self) -> int:
        """Estimate of the instructions of one run."""

    @abstractmethod
    def emit(self, unit: Unit, position: int) -> None:
        """Write the layer."""


def window_lag(
    window: Window, in_bytes: int, out_bytes: int, block: int = 1, buffered: bool = True, up: tuple[int, int] = (1, 1)
) -> int:
    """How far after its input an output may begin when pixels are computed in order, `block` at a time.

    Args:
        window: what each pixel sees.
        in_bytes: bytes of an input pixel.
        out_bytes: bytes of an output pixel.
        block: pixels whose inputs are read before any of them is written.
        buffered: whether all of a block's inputs are read before its first output is written.
        up: repetition of the stored input's pixels (rows, columns).
    """
    rows = np.maximum(np.arange(window.out_h) * window.stride_h - window.pad_h, 0).clip(max=window.in_h - 1) // up[0]
    columns = np.maximum(np.arange(window.out_w) * window.stride_w - window.pad_w, 0).clip(max=window.in_w - 1) // up[1]
    first = ((rows[:, None] * (window.in_w // up[1]) + columns[None, :]) * in_bytes).ravel().astype(np.int64)
    needed = np.minimum.accumulate(first[::-1])[::-1]
    starts = np.arange(0, window.pixels, block)
    if buffered:
        starts = starts[1:]
        written = starts
    else:
        written = np.minimum(starts + block, window.pixels)
    everything = window.in_h * window.in_w * in_bytes
    return int((needed[starts] - written * out_bytes).min(initial=everything))

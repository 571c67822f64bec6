"""What a kernel tells the planner (scratch, overlaps) and the emitter (its C)."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np

from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv, Layer, Window
from thermo_quantize.compiler.memory import NONE, Overlap, union

_BACKWARD_COST = 1.03

L = TypeVar("L", bound=Layer)


class Kernel(ABC, Generic[L]):
    """The code of one layer."""

    def __init__(self, layer: L) -> None:
        self.layer = layer

    @property
    def scratch(self) -> int:
        """Bytes of scratch."""
        return 0

    @property
    def state(self) -> int:
        """Bytes that last from run to run, zeros at the start."""
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


def window_lead(
    window: Window,
    in_bytes: int,
    out_bytes: int,
    starts: list[int],
    buffered: bool = True,
    up: tuple[int, int] = (1, 1),
) -> int:
    """How far after its input an output must begin at least when pixels are computed from the last to the first.

    Args:
        window: what each pixel sees.
        in_bytes: bytes of an input pixel.
        out_bytes: bytes of an output pixel.
        starts: first pixel of each block whose inputs are read before any of it is written.
        buffered: whether all of a block's inputs are read before its first output is written.
        up: repetition of the stored input's pixels (rows, columns).
    """
    last = np.arange(window.out_h) * window.stride_h - window.pad_h + window.reach_h - 1
    rows = last.clip(min=0, max=window.in_h - 1) // up[0]
    last = np.arange(window.out_w) * window.stride_w - window.pad_w + window.reach_w - 1
    columns = last.clip(min=0, max=window.in_w - 1) // up[1]
    ends = ((rows[:, None] * (window.in_w // up[1]) + columns[None, :] + 1) * in_bytes).ravel().astype(np.int64)
    needed = np.maximum.accumulate(ends)
    first = np.array(starts)
    if buffered:
        first = first[first > 0]
        return int((needed[first - 1] - first * out_bytes).max(initial=-window.pixels * out_bytes))
    return int((needed[first] - first * out_bytes).max())


class ConvOrder:
    """Whether a convolution runs from its first pixel or from its last, whichever lets its output overlap its input more.

    A growing output would overtake its input forwards.

    Args:
        layer: the convolution.
        block: pixels at a time; what does not fill a block goes one by one, as the image's last pixels.
        buffered: whether a block's inputs are all read before its first output is written.
    """

    def __init__(self, layer: Conv, block: int = 1, buffered: bool = True) -> None:
        self._layer = layer
        self._buffered = buffered
        pixels = layer.window.pixels
        whole = pixels // block * block
        self._starts = [*range(0, whole, block), *range(whole, pixels)]
        self._blocks = {block, 1} if whole != pixels and whole else {block if whole else 1}
        self.backward = False
        forward = [self.overlap(n) for n in range(len(layer.inputs))]
        self.backward = True
        backward = [self.overlap(n) for n in range(len(layer.inputs))]
        sizes = [value.size for value in layer.inputs]
        ahead, behind = (min(map(self._bytes, sizes, rules)) for rules in (forward, backward))
        # What grows forwards begins before its input; through many layers that adds up, so backwards may cost a little.
        grows = layer.output.size > max(sizes)
        self.backward = behind < ahead or (grows and behind <= _BACKWARD_COST * ahead)

    def _bytes(self, size: int, rule: Overlap) -> int:
        return union(size, self._layer.output.size, rule)

    def overlap(self, number: int) -> Overlap:
        """How the output may overlap input `number`."""
        window, out = self._layer.window, self._layer.channels_out
        sources = [source for source in self._layer.sources if source.number == number]
        if self.backward:
            leads = [
                window_lead(window, s.channels, out, self._starts, self._buffered, (s.up_h, s.up_w)) for s in sources
            ]
            return Overlap(lead=max(leads))
        return Overlap(
            lag=min(
                window_lag(window, s.channels, out, block, self._buffered, (s.up_h, s.up_w))
                for s in sources
                for block in self._blocks
            )
        )

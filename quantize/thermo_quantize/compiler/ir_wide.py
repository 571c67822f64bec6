"""Layers on int16 activations (16x8: their weights stay int8).

Pools, means, moves, resizing and conversions are those of `ir`, whose values tell the type.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.ir import Ints, Layer, Window

Scale = tuple[int, int]
"""Multiplier and exponent."""


@dataclass(frozen=True)
class WideRequant:
    """Accumulators to int16.

    Attributes:
        multipliers, exponents: of each output channel, as `fixed_point.scale` takes them.
        narrow: accumulators have 32 bits, wrap, and are scaled as int8's; otherwise 64, and the multiplier is cut to 15.
        low, high: limits.
    """

    multipliers: Ints
    exponents: Ints
    narrow: bool
    low: int
    high: int


@dataclass(frozen=True)
class _Weighted(Layer):
    """What multiplies a window by weights, the output channel first."""

    window: Window
    channels_in: int
    weights: NDArray[np.int8]
    bias: NDArray[np.int64]
    requant: WideRequant

    @property
    def channels_out(self) -> int:
        """Output channels."""
        return int(self.weights.shape[0])

    @property
    def reach(self) -> int:
        """Largest magnitude of a sum of products."""
        sums = np.abs(self.weights.reshape(self.channels_out, -1).astype(np.int64)).sum(axis=1)
        return int(32768 * sums.max(initial=0))

    @property
    def fits_32_bits(self) -> bool:
        """No sum of products and bias leaves 32 bits."""
        return self.reach + max((abs(int(start)) for start in self.bias), default=0) < 1 << 31

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.window.pixels * int(self.weights.size)


@dataclass(frozen=True)
class WideConv(_Weighted):
    """CONV_2D, and FULLY_CONNECTED as a 1x1 convolution; weights (out, kh, kw, in)."""

    @property
    def depth(self) -> int:
        """Accumulated products of one output."""
        return int(self.weights[0].size)


@dataclass(frozen=True)
class WideDepthwise(_Weighted):
    """DEPTHWISE_CONV_2D, and CONV_2D of one input channel; weights (out, kh, kw), out = in * multiplier."""

    @property
    def multiplier(self) -> int:
        """Output channels an input channel."""
        return self.channels_out // self.channels_in


@dataclass(frozen=True)
class WideTransposeConv(_Weighted):
    """TRANSPOSE_CONV; weights (out, kh, kw, in); the window is that of the convolution it is the transpose of."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.window.in_h * self.window.in_w * int(self.weights.size)


@dataclass(frozen=True)
class WideBinary(Layer):
    """ADD, SUB, MUL, MAXIMUM or MINIMUM; sizes with the strides of both inputs (0 where broadcast).

    `shifts` are those of scales that are powers of two, which the reference adds without multipliers; None otherwise.
    """

    operation: str
    sizes: Ints
    strides: tuple[Ints, Ints]
    multipliers: tuple[Scale, ...]
    shifts: tuple[int, int] | None
    low: int
    high: int


@dataclass(frozen=True)
class WideSoftmax(Layer):
    """SOFTMAX over the last axis, by tables of exp(x) from -10 to 0 and of 1 / (1 + x) from 0 to 1, interpolated."""

    rows: int
    depth: int
    scale: Scale
    exponentials: NDArray[np.int16]
    reciprocals: NDArray[np.int16]


@dataclass(frozen=True)
class WideSigmoid(Layer):
    """LOGISTIC or TANH by one table of sigmoid(i / 24), of input * multiplier / 2^shift."""

    tanh: bool
    multiplier: int
    shift: int
    table: NDArray[np.uint16]


@dataclass(frozen=True)
class Rescale(Layer):
    """Between int8 and int16 or within them, with another scale below zero where `below` differs: QUANTIZE and RELUs."""

    above: Scale
    below: Scale
    zero_points: tuple[int, int]
    low: int
    high: int

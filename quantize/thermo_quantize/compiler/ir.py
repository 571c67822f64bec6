"""What the compiler works on: values (buffers) and layers, each layer with every number its kernel needs."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thermo_core.tflite.schema import TensorType

Ints = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A buffer: the arena holds it while it is needed, or it is a constant."""

    id: int
    name: str
    shape: Ints
    type: TensorType
    data: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * (self.type.size or 1)

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Requant:
    """int32 accumulators to int8: one (multiplier, exponent) an output channel, zero point and limits."""

    multipliers: Ints
    exponents: Ints
    zero_point: int
    low: int
    high: int


@dataclass(frozen=True)
class Layer:
    """One step of the network."""

    index: int
    title: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    @property
    def output(self) -> Value:
        """The first output."""
        return self.outputs[0]

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return 0


@dataclass(frozen=True)
class Window:
    """A kernel sliding over an image (rows, columns), with as many rows and columns of padding before the first."""

    in_h: int
    in_w: int
    out_h: int
    out_w: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int = 1
    dilation_w: int = 1
    pad_h: int = 0
    pad_w: int = 0

    @property
    def pixels(self) -> int:
        """Output pixels."""
        return self.out_h * self.out_w

    @property
    def reach_h(self) -> int:
        """Input rows from the first tap to the last."""
        return (self.kernel_h - 1) * self.dilation_h + 1

    @property
    def reach_w(self) -> int:
        """Input columns from the first tap to the last."""
        return (self.kernel_w - 1) * self.dilation_w + 1

    @property
    def is_pointwise(self) -> bool:
        """Output pixel p sees nothing but input pixel p."""
        return (
            self.kernel_h == self.kernel_w == self.stride_h == self.stride_w == 1
            and (self.in_h, self.in_w) == (self.out_h, self.out_w)
            and self.pad_h == self.pad_w == 0
        )


@dataclass(frozen=True)
class Source:
    """Where some of a convolution's input channels come from: input `number`, each pixel repeated up_h x up_w times."""

    number: int
    channels: int
    up_h: int = 1
    up_w: int = 1


class _Weighted:
    """What slides weights, the output channel first, over an image."""

    window: Window
    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    input_zero_point: int

    @property
    def channels_out(self) -> int:
        """Output channels."""
        return int(self.weights.shape[0])

    @property
    def folded_bias(self) -> NDArray[np.int64]:
        """Bias that lets the kernel multiply raw inputs: padding must hold the input's zero point."""
        sums: NDArray[np.int64] = self.weights.reshape(self.channels_out, -1).astype(np.int64).sum(axis=1)
        return self.bias.astype(np.int64) - self.input_zero_point * sums

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.window.pixels * int(self.weights.size)


@dataclass(frozen=True)
class Conv(_Weighted, Layer):
    """CONV_2D, and FULLY_CONNECTED as a 1x1 convolution of `pixels` = rows; weights (out, kh, kw, in)."""

    window: Window
    sources: tuple[Source, ...]
    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    input_zero_point: int
    requant: Requant

    @property
    def depth(self) -> int:
        """Accumulated products of one output."""
        return int(self.weights[0].size)

    @property
    def channels_in(self) -> int:
        """Input channels."""
        return int(self.weights.shape[3])


@dataclass(frozen=True)
class Depthwise(_Weighted, Layer):
    """DEPTHWISE_CONV_2D, and CONV_2D of one input channel; weights (out, kh, kw), out = in * multiplier."""

    window: Window
    channels_in: int
    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    input_zero_point: int
    requant: Requant

    @property
    def multiplier(self) -> int:
        """Output channels an input channel."""
        return self.channels_out // self.channels_in


@dataclass(frozen=True)
class Streamed(Layer):
    """A convolution and the depthwise layer after it, as one row of the first and one band of the second.

    `tail` is the pointwise convolution after both, as one band, where it takes part. `feed` is the first one's window.
    """

    window: Window
    feed: Window
    row: Conv
    band: Depthwise
    tail: Conv | None = None

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        bands = self.window.out_h // self.band.window.out_h
        tail = self.tail.macs if self.tail is not None else 0
        return self.window.in_h * self.row.macs + bands * (self.band.macs + tail)


@dataclass(frozen=True)
class Pool(Layer):
    """AVERAGE_POOL_2D or MAX_POOL_2D."""

    window: Window
    channels: int
    average: bool
    low: int
    high: int


@dataclass(frozen=True)
class Mean(Layer):
    """MEAN or SUM over some axes: outputs numbered by `kept` (sizes, input strides), sums over `reduced` likewise.

    With `unsigned` the bytes are 0 to 255 on both sides, whatever the tensors' type says.
    """

    kept: tuple[Ints, Ints]
    reduced: tuple[Ints, Ints]
    multiplier: int
    exponent: int
    input_zero_point: int
    output_zero_point: int
    unsigned: bool = False


@dataclass(frozen=True)
class Binary(Layer):
    """ADD, SUB or MUL; sizes with the strides of both inputs (0 where broadcast)."""

    operation: str
    sizes: Ints
    strides: tuple[Ints, Ints]
    zero_points: tuple[int, int, int]
    multipliers: tuple[tuple[int, int], ...]
    low: int
    high: int


@dataclass(frozen=True)
class Lookup(Layer):
    """Any function of one byte."""

    table: bytes


@dataclass(frozen=True)
class Copy:
    """One loop nest: output[to + sum(i * to_strides)] = input[number][start + sum(i * strides)], in elements."""

    number: int
    sizes: Ints
    start: int
    strides: Ints
    to: int
    to_strides: Ints
    to_number: int = 0


@dataclass(frozen=True)
class Move(Layer):
    """Bytes moved, not computed: RESHAPE, CONCATENATION, SPLIT, STRIDED_SLICE, TRANSPOSE, PAD and exact upsampling."""

    copies: tuple[Copy, ...]
    fill: int | None = None


@dataclass(frozen=True)
class Gather(Layer):
    """RESIZE_NEAREST_NEIGHBOR: input row and column of each output row and column."""

    channels: int
    in_w: int
    rows: Ints
    columns: Ints


@dataclass(frozen=True)
class Bilinear(Layer):
    """RESIZE_BILINEAR: (lower, upper, weight of upper in 1/1024) of each output row and column."""

    channels: int
    in_w: int
    rows: tuple[tuple[int, int, int], ...]
    columns: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class TransposeConv(_Weighted, Layer):
    """TRANSPOSE_CONV; weights (out, kh, kw, in); the window is that of the convolution it is the transpose of."""

    window: Window
    channels_in: int
    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    input_zero_point: int
    requant: Requant

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.window.in_h * self.window.in_w * int(self.weights.size)


@dataclass(frozen=True)
class Softmax(Layer):
    """SOFTMAX over the last axis: exp of each difference from the largest, 255 - difference indexing the table."""

    rows: int
    depth: int
    exponentials: NDArray[np.int32]


@dataclass(frozen=True)
class Convert(Layer):
    """QUANTIZE of float32 or DEQUANTIZE to float32."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class Network:
    """The layers in order, with the network's ends, and what a user should know of them."""

    layers: tuple[Layer, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    quantization: dict[int, tuple[float, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

"""Layers that reduce, normalise, and multiply two computed matrices."""

from dataclasses import dataclass

from thermo_quantize.compiler.ir import Ints, Layer


@dataclass(frozen=True)
class Reduce(Layer):
    """REDUCE_MAX or REDUCE_MIN: outputs numbered by `kept` (sizes, input strides), over `reduced` likewise."""

    largest: bool
    kept: tuple[Ints, Ints]
    reduced: tuple[Ints, Ints]


@dataclass(frozen=True)
class Normalise(Layer):
    """L2_NORMALIZATION of rows of `depth` elements, to steps of 1/128."""

    rows: int
    depth: int
    zero_point: int


@dataclass(frozen=True)
class MatMul(Layer):
    """BATCH_MATMUL: for every batch a product of (rows, depth) and (depth, columns).

    `batches` are sizes with the strides of both inputs (0 where broadcast); `first` is the strides of row and depth in the first
    input, `second` those of depth and column in the second.
    """

    batches: tuple[Ints, Ints, Ints]
    rows: int
    depth: int
    columns: int
    first: tuple[int, int]
    second: tuple[int, int]
    zero_points: tuple[int, int, int]
    multiplier: int
    exponent: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.output.elements * self.depth

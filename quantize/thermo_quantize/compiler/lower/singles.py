"""Numbers in single precision on their way from DEQUANTIZE to QUANTIZE, where converters leave functions they cannot quantise.

A number that came from a byte is a function of that byte, whatever happens to it on the way: functions are worked out for all
256 bytes, operators that only move elements move the bytes instead, and QUANTIZE makes one table of it all (`pointwise`).
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermo_core.tflite.reader import Operator, Quantization, Tensor
from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.ir import Layer
from thermo_quantize.compiler.lower.context import Context

Single = Callable[[np.float32], np.float32]
Lowering = Callable[[Context, Operator], list[Layer]]
_ONE = np.float32(1)
_PLAIN = Quantization((1.0,), (0,), 0)

MOVES = frozenset(
    "DEPTH_TO_SPACE EXPAND_DIMS GATHER MIRROR_PAD RESHAPE RESIZE_NEAREST_NEIGHBOR REVERSE_V2 SLICE SPACE_TO_DEPTH SQUEEZE "
    "SPLIT SPLIT_V STRIDED_SLICE TILE TRANSPOSE UNPACK".split()
)
"""Operators whose output elements are elements of their only computed input, so that bytes can go in its place."""


def rounded(function: Callable[[float], float]) -> Single:
    """A function of the C library, rounded to single precision."""

    def single(value: np.float32) -> np.float32:
        try:
            return np.float32(function(float(value)))
        except OverflowError:
            return np.float32(math.inf)
        except ValueError:
            return np.float32(math.nan)

    return single


exponential = rounded(math.exp)


def elu(value: np.float32) -> np.float32:
    """The exponential linear unit."""
    return np.float32(exponential(value) - _ONE) if value < 0 else value


_FUNCTIONS: dict[str, Single] = {
    "ABS": np.abs,
    "ELU": elu,
    "NEG": np.negative,
    "SQRT": np.sqrt,
    "SQUARE": np.square,
}


def in_single_precision(context: Context, operator: Operator) -> list[Layer]:
    """A function of a number that came from a byte.

    Raises:
        ModelError: it did not.
    """
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    if output.type is not TensorType.FLOAT32 or source.index not in context.singles:
        kind = source.type.name.lower() if source.type is not TensorType.FLOAT32 else "float32 that was not dequantised"
        raise context.refuse(
            operator, source, f"is {kind}", "functions of single numbers between DEQUANTIZE and QUANTIZE"
        )
    root, values = context.singles[source.index]
    function = _FUNCTIONS[operator.name]
    with np.errstate(all="ignore"):
        results: NDArray[np.float32] = np.array([function(value) for value in values], np.float32)
    context.singles[output.index] = root, results
    return []


def moving(lower: Lowering) -> Lowering:
    """The lowering of an operator of MOVES, for numbers that came from bytes too."""

    def either(context: Context, operator: Operator) -> list[Layer]:
        source = next((tensor for tensor in operator.inputs if tensor is not None and tensor.data is None), None)
        if source is None or source.index not in context.singles or not operator.outputs:
            return lower(context, operator)
        root, values = context.singles[source.index]
        stand_in = _as_bytes(context, source)
        context.alias(stand_in, root)
        inputs = tuple(stand_in if tensor is source else tensor for tensor in operator.inputs)
        outputs = tuple(_as_bytes(context, output) for output in operator.outputs)
        layers = lower(context, replace(operator, inputs=inputs, outputs=outputs))
        for output, stand_in in zip(operator.outputs, outputs, strict=True):
            context.singles[output.index] = context.value(stand_in), values
        return layers

    return either


def _as_bytes(context: Context, tensor: Tensor) -> Tensor:
    """A tensor of bytes where `tensor` has numbers made from them."""
    index = context.fresh(tensor.name, tensor.shape).id
    return replace(tensor, index=index, type=TensorType.INT8, quantization=_PLAIN)

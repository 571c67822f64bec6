"""ELU, GELU, ABS, EXP and RSQRT, worked out here for all 256 inputs; the rest of FUNCTIONS is in `singles`."""

import math
from collections.abc import Callable

import numpy as np

from thermo_core.tflite.reader import Operator
from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.fixed_point import (
    clamp,
    inverse_root,
    quantize_multiplier,
    round_half_away,
    scale,
)
from thermo_quantize.compiler.ir import Layer
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.pointwise import lookup, scales
from thermo_quantize.compiler.lower.singles import Single, elu, exponential, in_single_precision, rounded

_LARGEST = float(1 << 30)
_RSQRT_SHIFT = 20


_ERFC, _TANH = rounded(math.erfc), rounded(math.tanh)
_HALF, _ONE = np.float32(0.5), np.float32(1)


def _gelu(value: np.float32) -> np.float32:
    return np.float32(_HALF * value * _ERFC(value * np.float32(-math.sqrt(0.5))))


def _gelu_by_tanh(value: np.float32) -> np.float32:
    cubic = np.float32(0.044715) * value * value * value
    return np.float32(_HALF * value * (_ONE + _TANH(np.float32(math.sqrt(2 / math.pi)) * (value + cubic))))


def _smooth(context: Context, operator: Operator, function: Single) -> list[Layer]:
    """A table of a function of the real number, in single precision as the kernels fill theirs."""
    scale_in, zero_in, scale_out, zero_out = scales(context, operator)
    inverse = _ONE / scale_out
    with np.errstate(over="ignore", under="ignore"):
        results = [function(scale_in * np.float32(q - zero_in)) * inverse for q in range(-128, 128)]
    if not all(abs(float(result)) < _LARGEST for result in results):
        raise context.refuse(operator, context.output(operator), "has too fine a scale", "coarser output scales")
    return lookup(context, operator, lambda q: clamp(round_half_away(results[q + 128]) + zero_out))


def _gelu_operator(context: Context, operator: Operator) -> list[Layer]:
    return _smooth(context, operator, _gelu_by_tanh if operator.options["approximate"] else _gelu)


def _abs(context: Context, operator: Operator) -> list[Layer]:
    scale_in, zero_in, scale_out, zero_out = scales(context, operator)
    if scale_in == scale_out:
        return lookup(context, operator, lambda q: clamp(abs(q - zero_in) + zero_out))
    factor = quantize_multiplier(float(scale_in / scale_out))
    return lookup(context, operator, lambda q: clamp(scale(abs(q - zero_in), *factor) + zero_out))


def _rsqrt(context: Context, operator: Operator) -> list[Layer]:
    scale_in, zero_in, scale_out, zero_out = scales(context, operator)
    if zero_in != -128:
        source = context.input(operator, 0)
        raise context.refuse(operator, source, "may be negative", "inputs with zero point -128, which cannot be")
    multiplier, exponent = quantize_multiplier(1 / float(np.float32(np.sqrt(scale_in) * scale_out)))

    def function(q: int) -> int:
        if q == zero_in:
            return 127
        root, shift = inverse_root(q - zero_in)
        data = scale(1, root, shift + _RSQRT_SHIFT)
        return clamp(scale(data, multiplier, exponent - _RSQRT_SHIFT) + zero_out)

    return lookup(context, operator, function)


def _either(int8: Callable[[Context, Operator], list[Layer]]) -> Callable[[Context, Operator], list[Layer]]:
    """The int8 kernel, or the function in single precision, as the input's type says."""

    def lower(context: Context, operator: Operator) -> list[Layer]:
        is_float = context.input(operator, 0).type is TensorType.FLOAT32
        return in_single_precision(context, operator) if is_float else int8(context, operator)

    return lower


FUNCTIONS = {
    "ABS": _either(_abs),
    "ELU": _either(lambda context, operator: _smooth(context, operator, elu)),
    "EXP": lambda context, operator: _smooth(context, operator, exponential),
    "GELU": _gelu_operator,
    "NEG": in_single_precision,
    "RSQRT": _rsqrt,
    "SQRT": in_single_precision,
    "SQUARE": in_single_precision,
}

"""Functions of one element, computed here for all 256 inputs; QUANTIZE and DEQUANTIZE to and from float32."""

import math
from collections.abc import Callable

import numpy as np

from thermo_core.tflite.reader import Operator, Tensor
from thermo_core.tflite.schema import Activation, TensorType
from thermo_quantize.compiler.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    activation_limits,
    clamp,
    quantize_multiplier,
    round_half_away,
    rounding_shift,
    scale,
    table_of,
)
from thermo_quantize.compiler.ir import Convert, Layer, Lookup
from thermo_quantize.compiler.lower.context import Context

_LARGEST = float(1 << 24)
_RELUS = {"RELU": Activation.RELU, "RELU6": Activation.RELU6, "RELU_N1_TO_1": Activation.RELU_N1_TO_1}


def lookup(context: Context, operator: Operator, function: Callable[[int], int]) -> list[Layer]:
    """A layer that is this function of one int8 number."""
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    ends = (context.value(source),), (context.value(output),)
    return [Lookup(operator.index, operator.name, *ends, table_of(function))]


def scales(context: Context, operator: Operator) -> tuple[np.float32, int, np.float32, int]:
    """Scale and zero point of the input, and of the output."""
    scale_in, zero_in = context.scale(operator, context.input(operator, 0))
    scale_out, zero_out = context.scale(operator, context.output(operator))
    return np.float32(scale_in), zero_in, np.float32(scale_out), zero_out


def _relu(context: Context, operator: Operator) -> list[Layer]:
    scale_in, zero_in, scale_out, zero_out = scales(context, operator)
    factor = quantize_multiplier(float(scale_in / scale_out))
    low, high = activation_limits(_RELUS[operator.name], float(scale_out), zero_out)
    return lookup(context, operator, lambda q: clamp(zero_out + scale(q - zero_in, *factor), low, high))


def _leaky_relu(context: Context, operator: Operator) -> list[Layer]:
    scale_in, zero_in, scale_out, zero_out = scales(context, operator)
    alpha = np.float32(operator.options["alpha"])
    negative = quantize_multiplier(float(np.float32(scale_in * alpha) / scale_out)) if alpha > 0 else (0, 0)
    if alpha < 0 or not math.isfinite(float(alpha)):
        raise context.refuse(
            operator, context.input(operator, 0), f"is scaled by {float(alpha)}", "slopes of 0 or more"
        )
    identity = quantize_multiplier(float(scale_in / scale_out))

    def function(q: int) -> int:
        return clamp(zero_out + scale(q - zero_in, *(identity if q >= zero_in else negative)))

    return lookup(context, operator, function)


def _smooth(context: Context, operator: Operator, real: Callable[[float], float]) -> list[Layer]:
    scale_in, zero_in, scale_out, zero_out = scales(context, operator)
    inverse = np.float32(1) / scale_out

    def function(q: int) -> int:
        result = np.float32(real(float(scale_in * np.float32(q - zero_in))))
        return clamp(round_half_away(result * inverse) + zero_out)

    return lookup(context, operator, function)


def _logistic(value: float) -> float:
    exponential = np.float32(math.exp(min(-value, 88.0)))
    return float(np.float32(1) / (np.float32(1) + exponential))


def _high_multiply_16(first: int, second: int) -> int:
    product = first * second
    nudge = 1 << 14 if product >= 0 else 1 - (1 << 14)
    return clamp(int((product + nudge) / (1 << 15)), -(1 << 15), (1 << 15) - 1)


def _multiplier_16(real: np.float32) -> tuple[int, int]:
    multiplier, exponent = quantize_multiplier(float(real))
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), exponent


def _hard_swish(context: Context, operator: Operator) -> list[Layer]:
    scale_in, zero_in, scale_out, zero_out = scales(context, operator)
    fine = np.float32(1 / 128) * scale_in
    output_multiplier, output_exponent = _multiplier_16(fine / scale_out)
    slope_multiplier, slope_exponent = _multiplier_16(fine / np.float32(3 / 32768))
    if output_exponent > 0:
        raise context.refuse(operator, context.output(operator), "has too fine a scale", "coarser output scales")

    def saturate(value: int) -> int:
        return clamp(value, -(1 << 15), (1 << 15) - 1)

    def function(q: int) -> int:
        value = (q - zero_in) << 7
        scaled = _high_multiply_16(value, output_multiplier)
        slope = saturate(value << (slope_exponent - 1)) if slope_exponent > 0 else value
        slope = _high_multiply_16(slope, slope_multiplier)
        if slope_exponent > 0:
            slope = saturate(slope << 1)
        elif slope_exponent < 0:
            slope = rounding_shift(slope, -slope_exponent)
        slope = (slope + (1 << 15)) >> 1
        return clamp(rounding_shift(int(slope * scaled / (1 << 15)), -output_exponent) + zero_out)

    return lookup(context, operator, function)


def _quantize(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    bytes_ = TensorType.INT8, TensorType.UINT8
    if source.type in bytes_ and output.type in bytes_:
        return _between_bytes(context, operator, source, output)
    scale_out, zero_out = context.scale(operator, output)
    if source.index in context.singles:
        return _requantized(context, operator, scale_out, zero_out)
    if source.type is not TensorType.FLOAT32:
        raise context.refuse(operator, source, f"is {source.type.name.lower()}", "int8, uint8 and float32")
    return _convert(context, operator, scale_out, zero_out)


def _between_bytes(context: Context, operator: Operator, source: Tensor, output: Tensor) -> list[Layer]:
    """int8 or uint8 to either."""
    scale_in, zero_in = context.own_scale(operator, source)
    scale_out, zero_out = context.own_scale(operator, output)
    factor = quantize_multiplier(scale_in / scale_out)
    low, high = (0, 255) if output.type is TensorType.UINT8 else (INT8_MIN, INT8_MAX)
    unsigned = source.type is TensorType.UINT8

    def function(q: int) -> int:
        return clamp(scale((q & 0xFF if unsigned else q) - zero_in, *factor) + zero_out, low, high)

    return lookup(context, operator, function)


def _requantized(context: Context, operator: Operator, scale_out: float, zero_out: int) -> list[Layer]:
    """What was int8 before it became single precision: a table."""
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    root, values = context.singles[source.index]
    with np.errstate(all="ignore"):
        quotients = values / np.float32(scale_out)

    def function(q: int) -> int:
        quotient = quotients[q + 128]
        # Where there is no number or none that an integer holds, processors differ; this is what compiled ends do.
        if not abs(quotient) < _LARGEST:
            return INT8_MAX if quotient > 0 else INT8_MIN
        return clamp(round_half_away(quotient) + zero_out)

    return [Lookup(operator.index, operator.name, (root,), (context.value(output),), table_of(function))]


def _dequantize(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    if output.type is not TensorType.FLOAT32:
        raise context.refuse(operator, output, f"is {output.type.name.lower()}", "float32")
    factor, zero_point = context.scale(operator, source)
    steps = np.arange(-128, 128, dtype=np.int32) - zero_point
    context.singles[output.index] = context.value(source), steps.astype(np.float32) * np.float32(factor)
    return _convert(context, operator, factor, zero_point)


def _convert(context: Context, operator: Operator, factor: float, zero_point: int) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    ends = (context.value(source),), (context.value(output),)
    return [Convert(operator.index, operator.name, *ends, factor, zero_point)]


POINTWISE = {
    "RELU": _relu,
    "RELU6": _relu,
    "RELU_N1_TO_1": _relu,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": lambda context, operator: _smooth(context, operator, _logistic),
    "TANH": lambda context, operator: _smooth(context, operator, math.tanh),
    "HARD_SWISH": _hard_swish,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}

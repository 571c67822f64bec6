"""Functions of int16 elements, computed where int8 has tables of all 256: RELUs, QUANTIZE, LOGISTIC, TANH and SOFTMAX."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Operator, Tensor
from thermo_core.tflite.schema import Activation, TensorType
from thermo_quantize.compiler.fixed_point import RANGES, activation_limits, quantize_multiplier
from thermo_quantize.compiler.ir import Convert, Layer
from thermo_quantize.compiler.ir_wide import Rescale, WideSigmoid, WideSoftmax
from thermo_quantize.compiler.lower.context import Context

_SIGMOID_STEPS = 24
_MOST_SUMMED = 1 << 16


def power_of_two(scale: float) -> int | None:
    """The exponent of a scale that is a power of two, as near as the reference wants it, or None."""
    exponent = math.log2(scale)
    return round(exponent) if abs(exponent - round(exponent)) < 1e-3 else None


def _rescale(context: Context, operator: Operator, above: float, below: float, limits: tuple[int, int]) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    zeros = tuple(context.of(tensor.type).scale(operator, tensor)[1] for tensor in (source, output))
    factors = quantize_multiplier(above), quantize_multiplier(below)
    # Left shifts must leave an input's 17 bits within 32.
    if max(exponent for _, exponent in factors) > 14:
        raise context.refuse(operator, output, "has too fine a scale", "scales nearer to the input's")
    ends = (context.value(source),), (context.value(output),)
    return [Rescale(operator.index, operator.name, *ends, *factors, (zeros[0], zeros[1]), *limits)]


def _ratio(context: Context, operator: Operator, factor: float = 1.0) -> float:
    """factor * input scale / output scale in single precision."""
    scale_in, _ = context.scale(operator, context.input(operator, 0))
    scale_out, _ = context.scale(operator, context.output(operator))
    return float(np.float32(np.float32(scale_in) * np.float32(factor)) / np.float32(scale_out))


def _relu(context: Context, operator: Operator) -> list[Layer]:
    scale_out, _ = context.scale(operator, context.output(operator))
    limits = activation_limits(Activation[operator.name], scale_out, 0, TensorType.INT16)
    ratio = _ratio(context, operator)
    return _rescale(context, operator, ratio, ratio, limits)


def _leaky_relu(context: Context, operator: Operator) -> list[Layer]:
    alpha = float(operator.options["alpha"])
    if not (math.isfinite(alpha) and alpha > 0):
        raise context.refuse(operator, context.input(operator, 0), f"is scaled by {alpha}", "slopes above 0")
    ratios = _ratio(context, operator), _ratio(context, operator, alpha)
    return _rescale(context, operator, *ratios, RANGES[TensorType.INT16])


def _quantize(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    if source.type is TensorType.FLOAT32:
        return _convert(context, operator, output)
    for tensor in (source, output):
        if tensor.type not in RANGES:
            raise context.refuse(operator, tensor, f"is {tensor.type.name.lower()}", "int8, int16 and float32")
    ratio = context.of(source.type).scale(operator, source)[0] / context.of(output.type).scale(operator, output)[0]
    return _rescale(context, operator, ratio, ratio, RANGES[output.type])


def _dequantize(context: Context, operator: Operator) -> list[Layer]:
    output = context.output(operator)
    if output.type is not TensorType.FLOAT32:
        raise context.refuse(operator, output, f"is {output.type.name.lower()}", "float32")
    return _convert(context, operator, context.input(operator, 0))


def _convert(context: Context, operator: Operator, counted: Tensor) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    ends = (context.value(source),), (context.value(output),)
    return [Convert(operator.index, operator.name, *ends, *context.scale(operator, counted))]


def _sigmoid(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    scale, _ = context.scale(operator, source)
    if power_of_two(context.scale(operator, output)[0]) != -15:
        raise context.refuse(operator, output, "has another scale", "outputs in steps of 1/32768")
    exponent = power_of_two(scale)
    if exponent is not None and 12 + exponent in (0, 1):
        multiplier, shift = 3 << (12 + exponent), 0
    else:
        real, shift = scale * 4096.0 * 3.0, 0
        while real <= 32767.0 / 2.0 and shift <= 30:
            real, shift = real * 2.0, shift + 1
        multiplier = int(real)
    if multiplier > 32767:
        raise context.refuse(operator, source, "has too coarse a scale", "scales below 2.6")
    ends = (context.value(source),), (context.value(output),)
    is_tanh = operator.name == "TANH"
    return [WideSigmoid(operator.index, operator.name, *ends, is_tanh, multiplier, shift, sigmoid_table())]


def sigmoid_table() -> NDArray[np.uint16]:
    """sigmoid(i / 24) in units of 2^-16, each moved by half of what a straight line to the next is off midway."""

    def sigmoid(i: float) -> float:
        return 65536 / (1 + math.exp(-i / _SIGMOID_STEPS))

    found = []
    for i in range(256):
        off = sigmoid(i + 0.5) - (sigmoid(i) + sigmoid(i + 1)) / 2
        found.append(math.floor(sigmoid(i) + off / 2 + 0.5))
    return np.array([*found[:255], 65535], np.uint16)


def _softmax(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    context.shape(operator, output, source.shape)
    scale, _ = context.scale(operator, source)
    if power_of_two(context.scale(operator, output)[0]) != -15:
        raise context.refuse(operator, output, "has another scale", "outputs in steps of 1/32768")
    if not source.shape or not source.elements:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", "one axis or more")
    beta = float(operator.options["beta"])
    if not (math.isfinite(beta) and beta > 0):
        raise ModelError(f"Cannot compile {operator.label}: its beta is no positive number; export the model again.")
    depth = source.shape[-1]
    if depth >= _MOST_SUMMED:
        raise context.refuse(operator, source, f"has rows of {depth} elements", f"rows of less than {_MOST_SUMMED}")
    factor = quantize_multiplier(float(np.float32(scale) * np.float32(beta)) / (10.0 / 65535.0))
    exponentials = interpolated(math.exp, 10.0 / 65535, 32767)
    reciprocals = interpolated(lambda value: 1.0 / (1.0 + value), 1.0 / 65535, -32768)
    ends = (context.value(source),), (context.value(output),)
    rows = source.elements // depth
    return [WideSoftmax(operator.index, operator.name, *ends, rows, depth, factor, exponentials, reciprocals)]


def interpolated(function: Callable[[float], float], scale: float, zero_point: int) -> NDArray[np.int16]:
    """(513,) results in steps of 2/65535 of a function at every 128th int16, moved as the interpolation between asks.

    Args:
        function: of a real number.
        scale: what a step of an int16 argument means.
        zero_point: the argument that means 0.
    """
    least, greatest = scale * (-32768 - zero_point), scale * (32767 - zero_point)
    step = (greatest - least) / 512
    steps_per_unit = 65536 / (2.0 / 65535 * 32767 - 2.0 / 65535 * -32768)
    found = []
    for i in range(512):
        here, middle = function(least + i * step), function(least + i * step + step / 2)
        after = function(least + (i + 1) * step)
        sample = _rounded(here * steps_per_unit)
        line = _rounded((after * steps_per_unit + sample) / 2)
        found.append(sample - _rounded((line - _rounded(middle * steps_per_unit)) / 2))
    found.append(_rounded(function(greatest) * steps_per_unit))
    return np.clip(found, -32768, 32767).astype(np.int16)


def _rounded(value: float) -> float:
    """C's round."""
    return math.copysign(math.floor(abs(value) + 0.5), value)


WIDE_FUNCTIONS = {
    "SOFTMAX": _softmax,
    "LOGISTIC": _sigmoid,
    "TANH": _sigmoid,
    "RELU": _relu,
    "RELU6": _relu,
    "RELU_N1_TO_1": _relu,
    "LEAKY_RELU": _leaky_relu,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}

"""Operators on int16 activations: those of int8 with their own accumulators, and functions computed instead of looked up."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Operator, Tensor
from thermo_core.tflite.schema import Activation, TensorType
from thermo_quantize.compiler.fixed_point import RANGES, activation_limits, quantize_multiplier
from thermo_quantize.compiler.ir import Binary, Conv, Convert, Depthwise, Layer, Requant, TransposeConv
from thermo_quantize.compiler.ir_wide import (
    Rescale,
    WideBinary,
    WideConv,
    WideDepthwise,
    WideRequant,
    WideSigmoid,
    WideSoftmax,
    WideTransposeConv,
)
from thermo_quantize.compiler.lower.arithmetic import ARITHMETIC
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.elements import ELEMENTS
from thermo_quantize.compiler.lower.movement import MOVEMENT
from thermo_quantize.compiler.lower.parts import PARTS
from thermo_quantize.compiler.lower.products import PRODUCTS
from thermo_quantize.compiler.lower.rearranging import REARRANGING
from thermo_quantize.compiler.lower.reductions import REDUCTIONS
from thermo_quantize.compiler.lower.windows import WINDOWS

Lowering = Callable[[Context, Operator], list[Layer]]
_SIGMOID_STEPS = 24
_COMPARED = ("MAXIMUM", "MINIMUM")


def wide(context: Context, operator: Operator) -> list[Layer]:
    """The layers of an operator that takes or gives int16.

    Raises:
        ModelError: it cannot do that, or not with its tensors.
    """
    if operator.name not in WIDE:
        output = operator.outputs[0].label if operator.outputs else "no tensor"
        names = ", ".join(sorted(WIDE))
        raise ModelError(
            f"Cannot compile {operator.label} on int16 that makes {output}: with int16 activations supported are {names}."
        )
    return WIDE[operator.name](context.of(TensorType.INT16), operator)


def _requant(requant: Requant, bias: NDArray[Any]) -> WideRequant:
    return WideRequant(requant.multipliers, requant.exponents, bias.dtype == np.int32, requant.low, requant.high)


def _weighted(context: Context, operator: Operator) -> list[Layer]:
    """What int8's lowering made of it, with 64-bit sums."""
    found: list[Layer] = []
    for layer in WINDOWS[operator.name](context, operator):
        head = layer.index, layer.title, layer.inputs, layer.outputs
        if isinstance(layer, Conv):
            tail = layer.weights, layer.bias.astype(np.int64), _requant(layer.requant, layer.bias)
            found.append(WideConv(*head, layer.window, layer.channels_in, *tail))
        elif isinstance(layer, Depthwise):
            if operator.name == "DEPTHWISE_CONV_2D" and layer.bias.dtype == np.int32:
                raise context.refuse(
                    operator, context.output(operator), "is summed in 32 bits", "biases of 64 bits here"
                )
            tail = layer.weights, layer.bias.astype(np.int64), _requant(layer.requant, layer.bias)
            found.append(WideDepthwise(*head, layer.window, layer.channels_in, *tail))
        elif isinstance(layer, TransposeConv):
            tail = layer.weights, layer.bias.astype(np.int64), _requant(layer.requant, layer.bias)
            found.append(WideTransposeConv(*head, layer.window, layer.channels_in, *tail))
        else:
            found.append(layer)
    return found


def _binary(context: Context, operator: Operator) -> list[Layer]:
    found: list[Layer] = []
    lowering = ELEMENTS[operator.name] if operator.name in _COMPARED else ARITHMETIC[operator.name]
    for layer in lowering(context, operator):
        assert isinstance(layer, Binary)
        head = layer.index, layer.title, layer.inputs, layer.outputs
        shape = layer.operation, layer.sizes, layer.strides, layer.multipliers
        limits = RANGES[TensorType.INT16] if operator.name in _COMPARED else (layer.low, layer.high)
        found.append(WideBinary(*head, *shape, _shifts(context, operator), *limits))
    return found


def _shifts(context: Context, operator: Operator) -> tuple[int, int] | None:
    """Shifts of both inputs, where the operator asks for them and all scales are powers of two."""
    if not int(operator.options.get("pot_scale_int16", 0)):
        return None
    tensors = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    exponents = [_exponent(context.scale(operator, tensor)[0]) for tensor in tensors]
    if None in exponents:
        return None
    first, second, out = (int(exponent or 0) for exponent in exponents)
    shifts = first - out, second - out
    if max(shifts) > 0 or 0 not in shifts:
        raise context.refuse(
            operator,
            tensors[2],
            "has a scale other than its inputs' larger one",
            "sums on the coarser scale of the two",
        )
    return shifts


def _exponent(scale: float) -> int | None:
    """The power of two that a scale is, as near as the reference wants it, or None."""
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
    if _exponent(context.scale(operator, output)[0]) != -15:
        raise context.refuse(operator, output, "has another scale", "outputs in steps of 1/32768")
    exponent = _exponent(scale)
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
    if _exponent(context.scale(operator, output)[0]) != -15:
        raise context.refuse(operator, output, "has another scale", "outputs in steps of 1/32768")
    if not source.shape or not source.elements:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", "one axis or more")
    beta = float(operator.options["beta"])
    if not (math.isfinite(beta) and beta > 0):
        raise ModelError(f"Cannot compile {operator.label}: its beta is no positive number; export the model again.")
    depth = source.shape[-1]
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
        scale, zero_point: what an int16 argument means.
    """
    least, greatest = scale * (-32768 - zero_point), scale * (32767 - zero_point)
    step = (greatest - least) / 512
    steps_per_unit = 65536 / (2.0 / 65535 * 32767 - 2.0 / 65535 * -32768)
    found = []
    for i in range(512):
        here, middle, after = (function(least + i * step + part) for part in (0.0, step / 2, step))
        after = function(least + (i + 1) * step)
        sample = _rounded(here * steps_per_unit)
        line = _rounded((after * steps_per_unit + sample) / 2)
        found.append(sample - _rounded((line - _rounded(middle * steps_per_unit)) / 2))
    found.append(_rounded(function(greatest) * steps_per_unit))
    return np.clip(found, -32768, 32767).astype(np.int16)


def _rounded(value: float) -> float:
    """C's round."""
    return math.copysign(math.floor(abs(value) + 0.5), value)


_NO_KERNEL = frozenset({"DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "TILE"})
"""What the reference moves as int8 alone."""
WIDE: dict[str, Lowering] = {
    **dict.fromkeys(WINDOWS, _weighted),
    **MOVEMENT,
    **{name: lower for name, lower in REARRANGING.items() if name not in _NO_KERNEL},
    **PARTS,
    "REDUCE_MAX": REDUCTIONS["REDUCE_MAX"],
    "REDUCE_MIN": REDUCTIONS["REDUCE_MIN"],
    "ADD": _binary,
    "SUB": _binary,
    "MUL": _binary,
    **dict.fromkeys(_COMPARED, _binary),
    "MEAN": ARITHMETIC["MEAN"],
    "BATCH_MATMUL": PRODUCTS["BATCH_MATMUL"],
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

"""Operators on int16 activations: int8's lowering gives shapes and multipliers, layers of `ir_wide` the arithmetic."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Operator
from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.fixed_point import RANGES
from thermo_quantize.compiler.ir import Binary, Conv, Depthwise, Layer, TransposeConv
from thermo_quantize.compiler.ir_wide import WideBinary, WideConv, WideDepthwise, WideRequant, WideTransposeConv
from thermo_quantize.compiler.lower.arithmetic import ARITHMETIC
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.elements import ELEMENTS
from thermo_quantize.compiler.lower.movement import MOVEMENT
from thermo_quantize.compiler.lower.parts import PARTS
from thermo_quantize.compiler.lower.products import PRODUCTS
from thermo_quantize.compiler.lower.rearranging import REARRANGING
from thermo_quantize.compiler.lower.reductions import REDUCTIONS
from thermo_quantize.compiler.lower.wide_functions import WIDE_FUNCTIONS, power_of_two
from thermo_quantize.compiler.lower.windows import WINDOWS

Lowering = Callable[[Context, Operator], list[Layer]]
_COMPARED = ("MAXIMUM", "MINIMUM")
_WIDENED: dict[type[Layer], Any] = {Conv: WideConv, Depthwise: WideDepthwise, TransposeConv: WideTransposeConv}
_MOST_SHIFT = 15


def wide(context: Context, operator: Operator) -> list[Layer]:
    """The layers of an operator that takes or gives int16.

    Raises:
        ModelError: it cannot do that, or not with its tensors.
    """
    if operator.name not in WIDE:
        made = f", which makes {operator.outputs[0].label}" if operator.outputs else ""
        raise ModelError(
            f"Cannot compile {operator.label}{made}: it is none of the {len(WIDE)} operators supported with int16 activations "
            "(docs/compiler.md lists them); quantise the model to int8."
        )
    return WIDE[operator.name](context.of(TensorType.INT16), operator)


def _weighted(context: Context, operator: Operator) -> list[Layer]:
    """What int8's lowering made of it, with 64-bit sums."""
    found: list[Layer] = []
    for layer in WINDOWS[operator.name](context, operator):
        if not isinstance(layer, Conv | Depthwise | TransposeConv):
            found.append(layer)
            continue
        narrow, q = layer.bias.dtype == np.int32, layer.requant
        if narrow and operator.name == "DEPTHWISE_CONV_2D":
            raise context.refuse(operator, context.output(operator), "is summed in 32 bits", "biases of 64 bits here")
        requant = WideRequant(q.multipliers, q.exponents, bool(narrow), q.low, q.high)
        head = layer.index, layer.title, layer.inputs, layer.outputs, layer.window, layer.channels_in
        found.append(_WIDENED[type(layer)](*head, layer.weights, layer.bias.astype(np.int64), requant))
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
    output = context.output(operator)
    tensors = context.input(operator, 0), context.input(operator, 1), output
    first, second, out = (power_of_two(context.scale(operator, tensor)[0]) for tensor in tensors)
    if first is None or second is None or out is None:
        return None
    shifts = first - out, second - out
    if max(shifts) != 0 or min(shifts) < -_MOST_SHIFT:
        raise context.refuse(operator, output, "has another scale than its coarser input", "sums on the coarser scale")
    return shifts


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
    **WIDE_FUNCTIONS,
}

"""MAXIMUM, MINIMUM, PRELU and SQUARED_DIFFERENCE: two numbers to one, with broadcasting."""

import numpy as np

from thermo_core.tflite.reader import Operator
from thermo_quantize.compiler.fixed_point import INT8_MAX, INT8_MIN, quantize_multiplier
from thermo_quantize.compiler.ir import Layer
from thermo_quantize.compiler.lower.arithmetic import spread_pairs
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.movement import same_scale

INT8 = INT8_MIN, INT8_MAX
SQUARE_SHIFT = 7
"""SQUARED_DIFFERENCE raises both inputs by 2^7, so that a square has 30 bits."""


def _comparison(context: Context, operator: Operator) -> list[Layer]:
    for number in (0, 1):
        same_scale(context, operator, context.input(operator, number), context.output(operator))
    return spread_pairs(context, operator, (), INT8)


def _scales(context: Context, operator: Operator) -> tuple[np.float32, np.float32, np.float32]:
    tensors = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    first, second, output = (np.float32(context.scale(operator, tensor)[0]) for tensor in tensors)
    return first, second, output


def _prelu(context: Context, operator: Operator) -> list[Layer]:
    first, alpha, output = _scales(context, operator)
    # Products and quotients of single-precision scales, as the kernels have them.
    slope = np.float32(np.float32(first * alpha) / output)
    multipliers = quantize_multiplier(float(first / output)), quantize_multiplier(float(slope))
    return spread_pairs(context, operator, multipliers, INT8)


def _squared_difference(context: Context, operator: Operator) -> list[Layer]:
    first, second, output = (float(scale) for scale in _scales(context, operator))
    twice = 2 * max(first, second)
    multipliers = (
        quantize_multiplier(first / twice),
        quantize_multiplier(second / twice),
        quantize_multiplier(twice * twice / ((1 << 2 * SQUARE_SHIFT) * output)),
    )
    return spread_pairs(context, operator, multipliers, INT8)


ELEMENTS = {
    "MAXIMUM": _comparison,
    "MINIMUM": _comparison,
    "PRELU": _prelu,
    "SQUARED_DIFFERENCE": _squared_difference,
}

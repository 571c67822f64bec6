"""SUM, REDUCE_MAX, REDUCE_MIN and L2_NORMALIZATION."""

import math

from thermo_core.tflite.reader import Operator, Tensor
from thermo_quantize.compiler.fixed_point import quantize_multiplier
from thermo_quantize.compiler.ir import Ints, Layer, Mean
from thermo_quantize.compiler.ir_functions import Normalise, Reduce
from thermo_quantize.compiler.lower.arithmetic import merge, row_major
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.movement import same_scale

Nest = tuple[Ints, Ints]
_MOST_SUMMED = 1 << 23
_L2_SCALE = 1 / 128


def _nests(context: Context, operator: Operator, source: Tensor, output: Tensor) -> tuple[Nest, Nest, int]:
    """Loops over outputs and over what each is made from (sizes, strides), and how many elements that is."""
    rank, axes = len(source.shape), context.integers(operator, 1)
    if not source.elements or not axes or any(not -rank <= axis < rank for axis in axes):
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", f"axes {axes} that it has")
    chosen = sorted({axis % rank for axis in axes})
    strides = row_major(source.shape)
    rest = [axis for axis in range(rank) if axis not in chosen]
    count = math.prod(source.shape[axis] for axis in chosen)
    if output.elements * count != source.elements:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", f"one element for {count}")

    def nest(some: list[int]) -> Nest:
        sizes, (steps,) = merge([source.shape[axis] for axis in some], [[strides[axis] for axis in some]])
        return sizes, steps

    return nest(rest), nest(chosen), count


def _extreme(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    same_scale(context, operator, source, output)
    kept, reduced, _ = _nests(context, operator, source, output)
    ends = (context.value(source),), (context.value(output),)
    return [Reduce(operator.index, operator.name, *ends, operator.name == "REDUCE_MAX", kept, reduced)]


def _sum(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    scale_in, zero_in = context.scale(operator, source)
    scale_out, zero_out = context.scale(operator, output)
    kept, reduced, count = _nests(context, operator, source, output)
    if count > _MOST_SUMMED:
        raise context.refuse(operator, source, f"adds {count} elements", f"sums of at most {_MOST_SUMMED}")
    ends = (context.value(source),), (context.value(output),)
    factor = quantize_multiplier(scale_in / scale_out)
    context.notes.append(
        f"{operator.label} is computed as the reference kernel does it, which takes its int8 inputs for uint8, unlike other "
        "kernels; use a mean, which all compute alike."
    )
    return [Mean(operator.index, operator.name, *ends, kept, reduced, *factor, zero_in, zero_out, unsigned=True)]


def _l2_normalization(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    _, zero_in = context.scale(operator, source)
    context.shape(operator, output, source.shape)
    if context.scale(operator, output) != (_L2_SCALE, 0):
        raise context.refuse(
            operator, output, "is quantised otherwise than the kernels do", "scale 1/128, zero point 0"
        )
    if context.activation(operator):
        raise context.refuse(operator, output, "has a fused activation", "L2_NORMALIZATION without one")
    depth = source.shape[-1] if source.shape else 0
    if not source.elements or depth * 255 * 255 >= 1 << 31:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", "rows of 1 to 33,025 elements")
    ends = (context.value(source),), (context.value(output),)
    return [Normalise(operator.index, operator.name, *ends, source.elements // depth, depth, zero_in)]


REDUCTIONS = {
    "L2_NORMALIZATION": _l2_normalization,
    "REDUCE_MAX": _extreme,
    "REDUCE_MIN": _extreme,
    "SUM": _sum,
}

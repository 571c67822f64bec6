"""SPLIT_V: a tensor taken apart along one axis, in parts of given lengths."""

from thermo_core.tflite.reader import Operator
from thermo_quantize.compiler.ir import Copy, Layer, Move
from thermo_quantize.compiler.lower.arithmetic import row_major
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.movement import copy_of, same_scale


def _split_by_sizes(context: Context, operator: Operator) -> list[Layer]:
    source, sizes, axes = context.input(operator, 0), context.integers(operator, 1), context.integers(operator, 2)
    rank, axis = len(source.shape), axes[0] if len(axes) == 1 else None
    if axis is None or not -rank <= axis < rank or sizes.count(-1) > 1 or len(sizes) != len(operator.outputs):
        raise context.refuse(
            operator, source, f"has shape {list(source.shape)}", f"an axis {axes} with lengths {sizes}"
        )
    axis %= rank
    rest = source.shape[axis] - sum(size for size in sizes if size != -1)
    lengths = [rest if size == -1 else size for size in sizes]
    if min(lengths, default=0) < 1 or sum(lengths) != source.shape[axis] or not source.elements:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", f"lengths {sizes} that add up to it")
    strides, at = row_major(source.shape), 0
    copies: list[Copy] = []
    for number, (output, length) in enumerate(zip(operator.outputs, lengths, strict=True)):
        shape = (*source.shape[:axis], length, *source.shape[axis + 1 :])
        context.shape(operator, output, shape)
        same_scale(context, operator, source, output)
        copies.append(copy_of(shape, strides, row_major(shape), start=at * strides[axis], to_number=number))
        at += length
    outputs = tuple(context.value(output) for output in operator.outputs)
    return [Move(operator.index, operator.name, (context.value(source),), outputs, tuple(copies))]


PARTS = {"SPLIT_V": _split_by_sizes}

"""SPLIT_V and UNPACK, which take a tensor apart along one axis, and PACK, which joins tensors along a new one."""

from thermo_core.tflite.reader import Operator, Tensor
from thermo_quantize.compiler.ir import Copy, Ints, Layer, Move
from thermo_quantize.compiler.lower.arithmetic import merge, row_major
from thermo_quantize.compiler.lower.context import Context


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
    if min(lengths, default=0) < 1 or sum(lengths) != source.shape[axis]:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", f"lengths {sizes} that add up to it")
    shapes = [(*source.shape[:axis], length, *source.shape[axis + 1 :]) for length in lengths]
    return _taken(context, operator, source, axis, lengths, shapes)


def _unpack(context: Context, operator: Operator) -> list[Layer]:
    source, axis = context.input(operator, 0), int(operator.options["axis"])
    rank, parts = len(source.shape), len(operator.outputs)
    if not -rank <= axis < rank or not parts or source.shape[axis] != parts:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", f"an axis {axis} of {parts} parts")
    axis %= rank
    shape = (*source.shape[:axis], *source.shape[axis + 1 :])
    return _taken(context, operator, source, axis, [1] * parts, [shape] * parts)


def _pack(context: Context, operator: Operator) -> list[Layer]:
    output, axis = context.output(operator), int(operator.options["axis"])
    sources = [context.input(operator, number) for number in range(len(operator.inputs))]
    rank = len(output.shape)
    if not -rank <= axis < rank or not output.elements or output.shape[axis] != len(sources):
        raise context.refuse(
            operator, output, f"has shape {list(output.shape)}", f"an axis {axis} of {len(sources)} parts"
        )
    axis %= rank
    strides, copies = row_major(output.shape), []
    for number, source in enumerate(sources):
        context.shape(operator, source, (*output.shape[:axis], *output.shape[axis + 1 :]))
        if context.scale(operator, source) != context.scale(operator, output):
            raise context.refuse(operator, source, "is quantised otherwise than the output", "one scale for both")
        sizes = (*output.shape[:axis], 1, *output.shape[axis + 1 :])
        merged, (steps, to_steps) = merge(list(sizes), [row_major(sizes), strides])
        copies.append(Copy(number, merged, 0, steps, number * strides[axis], to_steps))
    values = tuple(context.value(source) for source in sources)
    return [Move(operator.index, operator.name, values, (context.value(output),), tuple(copies))]


def _taken(
    context: Context, operator: Operator, source: Tensor, axis: int, lengths: list[int], shapes: list[Ints]
) -> list[Layer]:
    """One copy an output: so many slices of the axis each, one after the other."""
    if not source.elements:
        raise context.refuse(operator, source, "is empty", "tensors with elements")
    strides, copies, at = row_major(source.shape), [], 0
    for number, (output, length, shape) in enumerate(zip(operator.outputs, lengths, shapes, strict=True)):
        context.shape(operator, output, shape)
        if context.scale(operator, output) != context.scale(operator, source):
            raise context.refuse(operator, output, "is quantised otherwise than its input", "one scale for both")
        sizes = (*source.shape[:axis], length, *source.shape[axis + 1 :])
        merged, (steps, to_steps) = merge(list(sizes), [strides, row_major(sizes)])
        copies.append(Copy(0, merged, at * strides[axis], steps, 0, to_steps, number))
        at += length
    outputs = tuple(context.value(output) for output in operator.outputs)
    return [Move(operator.index, operator.name, (context.value(source),), outputs, tuple(copies))]


PARTS = {"PACK": _pack, "SPLIT_V": _split_by_sizes, "UNPACK": _unpack}

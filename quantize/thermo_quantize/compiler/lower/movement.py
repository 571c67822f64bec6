"""Operators that move elements: each becomes a few loop nests, an alias, or an interpolation by rows and columns."""

import math

import numpy as np

from thermo_core.errors import ModelError
from thermo_core.tflite.operators import bilinear_refusal, bilinear_step
from thermo_core.tflite.reader import Operator, Tensor
from thermo_quantize.compiler.ir import Bilinear, Copy, Gather, Ints, Layer, Move
from thermo_quantize.compiler.lower.arithmetic import merge, row_major
from thermo_quantize.compiler.lower.context import Context


def copy_of(
    sizes: Ints,
    strides: list[int],
    to_strides: list[int],
    *,
    number: int = 0,
    start: int = 0,
    to: int = 0,
    to_number: int = 0,
) -> Copy:
    """A loop nest over `sizes`, with as few loops as walk the same elements in the same order."""
    merged, (source, target) = merge(list(sizes), [strides, to_strides])
    return Copy(number, merged, start, source, to, target, to_number)


def same_scale(context: Context, operator: Operator, source: Tensor, output: Tensor) -> None:
    """Check that both tensors mean the same by the same integer."""
    if context.scale(operator, source) != context.scale(operator, output):
        raise context.refuse(operator, source, "is quantised otherwise than the output", "one scale for both")


def _reshape(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    if source.elements != output.elements or source.type is not output.type:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", f"{source.elements} elements here")
    value = context.value(source)
    if output in context.model.outputs and source in (*context.model.inputs, *context.model.outputs):
        copy = Copy(0, (source.elements,), 0, (1,), 0, (1,))
        return [Move(operator.index, operator.name, (value,), (context.value(output),), (copy,))]
    context.alias(output, value)
    return []


def _concatenation(context: Context, operator: Operator) -> list[Layer]:
    output = context.output(operator)
    sources = [context.input(operator, number) for number in range(len(operator.inputs))]
    rank = len(output.shape)
    axis = int(operator.options["axis"])
    if not -rank <= axis < rank or not sources:
        raise context.refuse(operator, output, f"has no axis {axis}", f"{rank} axes here")
    axis %= rank
    if context.activation(operator):
        raise context.refuse(operator, output, "has a fused activation", "CONCATENATION without one")
    strides = row_major(output.shape)
    copies, at = [], 0
    for number, source in enumerate(sources):
        same_scale(context, operator, source, output)
        length = source.shape[axis] if len(source.shape) == rank else 0
        context.shape(operator, source, (*output.shape[:axis], length, *output.shape[axis + 1 :]))
        if source.elements:
            copies.append(copy_of(source.shape, row_major(source.shape), strides, number=number, to=at * strides[axis]))
        at += length
    if at != output.shape[axis]:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", "the sum of the inputs")
    values = tuple(context.value(source) for source in sources)
    return [Move(operator.index, operator.name, values, (context.value(output),), tuple(copies))]


def _split(context: Context, operator: Operator) -> list[Layer]:
    source = context.input(operator, 1)
    context.int8(operator, source)
    axes, rank, parts = context.integers(operator, 0), len(source.shape), len(operator.outputs)
    if len(axes) != 1 or not -rank <= axes[0] < rank or not parts or source.shape[axes[0] % rank] % parts:
        raise context.refuse(
            operator, source, f"has shape {list(source.shape)}", f"an axis {axes} of {parts} equal parts"
        )
    axis = axes[0] % rank
    strides = row_major(source.shape)
    length = source.shape[axis] // parts
    copies = []
    for number, output in enumerate(operator.outputs):
        context.shape(operator, output, (*source.shape[:axis], length, *source.shape[axis + 1 :]))
        same_scale(context, operator, source, output)
        start = number * length * strides[axis]
        copies.append(copy_of(output.shape, strides, row_major(output.shape), start=start, to_number=number))
    outputs = tuple(context.value(output) for output in operator.outputs)
    return [Move(operator.index, operator.name, (context.value(source),), outputs, tuple(copies))]


def _strided_slice(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    same_scale(context, operator, source, output)
    begins, ends, steps = (context.integers(operator, number) for number in (1, 2, 3))
    rank = len(source.shape)
    if not len(begins) == len(ends) == len(steps) <= rank or 0 in steps or not source.elements:
        raise context.refuse(operator, source, f"has {rank} axes", "one begin, end and step an axis")
    if operator.options["ellipsis_mask"] or operator.options["new_axis_mask"] or operator.options["offset"]:
        raise context.refuse(
            operator, source, "is sliced with an ellipsis or a new axis", "begin, end and shrink masks"
        )
    strides = row_major(source.shape)
    sizes, start = [], 0
    for axis, size in enumerate(source.shape):
        if axis >= len(begins):
            begins, ends, steps = [*begins, 0], [*ends, size], [*steps, 1]
        begin, end, step = begins[axis], ends[axis], steps[axis]
        bit = 1 << axis
        if int(operator.options["shrink_axis_mask"]) & bit:
            begin = begin + size if begin < 0 else begin
            if not 0 <= begin < size:
                raise context.refuse(operator, source, f"has shape {list(source.shape)}", f"indices below {size} there")
            first, count = begin, 1
        else:
            masks = int(operator.options["begin_mask"]) & bit, int(operator.options["end_mask"]) & bit
            taken = range(size)[slice(None if masks[0] else begin, None if masks[1] else end, step)]
            first, count = taken.start, len(taken)
        sizes.append(count)
        start += first * strides[axis]
    if math.prod(sizes) != output.elements or not output.elements:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", f"{math.prod(sizes)} elements here")
    moves = [stride * step for stride, step in zip(strides, steps, strict=True)]
    copy = copy_of(tuple(sizes), moves, row_major(tuple(sizes)), start=start)
    return [Move(operator.index, operator.name, (context.value(source),), (context.value(output),), (copy,))]


def _transpose(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    same_scale(context, operator, source, output)
    order = context.integers(operator, 1)
    if sorted(order) != list(range(len(source.shape))) or not source.elements:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", f"an order of its axes, not {order}")
    sizes = tuple(source.shape[axis] for axis in order)
    context.shape(operator, output, sizes)
    strides = row_major(source.shape)
    copy = copy_of(sizes, [strides[axis] for axis in order], row_major(sizes))
    return [Move(operator.index, operator.name, (context.value(source),), (context.value(output),), (copy,))]


def _pad(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    same_scale(context, operator, source, output)
    widths = context.integers(operator, 1)
    pairs = list(zip(widths[::2], widths[1::2], strict=False))
    if len(pairs) != len(source.shape) or min(widths) < 0 or not source.elements:
        raise context.refuse(
            operator, source, f"has shape {list(source.shape)}", "a pair of widths of 0 or more an axis"
        )
    shape = tuple(n + before + after for n, (before, after) in zip(source.shape, pairs, strict=True))
    context.shape(operator, output, shape)
    strides = row_major(shape)
    to = sum(before * stride for (before, _), stride in zip(pairs, strides, strict=True))
    copy = copy_of(source.shape, row_major(source.shape), strides, to=to)
    zero_point = context.scale(operator, output)[1]
    ends = (context.value(source),), (context.value(output),)
    return [Move(operator.index, operator.name, *ends, (copy,), zero_point)]


def _sizes(context: Context, operator: Operator) -> tuple[tuple[int, int, int], tuple[int, int]]:
    source, output = context.input(operator, 0), context.output(operator)
    same_scale(context, operator, source, output)
    shape, (rows, columns, channels) = context.image(operator, source), context.image(operator, output)
    if channels != shape[2] or context.integers(operator, 1) != [rows, columns]:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", "the size the operator asks for")
    return shape, (rows, columns)


def _nearest(context: Context, operator: Operator) -> list[Layer]:
    (in_h, in_w, channels), (out_h, out_w) = _sizes(context, operator)
    ends = (context.value(context.input(operator, 0)),), (context.value(context.output(operator)),)
    align, half = bool(operator.options["align_corners"]), bool(operator.options["half_pixel_centers"])

    def index(position: int, size: int, result: int) -> int:
        if align and result > 1:
            factor = np.float32(size - 1) / np.float32(result - 1)
        else:
            factor = np.float32(size) / np.float32(result)
        place = np.float32(np.float32(position) + np.float32(0.5 if half else 0.0)) * factor
        return max(0, min(math.floor(place + np.float32(0.5)) if align else math.floor(place), size - 1))

    rows = tuple(index(y, in_h, out_h) for y in range(out_h))
    columns = tuple(index(x, in_w, out_w) for x in range(out_w))
    up_h, up_w = out_h // in_h, out_w // in_w
    repeated = tuple(y // max(up_h, 1) for y in range(out_h)), tuple(x // max(up_w, 1) for x in range(out_w))
    if out_h == up_h * in_h and out_w == up_w * in_w and (rows, columns) == repeated:
        copy = Copy(
            0,
            (in_h, up_h, in_w, up_w, channels),
            0,
            (in_w * channels, 0, channels, 0, 1),
            0,
            (up_h * out_w * channels, out_w * channels, up_w * channels, channels, 1),
        )
        return [Move(operator.index, operator.name, *ends, (copy,))]
    return [Gather(operator.index, operator.name, *ends, channels, in_w, rows, columns)]


def _bilinear(context: Context, operator: Operator) -> list[Layer]:
    (in_h, in_w, channels), (out_h, out_w) = _sizes(context, operator)
    ends = (context.value(context.input(operator, 0)),), (context.value(context.output(operator)),)
    align, half = bool(operator.options["align_corners"]), bool(operator.options["half_pixel_centers"])

    for size, result in ((in_h, out_h), (in_w, out_w)):
        refusal = bilinear_refusal(size, result, align, half)
        if refusal is not None:
            problem, cure = refusal
            raise ModelError(f"Cannot compile {operator.label}: it {problem}; {cure}.")

    def weights(size: int, result: int) -> tuple[tuple[int, int, int], ...]:
        factor = bilinear_step(size, result, align)
        found = []
        for position in range(result):
            place = position * factor + (factor // 2 - 512 if half else 0)
            lower = max(int(place / 1024), 0)
            found.append((lower, min(int((place + 1023) / 1024), size - 1), place - 1024 * lower))
        return tuple(found)

    return [Bilinear(operator.index, operator.name, *ends, channels, in_w, weights(in_h, out_h), weights(in_w, out_w))]


MOVEMENT = {
    "RESHAPE": _reshape,
    "EXPAND_DIMS": _reshape,
    "SQUEEZE": _reshape,
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "PAD": _pad,
    "RESIZE_NEAREST_NEIGHBOR": _nearest,
    "RESIZE_BILINEAR": _bilinear,
}

"""ADD, SUB, MUL, MEAN and SOFTMAX."""

import math

import numpy as np

from thermo_core.tflite.reader import Operator, Tensor
from thermo_core.tflite.schema import TensorType
from thermo_quantize.compiler.fixed_point import exponentials, quantize_multiplier
from thermo_quantize.compiler.ir import Binary, Ints, Layer, Mean, Softmax
from thermo_quantize.compiler.lower.context import Context

Multipliers = tuple[tuple[int, int], ...]
MOST_CLASSES = 8191
"""The reference adds up so many exponentials in 32 bits."""
_ADD_SHIFT = {TensorType.INT8: 20, TensorType.INT16: 15}


def merge(sizes: list[int], strides: list[list[int]]) -> tuple[Ints, tuple[Ints, ...]]:
    """A loop nest with as few loops as walk the same elements in the same order."""
    kept_sizes: list[int] = []
    kept: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(sizes):
        if size == 1:
            continue
        steps = [row[axis] for row in strides]
        if kept_sizes and all(row[-1] == step * size for row, step in zip(kept, steps, strict=True)):
            kept_sizes[-1] *= size
            for row, step in zip(kept, steps, strict=True):
                row[-1] = step
            continue
        kept_sizes.append(size)
        for row, step in zip(kept, steps, strict=True):
            row.append(step)
    if not kept_sizes:
        return (1,), tuple((0,) for _ in strides)
    return tuple(kept_sizes), tuple(tuple(row) for row in kept)


def row_major(shape: Ints) -> list[int]:
    """Stride of each axis, in elements."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def broadcast(context: Context, operator: Operator, tensor: Tensor, shape: Ints) -> list[int]:
    """Strides of an input that is spread to a shape, in elements; 0 along an axis where it is repeated.

    Raises:
        ModelError: it does not spread to the shape.
    """
    padded = (1,) * (len(shape) - len(tensor.shape)) + tensor.shape
    if len(padded) != len(shape) or any(n not in (1, m) for n, m in zip(padded, shape, strict=True)):
        raise context.refuse(
            operator, tensor, f"has shape {list(tensor.shape)}", f"shapes that spread to {list(shape)}"
        )
    return [0 if n == 1 else step for n, step in zip(padded, row_major(padded), strict=True)]


def spread_pairs(
    context: Context, operator: Operator, multipliers: Multipliers, limits: tuple[int, int]
) -> list[Layer]:
    """The layer that makes one number of two, those of both inputs spread to the output's shape.

    Raises:
        ModelError: the output is empty, or an input does not spread to it.
    """
    first, second, output = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    if not output.elements:
        raise context.refuse(operator, output, "is empty", "tensors with elements")
    strides = [broadcast(context, operator, tensor, output.shape) for tensor in (first, second)]
    sizes, merged = merge(list(output.shape), strides)
    zero_points = [context.scale(operator, tensor)[1] for tensor in (first, second, output)]
    return [
        Binary(
            operator.index,
            operator.name,
            (context.value(first), context.value(second)),
            (context.value(output),),
            operator.name,
            sizes,
            (merged[0], merged[1]),
            (zero_points[0], zero_points[1], zero_points[2]),
            multipliers,
            *limits,
        )
    ]


def _binary(context: Context, operator: Operator) -> list[Layer]:
    first, second, output = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    scale1, scale2, scale_out = (context.scale(operator, tensor)[0] for tensor in (first, second, output))
    if operator.name == "MUL":
        real = float(np.float32(np.float32(scale1) * np.float32(scale2)) / np.float32(scale_out))
        multipliers = [quantize_multiplier(real)]
    else:
        twice = 2 * max(scale1, scale2)
        multipliers = [
            quantize_multiplier(scale1 / twice),
            quantize_multiplier(scale2 / twice),
            quantize_multiplier(twice / ((1 << _ADD_SHIFT[context.kind]) * scale_out)),
        ]
    return spread_pairs(context, operator, tuple(multipliers), context.limits(operator, output))


def _mean(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    scale_in, zero_in = context.scale(operator, source)
    scale_out, zero_out = context.scale(operator, output)
    rank = len(source.shape)
    axes = context.integers(operator, 1)
    if not source.elements or not axes or any(not -rank <= axis < rank for axis in axes):
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", f"axes {axes} that it has")
    chosen = {axis % rank for axis in axes}
    strides = row_major(source.shape)
    kept = [axis for axis in range(rank) if axis not in chosen]
    reduced = sorted(chosen)
    count = math.prod(source.shape[axis] for axis in reduced)
    if output.elements * count != source.elements:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", "one element a mean")
    multiplier, exponent = quantize_multiplier(scale_in / scale_out)
    # The reference folds 1 / count into the multiplier with as many extra bits as 64-bit products leave room for.
    bits = min(count.bit_length() - 1, 32, 31 + exponent)
    most = (1 << 31) // (255 if context.kind is TensorType.INT8 else 32768)
    if bits < 0 or count >= most:
        raise context.refuse(
            operator, source, "has a scale or size out of range", f"means of less than {most} elements"
        )
    kept_nest = merge([source.shape[axis] for axis in kept], [[strides[axis] for axis in kept]])
    reduced_nest = merge([source.shape[axis] for axis in reduced], [[strides[axis] for axis in reduced]])
    return [
        Mean(
            operator.index,
            operator.name,
            (context.value(source),),
            (context.value(output),),
            (kept_nest[0], kept_nest[1][0]),
            (reduced_nest[0], reduced_nest[1][0]),
            (multiplier << bits) // count,
            exponent - bits,
            zero_in,
            zero_out,
        )
    ]


def _softmax(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    scale_in, _ = context.scale(operator, source)
    scale_out, zero_out = context.scale(operator, output)
    context.shape(operator, output, source.shape)
    if not source.shape or not source.elements:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", "one axis or more")
    beta = float(operator.options["beta"])
    if not (math.isfinite(beta) and beta > 0):
        raise context.contradicts(operator, "has a beta that is no number above 0")
    if zero_out != -128 or abs(256 * scale_out - 1) > 1e-3:
        raise context.contradicts(operator, "says scores in other steps than 1/256 from -128 on")
    depth = source.shape[-1]
    if depth > MOST_CLASSES:
        raise context.refuse(operator, source, f"has {depth} numbers in a row", f"{MOST_CLASSES} at most")
    ends = (context.value(source),), (context.value(output),)
    rows = source.elements // depth
    table = np.array(exponentials(float(scale_in), beta)[::-1], np.int32)
    return [Softmax(operator.index, operator.name, *ends, rows, depth, table)]


ARITHMETIC = {"ADD": _binary, "SUB": _binary, "MUL": _binary, "MEAN": _mean, "SOFTMAX": _softmax}

"""Products of two computed matrices, and convolutions in groups."""

import math
from dataclasses import replace

import numpy as np

from thermo_core.tflite.reader import Operator, Tensor
from thermo_quantize.compiler.fixed_point import quantize_multiplier
from thermo_quantize.compiler.ir import Conv, Depthwise, Layer, Move, Requant
from thermo_quantize.compiler.ir_functions import MatMul
from thermo_quantize.compiler.lower.arithmetic import broadcast, merge, row_major
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.movement import copy_of


def batch_matmul(context: Context, operator: Operator) -> list[Layer]:
    """BATCH_MATMUL."""
    first, second, output = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    scale1, zero1 = context.scale(operator, first)
    scale2, zero2 = context.scale(operator, second)
    scale_out, zero_out = context.scale(operator, output)
    rank = len(output.shape)
    if rank < 2 or min(len(first.shape), len(second.shape)) < 2 or not output.elements:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", "matrices of two axes or more")
    rows, columns = output.shape[-2:]
    turned = bool(operator.options["adjoint_x"]), bool(operator.options["adjoint_y"])
    depth = first.shape[-2 if turned[0] else -1]
    wanted = (depth, rows) if turned[0] else (rows, depth), (columns, depth) if turned[1] else (depth, columns)
    if first.shape[-2:] != wanted[0] or second.shape[-2:] != wanted[1]:
        shapes = f"has shape {list(second.shape)}"
        raise context.refuse(operator, second, shapes, f"{list(wanted[1])} here, for the input {list(first.shape)}")
    if depth * 255 * 255 >= 1 << 31:
        raise context.refuse(operator, first, f"multiplies {depth} numbers", "sums of at most 33,025 products")
    batches = output.shape[:-2]
    strides = []
    for tensor in (first, second):
        outer = replace(tensor, shape=tensor.shape[:-2])
        size = math.prod(tensor.shape[-2:])
        strides.append([step * size for step in broadcast(context, operator, outer, batches)])
    sizes, merged = merge(list(batches), strides)
    # The kernels round the product of the scales to single precision.
    factor = quantize_multiplier(float(np.float32(scale1) * np.float32(scale2)) / scale_out)
    return [
        MatMul(
            operator.index,
            operator.name,
            (context.value(first), context.value(second)),
            (context.value(output),),
            (sizes, merged[0], merged[1]),
            rows,
            depth,
            columns,
            (1, rows) if turned[0] else (depth, 1),
            (1, depth) if turned[1] else (columns, 1),
            (zero1, zero2, zero_out),
            *factor,
        )
    ]


def grouped(context: Context, operator: Operator, conv: Conv, source: Tensor, groups: int) -> list[Layer]:
    """A convolution each of whose output channels sees the input channels of its group alone.

    Args:
        context: the model.
        operator: the operator.
        conv: the convolution with the weights of all groups, whose input has the channels of one.
        source: the input, with all channels.
        groups: how many there are; more than one.

    Returns:
        A depthwise layer where each group is one channel; otherwise the input cut into its groups, a convolution of each, and
        their outputs joined.
    """
    if conv.channels_in == 1:
        weights = conv.weights[:, :, :, 0]
        ends = conv.inputs, conv.outputs
        window, zero_point = conv.window, conv.input_zero_point
        return [Depthwise(conv.index, conv.title, *ends, window, groups, weights, conv.bias, zero_point, conv.requant)]
    inner, outer = conv.channels_in, conv.channels_out // groups
    value, result = conv.inputs[0], conv.outputs[0]
    shapes = (*value.shape[:3], inner), (*result.shape[:3], outer)
    parts = [context.fresh(value.name, shapes[0]) for _ in range(groups)]
    results = [context.fresh(result.name, shapes[1]) for _ in range(groups)]
    whole = row_major(value.shape), row_major(result.shape)
    cuts = [
        copy_of(shapes[0], whole[0], row_major(shapes[0]), start=number * inner, to_number=number)
        for number in range(groups)
    ]
    joins = [
        copy_of(shapes[1], row_major(shapes[1]), whole[1], number=number, to=number * outer) for number in range(groups)
    ]
    layers: list[Layer] = [Move(conv.index, "SPLIT", (value,), tuple(parts), tuple(cuts))]
    for number in range(groups):
        mine = slice(number * outer, (number + 1) * outer)
        q = conv.requant
        requant = Requant(q.multipliers[mine], q.exponents[mine], q.zero_point, q.low, q.high)
        part = (parts[number],), (results[number],)
        weights, bias = conv.weights[mine], conv.bias[mine]
        layers.append(replace(conv, inputs=part[0], outputs=part[1], weights=weights, bias=bias, requant=requant))
    return [*layers, Move(conv.index, "CONCATENATION", tuple(results), (result,), tuple(joins))]


PRODUCTS = {"BATCH_MATMUL": batch_matmul}

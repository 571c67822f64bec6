"""Convolutions, dense layers and pools."""

from dataclasses import replace

import numpy as np

from thermo_core.tflite.reader import Operator, Tensor
from thermo_core.tflite.schema import Padding
from thermo_quantize.compiler.ir import Conv, Depthwise, Layer, Pool, Source, TransposeConv, Value, Window
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.products import grouped

Values = tuple[Value, ...]


def _image(context: Context, operator: Operator, tensor: Tensor, kernel_h: int) -> tuple[int, int, int]:
    """(rows, columns, channels) of an image; samples lie below each other where a kernel of one row cannot see across them."""
    one_row = kernel_h == int(operator.options["stride_h"]) == 1
    if len(tensor.shape) != 4 or tensor.shape[0] == 1 or not one_row:
        return context.image(operator, tensor)
    rows, columns, channels = context.image(operator, replace(tensor, shape=(1, *tensor.shape[1:])))
    return tensor.shape[0] * rows, columns, channels


def _head(context: Context, operator: Operator, source: Tensor, output: Tensor) -> tuple[int, str, Values, Values]:
    """What every layer of one input and one output begins with."""
    return operator.index, operator.name, (context.value(source),), (context.value(output),)


def _window(
    context: Context, operator: Operator, source: Tensor, output: Tensor, kernel: tuple[int, int], dilation: bool = True
) -> Window:
    options = operator.options
    stride = int(options["stride_h"]), int(options["stride_w"])
    spread = (int(options["dilation_h"]), int(options["dilation_w"])) if dilation else (1, 1)
    if min(*stride, *spread, *kernel) < 1:
        raise context.contradicts(operator, "has a stride, dilation or kernel of less than 1")
    in_h, in_w, _ = _image(context, operator, source, kernel[0])
    sizes, pads = [], []
    for size, step, taps, gap in zip((in_h, in_w), stride, kernel, spread, strict=True):
        reach = (taps - 1) * gap + 1
        if int(options["padding"]) == Padding.SAME:
            result = -(-size // step)
            pads.append(max(0, (result - 1) * step + reach - size) // 2)
        else:
            result = (size - reach) // step + 1
            pads.append(0)
        sizes.append(result)
    out_h, out_w, _ = _image(context, operator, output, kernel[0])
    if (out_h, out_w, output.shape[0]) != (*sizes, source.shape[0]):
        raise context.refuse(
            operator, output, f"has shape {list(output.shape)}", f"{sizes[0]} x {sizes[1]} pixels here"
        )
    return Window(in_h, in_w, sizes[0], sizes[1], *kernel, *stride, *spread, pads[0], pads[1])


def _convolution(context: Context, operator: Operator) -> list[Layer]:
    source, filters, output = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    inner = filters.shape[3] if len(filters.shape) == 4 else 0
    channels_in = _image(context, operator, source, filters.shape[1] if inner else 0)[2]
    groups = channels_in // inner if inner and channels_in % inner == 0 else 0
    if not groups or filters.shape[0] % groups:
        raise context.refuse(
            operator,
            filters,
            f"has shape {list(filters.shape)}",
            f"filters of {channels_in} channels, or of groups of them",
        )
    channels = filters.shape[0]
    weights, scales = context.weights(operator, 1, channels, 0)
    window = _window(context, operator, source, output, (filters.shape[1], filters.shape[2]))
    context.shape(operator, output, (*output.shape[:3], channels))
    products = context.products(operator, source, weights, scales, context.bias(operator, 2, channels), output)
    weights, bias, requant = products
    zero_point = context.scale(operator, source)[1]
    head = _head(context, operator, source, output)
    sources = (Source(0, inner),)
    conv = Conv(*head, window, sources, weights, bias, zero_point, requant)
    if groups > 1:
        return grouped(context, operator, conv, source, groups)
    if channels_in == 1 and window.kernel_h <= 5 and window.kernel_w <= 5:
        # One input channel is what the depthwise kernels are made for.
        flat = weights[:, :, :, 0]
        return [Depthwise(*head, window, 1, flat, bias, zero_point, requant)]
    return [conv]


def _depthwise(context: Context, operator: Operator) -> list[Layer]:
    source, filters, output = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    channels_in = _image(context, operator, source, filters.shape[1] if len(filters.shape) == 4 else 0)[2]
    if len(filters.shape) != 4 or filters.shape[0] != 1 or filters.shape[3] % channels_in or not filters.shape[3]:
        raise context.refuse(
            operator, filters, f"has shape {list(filters.shape)}", f"(1, rows, columns, a multiple of {channels_in})"
        )
    channels = filters.shape[3]
    weights, scales = context.weights(operator, 1, channels, 3)
    window = _window(context, operator, source, output, (filters.shape[1], filters.shape[2]))
    context.shape(operator, output, (*output.shape[:3], channels))
    weights = np.ascontiguousarray(weights[0].transpose(2, 0, 1))
    products = context.products(operator, source, weights, scales, context.bias(operator, 2, channels), output)
    weights, bias, requant = products
    zero_point = context.scale(operator, source)[1]
    head = _head(context, operator, source, output)
    return [Depthwise(*head, window, channels_in, weights, bias, zero_point, requant)]


def _dense(context: Context, operator: Operator) -> list[Layer]:
    source, filters, output = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    context.int8(operator, source)
    if int(operator.options["weights_format"]) != 0:
        raise context.refuse(operator, filters, "is stored shuffled", "weights in the default format")
    if len(filters.shape) != 2 or not filters.elements or source.elements % filters.shape[1] or not source.elements:
        raise context.refuse(
            operator, filters, f"has shape {list(filters.shape)}", "(outputs, inputs) that fit the input"
        )
    channels, depth = filters.shape
    rows = source.elements // depth
    if output.elements != rows * channels:
        raise context.refuse(operator, output, f"has shape {list(output.shape)}", f"{rows} x {channels} outputs here")
    weights, scales = context.weights(operator, 1, channels, 0)
    products = context.products(
        operator, source, weights, scales, context.bias(operator, 2, channels), output, dense=True
    )
    weights, bias, requant = products
    window, sources = Window(1, rows, 1, rows, 1, 1, 1, 1), (Source(0, depth),)
    zero_point = context.scale(operator, source)[1]
    head = _head(context, operator, source, output)
    return [Conv(*head, window, sources, weights.reshape(channels, 1, 1, depth), bias, zero_point, requant)]


def _pool(context: Context, operator: Operator) -> list[Layer]:
    source, output = context.input(operator, 0), context.output(operator)
    kernel = int(operator.options["filter_h"]), int(operator.options["filter_w"])
    window = _window(context, operator, source, output, kernel, dilation=False)
    context.shape(operator, output, (*output.shape[:3], source.shape[3]))
    if context.scale(operator, source) != context.scale(operator, output):
        raise context.refuse(operator, output, "is quantised otherwise than its input", "pools that keep the scale")
    low, high = context.limits(operator, output)
    average = operator.name == "AVERAGE_POOL_2D"
    return [Pool(*_head(context, operator, source, output), window, source.shape[3], average, low, high)]


def _transpose_convolution(context: Context, operator: Operator) -> list[Layer]:
    filters, source, output = context.input(operator, 1), context.input(operator, 2), context.output(operator)
    in_h, in_w, channels_in = context.image(operator, source)
    out_h, out_w, channels = context.image(operator, output)
    if context.integers(operator, 0) != list(output.shape):
        raise context.refuse(operator, output, "has another shape than the operator asks for", "equal shapes")
    if len(filters.shape) != 4 or (filters.shape[0], filters.shape[3]) != (channels, channels_in):
        raise context.refuse(
            operator, filters, f"has shape {list(filters.shape)}", f"({channels}, rows, columns, {channels_in})"
        )
    weights, scales = context.weights(operator, 1, channels, 0)
    strides = int(operator.options["stride_h"]), int(operator.options["stride_w"])
    if min(strides) < 1 or not filters.elements:
        raise context.contradicts(operator, "has a stride or kernel of less than 1")
    pads = []
    for size, small, taps, step in zip((out_h, out_w), (in_h, in_w), filters.shape[1:3], strides, strict=True):
        same = int(operator.options["padding"]) == Padding.SAME
        count = -(-size // step) if same else (size - taps) // step + 1
        if count != small:
            raise context.refuse(
                operator, output, f"has shape {list(output.shape)}", "shapes that fit stride and padding"
            )
        pads.append(max(0, (count - 1) * step + taps - size) // 2 if same else 0)
    products = context.products(operator, source, weights, scales, context.bias(operator, 3, channels), output)
    weights, bias, requant = products
    window = Window(in_h, in_w, out_h, out_w, filters.shape[1], filters.shape[2], *strides, 1, 1, *pads)
    zero_point = context.scale(operator, source)[1]
    head = _head(context, operator, source, output)
    return [TransposeConv(*head, window, channels_in, weights, bias, zero_point, requant)]


WINDOWS = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "TRANSPOSE_CONV": _transpose_convolution,
}

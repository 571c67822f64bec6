"""Rules of the operators that slide or apply weights: convolutions, fully connected layers and pools."""

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Tensor
from thermo_core.tflite.schema import Padding
from thermo_core.tflite.scope import FLOAT32, INT8, INT16, INT32, INT64, MAX_WINDOW, REQUANTISE, Scope, scale


def _window(scope: Scope, size: int, window: int, stride: int, dilation: int = 1) -> int:
    """Length of a sliding window's output along one axis."""
    scope.check(1 <= stride <= MAX_WINDOW, f"has a stride of {stride}")
    scope.check(1 <= dilation <= MAX_WINDOW, f"has a dilation of {dilation}")
    scope.check(1 <= window <= MAX_WINDOW, f"has a window of {window}")
    reach = (window - 1) * dilation + 1
    scope.check(reach <= 16 * MAX_WINDOW, f"has a window of {window} dilated by {dilation}")
    padding = scope.option("padding")
    if padding == Padding.SAME:
        return -(-size // stride)
    scope.check(padding == Padding.VALID, f"has the unknown padding {padding}")
    scope.check(reach <= size, f"has a window of {reach} on {size} values")
    return (size - reach) // stride + 1


def _weights(
    scope: Scope, source: Tensor, weights: Tensor, bias: Tensor | None, out: Tensor, channel_axis: int
) -> None:
    """Types and scales of what is multiplied and summed."""
    scope.same_type(source, out)
    label = f"its weights, {weights.label},"
    if source.type is FLOAT32:
        scope.check(weights.type in (FLOAT32, INT8), f"needs {label} to be float32 or int8", REQUANTISE)
    else:
        scope.check(weights.type is INT8, f"needs {label} to be int8", REQUANTISE)
    scope.check(weights.data is not None, f"needs {label} to be constant")
    channels = weights.shape[channel_axis]
    if bias is not None:
        wanted = {FLOAT32: (FLOAT32,), INT8: (INT32,), INT16: (INT64, INT32)}[source.type]
        scope.check(
            bias.type in wanted and bias.data is not None, f"has a bias, {bias.label}, of another kind", REQUANTISE
        )
        scope.check(
            bias.elements == channels == bias.shape[-1:][0] if bias.shape else False, "has a bias of another size"
        )
    if weights.type is not INT8:
        return
    quantization = weights.quantization
    if quantization is None:
        scope.fail(f"has {label} without a scale", REQUANTISE)
    scope.check(not any(quantization.zero_points), f"needs {label} to be symmetric", REQUANTISE)
    per_channel = len(quantization.scales) == channels and quantization.axis == channel_axis
    scope.check(len(quantization.scales) == 1 or per_channel, f"has {label} with scales along another axis", REQUANTISE)
    if source.type is FLOAT32:
        return
    (in_scale, _), (out_scale, _) = scale(source), scale(out)
    for weight_scale in quantization.scales:
        scope.multiplier(in_scale * weight_scale / out_scale)
    if bias is not None and bias.quantization is not None:
        scales = bias.quantization.scales
        scope.check(
            len(scales) in (1, len(quantization.scales)), "has a bias with another number of scales", REQUANTISE
        )
        if len(scales) == len(quantization.scales):
            for have, weight_scale in zip(scales, quantization.scales, strict=True):
                product = in_scale * weight_scale
                scope.check(
                    abs(have - product) <= 0.02 * max(product, out_scale), "has a bias of another scale", REQUANTISE
                )


def conv(scope: Scope) -> int:
    """A window of weights over an image, all channels or a group of them to each filter."""
    inputs, out = scope.tensors(2, 3)
    source, weights = inputs[0], inputs[1]
    for tensor in (source, weights, out):
        scope.rank(tensor, 4)
    scope.check(len(inputs) == 3 or source.type is FLOAT32, "has no bias")
    _weights(scope, source, weights, inputs[2] if len(inputs) > 2 else None, out, 0)
    scope.activation()
    batch, rows, columns, depth = source.shape
    channels, high, wide, filter_depth = weights.shape
    groups = max(1, depth // filter_depth)
    # Grouped filters see their part of the channels each; kernels divide without asking.
    fits = (
        depth == groups * filter_depth
        and channels % groups == 0
        and (groups == 1 or source.type is not FLOAT32 or weights.type is FLOAT32)
    )
    scope.check(fits, f"multiplies {depth} channels by {channels} filters of {filter_depth}")
    expected = (
        batch,
        _window(scope, rows, high, scope.option("stride_h"), scope.option("dilation_h")),
        _window(scope, columns, wide, scope.option("stride_w"), scope.option("dilation_w")),
        channels,
    )
    scope.shape(out, expected)
    return out.elements * high * wide * filter_depth


def depthwise(scope: Scope) -> int:
    """A window of weights over each channel by itself."""
    inputs, out = scope.tensors(2, 3)
    source, weights = inputs[0], inputs[1]
    for tensor in (source, weights, out):
        scope.rank(tensor, 4)
    # The kernels look into the bias without asking whether there is one.
    scope.check(len(inputs) == 3, "has no bias")
    _weights(scope, source, weights, inputs[2], out, 3)
    scope.check(source.type is not INT16 or inputs[2].type is INT64, "has a bias of 32 bits under int16")
    scope.activation()
    batch, rows, columns, depth = source.shape
    one, high, wide, channels = weights.shape
    multiplier = scope.option("depth_multiplier")
    scope.check(one == 1 and multiplier * depth == channels, f"has a depth multiplier of {multiplier}")
    expected = (
        batch,
        _window(scope, rows, high, scope.option("stride_h"), scope.option("dilation_h")),
        _window(scope, columns, wide, scope.option("stride_w"), scope.option("dilation_w")),
        channels,
    )
    scope.shape(out, expected)
    return out.elements * high * wide


def transpose_conv(scope: Scope) -> int:
    """A window of weights that spreads each pixel, to a size that is told."""
    inputs, out = scope.tensors(3, 4)
    size, weights, source = inputs[:3]
    for tensor in (source, weights, out):
        scope.rank(tensor, 4)
    _weights(scope, source, weights, inputs[3] if len(inputs) > 3 else None, out, 0)
    scope.check(source.type is not FLOAT32 or weights.type is FLOAT32, "mixes float32 and int8", REQUANTISE)
    scope.activation()
    scope.check(tuple(scope.integers(size)) == out.shape, "gives another shape than it is told")
    channels, high, wide, depth = weights.shape
    batch, rows, columns, filter_depth = source.shape
    scope.check(depth == filter_depth, f"multiplies {filter_depth} channels by weights of {depth}")
    scope.check(out.shape[0] == batch and out.shape[3] == channels, "gives another number of channels than it has")
    expected = (
        _window(scope, out.shape[1], high, scope.option("stride_h")),
        _window(scope, out.shape[2], wide, scope.option("stride_w")),
    )
    scope.check((rows, columns) == expected, "has a size that its stride and window do not make")
    return source.elements * high * wide * channels


def fully_connected(scope: Scope) -> int:
    """Each output from all inputs."""
    inputs, out = scope.tensors(2, 3)
    source, weights = inputs[0], inputs[1]
    scope.rank(weights, 2)
    _weights(scope, source, weights, inputs[2] if len(inputs) > 2 else None, out, 0)
    scope.activation()
    scope.check(scope.option("weights_format") == 0, "stores its weights shuffled")
    units, depth = weights.shape
    scope.check(source.elements % depth == 0, f"multiplies {source.elements} values by weights of {depth}")
    scales = weights.quantization.scales if weights.quantization is not None else ()
    if len(scales) > 1 and len(out.shape) != 2 and source.type is not FLOAT32:
        # The reference kernel takes the first two dimensions for rows and outputs, and reads beyond its weights.
        raise ModelError(
            f"The model's {scope.operator.label} has a scale a channel and an output of {len(out.shape)} dimensions, which "
            "runtimes compute wrongly; quantise dense layers with one scale, as thermo-quantize quantize does."
        )
    if scope.option("keep_num_dims"):
        scope.check(source.shape[-1:] == (depth,), f"multiplies {list(source.shape)} by weights of {depth}")
        scope.shape(out, (*source.shape[:-1], units))
    else:
        scope.shape(out, (source.elements // depth, units))
    return out.elements * depth


def pool(scope: Scope) -> int:
    """The mean or maximum of a window."""
    (source,), out = scope.tensors(1)
    scope.rank(source, 4)
    scope.rank(out, 4)
    scope.same_type(source, out)
    scope.same_scale(source, out)
    scope.activation()
    batch, rows, columns, depth = source.shape
    high, wide = scope.option("filter_h"), scope.option("filter_w")
    scope.check(
        high <= 2 * rows and wide <= 2 * columns, f"has a window of {high} x {wide} on {rows} x {columns} values"
    )
    expected = (
        batch,
        _window(scope, rows, high, scope.option("stride_h")),
        _window(scope, columns, wide, scope.option("stride_w")),
        depth,
    )
    scope.shape(out, expected)
    return out.elements * high * wide

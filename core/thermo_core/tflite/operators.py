"""What each supported operator must look like: number and types of tensors, shapes, options, scales; and what it costs.

The rules are those that the kernels of TensorFlow Lite rely on (tensorflow/lite/kernels, and the 8-bit quantisation
specification, https://ai.google.dev/edge/litert/models/quantization_spec), stated before any kernel runs.
"""

import math
from collections.abc import Callable

import numpy as np

from thermo_core.tflite import recurrent, slicing, sliding
from thermo_core.tflite.functions import FUNCTIONS
from thermo_core.tflite.reader import Tensor
from thermo_core.tflite.rearranging import REARRANGING
from thermo_core.tflite.schema import Activation, TensorType
from thermo_core.tflite.scope import FLOAT32, INT8, INT16, MAX_WINDOW, REQUANTISE, UINT8, Scope, scale

Rule = Callable[[Scope], int]
# Output scale and zero point that the kernels of functions with a fixed range insist on.
_UNIT = {INT8: (1 / 256, -128), INT16: (1 / 32768, 0)}
_SIGNED_UNIT = {INT8: (1 / 128, 0), INT16: (1 / 32768, 0)}


def _broadcast(scope: Scope) -> tuple[Tensor, Tensor, Tensor]:
    (first, second), out = scope.tensors(2)
    scope.same_type(first, second, out)
    scope.activation()
    scope.check(max(len(first.shape), len(second.shape)) <= 4, "takes tensors of more than 4 dimensions")
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        scope.fail(f"takes {list(first.shape)} and {list(second.shape)}, which do not fit each other")
    scope.shape(out, shape)
    return first, second, out


def _add(scope: Scope) -> int:
    first, second, out = _broadcast(scope)
    if out.type is not FLOAT32:
        larger = 2 * max(scale(first)[0], scale(second)[0])
        smaller = 2 * min(scale(first)[0], scale(second)[0])
        # The kernels scale sums up by 2^20 (int8) or 2^15 (int16) and insist on a factor below one back down.
        scope.check(
            larger / scale(out)[0] < (1 << (20 if out.type is INT8 else 15)), "has scales that do not fit each other"
        )
        scope.check(smaller / larger > 2.0**-30, "has scales that do not fit each other")
    return out.elements


def _mul(scope: Scope) -> int:
    first, second, out = _broadcast(scope)
    if out.type is not FLOAT32:
        scope.multiplier(scale(first)[0] * scale(second)[0] / scale(out)[0])
    return out.elements


def _axes(scope: Scope, tensor: Tensor, rank: int) -> list[int]:
    axes = scope.integers(tensor)
    scope.check(len(tensor.shape) <= 1 and all(-rank <= axis < rank for axis in axes), f"reduces axes {axes} of {rank}")
    found = sorted({axis % rank for axis in axes})
    scope.check(bool(found) and len(found) == len(axes), f"reduces axes {axes}")
    return found


def _reduce(scope: Scope) -> int:
    (source, axis), out = scope.tensors(2)
    scope.same_type(source, out)
    scope.check(len(source.shape) <= 4, f"reduces a tensor of shape {list(source.shape)}")
    axes = _axes(scope, axis, len(source.shape))
    if scope.option("keep_dims"):
        scope.shape(out, [1 if n in axes else size for n, size in enumerate(source.shape)])
    else:
        scope.shape(out, [size for n, size in enumerate(source.shape) if n not in axes])
    if out.type is not FLOAT32:
        scope.multiplier(scale(source)[0] / scale(out)[0])
        if scope.operator.name in ("REDUCE_MAX", "REDUCE_MIN"):
            scope.same_scale(source, out)
        scope.check(out.type is INT8 or scope.operator.name != "SUM", "adds up int16, which its kernels do in 16 bits")
    return source.elements


def _reshape(scope: Scope) -> int:
    inputs, out = scope.tensors(1, 2)
    source = inputs[0]
    scope.same_type(source, out)
    scope.same_scale(source, out)
    scope.check(source.elements == out.elements, f"makes {list(out.shape)} of {list(source.shape)}")
    scope.check(len(inputs) == 2, "has no constant shape")
    wanted = scope.integers(inputs[1])
    scope.rank(inputs[1], 1)
    fits = len(wanted) == len(out.shape) and wanted.count(-1) <= 1
    fits = fits and all(want in (size, -1) for want, size in zip(wanted, out.shape, strict=False))
    scope.check(fits, f"makes {list(out.shape)} where it is told {wanted}")
    return 0


def _expand_dims(scope: Scope) -> int:
    (source, axis), out = scope.tensors(2)
    scope.same_type(source, out)
    scope.same_scale(source, out)
    places = scope.integers(axis)
    rank = len(source.shape) + 1
    scope.check(len(places) == 1 and -rank <= places[0] < rank, f"adds a dimension at {places}")
    shape = list(source.shape)
    shape.insert(places[0] % rank, 1)
    scope.shape(out, shape)
    return 0


def _pad(scope: Scope) -> int:
    (source, widths), out = scope.tensors(2)
    scope.same_type(source, out)
    scope.same_scale(source, out)
    rank = len(source.shape)
    pads = scope.integers(widths)
    scope.check(1 <= rank <= 4 and widths.shape == (rank, 2), f"pads {list(source.shape)} by {list(widths.shape)}")
    scope.check(all(0 <= pad <= MAX_WINDOW for pad in pads), f"pads by {pads}")
    scope.shape(out, [size + pads[2 * n] + pads[2 * n + 1] for n, size in enumerate(source.shape)])
    return 0


def _concatenation(scope: Scope) -> int:
    inputs, out = scope.tensors(1, 64)
    scope.same_type(*inputs, out)
    scope.activation((Activation.NONE,))
    rank, axis = len(out.shape), scope.option("axis")
    scope.check(1 <= rank <= 4 and -rank <= axis < rank, f"joins along axis {axis}")
    axis %= rank
    total = 0
    for tensor in inputs:
        scope.rank(tensor, rank)
        rest = [tensor.shape[n] == out.shape[n] for n in range(rank) if n != axis]
        scope.check(all(rest), f"joins {list(tensor.shape)} into {list(out.shape)}")
        scope.same_scale(tensor, out)
        total += tensor.shape[axis]
    scope.check(total == out.shape[axis], f"joins {total} values into {out.shape[axis]}")
    return 0


def _elementwise(scope: Scope) -> int:
    (source,), out = scope.tensors(1)
    scope.same_type(source, out)
    scope.shape(out, source.shape)
    if out.type is not FLOAT32:
        scope.multiplier(scale(source)[0] / scale(out)[0])
    return out.elements


def _fixed_range(ranges: dict[TensorType, tuple[float, int]], scope: Scope) -> int:
    (source,), out = scope.tensors(1)
    scope.same_type(source, out)
    scope.shape(out, source.shape)
    if out.type is not FLOAT32:
        wanted = ranges[out.type]
        have, zero = scale(out)
        scope.check(
            math.isclose(have, wanted[0], rel_tol=1e-6) and zero == wanted[1],
            f"has an output scale other than {wanted[0]}",
            REQUANTISE,
        )
        scope.multiplier(scale(source)[0])
    return out.elements


def _logistic(scope: Scope) -> int:
    return _fixed_range(_UNIT, scope)


def _tanh(scope: Scope) -> int:
    return _fixed_range(_SIGNED_UNIT, scope)


def _softmax(scope: Scope) -> int:
    (source,), _ = scope.tensors(1)
    beta = float(scope.operator.options["beta"])
    scope.check(1e-3 <= beta <= 1e3, f"has a beta of {beta}")
    scope.check(1 <= len(source.shape) <= 4, f"takes no input of shape {list(source.shape)}")
    if source.type is not FLOAT32:
        # The kernel needs beta times scale in Q26 above one, and its table a reach that fits 31 bits.
        scope.check(
            2.0**-24 < beta * scale(source)[0] < 2.0**10, "has an input scale that its table cannot hold", REQUANTISE
        )
    return _fixed_range(_UNIT, scope)


def _leaky_relu(scope: Scope) -> int:
    alpha = abs(float(scope.operator.options["alpha"]))
    scope.check(alpha <= 1e3, f"has a slope of {alpha}")
    work = _elementwise(scope)
    if scope.operator.outputs[0].type is not FLOAT32:
        scope.check(alpha > 1e-9, f"has a slope of {alpha}")
    return work


def _hard_swish(scope: Scope) -> int:
    (source,), out = scope.tensors(1)
    scope.computed(source, (FLOAT32, INT8))
    scope.same_type(source, out)
    scope.shape(out, source.shape)
    if out.type is not FLOAT32:
        # The kernel works on inputs times 128 in 16 bits, and insists on a factor below one from there to the output.
        factor = scale(source)[0] / 128 / scale(out)[0]
        fits = 2.0**-24 < factor < 1 and 2.0**-16 < scale(source)[0] < 64
        scope.check(fits, "has scales that do not fit each other", REQUANTISE)
    return out.elements


_QUANTIZED = {FLOAT32: (INT8, INT16), INT8: (INT8, UINT8), INT16: (INT8, INT16), UINT8: (INT8,)}
"""Type that QUANTIZE takes -> types it makes of it; uint8 occurs at the ends of a network alone."""


def _quantize(scope: Scope) -> int:
    (source,), out = scope.tensors(1)
    scope.computed(source, tuple(_QUANTIZED))
    scope.computed(out, _QUANTIZED[source.type])
    scope.shape(out, source.shape)
    scope.check(source.data is None, "quantises a constant")
    if source.type is not FLOAT32:
        scope.multiplier(scale(source)[0] / scale(out)[0])
    return out.elements


def _dequantize(scope: Scope) -> int:
    (source,), out = scope.tensors(1)
    scope.computed(source, (INT8, INT16))
    scope.computed(out, (FLOAT32,))
    scope.shape(out, source.shape)
    scope.check(source.data is None, "unpacks stored weights")
    scale(source)
    return out.elements


def _resize(scope: Scope) -> int:
    (source, size), out = scope.tensors(2)
    scope.rank(source, 4)
    scope.same_type(source, out)
    scope.same_scale(source, out)
    rows_columns = scope.integers(size)
    scope.check(size.shape == (2,), f"is told a size of shape {list(size.shape)}")
    scope.check(
        not (scope.option("align_corners") and scope.option("half_pixel_centers")), "aligns corners and centres"
    )
    scope.shape(out, (source.shape[0], *rows_columns, source.shape[3]))
    return out.elements


def bilinear_step(size: int, result: int, align_corners: bool) -> int:
    """Rows or columns of the input from one of the output to the next, in 1/1024, as RESIZE_BILINEAR rounds it."""
    if align_corners and result > 1:
        return ((size - 1) * 1024 + (result - 1) // 2) // (result - 1)
    return (size * 1024 + result // 2) // result


def bilinear_overruns(size: int, result: int, align_corners: bool, half_pixel_centers: bool) -> bool:
    """Whether the integer kernel looks for the last of `result` rows beyond the last of `size`.

    It holds the upper of two neighbours to the image, and not the lower one; steps rounded to 1/1024 add up.
    """
    step = bilinear_step(size, result, align_corners)
    last = (result - 1) * step + (step // 2 - 512 if half_pixel_centers else 0)
    return last // 1024 >= size


def bilinear_refusal(size: int, result: int, align_corners: bool, half_pixel_centers: bool) -> tuple[str, str] | None:
    """What is wrong with making `result` rows of `size` by RESIZE_BILINEAR in integers, and the cure; None: nothing."""
    if not bilinear_overruns(size, result, align_corners, half_pixel_centers):
        return None
    fits = next(n for n in range(result, 0, -1) if not bilinear_overruns(size, n, align_corners, half_pixel_centers))
    return (
        f"makes {result} rows or columns of {size}, for which the runtime reads beyond its input",
        f"resize to {fits}",
    )


def _resize_bilinear(scope: Scope) -> int:
    (source, _), out = scope.tensors(2)
    work = _resize(scope)
    options = bool(scope.option("align_corners")), bool(scope.option("half_pixel_centers"))
    for size, result in zip(source.shape[1:3], out.shape[1:3], strict=True):
        refusal = bilinear_refusal(size, result, *options)
        if refusal is not None and source.type is not TensorType.FLOAT32:
            scope.fail(*refusal)
    return work


def _transpose(scope: Scope) -> int:
    (source, order), out = scope.tensors(2)
    scope.same_type(source, out)
    scope.same_scale(source, out)
    rank = len(source.shape)
    axes = scope.integers(order)
    scope.check(1 <= rank <= 5 and order.shape == (rank,) and sorted(axes) == list(range(rank)), f"swaps axes {axes}")
    scope.shape(out, [source.shape[axis] for axis in axes])
    return 0


RULES: dict[str, Rule] = {
    "ADD": _add,
    "AVERAGE_POOL_2D": sliding.pool,
    "CONCATENATION": _concatenation,
    "CONV_2D": sliding.conv,
    "DEPTHWISE_CONV_2D": sliding.depthwise,
    "DEQUANTIZE": _dequantize,
    "EXPAND_DIMS": _expand_dims,
    "FULLY_CONNECTED": sliding.fully_connected,
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _logistic,
    "MAX_POOL_2D": sliding.pool,
    "MEAN": _reduce,
    "MUL": _mul,
    "PAD": _pad,
    "QUANTIZE": _quantize,
    "REDUCE_MAX": _reduce,
    "REDUCE_MIN": _reduce,
    "RELU": _elementwise,
    "RELU6": _elementwise,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SOFTMAX": _softmax,
    "SPLIT": slicing.split,
    "SPLIT_V": slicing.split_by_sizes,
    "STRIDED_SLICE": slicing.strided_slice,
    "SUB": _add,
    "SUM": _reduce,
    "TANH": _tanh,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": sliding.transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.sequence_lstm,
    **REARRANGING,
    **FUNCTIONS,
}
"""Operators a model may have, each with its rule: raises ModelError or returns its work, in multiply-accumulates where it
has weights and in elements touched otherwise."""
MULTIPLYING = frozenset(
    "BATCH_MATMUL CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM".split()
)
"""Operators whose work is counted as multiply-accumulates."""

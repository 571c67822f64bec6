"""Rules of functions of one or two numbers, of L2 normalisation and of products of matrices (see `operators`)."""

import math

import numpy as np

from thermo_core.tflite.reader import Tensor
from thermo_core.tflite.schema import Activation, TensorType
from thermo_core.tflite.scope import FLOAT32, INT8, INT16, Scope, scale

_TYPES = (FLOAT32, INT8)
_MAX_DEPTH = 1 << 15


def _one(scope: Scope, types: tuple[TensorType, ...] = _TYPES) -> tuple[Tensor, Tensor]:
    (source,), out = scope.tensors(1)
    scope.computed(source, types)
    scope.same_type(source, out)
    scope.shape(out, source.shape)
    return source, out


def smooth(scope: Scope) -> int:
    """A table of a function that is no larger than the input itself."""
    source, out = _one(scope)
    if out.type is INT8:
        scope.multiplier(scale(source)[0] / scale(out)[0])
    return out.elements


def exponential(scope: Scope) -> int:
    """Powers of e that stay within single precision."""
    source, out = _one(scope)
    if out.type is INT8:
        factor, zero_point = scale(source)
        largest = factor * (127 - zero_point)
        scope.check(largest < 80, f"has an input scale of {factor:.3g}, with which its results leave single precision")
        scope.multiplier(math.exp(largest) / scale(out)[0] / 255)
    return out.elements


def inverse_root(scope: Scope) -> int:
    """One over a root, of numbers that are never negative."""
    source, out = _one(scope)
    if out.type is INT8:
        factor, zero_point = scale(source)
        # The kernel stops at a number below zero.
        scope.check(zero_point == -128, "takes the root of numbers that may be negative")
        scope.multiplier(1 / (math.sqrt(factor) * scale(out)[0]))
    return out.elements


def single(scope: Scope) -> int:
    """A function that runtimes have in single precision alone."""
    return _one(scope, (FLOAT32,))[1].elements


def _two(scope: Scope, types: tuple[TensorType, ...] = _TYPES) -> tuple[Tensor, Tensor, Tensor]:
    (first, second), out = scope.tensors(2)
    scope.computed(first, types)
    scope.same_type(first, second, out)
    scope.check(max(len(first.shape), len(second.shape)) <= 4, "takes tensors of more than 4 dimensions")
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        scope.fail(f"takes {list(first.shape)} and {list(second.shape)}, which do not fit each other")
    scope.shape(out, shape)
    return first, second, out


def comparison(scope: Scope) -> int:
    """The greater or smaller of two numbers of the same scale."""
    first, second, out = _two(scope, (*_TYPES, INT16))
    scope.same_scale(first, out)
    scope.same_scale(second, out)
    return out.elements


def prelu(scope: Scope) -> int:
    """Numbers below zero times a constant slope, which may differ from channel to channel."""
    first, slopes, out = _two(scope)
    scope.check(slopes.data is not None, f"needs its slopes, {slopes.label}, to be constant")
    scope.shape(out, first.shape)
    if out.type is INT8:
        scope.multiplier(scale(first)[0] / scale(out)[0])
        scope.multiplier(scale(first)[0] * scale(slopes)[0] / scale(out)[0])
    return out.elements


def squared_difference(scope: Scope) -> int:
    """Squares of differences, with scales that the kernel's shifts can say."""
    first, second, out = _two(scope)
    if out.type is INT8:
        twice = 2 * max(scale(first)[0], scale(second)[0])
        smaller = min(scale(first)[0], scale(second)[0])
        # The kernel scales differences up by 2^7, and insists on factors below one.
        fits = smaller / twice > 2.0**-31 and 2.0**-31 < twice * twice / (2**14 * scale(out)[0]) < 1
        scope.check(fits, "has scales that do not fit each other")
    return out.elements


def l2_normalization(scope: Scope) -> int:
    """Rows of length 1, in steps of 1/128."""
    source, out = _one(scope)
    scope.activation((Activation.NONE,))
    scope.check(1 <= len(source.shape) <= 4, f"takes no input of shape {list(source.shape)}")
    if out.type is INT8:
        scope.check(scale(out) == (1 / 128, 0), "has an output scale other than 1/128")
        scale(source)
        scope.check(source.shape[-1] <= _MAX_DEPTH, f"adds {source.shape[-1]} squares")
    return out.elements


def batch_matmul(scope: Scope) -> int:
    """Products of matrices, each of the two as it is or turned over."""
    (first, second), out = scope.tensors(2)
    scope.computed(first, (*_TYPES, INT16))
    scope.same_type(first, second, out)
    for tensor in (first, second):
        scope.check(2 <= len(tensor.shape) <= 5, f"takes no {tensor.label} of shape {list(tensor.shape)}")
    turned = [scope.option(name) for name in ("adjoint_x", "adjoint_y")]
    scope.check(all(flag in (0, 1) for flag in turned), f"has the flags {turned}")
    rows, depth = first.shape[-2:] if not turned[0] else first.shape[:-3:-1]
    other, columns = second.shape[-2:] if not turned[1] else second.shape[:-3:-1]
    scope.check(depth == other, f"multiplies rows of {depth} by columns of {other}")
    try:
        batches = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    except ValueError:
        scope.fail(f"takes {list(first.shape)} and {list(second.shape)}, which do not fit each other")
    scope.shape(out, (*batches, rows, columns))
    if out.type is not FLOAT32:
        scope.multiplier(scale(first)[0] * scale(second)[0] / scale(out)[0])
        scope.check(depth <= _MAX_DEPTH, f"adds {depth} products")
    return out.elements * depth


FUNCTIONS = {
    "ABS": smooth,
    "BATCH_MATMUL": batch_matmul,
    "ELU": smooth,
    "EXP": exponential,
    "GELU": smooth,
    "L2_NORMALIZATION": l2_normalization,
    "MAXIMUM": comparison,
    "MINIMUM": comparison,
    "NEG": single,
    "PRELU": prelu,
    "RSQRT": inverse_root,
    "SQRT": single,
    "SQUARE": single,
    "SQUARED_DIFFERENCE": squared_difference,
}

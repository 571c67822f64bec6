"""The reference kernels' integer arithmetic, exactly: multipliers, roundings, activation limits and table functions."""

import math
from collections.abc import Callable

import numpy as np

from thermo_core.tflite.schema import Activation, TensorType

INT8_MIN, INT8_MAX = -128, 127
RANGES = {TensorType.INT8: (-128, 127), TensorType.INT16: (-32768, 32767)}
"""Least and greatest value of each type that activations have."""
_HALF_ROOT_2 = 1518500250
"""sqrt(1/2) * 2**31"""


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A positive real as (m, e) with real = m * 2**(e - 31) and m in [2**30, 2**31), or (0, 0) where it vanishes."""
    if real == 0.0:
        return 0, 0
    fraction, exponent = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        exponent += 1
    if exponent < -31:
        return 0, 0
    if exponent > 30:
        return (1 << 31) - 1, 30
    return multiplier, exponent


def wrap32(value: int) -> int:
    """Two's complement of 32 bits."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def high_multiply(value: int, multiplier: int) -> int:
    """Saturating rounding doubling high multiply: value * multiplier / 2**31, halves rounded up."""
    return min((value * multiplier + (1 << 30)) >> 31, (1 << 31) - 1)


def rounding_shift(value: int, exponent: int) -> int:
    """value / 2**exponent, halves rounded away from zero."""
    if exponent == 0:
        return value
    return (value + (1 << (exponent - 1)) - (value < 0)) >> exponent


def scale(value: int, multiplier: int, exponent: int) -> int:
    """value * multiplier * 2**(exponent - 31), rounded twice as the reference kernels do."""
    shifted = wrap32(value << max(exponent, 0))
    return rounding_shift(high_multiply(shifted, multiplier), max(-exponent, 0))


def _saturating_left(value: int, by: int) -> int:
    return max(-(1 << 31), min(value << by, (1 << 31) - 1))


def inverse_root(value: int) -> tuple[int, int]:
    """(m, e) with 1 / sqrt(value) = m * 2**(e - 31): five Newton steps with three integer bits, of a value of 0 or more."""
    if value <= 1:
        return (1 << 31) - 1, 0
    shift = 11
    while value >= 1 << 29:
        value //= 4
        shift += 1
    pairs = (31 - value.bit_length()) // 2 - 1
    shift -= pairs
    start = value << 2 * pairs >> 1
    half, root = rounding_shift(start, 1), 1 << 28
    for _ in range(5):
        cube = _saturating_left(high_multiply(high_multiply(root, root), root), 6)
        root = _saturating_left(high_multiply(3 << 27, root) - high_multiply(half, cube), 3)
    root = high_multiply(root, _HALF_ROOT_2)
    return (root << -shift, 0) if shift < 0 else (root, -shift)


def clamp(value: int, low: int = INT8_MIN, high: int = INT8_MAX) -> int:
    """The value, held between low and high."""
    return max(low, min(high, value))


def activation_limits(
    activation: Activation, output_scale: float, zero_point: int, kind: TensorType = TensorType.INT8
) -> tuple[int, int]:
    """Lowest and highest output of a fused activation."""

    def quantize(real: float) -> int:
        # Single precision, halves away from zero, as the reference kernels compute it.
        quotient = float(np.float32(real) / np.float32(output_scale))
        return zero_point + int(math.copysign(math.floor(abs(quotient) + 0.5), quotient))

    low, high = RANGES[kind]
    if activation in (Activation.RELU, Activation.RELU6):
        low = max(low, quantize(0.0))
    if activation is Activation.RELU6:
        high = min(high, quantize(6.0))
    if activation is Activation.RELU_N1_TO_1:
        low, high = max(low, quantize(-1.0)), min(high, quantize(1.0))
    return low, high


def table_of(function: Callable[[int], int]) -> bytes:
    """256 results of an int8 -> int8 function, indexed by the input's byte."""
    results = [function(byte - 256 if byte > 127 else byte) for byte in range(256)]
    return bytes(result & 0xFF for result in results)


def round_half_away(value: np.float32) -> int:
    """C's roundf."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), float(value)))


_EIGHTH = 1 << 28
_EXP_MINUS_EIGHTH = 1895147668
_THIRD = 715827883
_EXP_OF_POWERS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
"""exp(-2**n) * 2**31 by n."""
_DIFFERENCE_BITS = 26
"""Places behind the point of a softmax's differences, of which five more bits stand before it."""


def exponentials(scale: float, beta: float) -> list[int]:
    """What a softmax of int8 takes for exp(-difference * scale * beta) * 2**31, by difference from 0 to 255.

    Args:
        scale: of the input; positive.
        beta: of the operator; positive.
    """
    multiplier, shift = quantize_multiplier(min(scale * beta * (1 << _DIFFERENCE_BITS), (1 << 31) - 1.0))
    if shift < 0:
        return [_exponential(0)] * 256
    greatest = ((1 << 5) - 1) * (1 << _DIFFERENCE_BITS) // (1 << shift)
    return [
        _exponential(high_multiply(-difference << shift, multiplier)) if difference <= greatest else 0
        for difference in range(256)
    ]


def _exponential(value: int) -> int:
    """exp of a value of 5 bits before the point, 0 or less, as gemmlowp has it: a quarter by a polynomial, whole ones by products."""
    if value == 0:
        return (1 << 31) - 1
    quarter = 1 << (_DIFFERENCE_BITS - 2)
    within = (value & (quarter - 1)) - quarter
    x = _saturating_left(within, 5) + _EIGHTH
    square = high_multiply(x, x)
    cube, fourth = high_multiply(square, x), high_multiply(square, square)
    higher = rounding_shift(high_multiply(rounding_shift(fourth, 2) + cube, _THIRD) + square, 1)
    result = _EXP_MINUS_EIGHTH + high_multiply(_EXP_MINUS_EIGHTH, x + higher)
    for power, factor in _EXP_OF_POWERS:
        if (within - value) & (1 << (_DIFFERENCE_BITS + power)):
            result = high_multiply(result, factor)
    return result

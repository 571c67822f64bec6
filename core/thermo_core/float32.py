"""Arithmetic in float32 whose every bit is the same in NumPy and in C: sums in a fixed order, logarithm, exponential.

`device/firmware/core/float32.c` has the same functions, compiled with -ffp-contract=off. Addition, multiplication, division
and square root are exactly rounded on both sides (IEEE 754); what NumPy and a C library round as they like, the order of sums
and transcendental functions, is spelled out here.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LN2_HIGH = np.float32(0.693145752)
"""ln 2 to 16 bits: its product with a small whole number is exact."""
LN2_LOW = np.float32(1.42860677e-06)
_LOG2_E = np.float32(1.44269504)
_LOG10_E = np.float32(0.434294482)
_SQRT_2 = np.float32(1.41421354)
_ONE, _TWO, _HALF = np.float32(1), np.float32(2), np.float32(0.5)
_ATANH = tuple(np.float32(1 / n) for n in (9, 7, 5, 3))
_EXP = tuple(np.float32(1 / n) for n in (720, 120, 24, 6, 2))
_LARGEST_EXP = np.float32(88.0)
_SMALLEST_EXP = np.float32(-87.0)
_SMALLEST_NORMAL = np.float32(np.finfo(np.float32).tiny)


def total(values: Array, axis: int = -1) -> Array:
    """Sum along an axis, one number after another; 0 where there are none."""
    if not values.shape[axis]:
        return np.zeros(np.delete(np.array(values.shape), axis), np.float32)
    summed: Array = np.take(np.add.accumulate(values, axis=axis, dtype=np.float32), -1, axis=axis)
    # The first addition is to zero, which turns -0 to 0.
    return summed + np.float32(0)


def mean(values: Array, axis: int = -1) -> Array:
    """`total` over the number of numbers."""
    return np.asarray(total(values, axis) / np.float32(values.shape[axis]), np.float32)


def median(flat: Array) -> Array:
    """(n,) middle of each row of (n, m), of those that have a value; without a value where none has."""
    ordered = np.sort(flat, axis=1)  # NaN last
    count = flat.shape[1] - np.isnan(flat).sum(1)
    rows = np.arange(len(flat))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, count // 2]
    # Which of equal zeros sorting puts first is not told; adding zero leaves no negative one.
    middle: Array = (low + high) * np.float32(0.5) + np.float32(0)
    return np.where(count > 0, middle, np.float32(np.nan)).astype(np.float32)


def log(x: Array) -> Array:
    """Natural logarithm: x = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)) to the ninth power.

    Within 2 units in the last place. NaN for NaN, 0 and less, for infinity, and below the smallest normal number.
    """
    x = np.asarray(x, np.float32)
    usable = (x >= _SMALLEST_NORMAL) & (x < np.inf)
    safe = np.where(usable, x, _ONE).astype(np.float32)
    bits = safe.view(np.int32)
    exponent = (bits >> 23) - 127
    mantissa = ((bits & 0x007FFFFF) | 0x3F800000).astype(np.int32).view(np.float32)
    upper = mantissa >= _SQRT_2
    mantissa = np.where(upper, mantissa * _HALF, mantissa)
    e = (exponent + upper).astype(np.float32)
    s = (mantissa - _ONE) / (mantissa + _ONE)
    square = s * s
    series: Array = np.full_like(s, _ATANH[0])
    for coefficient in _ATANH[1:]:
        series = series * square + coefficient
    result = e * LN2_HIGH + (_TWO * s + (_TWO * s * square * series + e * LN2_LOW))
    return np.where(usable, result, np.float32(np.nan)).astype(np.float32)


def log10(x: Array) -> Array:
    """Decimal logarithm, `log` times that of e, within 4 units in the last place."""
    return np.asarray(log(x) * _LOG10_E, np.float32)


def exp(x: Array) -> Array:
    """Exponential: x = k ln 2 + r, e^r by its Taylor series to the sixth power.

    Within 3 units in the last place; below -87 as -87, above 88 as 88; NaN for NaN.
    """
    x = np.asarray(x, np.float32)
    usable = x == x
    safe = np.clip(np.where(usable, x, np.float32(0)), _SMALLEST_EXP, _LARGEST_EXP).astype(np.float32)
    k = np.rint(safe * _LOG2_E)
    r = (safe - k * LN2_HIGH) - k * LN2_LOW
    series: Array = np.full_like(r, _EXP[0])
    for coefficient in _EXP[1:]:
        series = series * r + coefficient
    small = (series * r) * r + r + _ONE
    power = ((k.astype(np.int32) + 127) << 23).astype(np.int32).view(np.float32)
    return np.where(usable, small * power, np.float32(np.nan)).astype(np.float32)


def products(x: Array, rows: Array) -> Array:
    """(n, k) of x (n, m) and rows (k, m): sums of products in the order of m, each product rounded before it is added."""
    sums = np.zeros((len(x), len(rows)), np.float32)
    for place in range(x.shape[1]):
        sums += x[:, place, np.newaxis] * rows[np.newaxis, :, place]
    return sums

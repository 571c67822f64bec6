"""Output channels that come out the same whatever the input is, as filters that training killed do.

Converters give such a filter weights of nothing, a scale of 1e-9 or less and a bias of up to 2^30: numbers that the fast kernels'
arithmetic cannot hold, and for which a whole layer would lose it. Since requantisation never falls as its sum grows, a channel
whose smallest and largest sum give one output gives it always, and ordinary numbers that give the same output take its place.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.fixed_point import clamp, scale
from thermo_quantize.compiler.ir import Requant

_ORDINARY_SUM = 1 << 28
"""Below this every fast kernel takes a sum, whatever it is shifted by."""
_HALF, _QUARTER = 1 << 30, -2
"""A multiplier of one half and an exponent of -2: a sum of eight times the output gives it exactly."""


def settle(
    weights: NDArray[np.int8], bias: NDArray[np.int32], requant: Requant, zero_point: int
) -> tuple[NDArray[np.int8], NDArray[np.int32], Requant]:
    """The same outputs from ordinary numbers, where a channel's are out of the ordinary and its output is constant.

    Args:
        weights: int8, output channel first.
        bias: int32, one an output channel.
        requant: how sums become outputs.
        zero_point: of the input; what is outside of an image adds nothing.
    """
    flat = weights.reshape(weights.shape[0], -1).astype(np.int64)
    ends = flat * (-128 - zero_point), flat * (127 - zero_point)
    lowest = bias + np.minimum(*ends).sum(axis=1)
    highest = bias + np.maximum(*ends).sum(axis=1)
    largest = np.abs(bias.astype(np.int64)) + 256 * np.abs(flat).sum(axis=1)
    multipliers, exponents = list(requant.multipliers), list(requant.exponents)
    weights, bias = weights.copy(), bias.copy()
    for channel, (multiplier, exponent) in enumerate(zip(multipliers, exponents, strict=True)):
        if multiplier >= _HALF and exponent <= 0 and largest[channel] < _ORDINARY_SUM:
            continue
        output = _output(int(lowest[channel]), channel, requant)
        if output is None or output != _output(int(highest[channel]), channel, requant):
            continue
        weights[channel] = 0
        bias[channel] = 8 * (output - requant.zero_point)
        multipliers[channel], exponents[channel] = _HALF, _QUARTER
    return weights, bias, replace(requant, multipliers=tuple(multipliers), exponents=tuple(exponents))


def _output(total: int, channel: int, requant: Requant) -> int | None:
    """A channel's output of a sum; None where the sum, or what it is shifted to, leaves 32 bits."""
    multiplier, exponent = requant.multipliers[channel], requant.exponents[channel]
    if abs(total) << max(exponent, 0) >= 1 << 31:
        return None
    return clamp(scale(total, multiplier, exponent) + requant.zero_point, requant.low, requant.high)

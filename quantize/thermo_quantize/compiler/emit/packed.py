"""Cortex-M0+: two products a multiplication, and requantisation without a 64-bit product.

The only multiplication is 32 x 32 -> 32 bits. Two pixels a and b share a word as a + 2^16 b; times a weight w that is
a w + 2^16 b w, and two such products add up without meeting, since |w| + |v| <= 255 keeps 128 (|w| + |v|) below 2^15. Of
their sum p a sum S of whole words modulo 2^32 is kept, and H of the upper halves: ASRS p, #16 leaves bit 15, the sign of
the lower half, in the carry, and ADCS H, p adds it, which makes the upper half exact. In the end the lower pixel's sum is
S - 2^16 H.

Requantisation of an accumulator a whose exact result is q(a) = zero + round(round(a m / 2^31) / 2^-e), held in [low, high]:
  below[q > low] and above[q < high] are found by bisection: outside the result is a limit, and most accumulators of a ReLU are
  u = a coarse + base modulo 2^32, coarse = m 2^(e - 7): the upper byte of u is the result's, unless the 24 bits below
    lie so near to where it changes that the rounding of `coarse` or the two roundings could decide (`window`)
  the exact way, for those few: some 80 instructions
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.common import scaling
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.fixed_point import clamp, scale
from thermo_quantize.compiler.ir import Requant

GUARD = """
#if !defined(__thumb__) || !defined(__GNUC__)
#error "This file is for Cortex-M0+: compile it with GCC or clang for one of them."
#endif

typedef uint32_t __attribute__((may_alias)) word_t;
"""

FAST_OUTPUT, SLOW_SHARE = 10, 1 / 8
"""Instructions of an output whose byte is sure; share of outputs above which the exact way costs too much."""
SLOW_OUTPUT = 90
_PAIR_LIMIT = 255
_BYTE = 1 << 24

EXACT = """
/* The result of an accumulator within the limits, as the reference kernels round it. `coarse` tells the exponent. */
static __attribute__((noinline)) int32_t exact(int32_t sum, int32_t multiplier, uint32_t coarse, int32_t zero_point) {
  int32_t exponent = -23;
  for (; coarse > 1U; coarse >>= 1) {
    exponent++;
  }
  return scale(sum, multiplier, exponent) + zero_point;
}
"""


@dataclass(frozen=True)
class PackedRequant:
    """Constants of the short requantisation.

    Attributes:
        rows: a channel's bias, lowest accumulator whose result is not the low limit (less one), how many follow until
            the high limit, coarse factor, multiplier.
        base: added to what the coarse factor gives.
        window: 24 bits and 8 zeros below this, unsigned, are unsure.
        zero_point, low, high: of the output.
        slow: share of outputs within the limits that go the exact way.
    """

    rows: tuple[tuple[int, int, int, int, int], ...]
    base: int
    window: int
    zero_point: int
    low: int
    high: int
    slow: float


def _ends(multiplier: int, exponent: int, zero_point: int, low: int, high: int, most: int) -> tuple[int, int]:
    """(last accumulator that gives `low`, first that gives `high`), within +-most."""

    def first(wanted: int) -> int:
        below, above = -most, most
        while above - below > 1:
            middle = (below + above) // 2
            if scale(middle, multiplier, exponent) + zero_point >= wanted:
                above = middle
            else:
                below = middle
        return above

    return first(low + 1) - 1, first(high)


def _constant(bias: int, multiplier: int, exponent: int, requant: Requant) -> tuple[int, int, int, int, int]:
    """The row of a channel without weights: whatever its bias, an accumulator that surely gives its one result."""
    result = clamp(scale(bias, multiplier, exponent) + requant.zero_point, requant.low, requant.high)
    sure = (result - requant.zero_point) * (_BYTE >> 16)
    return sure, sure, 0, 1 << 16, 1 << 30


def packed_requant(requant: Requant, weights: NDArray[np.int8], bias: NDArray[np.int64]) -> PackedRequant | None:
    """The constants, or None where plain C must do.

    Args:
        requant: of the layer.
        weights: (channels, products).
        bias: folded, of raw inputs.
    """
    if requant.high - requant.low < 2:
        return None
    rows, before, after = [], 0.0, 0.0
    for m, e, own, row in zip(requant.multipliers, requant.exponents, bias.tolist(), weights, strict=True):
        if not row.any():
            rows.append(_constant(own, m, e, requant))
            continue
        largest = 128 * int(np.abs(row.astype(np.int64)).sum()) + abs(own)
        if not -13 <= e <= -4 or m < 1 << 30 or largest >= 1 << 30:
            return None
        most = (300 << 1 - e) + (1 << 10)
        low_end, high_end = _ends(m, e, requant.zero_point, requant.low, requant.high, most)
        shift = 7 - e
        coarse = min((m + (1 << shift - 1)) >> shift, (1 << e + 24) - 1)
        # Of u / 2^24: what the coarse factor is off at the ends, and how far two roundings may lie from one.
        off = abs(coarse - m / (1 << shift)) * max(abs(low_end), abs(high_end)) / _BYTE
        before, after = max(before, off + 0.5 * 2**e), max(after, off + 1.5 * 2**e)
        rows.append((own, low_end + 1, high_end - low_end - 2, coarse, m))
    before, after = before + 4 / _BYTE, after + 4 / _BYTE
    if before + after > SLOW_SHARE:
        return None
    raised = int(before * _BYTE) + 1
    base = ((requant.zero_point << 24) + _BYTE // 2 + raised) % (1 << 32)
    window = (raised + int(after * _BYTE) + 1) << 8
    return PackedRequant(tuple(rows), base, window, requant.zero_point, requant.low, requant.high, before + after)


def pairs_fit(weights: NDArray[np.int8]) -> bool:
    """Two neighbouring products never meet the other pixel's; weights (channels, products)."""
    wide = np.abs(weights.astype(np.int32))
    if wide.shape[1] % 2:
        wide = np.pad(wide, ((0, 0), (0, 1)))
    return bool((wide[:, ::2] + wide[:, 1::2] <= _PAIR_LIMIT).all())


def exactly(unit: Unit) -> None:
    """Ask for exact()."""
    scaling(unit)
    unit.helper("exact", EXACT)


SAVE = ["push {r4-r7, lr}", "mov r4, r8", "mov r5, r9", "mov r6, r10", "mov r7, r11", "push {r4-r7}"]
"""What a naked function begins with: nine registers on the stack, so that all but sp are free."""
RESTORE = ["pop {r4-r7}", "mov r8, r4", "mov r9, r5", "mov r10, r6", "mov r11, r7", "pop {r4-r7, pc}"]
"""What brings them back, and returns."""


def naked(name: str, parameters: list[str], lines: list[str]) -> str:
    """C of a function whose body is these lines of assembler."""
    declared = ",\n    ".join(f"{parameter} __attribute__((unused))" for parameter in parameters)
    body = "\n".join(f'      "{line}\\n"' for line in [".syntax unified", *lines])
    return f"""
__attribute__((naked, noinline, unused)) static void {name}(
    {declared}) {{
  __asm__ volatile(
{body}
  );
}}
""".lstrip()

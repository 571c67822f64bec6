"""Cortex-M4, M7 and M33: words of two 16-bit numbers, and requantisation in four instructions.

Rounding, exactly as the reference does it, of an accumulator a by multiplier m and right shift e (m in [2^30, 2^31)):
  high = (2 a m + 2^31) >> 32        as  a + ((a (2m - 2^32) + 2^31) >> 32): one SMMLAR, and nothing is doubled
  high += high < 0                   (minus one) turns rounding halves up into halves away from zero
  out = zero + ((high 2^(32-e) + 2^31) >> 32): one SMMLAR; e of 0 and 1 are first raised to 2 by a left shift
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.common import clamping
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.fixed_point import wrap32
from thermo_quantize.compiler.ir import Requant

GUARD = """
#if !defined(__ARM_FEATURE_DSP) || !defined(__GNUC__)
#error "This file is for Cortex-M4, M7 and M33: compile it with GCC or clang for one of them."
#endif
#include <arm_acle.h>

typedef int16_t __attribute__((may_alias)) half_t;
typedef uint32_t __attribute__((may_alias)) word_t;
typedef uint32_t __attribute__((may_alias, aligned(1))) loose_word_t; /* LDR may be unaligned, LDRD may not. */

static inline int32_t multiply_high(int32_t a, int32_t b, int32_t add) {
  int32_t result;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(add));
  return result;
}

/* The two even bytes of a word, or the two odd ones, as 16-bit numbers. */
static inline uint32_t even_bytes(uint32_t word) {
  uint32_t result;
  __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(word));
  return result;
}

static inline uint32_t odd_bytes(uint32_t word) {
  uint32_t result;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
  return result;
}
"""

_REQUANTIZE = """
/* An accumulator to int8: factor 2m - 2^32, power 2^(32 - shift), rounded twice; lift raises shifts of 0 and 1 to 2. */
static inline int32_t requantize(int32_t sum, int32_t factor, int32_t power, int32_t zero_point, int lift) {
  int32_t high = multiply_high(sum, factor, sum) * (1 << lift);
  high -= high < 0;
  high = multiply_high(high, power, zero_point);
  __asm__("ssat %0, #8, %1" : "=r"(sum) : "r"(high));
  return sum;
}
"""

EXPAND = """
/* Spread runs of four bytes to 16 bits, even bytes first; runs are `STEP` words apart. */
static inline __attribute__((always_inline)) void NAME(word_t *to, const int8_t *from, int runs) {
#pragma GCC unroll 4
  for (int i = 0; i < runs; i++, to += STEP, from += 4) {
    const uint32_t word = *(const WORD *)from;
    to[0] = even_bytes(word);
    to[1] = odd_bytes(word);
  }
}
"""

FILL = """
static inline __attribute__((always_inline)) void fill(word_t *to, uint32_t pair, int runs) {
  for (int i = 0; i < runs; i++, to += STEP) {
    to[0] = pair;
    to[1] = pair;
  }
}
"""


@dataclass(frozen=True)
class FastRequant:
    """Constants of the short requantisation: factor and power a channel, one left shift a layer."""

    factors: tuple[int, ...]
    powers: tuple[int, ...]
    lift: int
    zero_point: int
    low: int
    high: int

    @property
    def clamps(self) -> bool:
        """Outputs are held within less than int8."""
        return (self.low, self.high) != (-128, 127)


def fast_requant(requant: Requant, weights: NDArray[np.int8], bias: NDArray[np.int32]) -> FastRequant | None:
    """The constants, or None where a multiplier of 1 or more, or one that vanishes, needs the long way."""
    if any(e > 0 for e in requant.exponents) or any(m < 1 << 30 for m in requant.multipliers):
        return None
    lift = max(0, 2 + max(requant.exponents))
    sums = np.abs(weights.reshape(weights.shape[0], -1).astype(np.int64)).sum(axis=1)
    largest = int((255 * sums + np.abs(bias.astype(np.int64))).max(initial=0))
    if largest >= 1 << (30 - lift):
        return None
    return FastRequant(
        tuple(wrap32(2 * m) for m in requant.multipliers),
        tuple(1 << (32 + e - lift) for e in requant.exponents),
        lift,
        requant.zero_point,
        requant.low,
        requant.high,
    )


def finish(unit: Unit, fast: FastRequant, accumulator: str, factor: str, power: str) -> str:
    """C statements that turn an accumulator into an output in place."""
    unit.helper("requantize", _REQUANTIZE)
    text = f"{accumulator} = requantize({accumulator}, {factor}, {power}, {fast.zero_point}, {fast.lift});"
    if fast.clamps:
        clamping(unit)
        text += f"\n{accumulator} = clamp({accumulator}, {fast.low}, {fast.high});"
    return text


def literal(number: int) -> str:
    """A 32-bit integer constant of type int."""
    return "INT32_MIN" if number == -(1 << 31) else str(number)


def both_halves(number: int) -> str:
    """C literal of a word whose two halves hold the number."""
    half = number & 0xFFFF
    return f"{half | half << 16:#x}U"

"""C of sigmoid and tanh on 16-bit fixed-point numbers, with the roundings of the reference's LSTM.

Numbers are Qm.n with m integer bits and n = 15 - m. Both functions come from e^-|a|: a polynomial of fourth order on the
quarter before zero, one factor a binary digit of the rest, then 1 / (1 + x) in three steps of Newton's. Every product is
rounded to nearest, halves up (products, high_16) or away from zero (shifts, halved); so are the reference's, and the order
of operations is part of the result.
"""

from thermo_quantize.compiler.emit.unit import Unit

_EXPONENTIAL = """
/* With the number of integer bits known, loops over digits unroll. */
#if defined(__GNUC__)
#define UNROLLED static inline __attribute__((always_inline))
#else
#define UNROLLED static inline
#endif

/* a * b, one of them in Q0.15. The reference saturates -1 * -1, which does not occur here. */
static inline int32_t high_16(int32_t a, int32_t b) {
  return (a * b + (1 << 14)) >> 15;
}

/* a / 2^exponent. */
static inline int32_t halved_16(int32_t a, int exponent) {
  return (a + (1 << (exponent - 1)) - (a < 0)) >> exponent;
}

/* e^a in Q0.15 of a <= 0 with `bits` integer bits. */
UNROLLED int32_t exponential_16(int32_t a, int bits) {
  static const int16_t factors[7] = {25520, 19875, 12055, 4435, 600, 11, 0}; /* e^-(1/4), e^-(1/2), ... e^-16 */
  const int point = 15 - bits;
  const int32_t quarter = 1 << (point - 2);
  const int32_t last = (a & (quarter - 1)) - quarter;
  const int32_t x = last * (1 << bits) + 4096, square = high_16(x, x);
  const int32_t tail = halved_16(high_16(square, square), 2) + high_16(square, x);
  int32_t result = 28918 + high_16(28918, x + halved_16(high_16(tail, 10923) + square, 1)); /* e^-(1/8), 1 / 3 */
  if (a == 0) {
    return 32767;
  }
  if (bits > 5 && a < -(32 << point)) {
    return 0;
  }
  result = result > 32767 ? 32767 : result;
  for (int n = 0; n < 7 && n - 2 < bits; n++) {
    if ((last - a) >> (point - 2 + n) & 1) {
      result = high_16(result, factors[n]);
    }
  }
  return result;
}

/* 2 / (1 + a) in Q2.13 of a in Q0.15, from 0 to 1. */
UNROLLED int32_t reciprocal_16(int32_t a) {
  const int32_t half = (a + 32768) / 2;
  int32_t x = 23130 + high_16(half, -15420);
  for (int n = 0; n < 3; n++) {
    x += high_16(x, 8192 - high_16(half, x)) * 4;
  }
  return x;
}
"""

_SIGMOID = """
/* 1 / (1 + e^-a) in Q0.15 of a in Q3.12. */
static int32_t sigmoid_16(int32_t a) {
  if (a == 0) {
    return 16384;
  }
  int32_t result = reciprocal_16(exponential_16(a < 0 ? a : -a, 3)) * 2;
  result = result > 32767 ? 32767 : result;
  return a < 0 ? 32767 - result : result;
}
"""

_TANH = """
/* tanh(a) in Q0.15 of a with BITS integer bits. */
static int32_t tanh_16_BITS(int32_t a) {
  if (a == 0) {
    return 0;
  }
  int32_t result = (reciprocal_16(exponential_16(a < 0 ? a : -a, BITS + 1)) - 8192) * 4;
  result = result > 32767 ? 32767 : result;
  return a < 0 ? -result : result;
}
"""


def sigmoid(unit: Unit) -> None:
    """Ask for sigmoid_16()."""
    unit.helper("exponential_16", _EXPONENTIAL)
    unit.helper("sigmoid_16", _SIGMOID)


def tanh(unit: Unit, bits: int) -> str:
    """Ask for tanh of numbers with so many integer bits; gives the function's name."""
    name = f"tanh_16_{bits}"
    unit.helper("exponential_16", _EXPONENTIAL)
    unit.helper(name, _TANH.replace("BITS", str(bits)))
    return name

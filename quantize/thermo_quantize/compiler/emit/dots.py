"""Dot products of 16-bit values with rows of 8-bit weights, four rows at a time: plain C, and SMLAD for the M4.

SXTB16 takes the even or the odd bytes of a word, so four weights 0 1 2 3 of a row are stored as 0 2 1 3: its results are
then the pairs 0 1 and 2 3, as the values lie in memory.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.unit import Unit

ROWS = 4

_PLAIN = """
/* Add to `rows` sums the products of `count` values with a row of weights each. */
static inline void dots(const value16_t *values, const int8_t *weights, int count, int rows, int32_t *sums) {
  for (int r = 0; r < rows; r++, weights += count) {
    int32_t sum = sums[r];
    for (int i = 0; i < count; i++) {
      sum += values[i] * weights[i];
    }
    sums[r] = sum;
  }
}
"""

_DSP = """
/* Add to four sums the products of `count` values, a multiple of four, with a row of weights each. */
static inline void dots(const value16_t *values, const int8_t *weights, int count, int rows, int32_t *sums) {
  const word_t *pairs = (const word_t *)(const void *)values, *four = (const word_t *)(const void *)weights;
  const word_t *const end = pairs + count / 2;
  int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  (void)rows;
  while (pairs != end) {
    const uint32_t first = pairs[0], second = pairs[1];
    const uint32_t w0 = four[0], w1 = four[1], w2 = four[2], w3 = four[3];
    a = __smlad((int16x2_t)first, (int16x2_t)even_bytes(w0), a);
    a = __smlad((int16x2_t)second, (int16x2_t)odd_bytes(w0), a);
    b = __smlad((int16x2_t)first, (int16x2_t)even_bytes(w1), b);
    b = __smlad((int16x2_t)second, (int16x2_t)odd_bytes(w1), b);
    c = __smlad((int16x2_t)first, (int16x2_t)even_bytes(w2), c);
    c = __smlad((int16x2_t)second, (int16x2_t)odd_bytes(w2), c);
    d = __smlad((int16x2_t)first, (int16x2_t)even_bytes(w3), d);
    d = __smlad((int16x2_t)second, (int16x2_t)odd_bytes(w3), d);
    pairs += 2;
    four += 4;
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}
"""


@dataclass(frozen=True)
class Dots:
    """How a target multiplies.

    Attributes:
        helper: C of dots(values, weights, count, rows, sums).
        step: values at a time; what is multiplied is padded to a multiple of it.
        whole: rows come in fours, the last ones padded.
        cost: instructions a product, about.
    """

    helper: str
    step: int
    whole: bool
    cost: float

    def depth(self, count: int) -> int:
        """Values of a row with its padding."""
        return -(-count // self.step) * self.step

    def rows(self, count: int) -> int:
        """Rows with their padding."""
        return -(-count // ROWS) * ROWS if self.whole else count

    def pack(self, weights: NDArray[np.int8]) -> NDArray[np.int8]:
        """(rows, count) weights in the order dots() reads them."""
        rows, count = weights.shape
        padded = np.zeros((self.rows(rows), self.depth(count)), np.int8)
        padded[:rows, :count] = weights
        if not self.whole:
            return padded.ravel()
        groups = padded.reshape(-1, ROWS, self.depth(count) // 4, 4)[..., [0, 2, 1, 3]]
        return groups.transpose(0, 2, 1, 3).ravel()

    def ask(self, unit: Unit) -> None:
        """Ask for dots() and the type of its values."""
        value_type(unit)
        unit.helper("dots", self.helper)


def value_type(unit: Unit) -> str:
    """Ask for the type of 16-bit values in the arena; gives its name."""
    return unit.alias("value16_t", "int16_t")


PLAIN = Dots(_PLAIN, 1, False, 5.0)
DSP = Dots(_DSP, 4, True, 1.4)

"""Whether a TMP117 still converts: its offset is moved now and then, and a result that does not follow is none."""

from dataclasses import dataclass

from thermo_core.sensors.tmp117.registers import SHIFT

MOST_APART = 2
"""Results in a row that do not follow the offset only where nothing is converted: one alone may have been ready before."""
LEAST_AGREEING = 2
"""Results in a row, there and back, that follow it where a chip that hung converts again."""


def signed(word: int) -> int:
    """16 bits as a number."""
    return word - 0x10000 if word & 0x8000 else word


def own_offset(word: int) -> int:
    """The offset, counts, that a chip has of its own, whatever shift a driver that was interrupted has left in it."""
    counts = signed(word)
    return counts - (counts + SHIFT // 2) // SHIFT * SHIFT


@dataclass
class Follows:
    """Watches whether results follow the offset.

    Attributes:
        shifted: whether the next result should be.
        frozen: whether they have not followed for some time.
    """

    shifted: bool = False
    frozen: bool = False
    _last: int | None = None  # newest one that was new, without the shift
    _before: int = 0  # the one before as it came, and whether it should have been shifted
    _shifted_before: bool = False
    _agreed: int = 0
    _apart: int = 0

    def begin(self) -> None:
        """The chip was set up: its offset is its own. What was known of it before still holds."""
        self.shifted, self._agreed, self._apart = False, 0, 0

    def take(self, result: int, due: bool) -> tuple[int, bool]:
        """Take a result, and say by `shifted` what the offset is to be for the next one.

        Args:
            result: register 0.
            due: whether it is time to look.

        Returns:
            The result without the shift, and whether it is known to be new.
        """
        counts = signed(result)
        if self.frozen:
            new, seen = self._thaws(counts), self.shifted
        else:
            seen = self._last is not None and counts - self._last >= SHIFT // 2
            new = seen == self.shifted
            self._apart = 0 if new else self._apart + 1
            self.frozen = self._apart >= MOST_APART
            self._agreed = 0
        self._before, self._shifted_before = counts, self.shifted
        counts -= SHIFT if seen else 0
        if new:
            self._last = counts
            self._apart = 0
        if self.frozen:
            self.shifted = not self.shifted
        elif new:
            self.shifted = due and not self.shifted
        return counts & 0xFFFF, new

    def _thaws(self, counts: int) -> bool:
        """Whether a chip that hung has by now moved with its offset often enough, from wherever it was."""
        wanted = SHIFT * (self.shifted - self._shifted_before)
        followed = wanted != 0 and abs(counts - self._before - wanted) < SHIFT // 2
        self._agreed = self._agreed + 1 if followed else 0
        self.frozen = self._agreed < LEAST_AGREEING
        return not self.frozen

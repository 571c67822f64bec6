"""When what is shown has become old: a picture of a cable that was pulled must not look like one of now."""

from collections import deque
from statistics import median

STALE_S = 2.0
"""Nothing counts as old before this."""
INTERVALS = 3
"""Old is what has not come again for so many of its usual intervals."""
_REMEMBERED = 5


class Freshness:
    """Of one kind of thing that comes again and again.

    Args:
        expected_s: how often it should come, until that is known from how it comes.
    """

    def __init__(self, expected_s: float) -> None:
        self._expected_s = expected_s
        self._last_ns: int | None = None
        self._intervals_ns: deque[int] = deque(maxlen=_REMEMBERED)

    def seen(self, at_ns: int) -> None:
        """It came at this moment."""
        if self._last_ns is not None:
            self._intervals_ns.append(max(0, at_ns - self._last_ns))
        self._last_ns = at_ns

    def age_s(self, now_ns: int) -> float:
        """Seconds since it came; 0 where it never did."""
        return 0.0 if self._last_ns is None else max(0.0, (now_ns - self._last_ns) / 1e9)

    def stale(self, now_ns: int) -> bool:
        """Whether it should have come again by now."""
        usual_s = median(self._intervals_ns) / 1e9 if self._intervals_ns else self._expected_s
        return self._last_ns is not None and self.age_s(now_ns) > max(STALE_S, INTERVALS * usual_s)

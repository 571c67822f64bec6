"""When the samples of a FIFO were taken: tracks a chip's own clock, which is off by some percent, by the reads of its FIFO."""

WIDEST = 0.12
"""A chip's clock is off by no more than this part."""
_SAMPLES = 4096
"""The period is measured over so many samples at most, since it drifts with temperature."""


class SampleClock:
    """Time and period of samples.

    A read that finds n samples says that the newest one was taken within the last period. The estimate goes on by n periods and is
    kept within that; the period is the time from an anchor, so that the error falls with the number of samples.

    Args:
        period_us: nominal, from one sample to the next.

    Attributes:
        period_us: as measured.
        end_us: of the newest sample; None before the first read.
    """

    def __init__(self, period_us: float) -> None:
        self._nominal_us = period_us
        self.restart()

    def restart(self) -> None:
        """Forget the phase; the period is known still where it was."""
        self.period_us = getattr(self, "period_us", self._nominal_us)
        self.end_us: float | None = None
        self._anchor_us = 0.0
        self._since = 0

    def read(self, now_us: int, count: int) -> float:
        """A read at `now_us` found `count` samples since the last one, lost ones among them; when the newest was taken."""
        if self.end_us is None:
            self.end_us = now_us - self.period_us / 2
            self._anchor_us, self._since = float(now_us), 0
            return self.end_us
        self._since += count
        measured_us = (now_us - self._anchor_us) / max(1, self._since)
        weight = self._since / (self._since + 64)
        wanted_us = weight * measured_us + (1 - weight) * self.period_us
        low, high = (1 - WIDEST) * self._nominal_us, (1 + WIDEST) * self._nominal_us
        self.period_us = min(max(wanted_us, low), high)
        if self._since >= _SAMPLES:
            self._anchor_us, self._since = float(now_us), 0
        predicted_us = self.end_us + count * self.period_us
        self.end_us = min(max(predicted_us, now_us - self.period_us), float(now_us))
        return self.end_us

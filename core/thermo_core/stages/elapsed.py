"""How long each sample of a signal stands for."""

from thermo_core.signals import GAP_PERIODS


class Elapsed:
    """Time from sample to sample.

    Args:
        gap_us: longest time between two samples that is no gap.
    """

    def __init__(self, gap_us: int) -> None:
        self._gap_us = gap_us
        self._newest_us: int | None = None

    def interrupt(self) -> None:
        """The next sample follows none."""
        self._newest_us = None

    def since(self, time_us: int) -> int:
        """Microseconds since the sample before, or a period after a time without samples."""
        before, self._newest_us = self._newest_us, time_us
        since_us = self._gap_us if before is None else time_us - before
        return since_us if 0 <= since_us < self._gap_us else self._gap_us // GAP_PERIODS

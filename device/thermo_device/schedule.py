"""When the next page of the sensor is due: tracks the true period, as sensors are off by some percent."""

from collections import deque

FLOOR_US = 60
"""Closest polls: about what one takes on a 1 MHz bus."""
LOOSE = 0.1
"""How far a sensor's oscillator may be off, as a part of the period."""
WINDOW = 64
"""Pages over which the period is averaged."""
PRECISE = 1 / 16
"""Brackets up to this part of the period tell the period."""
POWER_ON_US = 80_000
"""Datasheet: wait this long plus one period after power-on."""


class PageSchedule:
    """Predicts the end of the next capture from those before.

    A poll that does not yet see a page and the first that does bracket its end. Polling starts a little before the
    prediction (half of `spread_us`, which follows the width of the brackets) and goes on with pauses that grow once the
    page is late, so that a locked schedule costs about two polls a page.

    Args:
        period_us: nominal time between two pages, microseconds.

    Attributes:
        period_us: the period as measured; nominal until two pages have come.
        spread_us: width of the window around the prediction within which the page is expected.
        end_us: estimated end of the last capture; None before the first one.
        poll_us: when to poll next.
        timeout_us: when the page is overdue.
    """

    def __init__(self, period_us: float) -> None:
        self.restart(0, period_us, period_us)

    def restart(self, now_us: int, period_us: float, first_us: float) -> None:
        """Forget the phase: the next page comes within `first_us` from now, those after it every `period_us`."""
        self.nominal_us = self.period_us = float(period_us)
        self.spread_us = 2 * LOOSE * self.period_us
        self.end_us: float | None = None
        self.poll_us = now_us
        self.timeout_us = round(now_us + POWER_ON_US + 1.5 * first_us + self.period_us)
        self._unseen_us = now_us
        self._seen_us: int | None = None
        self._pause_us = self.period_us / 8
        self._pages = 0
        self._ends: deque[tuple[int, float]] = deque(maxlen=WINDOW)

    def pages_since(self, now_us: int) -> float:
        """Periods from the end of the last capture until now; 1 where there was none."""
        return 1.0 if self.end_us is None else (now_us - self.end_us) / self.period_us

    def unseen(self, now_us: int) -> None:
        """A look at `now_us` found no new page."""
        self._unseen_us = now_us
        self.poll_us = max(self.poll_us, round(now_us + self._pause_us))
        if self.end_us is None or now_us > self.end_us + self.period_us + self.spread_us / 2:
            self._pause_us = min(2 * self._pause_us, self.period_us / 8)

    def seen(self, now_us: int) -> None:
        """A look at `now_us` found the page after the one just read, which `arrived` is to follow for."""
        self._seen_us = now_us

    def arrived(self, now_us: int, odd: bool) -> int:
        """A look at `now_us` found a new page that is read now.

        Args:
            now_us: when it looked, microseconds.
            odd: whether its subpage number is the other one than that of the last page, so that an odd number of
                pages has been completed since.

        Returns:
            Pages completed since the last one, this one included; more than 1 means that some were missed.
        """
        pages, end_us = 1, float(now_us)
        bracket_us = now_us - self._unseen_us
        if self.end_us is not None:
            periods = (now_us + self.spread_us / 2 - self.end_us) / self.period_us
            pages = max(1, int(periods))
            if (pages % 2 == 1) != odd:
                # The page shown is the latest one, so the count is off by one to the nearer side.
                pages += -1 if periods - pages < 0.5 and pages > 1 else 1
            end_us = self._track(self.end_us + pages * self.period_us, now_us, pages)
        self.end_us = end_us
        self._pages += pages
        if bracket_us < PRECISE * self.period_us:
            self._ends.append((self._pages, end_us))
        if len(self._ends) > 1:
            first_page, first_us = self._ends[0]
            measured_us = (self._ends[-1][1] - first_us) / (self._ends[-1][0] - first_page)
            if abs(measured_us / self.nominal_us - 1) < LOOSE:
                self.period_us = measured_us
        self._unseen_us, self._seen_us = now_us, None
        self._pause_us = max(FLOOR_US, self.spread_us / 2)
        self.poll_us = round(end_us + self.period_us - self.spread_us / 2)
        self.timeout_us = round(end_us + 2.5 * self.period_us + POWER_ON_US / 4)
        return pages

    def _track(self, expected_us: float, now_us: int, pages: int) -> float:
        """The end of the capture: as expected, within what was seen; adapts the spread to what was wrong with that."""
        if self._seen_us is not None and pages == 1:
            now_us = self._seen_us
        end_us = min(max(expected_us, self._unseen_us), now_us)
        error_us = abs(end_us - expected_us)
        if error_us > LOOSE * self.period_us:
            self._ends.clear()
            self.period_us = self.nominal_us
        bracket_us = now_us - self._unseen_us
        if pages > 1 or bracket_us > self.period_us / 2:
            bracket_us = 0  # it says when somebody looked, not when the page came
        self.spread_us = min(max(FLOOR_US, bracket_us, 4 * error_us, self.spread_us / 2), 2 * LOOSE * self.period_us)
        return end_us

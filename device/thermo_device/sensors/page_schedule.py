"""When the next page or reading of a sensor is due: tracks phase and period, as its oscillator is off by some percent."""

import math

FLOOR_US = 60
"""Closest polls: about what one takes on a 1 MHz bus."""
OSCILLATOR = 0.05
"""Standard deviation of an unknown sensor's period, as a part of it."""
DRIFT = 1e-5
"""How much the period may change from page to page, as a part of it."""
JITTER_US = 5.0
SIGMAS = 2.5
"""Polling starts this many standard deviations before the prediction."""
LOST = 0.25
"""With a prediction that is wrong by this part of the period, tracking starts anew."""
POWER_ON_US = 80_000
"""Datasheet: wait this long plus one period after power-on."""


class PageSchedule:
    """Predicts the end of the next capture from those before.

    A look that does not yet see a page and the first that does bracket its end. A Kalman filter with the states end and
    period takes each bracket as a measurement with a uniform error. Polling starts a little before the prediction, as
    far as its variance asks for, and goes on with pauses that grow once the page is late, so that a locked schedule
    costs about two polls a page.

    Args:
        period_us: nominal time between two pages, microseconds.

    Attributes:
        nominal_us: as given.
        period_us: the period as measured; nominal at first.
        end_us: estimated end of the last capture; None before the first one.
        poll_us: when to poll next.
        timeout_us: when the page is overdue.
    """

    def __init__(self, period_us: float) -> None:
        self.restart(0, period_us, period_us)

    def restart(self, now_us: int, period_us: float, first_us: float) -> None:
        """Forget the phase: the next page comes within `first_us` from now, those after it every `period_us`."""
        self.nominal_us = float(period_us)
        self.end_us: float | None = None
        self.poll_us = now_us
        self.timeout_us = round(now_us + POWER_ON_US + 1.5 * first_us + self.nominal_us)
        self._unseen_us = now_us
        self._seen_us: int | None = None
        self._forget_period()
        self._lead_us = 0.0
        self._pause_us = self.nominal_us / 8

    def pages_since(self, now_us: int) -> float:
        """Periods from the end of the last capture until now; 1 where there was none."""
        return 1.0 if self.end_us is None else (now_us - self.end_us) / self.period_us

    def unseen(self, now_us: int) -> None:
        """A look at `now_us` found no new page."""
        self._unseen_us = now_us
        self.poll_us = max(self.poll_us, round(now_us + self._pause_us))
        if self.end_us is None or now_us > self.end_us + self.period_us + self._lead_us:
            self._pause_us = min(2 * self._pause_us, self.nominal_us / 8)

    def seen(self, now_us: int) -> None:
        """A look at `now_us` found the page after the one just read, which `arrived` is to follow for."""
        self._seen_us = now_us

    def arrived(self, now_us: int, odd: bool | None = None) -> int:
        """A look at `now_us` found a new page that is read now.

        Args:
            now_us: when it looked, microseconds.
            odd: whether its subpage number is the other one than that of the last page, so that an odd number of
                pages has been completed since; None where pages have no such number.

        Returns:
            Pages completed since the last one, this one included; more than 1 means that some were missed.
        """
        if self.end_us is None:
            pages, end_us = 1, self._begin(now_us)
        else:
            periods = (now_us + self._lead_us - self.end_us) / self.period_us
            pages = max(1, int(periods))
            if odd is not None and (pages % 2 == 1) != odd:
                # The page shown is the latest one, so the count is off by one to the nearer side.
                pages += -1 if periods - pages < 0.5 and pages > 1 else 1
            seen_us = self._seen_us if self._seen_us is not None and pages == 1 else now_us
            end_us = self._track(self.end_us, pages, seen_us)
        self.end_us = end_us
        self._unseen_us, self._seen_us = now_us, None
        sigma_us = math.sqrt(self._end_variance + 2 * self._covariance + self._period_variance)
        self._lead_us = min(max(FLOOR_US / 2, SIGMAS * sigma_us), self.period_us / 4)
        self._pause_us = max(FLOOR_US, self._lead_us / 2)
        self.poll_us = round(end_us + self.period_us - self._lead_us)
        self.timeout_us = round(end_us + 2.5 * self.period_us + POWER_ON_US / 4)
        return pages

    def _begin(self, now_us: int) -> float:
        """The end of the first capture, or of one after which tracking starts anew."""
        bracket_us = min(now_us - self._unseen_us, self.nominal_us / 4)
        self._forget_period()
        self._end_variance = bracket_us**2 / 12
        return now_us - bracket_us / 2

    def _forget_period(self) -> None:
        self.period_us = self.nominal_us
        self._period_variance = (OSCILLATOR * self.nominal_us) ** 2
        self._end_variance = 0.0
        self._covariance = 0.0

    def _track(self, last_us: float, pages: int, seen_us: int) -> float:
        """One step of the filter; the end of the capture."""
        expected_us = last_us + pages * self.period_us
        self._end_variance += pages * (2 * self._covariance + pages * self._period_variance + JITTER_US**2)
        self._covariance += pages * self._period_variance
        self._period_variance += pages * (DRIFT * self.nominal_us) ** 2
        lower_us = float(self._unseen_us)
        if pages > 1 or seen_us - lower_us > self.period_us / 2:
            # Nobody looked shortly before: all that is known is that the page came by now.
            if expected_us <= seen_us:
                return expected_us
            lower_us = seen_us - 2 * math.sqrt(self._end_variance)
        if not lower_us - LOST * self.period_us < expected_us < seen_us + LOST * self.period_us:
            return self._begin(seen_us)
        gain = self._end_variance / (self._end_variance + (seen_us - lower_us) ** 2 / 12)
        period_gain = self._covariance * gain / self._end_variance
        residual_us = (lower_us + seen_us) / 2 - expected_us
        self.period_us += period_gain * residual_us
        self._period_variance -= period_gain * self._covariance
        self._covariance *= 1 - gain
        self._end_variance *= 1 - gain
        return min(max(expected_us + gain * residual_us, lower_us), float(seen_us))

"""The device's clock against the host's: offset and drift from round trips, and from there to UTC.

The answer to a request carries the device's clock, read somewhere between sending and receiving, so half of the round
trip bounds the error of taking the middle. Round trips near the shortest seen are the good ones; the offset is a
straight line through those, because two crystals differ by some tens of ppm.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

KEPT = 256
"""Round trips remembered: at one a second, the last four minutes."""
LATEST_NS = (1 << 63) - 1
"""What 64 bits hold, in the year 2262."""
SLACK = 1.5
"""Round trips up to this many times the shortest count as good."""
FEWEST = 3
"""That many count as good in any case."""
MIN_SPAN_NS = 20_000_000_000
"""Round trips over less time than this say nothing about the drift of a crystal."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One request: sent and received by the host's monotonic clock in ns, answered at `device_us` of the device's."""

    sent_ns: int
    device_us: int
    received_ns: int

    @property
    def duration_ns(self) -> int:
        """How long it took."""
        return self.received_ns - self.sent_ns

    @property
    def offset_ns(self) -> int:
        """Host minus device clock, were the answer given in the middle."""
        return (self.sent_ns + self.received_ns) // 2 - self.device_us * 1000


class ClockSync:
    """Estimates the host's and the UTC time of device times; safe to use from several threads.

    Args:
        utc_minus_monotonic_ns: UTC less the host's monotonic clock; None reads both now. It is kept for the whole
            session, so that a correction of the host's clock cannot turn a recording's order around.
    """

    def __init__(self, utc_minus_monotonic_ns: int | None = None) -> None:
        if utc_minus_monotonic_ns is None:
            utc_minus_monotonic_ns = time.time_ns() - time.monotonic_ns()
        self.utc_minus_monotonic_ns = utc_minus_monotonic_ns
        self._lock = threading.Lock()
        self._trips: deque[RoundTrip] = deque(maxlen=KEPT)
        self._reference_us = 0
        self._offset_ns = 0.0
        self._slope = 0.0
        self._uncertainty_ns = 0

    def add(self, trip: RoundTrip) -> None:
        """Take a round trip into account. A device clock that went back (a restart) starts anew."""
        with self._lock:
            if self._trips and trip.device_us < self._trips[-1].device_us:
                self._trips.clear()
            self._trips.append(trip)
            self._fit()

    @property
    def synchronised(self) -> bool:
        """Whether there was a round trip."""
        return bool(self._trips)

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the device's, parts per million; 0 until that is known."""
        return self._slope * 1e6

    @property
    def uncertainty_s(self) -> float:
        """Half of the shortest round trip: the offset is not known better than that."""
        return self._uncertainty_ns / 1e9

    def host_ns(self, device_us: int) -> int:
        """The host's monotonic clock at a device time."""
        since_ns = (device_us - self._reference_us) * 1000
        return device_us * 1000 + round(self._offset_ns + self._slope * since_ns)

    def utc_ns(self, device_us: int) -> int:
        """Nanoseconds since 1970 UTC at a device time, within 1970 to 2262 whatever the device's clock says."""
        return min(max(0, self.host_ns(device_us) + self.utc_minus_monotonic_ns), LATEST_NS)

    def _fit(self) -> None:
        durations = sorted(trip.duration_ns for trip in self._trips)
        shortest = durations[0]
        limit = max(SLACK * shortest, durations[:FEWEST][-1])
        good = [trip for trip in self._trips if trip.duration_ns <= limit]
        best = min(good, key=lambda trip: trip.duration_ns)
        self._uncertainty_ns = shortest // 2
        span_ns = (good[-1].device_us - good[0].device_us) * 1000
        # A simulated device's clock may run many times faster; that shows at once, a crystal's drift takes a while.
        shows = abs(good[-1].offset_ns - good[0].offset_ns) > good[0].duration_ns + good[-1].duration_ns
        if span_ns == 0 or (span_ns < MIN_SPAN_NS and not shows):
            self._reference_us, self._offset_ns, self._slope = best.device_us, float(best.offset_ns), 0.0
            return
        # Around the middle and around the best offset, so that float64 keeps the nanoseconds.
        middle_us = (good[0].device_us + good[-1].device_us) // 2
        since_ns = np.array([(trip.device_us - middle_us) * 1000 for trip in good], dtype=np.float64)
        offset_ns = np.array([trip.offset_ns - best.offset_ns for trip in good], dtype=np.float64)
        slope, intercept = np.polyfit(since_ns, offset_ns, 1)
        self._reference_us, self._offset_ns, self._slope = middle_us, best.offset_ns + float(intercept), float(slope)

"""Numbers of a stream: what came, how fast, how late, and what did not come."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thermo_core.recording.layout import Gap
from thermo_core.wire.records import ClockRecord
from thermo_host.stream.decoding import Decoding

WINDOW_NS = 3_000_000_000
"""Rates are of the last three seconds."""
LATENCIES = 512
ARRIVALS = 2048
BYTES_EVERY_NS = 50_000_000
"""Bytes of the line are noted as often as this, however often they are told."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers of a stream so far.

    Attributes:
        moments: of each sensor, by its name.
        moments_per_second: of the last seconds, by the name of the sensor.
        findings: that came.
        lost_blocks: missing by their running numbers.
        invalid_blocks: that gave no value because of what they hold.
        strange_blocks: made with constants that are not known here, of a sensor that was put in.
        markers: that somebody set.
        gaps: times in which the port was gone, and `gap_s` their sum.
        device_dropped: records that the device dropped meanwhile because the line was full.
        device_lost: blocks that the device missed meanwhile; those between two that came are among the lost ones too.
        latency_s, latency_p99_s: end of capture to arrival of a block, median and 99th percentile; None before the first.
        bytes_per_second: of the line; None where there is none.
    """

    moments: dict[str, int]
    moments_per_second: dict[str, float]
    findings: int
    lost_blocks: int
    invalid_blocks: int
    strange_blocks: int
    markers: int
    gaps: int
    gap_s: float
    device_dropped: int
    device_lost: int
    latency_s: float | None
    latency_p99_s: float | None
    bytes_per_second: float | None

    @property
    def missing(self) -> int:
        """Blocks that gave no value, whoever noticed."""
        return max(self.lost_blocks + self.invalid_blocks, self.device_lost) + self.strange_blocks


class Traffic:
    """Counts what a stream carries."""

    def __init__(self) -> None:
        self.findings = 0
        self._markers = 0
        self._gaps = 0
        self._gap_ns = 0
        self._arrivals: dict[int, deque[int]] = {}
        self._latencies: deque[int] = deque(maxlen=LATENCIES)
        self._bytes: deque[tuple[int, int]] = deque()
        self._clock: ClockRecord | None = None
        self._first_clock: ClockRecord | None = None

    def arrived(self, sensor: int, moments: int, received_ns: int, captured_ns: int) -> None:
        """A block gave so many samples of a sensor; both times in nanoseconds since 1970 UTC."""
        arrivals = self._arrivals.setdefault(sensor, deque(maxlen=ARRIVALS))
        arrivals.extend([received_ns] * moments)
        while received_ns - arrivals[0] > WINDOW_NS:
            arrivals.popleft()
        self._latencies.append(received_ns - captured_ns)

    def finding(self) -> None:
        """One came."""
        self.findings += 1

    def marker(self) -> None:
        """Somebody set one."""
        self._markers += 1

    def gap(self, gap: Gap) -> None:
        """The port was gone."""
        self._gaps += 1
        self._gap_ns += max(0, gap.to_ns - gap.from_ns)

    def clock(self, record: ClockRecord) -> None:
        """The wearable told its counters."""
        self._first_clock = self._first_clock or record
        self._clock = record

    def forget_sensors(self) -> None:
        """Their numbers mean others from here on."""
        self._arrivals.clear()

    def count_bytes(self, received: int) -> None:
        """So many bytes have come since the line was opened."""
        now_ns = time.monotonic_ns()
        if self._bytes and received < self._bytes[-1][1]:
            self._bytes.clear()
        if len(self._bytes) > 1 and now_ns - self._bytes[-2][0] < BYTES_EVERY_NS:
            self._bytes.pop()
        self._bytes.append((now_ns, received))
        while now_ns - self._bytes[0][0] > WINDOW_NS:
            self._bytes.popleft()

    def statistics(self, decoding: Decoding, now_ns: int) -> Statistics:
        """Numbers so far, of the stream that this decoding reads; now in nanoseconds since 1970 UTC."""
        latencies = np.asarray(self._latencies, dtype=np.float64) / 1e9
        names = [sensor.name for sensor in decoding.session.profile.sensors]
        return Statistics(
            moments={name: decoding.counted[number].moments for number, name in enumerate(names)},
            moments_per_second={name: self._rate(number, now_ns) for number, name in enumerate(names)},
            findings=self.findings,
            lost_blocks=decoding.total(["lost"]),
            invalid_blocks=decoding.total(["invalid"]),
            strange_blocks=decoding.total(["strange"]),
            markers=self._markers,
            gaps=self._gaps,
            gap_s=self._gap_ns / 1e9,
            device_dropped=self._since(lambda clock: clock.dropped),
            device_lost=self._since(lambda clock: clock.lost),
            latency_s=float(np.median(latencies)) if latencies.size else None,
            latency_p99_s=float(np.percentile(latencies, 99)) if latencies.size else None,
            bytes_per_second=self._bytes_per_second(),
        )

    def _since(self, counter: Callable[[ClockRecord], int]) -> int:
        """How far a counter that the device keeps from its start has come since this stream began."""
        if self._clock is None or self._first_clock is None:
            return 0
        now, first = counter(self._clock), counter(self._first_clock)
        return now - first if now >= first else now  # it restarted

    def _rate(self, sensor: int, now_ns: int) -> float:
        recent = [at for at in self._arrivals.get(sensor, ()) if now_ns - at <= WINDOW_NS]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        later = sum(at != recent[0] for at in recent)  # samples of a FIFO come many at once
        return later * 1e9 / (recent[-1] - recent[0])

    def _bytes_per_second(self) -> float | None:
        if len(self._bytes) < 2:
            return None
        (first_ns, first), (last_ns, last) = self._bytes[0], self._bytes[-1]
        return (last - first) * 1e9 / max(1, last_ns - first_ns)

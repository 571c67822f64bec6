"""What a person wants to know of a stream at any moment: the newest of everything, rates, losses, latency."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thermo_core.recording.layout import Gap
from thermo_core.sensors.mlx90640.frames import Picture
from thermo_core.wire.records import ClockRecord, EventRecord, SubpageRecord, ThermistorRecord, VerdictRecord
from thermo_host.link.lease import Lost, Telemetry
from thermo_host.link.session import Item, Session
from thermo_host.pictures import DecodeSettings
from thermo_host.sinks.freshness import Freshness

WINDOW_NS = 3_000_000_000
"""Rates are of the last three seconds."""
LATENCIES = 512
ARRIVALS = 1024
BYTES_EVERY_NS = 50_000_000
"""Bytes of the line are noted as often as this, however often they are told."""
EVENTS = 3
CHANGES = 8
VERDICT_S = 5.0
"""How often a verdict is expected until it is known."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers of a stream so far.

    Attributes:
        pictures: seen.
        pictures_per_second: of the last seconds.
        lost_subpages: missing by their running numbers.
        invalid_subpages: with counts that cannot be right.
        strange_subpages: made with constants that are not known here, of a sensor that was put in.
        gaps: times in which the port was gone, and `gap_s` their sum.
        device_dropped: records that the device dropped meanwhile because the line was full.
        device_lost: subpages that the device missed meanwhile; those between two that came are among the lost ones too.
        latency_s, latency_p99_s: end of capture to arrival, median and 99th percentile; None before the first picture.
        bytes_per_second: of the line; None where there is none.
    """

    pictures: int
    pictures_per_second: float
    lost_subpages: int
    invalid_subpages: int
    strange_subpages: int
    gaps: int
    gap_s: float
    device_dropped: int
    device_lost: int
    latency_s: float | None
    latency_p99_s: float | None
    bytes_per_second: float | None

    @property
    def missing(self) -> int:
        """Subpages of which there is no picture, whoever noticed."""
        return max(self.lost_subpages + self.invalid_subpages, self.device_lost) + self.strange_subpages


@dataclass(frozen=True, slots=True)
class Change:
    """Another session holds.

    Attributes:
        utc_ns: since when, nanoseconds since 1970 UTC.
        what: what is not as it was.
    """

    utc_ns: int
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event, and whether it happened before this session began, to whoever was there then."""

    record: EventRecord
    before: bool


class Monitor:
    """Takes a stream or a recording item by item and keeps the newest of everything.

    Args:
        session: whose it is at the start.
        settings: how counts become temperatures.

    Attributes:
        session: whose it is now.
        changes: the last few times that another one came.
        picture: the newest, with per-pixel calibration where there is one.
        picture_utc_ns: when it was captured.
        verdict: the newest.
        thermistors: the newest of each array, by its number.
        clock: the newest.
        events: the newest of each of the last few kinds, by code, newest last.
        lost: set while the wearable is waited for.
    """

    def __init__(self, session: Session, settings: DecodeSettings | None = None) -> None:
        self.session = session
        self.settings = settings or DecodeSettings()
        self.picture: Picture | None = None
        self.picture_utc_ns = 0
        self.verdict: VerdictRecord | None = None
        self.thermistors: dict[int, ThermistorRecord] = {}
        self.clock: ClockRecord | None = None
        self._first_clock: ClockRecord | None = None
        self.events: dict[int, ShownEvent] = {}
        self.lost: Lost | None = None
        self.changes: deque[Change] = deque(maxlen=CHANGES)
        self._pictures = session.pictures(settings)
        self._count = 0
        self._arrivals: deque[int] = deque(maxlen=ARRIVALS)
        self._latencies: deque[int] = deque(maxlen=LATENCIES)
        self._gaps = 0
        self._gap_ns = 0
        self._bytes: deque[tuple[int, int]] = deque()
        self._now_ns = 0
        self._watched = False
        rates = {sensor.sensor: sensor.rate_hz for sensor in session.hello.sensors}
        self._fresh_link = Freshness(1.0)
        slowest_hz = min((rates[sensor] for sensor in self._pictures.readers), default=1.0)
        self._fresh_picture = Freshness(2 / slowest_hz)
        self._fresh_verdict = Freshness(VERDICT_S)
        self._fresh_thermistors = {sensor: Freshness(1 / rate) for sensor, rate in rates.items()}

    @property
    def corrected(self) -> bool:
        """Whether a per-pixel calibration is applied."""
        return any(reader.corrected for reader in self._pictures.readers.values())

    def tick(self, now_ns: int) -> None:
        """Tell what time it is, UTC in nanoseconds; without it nothing grows old, as in a recording."""
        self._now_ns = max(self._now_ns, now_ns)
        self._watched = True

    @property
    def silent_s(self) -> float | None:
        """Seconds since anything came, where that is too long ago; else None."""
        return self._age_s(self._fresh_link)

    @property
    def picture_age_s(self) -> float | None:
        """Seconds since a picture came, where it is too old to be shown as of now; else None."""
        return self._age_s(self._fresh_picture)

    @property
    def verdict_age_s(self) -> float | None:
        """The same of the verdict."""
        return self._age_s(self._fresh_verdict)

    def thermistors_age_s(self, sensor: int) -> float | None:
        """The same of an array of thermistors."""
        return self._age_s(self._fresh_thermistors[sensor]) if sensor in self._fresh_thermistors else None

    def push(self, item: Item) -> Picture | None:
        """Take an item; the picture that it completes, if any."""
        if isinstance(item, Lost):
            self.lost = item
            return None
        self.lost = None
        if isinstance(item, Session):
            self._change(item)
            return None
        if isinstance(item, Gap):
            self._gaps += 1
            self._gap_ns += max(0, item.to_ns - item.from_ns)
            return None
        self._now_ns = max(self._now_ns, item.received_ns) if self._watched else item.received_ns
        self._fresh_link.seen(item.received_ns)
        record = item.record
        if isinstance(record, SubpageRecord):
            return self._push_subpage(item, record)
        if isinstance(record, VerdictRecord):
            self.verdict = record
            self._fresh_verdict.seen(item.received_ns)
        elif isinstance(record, ThermistorRecord):
            self.thermistors[record.sensor] = record
            self._fresh_thermistors.setdefault(record.sensor, Freshness(1.0)).seen(item.received_ns)
        elif isinstance(record, EventRecord):
            self.events.pop(record.code, None)
            self.events[record.code] = ShownEvent(record, item.captured_ns < self.session.started_ns)
            while len(self.events) > EVENTS:
                del self.events[next(iter(self.events))]
        else:
            self._first_clock = self._first_clock or record
            self.clock = record
        return None

    def count_bytes(self, received: int) -> None:
        """Tell how many bytes the line has received since it was opened."""
        now_ns = time.monotonic_ns()
        if self._bytes and received < self._bytes[-1][1]:
            self._bytes.clear()
        if len(self._bytes) > 1 and now_ns - self._bytes[-2][0] < BYTES_EVERY_NS:
            self._bytes.pop()
        self._bytes.append((now_ns, received))
        while now_ns - self._bytes[0][0] > WINDOW_NS:
            self._bytes.popleft()

    def statistics(self) -> Statistics:
        """Numbers so far."""
        latencies = np.asarray(self._latencies, dtype=np.float64) / 1e9
        return Statistics(
            pictures=self._count,
            pictures_per_second=self._rate(),
            lost_subpages=self._pictures.lost,
            invalid_subpages=self._pictures.invalid,
            strange_subpages=self._pictures.strange,
            gaps=self._gaps,
            gap_s=self._gap_ns / 1e9,
            device_dropped=self._since(lambda clock: clock.dropped),
            device_lost=self._since(lambda clock: clock.lost),
            latency_s=float(np.median(latencies)) if latencies.size else None,
            latency_p99_s=float(np.percentile(latencies, 99)) if latencies.size else None,
            bytes_per_second=self._bytes_per_second(),
        )

    def _change(self, session: Session) -> None:
        self.changes.append(Change(self._now_ns, self.session.changes(session)))
        before, self._pictures = self._pictures, session.pictures(self.settings)
        self._pictures.follow(before)
        self.session = session

    def _age_s(self, fresh: Freshness) -> float | None:
        if not self._watched:
            return None
        old = self.lost is not None or self._fresh_link.stale(self._now_ns) or fresh.stale(self._now_ns)
        return fresh.age_s(self._now_ns) if old else None

    def _since(self, counter: Callable[[ClockRecord], int]) -> int:
        """How far a counter that the device keeps from its start has come since this stream began."""
        if self.clock is None or self._first_clock is None:
            return 0
        now, first = counter(self.clock), counter(self._first_clock)
        return now - first if now >= first else now  # it restarted

    def _push_subpage(self, item: Telemetry, record: SubpageRecord) -> Picture | None:
        picture = self._pictures.push(record)
        if picture is None:
            return None
        self.picture, self.picture_utc_ns = picture, item.captured_ns
        self._fresh_picture.seen(item.received_ns)
        self._count += 1
        self._latencies.append(item.received_ns - item.captured_ns)
        self._arrivals.append(item.received_ns)
        while item.received_ns - self._arrivals[0] > WINDOW_NS:
            self._arrivals.popleft()
        return picture

    def _rate(self) -> float:
        recent = [at for at in self._arrivals if self._now_ns - at <= WINDOW_NS]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) * 1e9 / (recent[-1] - recent[0])

    def _bytes_per_second(self) -> float | None:
        if len(self._bytes) < 2:
            return None
        (first_ns, first), (last_ns, last) = self._bytes[0], self._bytes[-1]
        return (last - first) * 1e9 / max(1, last_ns - first_ns)

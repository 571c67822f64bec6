"""What a person wants to know of a stream at any moment: the newest of everything, its past minutes, rates, losses, latency."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from thermo_core.graph.alerts import AlertState
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Sample
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord, FindingRecord, SignalRecord
from thermo_host.link.items import Item, Lost, Telemetry
from thermo_host.link.session import changes
from thermo_host.sinks.freshness import Freshness
from thermo_host.sinks.history import History
from thermo_host.stream.decoding import DecodeSettings, Decoding

WINDOW_NS = 3_000_000_000
"""Rates are of the last three seconds."""
LATENCIES = 512
ARRIVALS = 2048
BYTES_EVERY_NS = 50_000_000
"""Bytes of the line are noted as often as this, however often they are told."""
EVENTS = 3
CHANGES = 8
SLOWEST_S = 5.0
"""How often what has no rate is expected until it is known."""


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


@dataclass(slots=True)
class Newest:
    """The newest sample of a signal.

    Attributes:
        sample: it.
        utc_ns: when it was captured, nanoseconds since 1970 UTC.
        history: of the signal, where it has few numbers.
    """

    sample: Sample
    utc_ns: int
    history: History = field(default_factory=History)


@dataclass(slots=True)
class NewestFinding:
    """The newest finding of a model.

    Attributes:
        record: it.
        utc_ns: of the moment it is about, nanoseconds since 1970 UTC.
        fresh: tells when it is old.
        history: of its values.
    """

    record: FindingRecord
    utc_ns: int
    fresh: Freshness
    history: History = field(default_factory=History)


class Monitor:
    """Takes a stream or a recording item by item and keeps the newest of everything.

    Args:
        session: whose it is at the start.
        settings: how blocks become signals.

    Attributes:
        session: whose it is now.
        decoding: makes signals of its blocks.
        changes: the last few times that another one came.
        signals: the newest of each, by name.
        findings: the newest of each model, by its number.
        alerts: the newest step of each, by its number.
        clock: the newest.
        events: the newest of each of the last few kinds, by code, newest last.
        lost: set while the wearable is waited for.
    """

    def __init__(self, session: Session, settings: DecodeSettings | None = None) -> None:
        self.session = session
        self.decoding = Decoding(session, settings)
        self.signals: dict[str, Newest] = {}
        self.findings: dict[int, NewestFinding] = {}
        self.alerts: dict[int, AlertRecord] = {}
        self.clock: ClockRecord | None = None
        self._first_clock: ClockRecord | None = None
        self.events: dict[int, ShownEvent] = {}
        self.lost: Lost | None = None
        self.changes: deque[Change] = deque(maxlen=CHANGES)
        self._found = 0
        self._markers = 0
        self._arrivals: dict[int, deque[int]] = {}
        self._latencies: deque[int] = deque(maxlen=LATENCIES)
        self._gaps = 0
        self._gap_ns = 0
        self._bytes: deque[tuple[int, int]] = deque()
        self._now_ns = 0
        self._watched = False
        self._fresh_link = Freshness(1.0)
        self._fresh_sensors: dict[int, Freshness] = {}

    @property
    def settings(self) -> DecodeSettings:
        """How blocks become signals."""
        return self.decoding.settings

    def tick(self, now_ns: int) -> None:
        """Tell what time it is, UTC in nanoseconds; without it nothing grows old, as in a recording."""
        self._now_ns = max(self._now_ns, now_ns)
        self._watched = True

    @property
    def begun(self) -> bool:
        """Whether anything came yet."""
        return self._now_ns > 0

    @property
    def silent_s(self) -> float | None:
        """Seconds since anything came, where that is too long ago; else None."""
        return self._age_s(self._fresh_link)

    def sensor_age_s(self, sensor: int) -> float | None:
        """Seconds since a sensor gave anything, where it is too old to be shown as of now; else None."""
        return self._age_s(self._fresh_sensors[sensor]) if sensor in self._fresh_sensors else None

    def signal_age_s(self, name: str) -> float | None:
        """The same of the sensors that a signal rests on."""
        ages = [self.sensor_age_s(sensor) for sensor in self.decoding.plan.origins(name)]
        return max((age for age in ages if age is not None), default=None)

    def finding_age_s(self, model: int) -> float | None:
        """The same of a model's newest finding."""
        return self._age_s(self.findings[model].fresh) if model in self.findings else None

    def alert_state(self, alert: int) -> AlertState | None:
        """Where an alert stands; None where it was not heard of yet."""
        return self.alerts[alert].change.state if alert in self.alerts else None

    def alert_age_s(self, alert: int) -> float | None:
        """The same of what an alert watches."""
        watch = self.decoding.plan.alerts[alert].watch
        return self.signal_age_s(watch.signal) if watch.model is None else self.finding_age_s(watch.model)

    def push(self, item: Item) -> Outcome | None:
        """Take an item; what came of a block."""
        if isinstance(item, Lost):
            self.lost = item
            return None
        if isinstance(item, Marker):
            self._markers += 1
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
        if isinstance(record, Block):
            return self._push_block(item, record)
        if isinstance(record, FindingRecord):
            self._push_finding(item, record)
        elif isinstance(record, AlertRecord):
            self.alerts[record.change.alert] = record
        elif isinstance(record, EventRecord):
            self.events.pop(record.code, None)
            self.events[record.code] = ShownEvent(record, item.captured_ns < self.session.started_ns)
            while len(self.events) > EVENTS:
                del self.events[next(iter(self.events))]
        elif isinstance(record, ClockRecord):
            self._first_clock = self._first_clock or record
            self.clock = record
        else:
            assert isinstance(record, SignalRecord)
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
        names = [sensor.name for sensor in self.session.profile.sensors]
        counted = self.decoding.counted
        return Statistics(
            moments={name: counted[number].moments for number, name in enumerate(names)},
            moments_per_second={name: self._rate(number) for number, name in enumerate(names)},
            findings=self._found,
            lost_blocks=self.decoding.total(["lost"]),
            invalid_blocks=self.decoding.total(["invalid"]),
            strange_blocks=self.decoding.total(["strange"]),
            markers=self._markers,
            gaps=self._gaps,
            gap_s=self._gap_ns / 1e9,
            device_dropped=self._since(lambda clock: clock.dropped),
            device_lost=self._since(lambda clock: clock.lost),
            latency_s=float(np.median(latencies)) if latencies.size else None,
            latency_p99_s=float(np.percentile(latencies, 99)) if latencies.size else None,
            bytes_per_second=self._bytes_per_second(),
        )

    def _change(self, session: Session) -> None:
        self.changes.append(Change(self._now_ns, changes(self.session, session)))
        if session.profile != self.session.profile:
            # Numbers and names mean other things from here on.
            for known in (self.signals, self.findings, self.alerts, self._fresh_sensors, self._arrivals):
                known.clear()
        self.decoding.follow(session)
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

    def _push_block(self, item: Telemetry, block: Block) -> Outcome:
        outcome = self.decoding.push(block)
        for samples in outcome.passes:
            for name, sample in samples.items():
                self._keep(name, sample, item.captured_ns + (sample.time_us - block.time_us) * 1000)
        sensors = self.session.profile.sensors
        moments = sum(sensors[block.sensor].name in samples for samples in outcome.passes)
        if moments:
            rate_hz = self.session.hello.sensors[block.sensor].rate_hz
            expected_s = 2 / rate_hz if rate_hz else SLOWEST_S
            self._fresh_sensors.setdefault(block.sensor, Freshness(expected_s)).seen(item.received_ns)
            arrivals = self._arrivals.setdefault(block.sensor, deque(maxlen=ARRIVALS))
            arrivals.extend([item.received_ns] * moments)
            while item.received_ns - arrivals[0] > WINDOW_NS:
                arrivals.popleft()
            self._latencies.append(item.received_ns - item.captured_ns)
        return outcome

    def _keep(self, name: str, sample: Sample, utc_ns: int) -> None:
        newest = self.signals.get(name)
        if newest is None:
            newest = self.signals[name] = Newest(sample, utc_ns)
        newest.sample, newest.utc_ns = sample, utc_ns
        newest.history.add(utc_ns, sample.values)

    def _push_finding(self, item: Telemetry, record: FindingRecord) -> None:
        if record.model >= len(self.session.profile.models):
            return
        self._found += 1
        newest = self.findings.get(record.model)
        if newest is None:
            newest = self.findings[record.model] = NewestFinding(record, item.captured_ns, Freshness(SLOWEST_S))
        newest.record, newest.utc_ns = record, item.captured_ns
        newest.fresh.seen(item.received_ns)
        newest.history.add(item.captured_ns, np.asarray(record.values, np.float32))

    def _rate(self, sensor: int) -> float:
        recent = [at for at in self._arrivals.get(sensor, ()) if self._now_ns - at <= WINDOW_NS]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) * 1e9 / (recent[-1] - recent[0])

    def _bytes_per_second(self) -> float | None:
        if len(self._bytes) < 2:
            return None
        (first_ns, first), (last_ns, last) = self._bytes[0], self._bytes[-1]
        return (last - first) * 1e9 / max(1, last_ns - first_ns)

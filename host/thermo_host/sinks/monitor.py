"""What a person wants to know of a stream at any moment: the newest of everything, its past minutes, rates, losses, latency."""

from collections import deque
from collections.abc import Collection

import numpy as np

from thermo_core.graph.alerts import AlertState
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap, LslSamples, LslStream, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Sample
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord, FindingRecord, SignalRecord
from thermo_host.link.items import Item, Lost, Telemetry
from thermo_host.link.session import changes
from thermo_host.sinks.freshness import Freshness
from thermo_host.sinks.newest import Change, Newest, NewestFinding, ShownEvent
from thermo_host.sinks.statistics import Statistics, Traffic
from thermo_host.stream.decoding import DecodeSettings, Decoding
from thermo_host.stream.signals import Joined

EVENTS = 3
CHANGES = 8
SLOWEST_S = 5.0
"""How often what has no rate is expected until it is known."""


class Monitor:
    """Takes a stream or a recording item by item and keeps the newest of everything.

    Args:
        session: whose it is at the start.
        settings: how blocks become signals.
        sent: names of signals whose samples are taken as the wearable sends them, from the first of them on.

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
        behind_s: for how long the oldest item has waited that was not taken yet.
    """

    def __init__(self, session: Session, settings: DecodeSettings | None = None, sent: Collection[str] = ()) -> None:
        self.session = session
        self.decoding = Decoding(session, settings)
        self._sent = frozenset(sent)
        self._coming: set[str] = set()
        self._joined = Joined(self.decoding.plan)
        self.signals: dict[str, Newest] = {}
        self.findings: dict[int, NewestFinding] = {}
        self.alerts: dict[int, AlertRecord] = {}
        self.clock: ClockRecord | None = None
        self.events: dict[int, ShownEvent] = {}
        self.lost: Lost | None = None
        self.behind_s = 0.0
        self.changes: deque[Change] = deque(maxlen=CHANGES)
        self._traffic = Traffic()
        self._now_ns = 0
        self._watched = False
        self._fresh_link = Freshness(1.0)
        self._fresh_sensors: dict[int, Freshness] = {}

    @property
    def settings(self) -> DecodeSettings:
        """How blocks become signals."""
        return self.decoding.settings

    def tick(self, now_ns: int, waiting_ns: int | None = None) -> None:
        """Tell what time it is; without it nothing grows old, as in a recording.

        Args:
            now_ns: UTC in nanoseconds.
            waiting_ns: when the oldest item came that was not taken yet. What is shown is as of then: a computer that is
                behind does not make a wearable silent.
        """
        reached_ns = now_ns if waiting_ns is None else min(now_ns, waiting_ns)
        self.behind_s = (now_ns - reached_ns) / 1e9
        self._now_ns = max(self._now_ns, reached_ns)
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
            self._traffic.marker()
            return None
        if isinstance(item, LslStream | LslSamples):
            return None
        self.lost = None
        if isinstance(item, Session):
            self._change(item)
            return None
        if isinstance(item, Gap):
            self._traffic.gap(item)
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
            self._traffic.clock(record)
            self.clock = record
        else:
            assert isinstance(record, SignalRecord)
            self._push_sent(item, record)
        return None

    def count_bytes(self, received: int) -> None:
        """Tell how many bytes the line has received since it was opened."""
        self._traffic.count_bytes(received)

    def statistics(self) -> Statistics:
        """Numbers so far."""
        return self._traffic.statistics(self.decoding, self._now_ns)

    @property
    def finding_count(self) -> int:
        """Findings so far, of all models."""
        return self._traffic.findings

    def _change(self, session: Session) -> None:
        self.changes.append(Change(self._now_ns, changes(self.session, session)))
        if session.profile != self.session.profile:
            # Numbers and names mean other things from here on.
            for known in (self.signals, self.findings, self.alerts, self._fresh_sensors):
                known.clear()
            self._traffic.forget_sensors()
            self._coming.clear()
        self.decoding.follow(session)
        self._joined = Joined(self.decoding.plan)
        self.session = session

    def _age_s(self, fresh: Freshness) -> float | None:
        if not self._watched:
            return None
        old = self.lost is not None or self._fresh_link.stale(self._now_ns) or fresh.stale(self._now_ns)
        return fresh.age_s(self._now_ns) if old else None

    def _push_block(self, item: Telemetry, block: Block) -> Outcome:
        outcome = self.decoding.push(block)
        for samples in outcome.passes:
            for name, sample in samples.items():
                if name in self._coming:
                    continue
                self._keep(name, sample, item.captured_ns + (sample.time_us - block.time_us) * 1000)
        sensors = self.session.profile.sensors
        moments = sum(sensors[block.sensor].name in samples for samples in outcome.passes)
        if moments:
            rate_hz = self.session.hello.sensors[block.sensor].rate_hz
            expected_s = 2 / rate_hz if rate_hz else SLOWEST_S
            self._fresh_sensors.setdefault(block.sensor, Freshness(expected_s)).seen(item.received_ns)
            self._traffic.arrived(block.sensor, moments, item.received_ns, item.captured_ns)
        return outcome

    def _push_sent(self, item: Telemetry, record: SignalRecord) -> None:
        joined = self._joined.push(record)
        if joined is None or joined[0] not in self._sent:
            return
        name, sample = joined
        self._coming.add(name)
        newest = self.signals.get(name)
        # What was computed here before the first that was sent may be of a later moment.
        if newest is None or newest.utc_ns <= item.captured_ns:
            self._keep(name, sample, item.captured_ns)

    def _keep(self, name: str, sample: Sample, utc_ns: int) -> None:
        newest = self.signals.get(name)
        if newest is None:
            newest = self.signals[name] = Newest(sample, utc_ns)
        newest.sample, newest.utc_ns = sample, utc_ns
        newest.history.add(utc_ns, sample.values)

    def _push_finding(self, item: Telemetry, record: FindingRecord) -> None:
        if record.model >= len(self.session.profile.models):
            return
        self._traffic.finding()
        newest = self.findings.get(record.model)
        if newest is None:
            newest = self.findings[record.model] = NewestFinding(record, item.captured_ns, Freshness(SLOWEST_S))
        if item.captured_ns < newest.utc_ns:
            return  # what was fetched after a loss on the line
        newest.record, newest.utc_ns = record, item.captured_ns
        newest.fresh.seen(item.captured_ns if record.fetched else item.received_ns)
        newest.history.add(item.captured_ns, np.asarray(record.values, np.float32))

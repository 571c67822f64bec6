"""What is known of one wearable as its records come, however they come: they become events on the bus, and go to sinks."""

import contextlib
import functools
import operator
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.wire.records import AlertRecord, EventRecord, FindingRecord
from thermo_host.link.items import Item, Lost, Telemetry
from thermo_host.link.session import changes
from thermo_host.link.wearable import Wearable
from thermo_host.screen.layout import is_picture, layout
from thermo_host.sinks.describe import alert_facts, finding_facts
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.pump import Sink
from thermo_hub.events import Event, Fed, Found, Joined, Left, Measured, Returned, Sampled, Stepped, Told

Answer = TypeVar("Answer")
Post = Callable[[list[Event]], None]
MakeSink = Callable[[str, Session], Sink | None]


class Heard(Protocol):
    """A wearable that is heard, on a port or over a broker.

    Attributes:
        port: where, in words that a person knows it by.
        state: "opening", "live", "lost", "busy" or "failed".
        reason: why it is not live, a sentence.
        session: what holds; None until it has answered.
    """

    @property
    def port(self) -> str:
        """See above."""

    @property
    def state(self) -> str:
        """See above."""

    @property
    def reason(self) -> str:
        """See above."""

    @property
    def session(self) -> Session | None:
        """See above."""

    def ask(self, work: Callable[[Wearable], Answer], alone: bool = False) -> "Future[Answer]":
        """Have something done with the wearable.

        Args:
            work: what.
            alone: end the stream for it, as for what takes long or restarts the wearable; it goes on by itself.
        """

    def add_sink(self, make: Callable[[Session], Sink]) -> "Future[Sink]":
        """Have a sink take all that comes, made of the session that holds then."""

    def remove_sink(self, sink: Sink) -> None:
        """Have it take nothing more; harmless where it does not."""


class Following:
    """Follows one wearable. All but `remove_sink` belongs to one thread.

    Args:
        post: takes events.

    Attributes:
        state, reason, session: as `Heard`.
        wearable_id: of the wearable; "" until one has answered.
        sinks: what takes all that comes.
        lost: set while it is waited for.
    """

    def __init__(self, post: Post) -> None:
        self.state = "opening"
        self.reason = ""
        self.wearable_id = ""
        self.session: Session | None = None
        self.sinks: list[Sink] = []
        self.lost: Lost | None = None
        self.monitor: Monitor | None = None
        self._post = post
        self._wanted: dict[str, Any] = {}
        self._looking: dict[str, tuple[str, ...]] = {}

    def remove_sink(self, sink: Sink) -> None:
        """As `Heard`."""
        with contextlib.suppress(ValueError):
            self.sinks.remove(sink)

    def begin(self, session: Session) -> None:
        """It answers, for the first time or again: this session holds."""
        before = self.session
        found = changes(before, session) if before is not None else ()
        if self.monitor is None or before is None or before.profile != session.profile:
            self.monitor = Monitor(session)
        else:
            self.monitor.push(session)
        self.session = session
        self._shape(self.monitor)
        self.stand("live", "")
        events: list[Event] = []
        items: list[Item] = [session] if found else []
        if self.lost is not None:
            lost, self.lost = self.lost, None
            gap = Gap(from_ns=lost.since_ns, to_ns=time.time_ns(), reason=lost.reason)
            items.insert(0, gap)
            events.append(Returned(self.wearable_id, gap.from_ns, gap.to_ns, gap.reason))
        for item in items:
            for sink in tuple(self.sinks):
                sink.take(item, None)
        self._post([*events, Joined(self.wearable_id, session, time.time_ns(), found)])

    def stand(self, state: str, reason: str) -> None:
        """How it stands; where it was live and is lost that is told."""
        if state == "lost" and self.state == "live":
            self.lost = Lost(time.time_ns(), reason)
            self._post([Left(self.wearable_id, self.lost.since_ns, reason)])
        self.state, self.reason = state, reason

    def measure(self) -> None:
        """Tell how its line does; about once a second."""
        monitor = self.monitor
        if monitor is None or not monitor.begun:
            return
        if self.state != "live":
            monitor.tick(time.time_ns())
        ages = {
            sensor.name: age
            for number, sensor in enumerate(monitor.session.profile.sensors)
            if (age := monitor.sensor_age_s(number)) is not None
        }
        silent_s = monitor.silent_s
        self._post(
            [
                Measured(
                    self.wearable_id,
                    time.time_ns(),
                    silent_s or 0.0,
                    silent_s is not None,
                    monitor.statistics(),
                    ages,
                )
            ]
        )

    def take(self, item: Item) -> Outcome | None:
        """Something came; what came of a block."""
        monitor = self.monitor
        assert monitor is not None
        outcome = monitor.push(item)
        events = list(self._events(item, outcome, monitor))
        if events:
            self._post(events)
        return outcome

    def _events(self, item: Item, outcome: Outcome | None, monitor: Monitor) -> Iterator[Event]:
        me = self.wearable_id
        if isinstance(item, Lost):
            self.lost = item
            self.state, self.reason = "lost", item.reason
            yield Left(me, item.since_ns, item.reason)
        elif isinstance(item, Gap):
            self.lost = None
            self.state, self.reason = "live", ""
            yield Returned(me, item.from_ns, item.to_ns, item.reason)
        elif isinstance(item, Session):
            found = changes(self.session, item) if self.session is not None else ()
            self.session = item
            self._shape(monitor)
            yield Joined(me, item, time.time_ns(), found)
        elif isinstance(item, Telemetry):
            yield from self._telemetry(item, outcome, monitor)

    def _shape(self, monitor: Monitor) -> None:
        """Work out what of its signals is told."""
        plan = monitor.decoding.plan
        self._wanted = _wanted(monitor)
        self._looking = {
            model.name: tuple(model.inputs)
            for model in plan.profile.models
            if any(is_picture(plan.signals[name]) for name in model.inputs)
        }

    def _telemetry(self, item: Telemetry, outcome: Outcome | None, monitor: Monitor) -> Iterator[Event]:
        me, record, session = self.wearable_id, item.record, monitor.session
        if isinstance(record, Block):
            for samples in outcome.passes if outcome is not None else ():
                for name, sample in samples.items():
                    signal = self._wanted.get(name)
                    if signal is not None:
                        utc_ns = item.captured_ns + (sample.time_us - record.time_us) * 1000
                        yield Sampled(me, signal, utc_ns, item.received_ns, sample.values, sample.flags)
                for model, names in self._looking.items():
                    given = [samples[name] for name in names if name in samples]
                    if len(given) == len(names):
                        utc_ns = item.captured_ns + (given[0].time_us - record.time_us) * 1000
                        flags = functools.reduce(operator.or_, (one.flags for one in given))
                        yield Fed(me, model, utc_ns, tuple(one.values for one in given), flags)
        elif isinstance(record, FindingRecord) and record.model < len(session.profile.models):
            name = session.profile.models[record.model].name
            yield Found(me, name, item.captured_ns, record, finding_facts(record, session))
        elif isinstance(record, AlertRecord) and record.change.alert < len(session.profile.alerts):
            name = session.profile.alerts[record.change.alert].name
            yield Stepped(me, name, item.captured_ns, record, alert_facts(record, session))
        elif isinstance(record, EventRecord):
            yield Told(me, item.captured_ns, record)


def _wanted(monitor: Monitor) -> dict[str, Any]:
    """Signals whose samples are told: those of sensors, those that are shown, and those that alerts watch, by name."""
    plan = monitor.decoding.plan
    shown = layout(plan)
    names = [signal.name for sensor in plan.profile.sensors for signal in sensor.signals]
    names += [signal.name for signal in (*shown.pictures, *shown.bodies, *shown.rows)]
    names += [channel.signal.name for channel in (*shown.hearts, *shown.channels)]
    names += [alert.watch.signal for alert in plan.alerts if alert.watch.model is None]
    return {name: plan.signals[name] for name in names if name in plan.signals}

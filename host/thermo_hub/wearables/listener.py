"""One wearable on one port: a thread that listens to it for as long as the hub runs, over pulled cables and restarts.

What comes becomes events on the bus. What a person wants of the wearable is done in between, in the same thread.
"""

import contextlib
import functools
import logging
import operator
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from thermo_core.errors import LinkError, LinkLostError, PortBusyError, ThermoError
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.text import clean
from thermo_core.wire.records import AlertRecord, EventRecord, FindingRecord
from thermo_host.link.items import Item, Lost, Telemetry
from thermo_host.link.session import changes, fetch
from thermo_host.link.wearable import Wearable
from thermo_host.screen.layout import is_picture, layout
from thermo_host.sinks.describe import alert_facts, finding_facts
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.listen import listen, utc_now_ns
from thermo_host.stream.pump import Sink, pump
from thermo_hub.events import Event, Fed, Found, Joined, Left, Measured, Returned, Sampled, Stepped, Told

LOGGER = logging.getLogger(__name__)
RETRY_S = 1.0
MEASURE_S = 1.0
Answer = TypeVar("Answer")
Post = Callable[[list[Event]], None]


@dataclass(slots=True)
class _Job:
    """Something to do with the wearable.

    Attributes:
        work: what.
        alone: whether the stream has to end for it.
        answer: where the result goes.
    """

    work: Callable[[Wearable], Any]
    alone: bool
    answer: Future[Any]

    def run(self, wearable: Wearable) -> None:
        """Do it."""
        if not self.answer.set_running_or_notify_cancel():
            return
        try:
            self.answer.set_result(self.work(wearable))
        except BaseException as error:
            self.answer.set_exception(error)


class Listener(threading.Thread):
    """Listens to a port.

    Args:
        port: its path.
        claim: told whose port it is each time a wearable answers; gives the id under which the wearable is known.
        post: takes events.

    Attributes:
        port: its path.
        state: "opening", "live", "lost", "busy" or "failed".
        reason: why it is not live, a sentence.
        wearable_id: of the wearable; "" until one has answered.
        session: what holds; None until a wearable has answered.
    """

    def __init__(self, port: str, claim: Callable[["Listener", Session], str], post: Post) -> None:
        super().__init__(name=f"listener of {port}", daemon=True)
        self.port = port
        self.state = "opening"
        self.reason = ""
        self.wearable_id = ""
        self.session: Session | None = None
        self._claim = claim
        self._post = post
        self._ended = threading.Event()
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._alone: _Job | None = None
        self._sinks: list[Sink] = []
        self._monitor: Monitor | None = None
        self._wanted: dict[str, Any] = {}
        self._looking: dict[str, tuple[str, ...]] = {}
        self._lost: Lost | None = None
        self._next_measure = 0.0

    def end(self) -> None:
        """Have it end soon; `join` waits for that."""
        self._ended.set()

    def ask(self, work: Callable[[Wearable], Answer], alone: bool = False) -> "Future[Answer]":
        """Have something done with the wearable between two records, in the listener's thread.

        Args:
            work: what.
            alone: end the stream for it, as for what takes long or restarts the wearable; it goes on by itself.
        """
        job = _Job(work, alone, Future())
        if self.state != "live" or self._ended.is_set():
            job.answer.set_exception(
                LinkLostError(f"The wearable on {self.port} is not here now; plug it in and try again.")
            )
        else:
            self._jobs.put(job)
        return job.answer

    def add_sink(self, make: Callable[[Session], Sink]) -> "Future[Sink]":
        """Have a sink take all that comes, made in the listener's thread of the session that holds then."""

        def work(wearable: Wearable) -> Sink:
            assert self.session is not None
            sink = make(self.session)
            self._sinks.append(sink)
            # Else what comes could not be read before the next key frame, a minute later.
            wearable.send_keys()
            return sink

        return self.ask(work)

    def remove_sink(self, sink: Sink) -> None:
        """Have it take nothing more; harmless where it does not."""
        with contextlib.suppress(ValueError):
            self._sinks.remove(sink)

    def run(self) -> None:
        """As `threading.Thread`."""
        while not self._ended.is_set():
            try:
                with Wearable.open(self.port) as wearable:
                    self._serve(wearable)
            except PortBusyError as error:
                self._stand("busy", str(error))
            except ThermoError as error:
                self._stand(
                    "lost" if self.session is not None and isinstance(error, LinkError) else "failed", str(error)
                )
            except Exception as error:
                LOGGER.exception("The listener of %s failed.", self.port)
                self._stand("failed", f"A bug in the hub ({clean(str(error))}): please report it.")
            self._refuse_jobs()
            self._measure()
            self._ended.wait(RETRY_S)
        self._refuse_jobs()

    def _serve(self, wearable: Wearable) -> None:
        session = fetch(wearable)
        self.wearable_id = self._claim(self, session)
        self._begin(session)
        while not self._ended.is_set():
            items = listen(wearable, session, reconnect=True)
            with contextlib.closing(items):
                monitor = self._monitor
                assert monitor is not None
                pump(
                    self._with_measures(items, wearable),
                    self._take,
                    self._all_sinks(),
                    lambda: self._interrupted(wearable),
                )
            if self._alone is not None:
                job, self._alone = self._alone, None
                self._lost = Lost(time.time_ns(), "it was looked after")
                job.run(wearable)
                session = fetch(wearable)
                self._begin(session)

    def _all_sinks(self) -> list[Sink]:
        # The very list, to which sinks are added while it runs.
        return self._sinks

    def _begin(self, session: Session) -> None:
        before = self.session
        found = changes(before, session) if before is not None else ()
        if self._monitor is None or before is None or before.profile != session.profile:
            self._monitor = Monitor(session)
        else:
            self._monitor.push(session)
        self.session = session
        self._shape(self._monitor)
        self._stand("live", "")
        events: list[Event] = []
        items: list[Item] = [session] if found else []
        if self._lost is not None:
            lost, self._lost = self._lost, None
            gap = Gap(from_ns=lost.since_ns, to_ns=time.time_ns(), reason=lost.reason)
            items.insert(0, gap)
            events.append(Returned(self.wearable_id, gap.from_ns, gap.to_ns, gap.reason))
        for item in items:
            for sink in tuple(self._sinks):
                sink.take(item, None)
        self._post([*events, Joined(self.wearable_id, session, time.time_ns(), found)])

    def _shape(self, monitor: Monitor) -> None:
        """Work out what of its signals is told."""
        plan = monitor.decoding.plan
        self._wanted = _wanted(monitor)
        self._looking = {
            model.name: tuple(model.inputs)
            for model in plan.profile.models
            if any(is_picture(plan.signals[name]) for name in model.inputs)
        }

    def _stand(self, state: str, reason: str) -> None:
        if state == "lost" and self.state == "live":
            self._lost = Lost(time.time_ns(), reason)
            self._post([Left(self.wearable_id, self._lost.since_ns, reason)])
        self.state, self.reason = state, reason

    def _interrupted(self, wearable: Wearable) -> bool:
        """Whether listening has to end now; small jobs are done in passing."""
        while self._alone is None:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job.alone:
                self._alone = job
            else:
                job.run(wearable)
        return self._ended.is_set() or self._alone is not None

    def _with_measures(self, items: Iterator[Item | None], wearable: Wearable) -> Iterator[Item | None]:
        for item in items:
            if time.monotonic() >= self._next_measure:
                if self._monitor is not None:
                    self._monitor.count_bytes(wearable.line.bytes_received)
                    self._monitor.tick(utc_now_ns(wearable))
                self._measure()
            yield item

    def _measure(self) -> None:
        monitor = self._monitor
        self._next_measure = time.monotonic() + MEASURE_S
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

    def _take(self, item: Item) -> Outcome | None:
        monitor = self._monitor
        assert monitor is not None
        outcome = monitor.push(item)
        events = list(self._events(item, outcome, monitor))
        if events:
            self._post(events)
        return outcome

    def _events(self, item: Item, outcome: Outcome | None, monitor: Monitor) -> Iterator[Event]:
        me = self.wearable_id
        if isinstance(item, Lost):
            self._lost = item
            self.state, self.reason = "lost", item.reason
            yield Left(me, item.since_ns, item.reason)
        elif isinstance(item, Gap):
            self._lost = None
            self.state, self.reason = "live", ""
            yield Returned(me, item.from_ns, item.to_ns, item.reason)
        elif isinstance(item, Session):
            found = changes(self.session, item) if self.session is not None else ()
            self.session = item
            self._shape(monitor)
            yield Joined(me, item, time.time_ns(), found)
        elif isinstance(item, Telemetry):
            yield from self._telemetry(item, outcome, monitor)

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

    def _refuse_jobs(self) -> None:
        waiting = [self._alone] if self._alone is not None else []
        self._alone = None
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(self._jobs.get_nowait())
        for job in waiting:
            if job.answer.set_running_or_notify_cancel():
                job.answer.set_exception(
                    LinkLostError(f"The wearable on {self.port} left meanwhile; wait until it is back and try again.")
                )


def _wanted(monitor: Monitor) -> dict[str, Any]:
    """Signals whose samples are told: those of sensors, those that are shown, and those that alerts watch, by name."""
    plan = monitor.decoding.plan
    shown = layout(plan)
    names = [signal.name for sensor in plan.profile.sensors for signal in sensor.signals]
    names += [signal.name for signal in (*shown.pictures, *shown.bodies, *shown.rows)]
    names += [channel.signal.name for channel in (*shown.hearts, *shown.channels)]
    names += [alert.watch.signal for alert in plan.alerts if alert.watch.model is None]
    return {name: plan.signals[name] for name in names if name in plan.signals}

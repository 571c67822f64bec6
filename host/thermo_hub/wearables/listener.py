"""One wearable on one port: a thread that listens to it for as long as the hub runs, over pulled cables and restarts.

What comes becomes events on the bus. What a person wants of the wearable is done in between, in the same thread.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from thermo_core.errors import LinkError, LinkLostError, PortBusyError, ThermoError
from thermo_core.recording.session import Session
from thermo_core.text import clean
from thermo_host.link.items import Item, Lost
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.stream.listen import listen, now_and_waiting_ns
from thermo_host.stream.pump import Sink, pump
from thermo_hub.wearables.following import Answer, Following, MakeSink, Post

LOGGER = logging.getLogger(__name__)
RETRY_S = 1.0
MEASURE_S = 1.0


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
        taps: make sinks that take all of it from the first record on.

    Attributes:
        port: its path.
    """

    def __init__(
        self, port: str, claim: Callable[["Listener", Session], str], post: Post, taps: Sequence[MakeSink] = ()
    ) -> None:
        super().__init__(name=f"listener of {port}", daemon=True)
        self.port = port
        self._following = Following(post)
        self._claim = claim
        self._taps = taps
        self._tapped = ""
        self._tapping: list[Sink] = []
        self._ended = threading.Event()
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._alone: _Job | None = None
        self._next_measure = 0.0

    @property
    def state(self) -> str:
        """As `Heard`."""
        return self._following.state

    @property
    def reason(self) -> str:
        """As `Heard`."""
        return self._following.reason

    @property
    def session(self) -> Session | None:
        """As `Heard`."""
        return self._following.session

    @property
    def wearable_id(self) -> str:
        """Id of the wearable; "" until one has answered."""
        return self._following.wearable_id

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
            self._following.sinks.append(sink)
            # Else what comes could not be read before the next key frame, a minute later.
            wearable.send_keys()
            return sink

        return self.ask(work)

    def remove_sink(self, sink: Sink) -> None:
        """Have it take nothing more; harmless where it does not."""
        self._following.remove_sink(sink)

    def run(self) -> None:
        """As `threading.Thread`."""
        while not self._ended.is_set():
            try:
                with Wearable.open(self.port) as wearable:
                    self._serve(wearable)
            except PortBusyError as error:
                self._following.stand("busy", str(error))
            except ThermoError as error:
                self._following.stand(
                    "lost" if self.session is not None and isinstance(error, LinkError) else "failed", str(error)
                )
            except Exception as error:
                LOGGER.exception("The listener of %s failed.", self.port)
                self._following.stand("failed", f"A bug in the hub ({clean(str(error))}): please report it.")
            self._refuse_jobs()
            self._measure()
            self._ended.wait(RETRY_S)
        self._refuse_jobs()

    def _serve(self, wearable: Wearable) -> None:
        session = fetch(wearable)
        self._following.wearable_id = self._claim(self, session)
        self._tap(session)
        self._following.begin(session)
        while not self._ended.is_set():
            items = listen(wearable, session, reconnect=True)
            with contextlib.closing(items):
                pump(
                    self._with_measures(items, wearable),
                    self._following.take,
                    # The very list, to which sinks are added while it runs.
                    self._following.sinks,
                    lambda: self._interrupted(wearable),
                )
            if self._alone is not None:
                job, self._alone = self._alone, None
                self._following.lost = Lost(time.time_ns(), "it was looked after")
                job.run(wearable)
                session = fetch(wearable)
                self._following.begin(session)

    def _tap(self, session: Session) -> None:
        """Have sinks take all of it from the first record on; those of another wearable on this port end."""
        me = self.wearable_id
        if self._tapped == me:
            return
        for sink in self._tapping:
            self._following.remove_sink(sink)
        self._tapped, self._tapping = me, []
        for make in self._taps:
            made = make(me, session)
            if made is not None:
                self._tapping.append(made)
                self._following.sinks.append(made)

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
                monitor = self._following.monitor
                if monitor is not None:
                    monitor.count_bytes(wearable.line.bytes_received)
                    monitor.tick(*now_and_waiting_ns(wearable))
                self._measure()
            yield item

    def _measure(self) -> None:
        self._next_measure = time.monotonic() + MEASURE_S
        self._following.measure()

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

"""A wearable of another hub: what comes of it over a broker is followed as if it were here."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from thermo_core.errors import LinkLostError, RecordError, ThermoError
from thermo_core.recording.session import Session
from thermo_core.wire.records import decode
from thermo_host.link.foreign import checked_hello, cleaned_record
from thermo_host.link.items import Telemetry
from thermo_host.link.wearable import Wearable
from thermo_host.stream.pump import Sink
from thermo_hub.broker.records import Second
from thermo_hub.broker.topics import Place
from thermo_hub.wearables.following import Answer, Following, Post

LONGEST_ID = 80


class Remote:
    """Follows it. Methods may be called in any thread.

    Args:
        place: its topics.
        post: takes events.

    Attributes:
        port: where it is, in words.
    """

    def __init__(self, place: Place, post: Post) -> None:
        self.port = f"mqtt:{place.site}/{place.wearable}"
        self._following = Following(post)
        self._following.wearable_id = f"{place.wearable}@{place.site}"[:LONGEST_ID]
        self._holds = b""
        self._sessions: dict[bytes, Session] = {}
        self._lock = threading.RLock()

    @property
    def wearable_id(self) -> str:
        """Under which all of this hub knows it."""
        return self._following.wearable_id

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

    def ask(self, work: Callable[[Wearable], Answer], alone: bool = False) -> "Future[Answer]":
        """As `Heard`: what is at another hub is looked after there."""
        answer: Future[Answer] = Future()
        answer.set_exception(
            LinkLostError(
                f"{self.wearable_id} is on another hub ({self.port}); look after it on the pages of that one."
            )
        )
        return answer

    def add_sink(self, make: Callable[[Session], Sink]) -> "Future[Sink]":
        """As `Heard`; what it takes can be read from the next key frame on."""
        answer: Future[Sink] = Future()
        with self._lock:
            session = self._following.session
            if session is None:
                answer.set_exception(LinkLostError(f"Of {self.wearable_id} nothing is known yet; wait for its birth."))
                return answer
            try:
                sink = make(session)
            except ThermoError as error:
                answer.set_exception(error)
                return answer
            self._following.sinks.append(sink)
        answer.set_result(sink)
        return answer

    def remove_sink(self, sink: Sink) -> None:
        """As `Heard`."""
        with self._lock:
            self._following.remove_sink(sink)

    def born(self, known: bytes, session: Session) -> None:
        """Of records that name this id a session holds.

        Raises:
            ManagementError, UsageError: the session cannot be.
        """
        hello = checked_hello(session.hello, self.port)
        made = Session(
            hello,
            session.profile,
            session.constants,
            session.corrections,
            session.person,
            session.started_ns,
            self.port,
            learned=session.learned,
        )
        _ = made.plan
        with self._lock:
            self._sessions[known] = made

    def take(self, second: Second) -> None:
        """Follow records; without the birth that they name they are passed over."""
        with self._lock:
            session = self._sessions.get(second.session)
            if session is None:
                return
            if second.session != self._holds or self._following.state != "live":
                self._holds = second.session
                self._following.begin(session)
            for one in second.records:
                try:
                    header, record = decode(one.data)
                except RecordError:
                    continue
                item = Telemetry(one.received_ns, one.captured_ns, header, cleaned_record(record), one.data)
                outcome = self._following.take(item)
                for sink in tuple(self._following.sinks):
                    sink.take(item, outcome)

    def stand(self, status: str) -> None:
        """Its hub says how it is: "online", "lost" or "offline"."""
        reasons = {"lost": "its hub says that it is away", "offline": "its hub cannot be reached"}
        with self._lock:
            if status in reasons and self._following.session is not None:
                self._following.stand("lost", reasons[status])

    def tick(self) -> None:
        """Tell how its line does, about once a second."""
        with self._lock:
            if self._following.monitor is not None:
                self._following.monitor.tick(time.time_ns())
            self._following.measure()
            for sink in tuple(self._following.sinks):
                sink.idle()

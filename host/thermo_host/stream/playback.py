"""Reading recordings, whole ones, cut ones and damaged ones: what can be trusted is given, what cannot is counted."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
from mcap.records import Metadata

from thermo_core.errors import CorrectionError, ManagementError, RecordingError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.recording.container import Attachment, Container, Message, Wanted
from thermo_core.recording.content import UNREADABLE, Added, Head, Heads, read_head, read_message
from thermo_core.recording.layout import (
    GAP_TOPIC,
    LATEST_NS,
    LONGEST_TEXT,
    LSL_STREAM_TOPIC,
    LSL_TOPIC,
    MARKER_TOPIC,
    TOPICS,
    Gap,
    LslSamples,
    LslStream,
    Marker,
)
from thermo_core.recording.session import Session, from_metadata
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import correction_of
from thermo_core.text import clean
from thermo_host.link.foreign import LONGEST_UPTIME_US, checked_hello, cleaned, cleaned_record
from thermo_host.link.items import Telemetry

OURS = frozenset((*(topic for topic, _ in TOPICS.values()), GAP_TOPIC, MARKER_TOPIC, LSL_STREAM_TOPIC, LSL_TOPIC))
Recorded = Telemetry | Gap | Marker | Session | LslStream | LslSamples
"""What a recording gives."""
LEAD_NS = 60_000_000_000
"""What is read before a window: its first pictures may refer to a key frame sent so long before."""
AHEAD = 1024
"""Items that are announced at once."""
Progress = Callable[[int, int], None]
"""Called with (bytes read, bytes in all)."""


class Recording:
    """A recording on disk. Iterate over it, as often as wanted, for its telemetry, gaps and markers in the order of arrival.

    Between them comes a `Session` wherever another one than before holds for what follows.

    Args:
        path: an MCAP file that `Recorder` made.

    Attributes:
        session: whose telemetry it is, as it was at the start.
        size: bytes of it.
        complete: whether the last reading found the end that a finished recording has.
        damaged: pieces that the last reading left out because their CRC or content does not hold.

    Raises:
        StorageError: it cannot be read.
        RecordingError: it is no recording of ours, is damaged in what everything else rests on, or too little of it is
            left to make sense of the rest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.complete = False
        self.damaged = 0
        self.size = 0
        self.session = self._read_session()

    def __iter__(self) -> Iterator[Recorded]:
        return self.items()

    def items(
        self, from_ns: int = 0, to_ns: int = LATEST_NS, progress: Progress = lambda done, total: None
    ) -> Iterator[Recorded]:
        """What came from `LEAD_NS` before a window to its end, and every session on the way there.

        Args:
            from_ns: begin of the window, nanoseconds since 1970 UTC of arrival; what lies outside is passed over quickly.
            to_ns: its end.
            progress: told now and then how far it is.
        """
        first_ns = max(0, from_ns - LEAD_NS)
        wanted: Wanted | None = None
        if from_ns > 0 or to_ns < LATEST_NS:
            wanted = lambda first, last: last >= first_ns and first <= to_ns  # noqa: E731
        heads, unreadable, first = Heads(self.path), 0, True
        streams: dict[str, LslStream] = {}
        self.complete, self.damaged = False, 0
        try:
            with self.path.open("rb") as file:
                container = Container(file, self.size, wanted)
                for record in container:
                    progress(container.position, self.size)
                    session = item = None
                    try:
                        head = heads.take(record)
                        session = None if head is None or first else self._session(head)
                        first = first and head is None
                    except RecordingError:
                        unreadable += 1
                    try:
                        item = _item(record)
                    except UNREADABLE:
                        unreadable += 1
                    if session is not None:
                        yield session
                    if isinstance(item, LslStream):
                        # It is about all that follows, so a window has it too, and only news of it are.
                        if streams.get(item.name) != item:
                            streams[item.name] = item
                            yield item
                        continue
                    if item is not None and (wanted is None or first_ns <= _log_ns(item) <= to_ns):
                        yield item
                self.complete, self.damaged = container.complete, container.damaged + unreadable
        except OSError as error:
            raise storage_error("read", self.path, error) from error

    def _read_session(self) -> Session:
        try:
            self.size = self.path.stat().st_size
            with self.path.open("rb") as file:
                head = read_head(Container(file, self.size), self.path)
        except OSError as error:
            raise storage_error("read", self.path, error) from error
        return self._session(head)

    def _session(self, head: Head) -> Session:
        session = from_metadata(head.metadata, head.attachments, self.path)
        try:
            for blob in session.corrections.values():
                correction_of(blob)
        except CorrectionError as error:
            raise RecordingError(f"{self.path} holds a correction that is none ({error}) Get a copy of it.") from error
        try:
            # Through the message's own checks, as when the wearable sent it.
            hello = checked_hello(session.hello, str(self.path))
            kinds = [sensor.kind for sensor in session.plan.profile.sensors]
        except (ManagementError, UsageError) as error:
            raise RecordingError(f"{self.path} does not say whose recording it is: {error}") from error
        if kinds != [sensor.kind for sensor in hello.sensors]:
            raise RecordingError(
                f"{self.path} has other sensors in its profile than it was made with; get a copy of it."
            )
        words = {name: cleaned(getattr(session, name)) for name in ("port", "subject", "note")}
        return replace(session, hello=hello, **words)


def announced(items: Iterable[Recorded], expect: Callable[[Sequence[Block]], None]) -> Iterator[Recorded]:
    """The same items, of which so many as `AHEAD` are read before the first of them is given.

    Args:
        items: of a recording.
        expect: told the blocks among them, up to the next session, before they come: `Engine.expect`.
    """
    waiting: list[Recorded] = []
    for item in items:
        if not isinstance(item, Session) and len(waiting) < AHEAD:
            waiting.append(item)
            continue
        yield from _told(waiting, expect)
        waiting = [item]
        if isinstance(item, Session):
            yield item
            waiting = []
    yield from _told(waiting, expect)


def _told(items: Sequence[Recorded], expect: Callable[[Sequence[Block]], None]) -> Sequence[Recorded]:
    expect([item.record for item in items if isinstance(item, Telemetry) and isinstance(item.record, Block)])
    return items


def play(
    items: Iterable[Recorded],
    speed: float | None = 1.0,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Recorded]:
    """Give the content of a recording at the pace at which it came.

    Args:
        items: what to play, a recording say.
        speed: 2 plays twice as fast; None as fast as the machine can.
        now: monotonic seconds.
        sleep: waits so many seconds.
    """
    first_ns: int | None = None
    began = now()
    for item in items:
        if isinstance(item, Session | LslStream):
            yield item
            continue
        at_ns = _log_ns(item)
        first_ns = at_ns if first_ns is None else first_ns
        if speed is not None:
            wait = (at_ns - first_ns) / 1e9 / speed - (now() - began)
            if wait > 0:
                sleep(wait)
        yield item


def _item(record: Metadata | Attachment | Message) -> Telemetry | Added | None:
    """What a record of the file says; None for what is no telemetry of ours.

    Raises:
        One of UNREADABLE: it cannot be trusted.
    """
    if not isinstance(record, Message) or record.topic not in OURS:
        return None
    read = read_message(record)
    if not isinstance(read, tuple):
        return _shown(read) if isinstance(read, LslSamples) else cleaned(read)
    header, content = read
    if header.time_us > LONGEST_UPTIME_US:
        raise RecordingError("No device runs that long.")
    return Telemetry(record.log_ns, record.publish_ns, header, cleaned_record(content), record.data)


def _shown(item: LslSamples) -> LslSamples:
    """The same with every text in it made printable; numbers need none of it, and there are many."""
    texts = tuple(tuple(clean(text, LONGEST_TEXT) for text in row) for row in item.texts)
    return msgspec.structs.replace(item, name=clean(item.name), texts=texts)


def _log_ns(item: Telemetry | Gap | Marker | LslSamples) -> int:
    if isinstance(item, Telemetry | LslSamples):
        return item.received_ns
    return item.to_ns if isinstance(item, Gap) else item.at_ns

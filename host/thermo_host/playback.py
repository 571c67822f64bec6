"""Reading recordings, whole ones, cut ones and damaged ones: what can be trusted is given, what cannot is counted."""

import itertools
import json
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import zstandard
from mcap.exceptions import McapError
from mcap.records import Attachment, Channel, Chunk, Footer, McapRecord, Message, Metadata
from mcap.stream_reader import CRCValidationError, StreamReader, breakup_chunk

from thermo_core.correction import Correction
from thermo_core.errors import RecordingError
from thermo_core.frames import Words
from thermo_core.mlx90640.registers import EEPROM_WORDS
from thermo_core.wire.management import Hello
from thermo_core.wire.records import RecordHeader
from thermo_host.files import storage_error
from thermo_host.lease import Telemetry
from thermo_host.plain import from_plain
from thermo_host.recording import FORMAT, GAP_TOPIC, TOPICS, Gap
from thermo_host.session import Session

LARGEST_RECORD = 64 << 20
_DAMAGE = (McapError, CRCValidationError, zstandard.ZstdError, struct.error, ValueError, RuntimeError, EOFError)


class Recording:
    """A recording on disk. Iterate over it, as often as wanted, for its telemetry and gaps in the order of arrival.

    Args:
        path: an MCAP file that `Recorder` made.

    Attributes:
        session: whose telemetry it is.
        complete: whether the last reading found the end that a finished recording has.
        damaged: pieces that the last reading left out because their CRC or content does not hold.

    Raises:
        StorageError: it cannot be read.
        RecordingError: it is no recording of ours, or too little of it is left to make sense of the rest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.complete = False
        self.damaged = 0
        self.session = self._read_session()

    def __iter__(self) -> Iterator[Telemetry | Gap]:
        topics: dict[int, str] = {}
        for record in self._walk():
            if isinstance(record, Channel):
                topics[record.id] = record.topic
            elif isinstance(record, Message) and record.channel_id in topics:
                try:
                    yield _message(topics[record.channel_id], record)
                except (RecordingError, KeyError, ValueError):
                    self.damaged += 1

    def _read_session(self) -> Session:
        metadata: dict[str, str] | None = None
        eeproms: dict[int, Words] = {}
        correction: Correction | None = None
        for record in itertools.takewhile(lambda record: not isinstance(record, Message), self._walk()):
            if isinstance(record, Metadata) and record.name == "session":
                metadata = record.metadata
            elif isinstance(record, Attachment) and record.name.startswith("eeprom-"):
                eeproms[_number(record.name)] = _words(self.path, record)
            elif isinstance(record, Attachment) and record.name == "calibration.bin":
                correction = Correction.from_bytes(record.data)
        if metadata is None:
            raise RecordingError(
                f"{self.path} is no recording of thermo-host, or was cut in its first bytes; try another."
            )
        if metadata.get("format") != FORMAT:
            raise RecordingError(
                f"{self.path} has format {metadata.get('format')} and this thermo-host reads {FORMAT}; upgrade it."
            )
        try:
            hello = from_plain(Hello, json.loads(metadata["hello"]))
            started_ns = int(metadata["started_ns"])
        except (KeyError, ValueError) as error:
            raise RecordingError(f"{self.path} does not say whose recording it is ({error}); try another.") from error
        return Session(hello, eeproms, correction, started_ns, metadata.get("port", ""))

    def _walk(self) -> Iterator[McapRecord]:
        """All records, chunks opened, until the end or the first place after which nothing can be found."""
        self.complete = False
        self.damaged = 0
        try:
            with self.path.open("rb") as file:
                yield from self._walk_file(file)
        except OSError as error:
            raise storage_error("read", self.path, error) from error

    def _walk_file(self, file: IO[bytes]) -> Iterator[McapRecord]:
        records = StreamReader(file, emit_chunks=True, record_size_limit=LARGEST_RECORD).records
        while True:
            try:
                record = next(records, None)
            except _DAMAGE:
                # The end of a cut file, or a damaged length: nothing after it can be found.
                return
            if record is None:
                return
            if isinstance(record, Chunk):
                try:
                    inside = breakup_chunk(record, validate_crc=True)
                except _DAMAGE:
                    self.damaged += 1
                    continue
                yield from inside
            else:
                self.complete = self.complete or isinstance(record, Footer)
                yield record


def play(
    recording: Recording,
    speed: float | None = 1.0,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Telemetry | Gap]:
    """Give the content of a recording at the pace at which it came.

    Args:
        recording: what to play.
        speed: 2 plays twice as fast; None as fast as the machine can.
        now: monotonic seconds.
        sleep: waits so many seconds.
    """
    first_ns: int | None = None
    began = now()
    for item in recording:
        at_ns = item.received_ns if isinstance(item, Telemetry) else item.to_ns
        first_ns = at_ns if first_ns is None else first_ns
        if speed is not None:
            wait = (at_ns - first_ns) / 1e9 / speed - (now() - began)
            if wait > 0:
                sleep(wait)
        yield item


def _message(topic: str, message: Message) -> Telemetry | Gap:
    content = json.loads(message.data)
    if topic == GAP_TOPIC:
        return from_plain(Gap, content)
    kind, record_type, _ = TOPICS[topic]
    record = from_plain(kind, content)
    header = RecordHeader(record_type, int(content["sequence"]), record.time_us)
    return Telemetry(message.log_time, message.publish_time, header, record)


def _number(name: str) -> int:
    digits = name.removeprefix("eeprom-").removesuffix(".bin")
    return int(digits) if digits.isdigit() else -1


def _words(path: Path, attachment: Attachment) -> Words:
    if len(attachment.data) != 2 * EEPROM_WORDS:
        raise RecordingError(
            f"{path} holds an EEPROM of {len(attachment.data)} bytes where {2 * EEPROM_WORDS} belong; try another."
        )
    return np.frombuffer(attachment.data, dtype="<u2").astype(np.uint16)

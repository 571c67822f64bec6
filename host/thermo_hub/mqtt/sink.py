"""What takes a wearable's records as they are heard and spools them."""

import logging
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from thermo_core.errors import RecordError, StorageError
from thermo_core.files import make_folder, write_file
from thermo_core.graph.engine import Outcome
from thermo_core.recording.session import Session
from thermo_core.wire.records import FindingRecord, decode
from thermo_core.wire.table import RecordType
from thermo_host.link.items import Item, Telemetry
from thermo_hub.broker import births
from thermo_hub.broker.records import Kept
from thermo_hub.mqtt.identity import Identity
from thermo_hub.mqtt.spool import RECORD, SEGMENT_BYTES, SESSION, Entry, Spool

LOGGER = logging.getLogger(__name__)
SYNC_S = 1.0
"""Longest time before a record is safe from a power cut; from a kill it is at once."""
_TYPE = struct.Struct("<xB")


class SpoolSink:
    """Spools all that a wearable sends.

    Args:
        folder: of this wearable alone.
        session: what holds.
        days, limit_bytes, segment_bytes: as `Spool`.
        now_s: seconds of a clock that only rises.

    Attributes:
        spool: it.
        missed: records that could not be written, as when the disk is full.
        session: what holds.

    Raises:
        StorageError: the spool cannot be opened.
    """

    def __init__(
        self,
        folder: Path,
        session: Session,
        days: float,
        limit_bytes: int,
        segment_bytes: int = SEGMENT_BYTES,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.missed = 0
        self.session = session
        self._identity = Identity()
        self._births = folder / "births"
        self._now_s = now_s
        self._synced_s = now_s()
        self._failing = False
        self._lock = threading.Lock()
        make_folder(self._births)
        self.spool = Spool(folder, self._identity.dump, days, limit_bytes, segment_bytes)
        for one in self.spool.recall():
            self._recall(one)
        self._hold(session, time.time_ns())

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        if not isinstance(item, Telemetry | Session):
            return
        try:
            with self._lock:
                if isinstance(item, Session):
                    self._hold(item, time.time_ns())
                else:
                    self._add(item)
        except StorageError as error:
            self.missed += isinstance(item, Telemetry)
            if not self._failing:
                LOGGER.error("What is to be sent cannot be spooled: %s", error)
            self._failing = True
        else:
            self._failing = False

    def idle(self) -> None:
        """As `Sink`."""
        if self._now_s() - self._synced_s >= SYNC_S:
            self._synced_s = self._now_s()
            try:
                with self._lock:
                    self.spool.sync()
            except StorageError as error:
                LOGGER.error("%s", error)

    def close(self) -> None:
        """Take nothing more."""
        with self._lock:
            self.spool.close()

    def birth(self, session: bytes) -> bytes | None:
        """The birth of an id; None where it is not here any more.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            return self._birth_path(session).read_bytes()
        except OSError:
            return None

    @property
    def session_id(self) -> bytes:
        """Id of the session that holds."""
        return self._identity.state.session

    def _add(self, item: Telemetry) -> None:
        kept = self._identity.of(item)
        if kept is None:
            return
        self.spool.add(RECORD, kept)
        record = item.record
        finding = (record.model, record.time_us) if isinstance(record, FindingRecord) else None
        self._identity.saw(kept, item.header.time_us, finding)

    def _hold(self, session: Session, now_ns: int) -> None:
        """From here on a session holds; the spool says so where it is another one."""
        self.session = session
        found = births.id_of(session)
        path = self._birth_path(found)
        if not path.exists():
            write_file(path, births.to_bytes(session))
        if found == self._identity.state.session:
            return
        self.spool.add(SESSION, Kept(0, 0, now_ns, now_ns, found))
        self._identity.state.session = found

    def _recall(self, one: Entry | bytes) -> None:
        if isinstance(one, bytes):
            self._identity.load(one)
        elif one.kind == SESSION:
            self._identity.state.session = one.kept.data
        else:
            time_us = struct.unpack_from("<Q", one.kept.data, 4)[0]
            self._identity.saw(one.kept, time_us, _finding(one.kept.data))

    def _birth_path(self, session: bytes) -> Path:
        return self._births / f"{session.hex()}.cbor"


def _finding(data: bytes) -> tuple[int, int] | None:
    """Model and moment of a finding."""
    if _TYPE.unpack_from(data)[0] != RecordType.FINDING:
        return None
    try:
        record = decode(data)[1]
    except RecordError:
        return None
    return (record.model, record.time_us) if isinstance(record, FindingRecord) else None

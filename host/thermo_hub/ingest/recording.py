"""Records of a wearable of another hub, as this hub keeps them, as a recording like any other."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from thermo_core.errors import RecordError, RecordingError, UsageError
from thermo_core.recording.session import Session
from thermo_core.wire.records import decode
from thermo_host.link.foreign import cleaned_record
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_hub.broker import births
from thermo_hub.broker.records import Second, unpack
from thermo_hub.broker.topics import Place
from thermo_hub.ingest.log import SUFFIX, entries
from thermo_hub.ingest.tables import HEARD_BIRTH, HEARD_SECOND
from thermo_hub.store.store import Store


def place_of(wearable: str) -> Place:
    """Site and name of "WEARABLE@SITE", as the wall has it.

    Raises:
        UsageError: it is no such name.
    """
    name, found, site = wearable.rpartition("@")
    if not found or not name or not site:
        raise UsageError(
            f"{wearable!r:.80} is no wearable of another hub; write WEARABLE@SITE, as it stands on the wall."
        )
    return Place(site, name)


def write_recording(store: Store, folder: Path, place: Place, path: Path, from_ns: int, to_ns: int) -> int:
    """Write what is kept of a wearable in a window of time; how many records that are.

    Args:
        store: database of the hub.
        folder: of its files of records.
        place: site and wearable.
        path: a new file.
        from_ns: since when its hub had them, nanoseconds since 1970 UTC.
        to_ns: until when.

    Raises:
        UsageError: nothing is kept of it there.
        StorageError: something cannot be read, or the file not be written.
    """
    sessions = _sessions(store, place)
    recorder: Recorder | None = None
    count, holds = 0, b""
    with contextlib.ExitStack() as stack:
        for second in _seconds(store, folder, place):
            session = sessions.get(second.session)
            if session is None or not from_ns <= second.records[0].received_ns <= to_ns:
                continue
            if recorder is None:
                recorder = stack.enter_context(Recorder(path, session))
            elif second.session != holds:
                recorder.add(session)
            holds = second.session
            for one in second.records:
                with contextlib.suppress(RecordError):
                    header, record = decode(one.data)
                    recorder.add(Telemetry(one.received_ns, one.captured_ns, header, cleaned_record(record), one.data))
                    count += 1
    if recorder is None:
        raise UsageError(
            f"This hub keeps no records of {place.wearable}@{place.site} of that time; look at the wall for whose it does, and "
            "at keep and days of [ingest] in hub.toml."
        )
    return count


def _sessions(store: Store, place: Place) -> dict[bytes, Session]:
    with store.read() as connection:
        rows = connection.execute(
            select(HEARD_BIRTH.c.data).where(HEARD_BIRTH.c.site == place.site, HEARD_BIRTH.c.wearable == place.wearable)
        ).all()
    found = {}
    for row in rows:
        with contextlib.suppress(RecordingError):
            known, session = births.from_bytes(bytes(row.data), place.wearable)
            found[known] = session
    return found


def _seconds(store: Store, folder: Path, place: Place) -> Iterator[Second]:
    """Messages of a wearable in the order in which they came: those of files, then those of the database."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        for whose, data in entries(path):
            if whose == place:
                yield unpack(data)
    with store.read() as connection:
        rows = connection.execute(
            select(HEARD_SECOND.c.data)
            .where(HEARD_SECOND.c.site == place.site, HEARD_SECOND.c.wearable == place.wearable)
            .order_by(HEARD_SECOND.c.received_ns, HEARD_SECOND.c.boot, HEARD_SECOND.c.first)
        )
        for row in rows:
            yield unpack(bytes(row.data))

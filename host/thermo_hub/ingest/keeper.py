"""Keeps records of other hubs, each once: what came before is dropped, what is missing is asked for again.

A message is kept only where all that its hub had before it is kept, so one mark a boot id says what is kept. Marks are written in the same
transaction as records in the database, and after the file where records are in files: what a kill left behind the marks there is cut off.
"""

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, insert, select

from thermo_core.errors import RecordError, RecordingError, StorageError
from thermo_core.recording.session import Session
from thermo_hub.broker import births
from thermo_hub.broker.records import Kept, Second, pack, unpack
from thermo_hub.broker.topics import Place
from thermo_hub.ingest.log import HOUR_NS, Log
from thermo_hub.ingest.tables import HEARD_BIRTH, HEARD_FILE, HEARD_MARK, HEARD_SECOND
from thermo_hub.store.store import Store

Mark = tuple[int, int]
NOTHING: Mark = (0, 0)
BOOTS = 64
"""Of which it is remembered what is kept of them, for each wearable."""
DAY_NS = 86_400_000_000_000
_DELETE_MARK = delete(HEARD_MARK).where(
    HEARD_MARK.c.site == bindparam("s"),
    HEARD_MARK.c.wearable == bindparam("w"),
    HEARD_MARK.c.boot == bindparam("b"),
)
Keep = Literal["files", "database", "nowhere"]


@dataclass(slots=True)
class Taken:
    """What came of a batch.

    Attributes:
        seconds: that are new, in their order, each with its message.
        again: wearables of which something is missing, and up to where it is kept.
        kept: how far each wearable is kept of which something came.
        repeats: records that had come before.
        records: that are new.
        bad: messages that are none.
    """

    seconds: list[tuple[Place, Second, bytes]] = field(default_factory=list)
    again: dict[Place, Mark] = field(default_factory=dict)
    kept: dict[Place, Mark] = field(default_factory=dict)
    repeats: int = 0
    records: int = 0
    bad: int = 0


class Keeper:
    """Keeps.

    Args:
        store: where marks and births are.
        folder: of files of records.
        keep: where records go.
        days: for which they are kept.

    Raises:
        StorageError: the store or the folder cannot be used.
    """

    def __init__(self, store: Store, folder: Path, keep: Keep, days: float) -> None:
        self._store, self._keep, self._days = store, keep, days
        self._log = Log(folder) if keep == "files" else None
        self._marks: dict[Place, dict[int, int]] = {}
        self._place = 0
        self._swept = 0
        with store.read() as connection:
            for row in connection.execute(select(HEARD_MARK).order_by(HEARD_MARK.c.place)):
                self._marks.setdefault(Place(row.site, row.wearable), {})[row.boot] = row.sequence
                self._place = row.place
            sizes = {row.name: row.size for row in connection.execute(select(HEARD_FILE))}
        if self._log is not None:
            for name in self._log.names():
                self._log.cut(name, sizes.get(name, 0))

    def marks(self) -> dict[Place, Mark]:
        """How far each wearable is kept."""
        return {place: _newest(known) for place, known in self._marks.items()}

    def sessions(self, place: Place) -> dict[bytes, Session]:
        """What was born of a wearable, by id, oldest first."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(HEARD_BIRTH)
                .where(HEARD_BIRTH.c.site == place.site, HEARD_BIRTH.c.wearable == place.wearable)
                .order_by(HEARD_BIRTH.c.at_ns)
            ).all()
        found = {}
        for row in rows:
            with contextlib.suppress(RecordingError):
                known, session = births.from_bytes(bytes(row.data), place.wearable)
                found[known] = session
        return found

    def born(self, place: Place, data: bytes) -> tuple[bytes, Session]:
        """Keep a birth; its id and session.

        Raises:
            RecordingError: it is none.
            StorageError: it cannot be kept.
        """
        known, session = births.from_bytes(data, place.wearable)
        key = {"site": place.site, "wearable": place.wearable, "session": known.hex()}
        with self._store.write() as connection:
            connection.execute(delete(HEARD_BIRTH).filter_by(**key))
            connection.execute(insert(HEARD_BIRTH).values(**key, data=data, at_ns=time.time_ns()))
        return known, session

    def take(self, messages: Iterable[tuple[Place, bytes]], now_ns: int) -> Taken:
        """Keep what is new of messages of records; when this returns it is safe.

        Raises:
            StorageError: it is not, and nothing of it is; the same may be tried again.
        """
        taken = Taken()
        made: dict[Place, dict[int, int]] = {}
        for place, data in messages:
            try:
                second = unpack(data)
            except RecordError:
                taken.bad += 1
                continue
            known = made.setdefault(place, dict(self._marks.get(place, {})))
            fresh = self._fresh(place, second, known, taken)
            if fresh is not None:
                taken.seconds.append((place, fresh, data if fresh is second else pack(fresh)))
                taken.records += len(fresh.records)
            taken.kept[place] = _newest(known)
        changed = {place: known for place, known in made.items() if known != self._marks.get(place, {})}
        if changed:
            self._write(taken.seconds, changed, now_ns)
            self._marks.update(changed)
        return taken

    def _fresh(self, place: Place, second: Second, known: dict[int, int], taken: Taken) -> Second | None:
        """What of a message is new; None where nothing is, or where something before it is missing."""
        records = second.records
        boot = records[0].boot
        mark = known.get(boot, -1)
        if records[-1].sequence <= mark:
            taken.repeats += len(records)
            return None
        before_boot, before = second.before
        if second.before != NOTHING and known.get(before_boot, -1) < before:
            taken.again[place] = _newest(known)
            return None
        if records[0].sequence <= mark:
            new = tuple(one for one in records if one.sequence > mark)
            taken.repeats += len(records) - len(new)
            second = replace(second, records=new)
        known.pop(boot, None)
        known[boot] = records[-1].sequence
        while len(known) > BOOTS:
            known.pop(next(iter(known)))
        return second

    def _write(
        self, seconds: Sequence[tuple[Place, Second, bytes]], changed: dict[Place, dict[int, int]], now_ns: int
    ) -> None:
        hour = now_ns // HOUR_NS
        file = None if self._log is None else self._log.add(hour, [(place, data) for place, _, data in seconds])
        try:
            with self._store.write() as connection:
                if file is not None:
                    connection.execute(delete(HEARD_FILE).where(HEARD_FILE.c.name == file.name))
                    connection.execute(insert(HEARD_FILE).values(name=file.name, size=file.size))
                if self._keep == "database":
                    connection.execute(insert(HEARD_SECOND), [_row(*one) for one in seconds])
                self._write_marks(connection, changed)
                if hour != self._swept:
                    self._sweep(connection, now_ns)
        except StorageError:
            if self._log is not None and file is not None:
                self._log.cut(file.name, file.before)
            raise
        if hour != self._swept and self._log is not None:
            self._log.forget((now_ns - round(self._days * DAY_NS)) // HOUR_NS)
        self._swept = hour

    def _write_marks(self, connection: Connection, changed: dict[Place, dict[int, int]]) -> None:
        old, rows = [], []
        for place, known in changed.items():
            before = self._marks.get(place, {})
            gone = [boot for boot in before if known.get(boot) != before[boot]]
            old += [{"s": place.site, "w": place.wearable, "b": boot} for boot in gone]
            for boot, sequence in known.items():
                if before.get(boot) != sequence:
                    self._place += 1
                    rows.append(
                        {
                            "site": place.site,
                            "wearable": place.wearable,
                            "boot": boot,
                            "sequence": sequence,
                            "place": self._place,
                        }
                    )
        if old:
            connection.execute(_DELETE_MARK, old)
        connection.execute(insert(HEARD_MARK), rows)

    def _sweep(self, connection: Connection, now_ns: int) -> None:
        """Let go of what is older than it is to be kept."""
        oldest = now_ns - round(self._days * DAY_NS)
        connection.execute(delete(HEARD_SECOND).where(HEARD_SECOND.c.received_ns < oldest))
        connection.execute(delete(HEARD_FILE).where(HEARD_FILE.c.name < f"{oldest // HOUR_NS:08d}"))


def _newest(known: dict[int, int]) -> Mark:
    """The mark that moved last."""
    if not known:
        return NOTHING
    boot = next(reversed(known))
    return boot, known[boot]


def _row(place: Place, second: Second, data: bytes) -> dict[str, object]:
    first, last = second.records[0], second.records[-1]
    return {
        "site": place.site,
        "wearable": place.wearable,
        "boot": first.boot,
        "first": first.sequence,
        "last": last.sequence,
        "records": len(second.records),
        "received_ns": first.received_ns,
        "data": data,
    }


def kept_in(messages: Iterable[bytes]) -> list[Kept]:
    """Records of messages that were kept."""
    return [record for data in messages for record in unpack(data).records]

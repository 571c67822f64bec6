"""How far a wearable's records are: what is read from the spool next, what the broker took, what another hub said that it keeps."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import msgspec

from thermo_core.errors import StorageError
from thermo_core.files import read_file, write_file
from thermo_core.typed import from_json
from thermo_hub.broker.records import Kept
from thermo_hub.mqtt.identity import session_in
from thermo_hub.mqtt.spool import SESSION, STATE, Cursor, Spool

Mark = tuple[int, int]
"""Boot id and sequence."""
NOTHING: Mark = (0, 0)
"""In the place of a record: none."""
MOST_UNKEPT = 1 << 16
"""Messages of which it is remembered where they stand in the spool."""
NAME = "sent.json"


class Sent(msgspec.Struct, frozen=True):
    """How far it is, as it is remembered over restarts.

    Attributes:
        taken: place up to which the broker has it: segment, offset, count.
        session: id of the session that holds there.
        kept: record up to which a hub on the other side has it; None where none ever said so.
        kept_at: a place at or before that record.
        lost: records that were dropped before anybody had them.
    """

    taken: tuple[int, int, int] = (0, 0, 0)
    session: bytes = b""
    kept: Mark | None = None
    kept_at: tuple[int, int, int] = (0, 0, 0)
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Where a record stands in a spool.

    Attributes:
        after: the place behind it.
        session: id of the session that holds there.
    """

    after: Cursor
    session: bytes


class Position:
    """A place in a spool that moves on, and back where something has to be sent again.

    Args:
        spool: it.

    Attributes:
        at: where it is read next.
        before: the record before that; NOTHING where it is not known any more.
        session: id of the session that holds there.
        sent: what is remembered.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._path: Path = spool.folder / NAME
        self.sent = self._saved = _remembered(self._path)
        self.at = Cursor(*self.sent.taken)
        self.before = NOTHING
        self.session = self.sent.session
        self._unkept: deque[tuple[Mark, Cursor]] = deque(maxlen=MOST_UNKEPT)

    def took(self, last: Kept, after: Cursor) -> None:
        """The broker has all up to a record."""
        self.at, self.before = after, (last.boot, last.sequence)
        self._unkept.append((self.before, after))

    def keeps(self, mark: Mark | None) -> None:
        """The other side has all up to a record; None where nobody takes records any more."""
        self.sent = msgspec.structs.replace(self.sent, kept=mark)
        if any(one == mark for one, _ in self._unkept):
            while self._unkept[0][0] != mark:
                self._unkept.popleft()
            at = self._unkept.popleft()[1]
            self.sent = msgspec.structs.replace(self.sent, kept_at=(at.segment, at.offset, at.count))

    def pass_over(self, place: Cursor) -> int:
        """Go on from a later place; how many records were dropped before it."""
        lost = max(0, place.count - self.at.count)
        if lost:
            self.before = NOTHING
            self.sent = msgspec.structs.replace(self.sent, lost=self.sent.lost + lost)
        self.at = place
        return lost

    def find(self, mark: Mark) -> Found | None:
        """The place behind a record; None where it is none of those here. In any thread.

        Raises:
            StorageError: the spool cannot be read.
        """
        if mark == NOTHING:
            return None
        near = self._spool.start(self.sent.kept_at[0])
        places = [place for place in (near, self._spool.first()) if place is not None]
        return next((one for place in places if (one := self._find(mark, place)) is not None), None)

    def go_back(self, mark: Mark, found: Found | None, oldest: Cursor) -> int:
        """To where a record was found, or to the oldest place where it was not; how many are lost for whoever asked.

        Args:
            mark: that the other side has.
            found: what `find` gave of it.
            oldest: place that there is.
        """
        self._unkept.clear()
        if found is not None:
            self.at, self.before, self.session = found.after, mark, found.session or self.session
            return 0
        lost = self.pass_over(max(oldest, self.at))
        self.at, self.before = oldest, NOTHING
        return lost

    def remember(self) -> Sent | None:
        """What is to be written of it; None where that is written already."""
        at = self.at
        self.sent = msgspec.structs.replace(self.sent, taken=(at.segment, at.offset, at.count), session=self.session)
        return None if self.sent == self._saved else self.sent

    def write(self, sent: Sent) -> None:
        """Write how far it is, and let go of what somebody has. In any thread.

        Raises:
            StorageError: it cannot be written.
        """
        write_file(self._path, msgspec.json.encode(sent))
        self._saved = sent
        self._spool.forget(Cursor(*(sent.taken if sent.kept is None else sent.kept_at)))

    def _find(self, mark: Mark, place: Cursor) -> Found | None:
        session = b""
        while True:
            entries, following = self._spool.read(place)
            for one in entries:
                if one.kind == STATE:
                    session = session_in(one.kept.data)
                elif one.kind == SESSION:
                    session = one.kept.data
                elif (one.kept.boot, one.kept.sequence) == mark:
                    return Found(one.after, session)
            if following == place:
                return None
            place = following


def _remembered(path: Path) -> Sent:
    try:
        return from_json(read_file(path), Sent)
    except (StorageError, msgspec.MsgspecError):
        return Sent()

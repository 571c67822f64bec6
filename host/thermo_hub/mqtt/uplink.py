"""One wearable's line to the broker: its last will, its birth, its records out of the spool in their order, and what is new of it."""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from thermo_core.errors import StorageError
from thermo_core.files import read_file, write_file
from thermo_core.wearable.profile import NOTICE
from thermo_hub.broker.connection import FAILURES, IN_FLIGHT, Door, first_of
from thermo_hub.broker.records import pack, seconds, together
from thermo_hub.broker.topics import BIRTH, KEPT, RECORDS, SPOOL, STATUS, Place
from thermo_hub.mqtt.identity import session_in
from thermo_hub.mqtt.sink import SpoolSink
from thermo_hub.mqtt.spool import RECORD, SESSION, STATE, Cursor, Entry, Sent

LOGGER = logging.getLogger(__name__)
ONLINE, LOST, OFFLINE = "online", "lost", "offline"
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""From one try to reach the broker to the next."""
POLL_S = 0.25
REMEMBER_S = 2.0
WAITING = 1024
"""Messages about minutes that wait for the broker; records tell of them anyway."""
SENT = "sent.json"
NOTHING = (0, 0)
"""In the place of a boot id and a sequence: no record."""
SECOND_S = 1.0
END_S = 2.0
MOST_UNKEPT = 1 << 16
"""Messages of which it is remembered where they stand in the spool."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something to tell beside records.

    Attributes:
        topic: of it.
        payload: bytes.
        retain: whether the broker keeps it for those who come later.
        newest: whether only the newest of its topic matters while it waits.
    """

    topic: str
    payload: bytes
    retain: bool = False
    newest: bool = True


class Uplink:
    """Sends as long as `run` does.

    Args:
        place: whose topics.
        door: of the broker.
        sink: spools its records.
        announce: gives what is told anew on each line, as entities of Home Assistant; called in a thread.
        poll_s: how often the spool is looked at.
        pauses_s: from one try to the next.

    Attributes:
        problem: why the broker cannot be reached, a sentence; "" while it is.
        sent: how far its records are.
    """

    def __init__(
        self,
        place: Place,
        door: Door,
        sink: SpoolSink,
        announce: Callable[[], list[Said]] = list,
        poll_s: float = POLL_S,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self.place = place
        self.problem = "It is not connected yet."
        self._door, self.sink, self._announce = door, sink, announce
        self._poll_s, self._pauses_s = poll_s, pauses_s
        self._path: Path = sink.spool.folder / SENT
        self.sent = _remembered(self._path)
        self._at = Cursor(*self.sent.taken)
        self._before = NOTHING
        self._session = self.sent.session
        self._rewind: tuple[int, int] | None = self.sent.kept
        self._held: tuple[tuple[int, int], float] | None = None
        self._unkept: deque[tuple[tuple[int, int], Cursor]] = deque(maxlen=MOST_UNKEPT)
        self._state = ONLINE
        self._newest: dict[str, Said] = {}
        self._minutes: deque[Said] = deque(maxlen=WAITING)
        self._some = asyncio.Event()
        self._saved = self.sent

    def say(self, one: Said) -> None:
        """Tell something once the broker is reached; in the loop."""
        if one.newest:
            self._newest.pop(one.topic, None)
            self._newest[one.topic] = one
        else:
            self._minutes.append(one)
        self._some.set()

    def stand(self, state: str) -> None:
        """Tell how the wearable is: "online" or "lost"."""
        if state != self._state:
            self._state = state
            self.say(self._status())

    async def tell_again(self) -> None:
        """Tell what is told on each line once more, because it is another."""
        for one in await asyncio.to_thread(self._announce):
            self.say(one)

    def facts(self) -> dict[str, Any]:
        """For JSON: how it stands."""
        end = self.sink.spool.end()
        return {
            "wearable": self.place.wearable,
            "site": self.place.site,
            "waiting": max(0, end.count - self._at.count),
            "lost": self.sent.lost + self.sink.missed,
            "kept": self.sent.kept is not None,
            "problem": self.problem,
        }

    async def run(self) -> None:
        """Keep the line, for ever."""
        tries = 0
        will = aiomqtt.Will(self.place.up(STATUS), OFFLINE.encode(), qos=1, retain=True)
        name = f"thermo-{self.place.site}-{self.place.wearable}"
        try:
            while True:
                try:
                    async with self._door.client(name, will) as line:
                        self.problem, tries = "", 0
                        await self._speak(line)
                except* FAILURES as group:
                    said = self._door.problem(first_of(group))
                    if said != self.problem:
                        LOGGER.warning("%s: %s", self.place.wearable, said)
                    self.problem = said
                except* StorageError as group:
                    self.problem = str(first_of(group))
                    LOGGER.error("%s: %s", self.place.wearable, self.problem)
                except* Exception as group:
                    self.problem = "A bug in the hub: please report it."
                    LOGGER.exception("Sending of %s failed.", self.place.wearable, exc_info=group)
                await asyncio.sleep(self._pauses_s[min(tries, len(self._pauses_s) - 1)])
                tries += 1
        finally:
            await asyncio.to_thread(self._remember)

    async def _speak(self, line: aiomqtt.Client) -> None:
        await line.subscribe(self.place.down(KEPT), qos=1)
        self._rewind = self.sent.kept
        birth = await asyncio.to_thread(self.sink.birth, self.sink.session_id)
        if birth is not None:
            await line.publish(self.place.up(BIRTH), birth, qos=1, retain=True)
        self.say(self._status())
        await self.tell_again()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(line))
                group.create_task(self._say_on(line))
                group.create_task(self._hear(line))
        finally:
            # Whoever ends in order says so itself: the broker tells the last will only when the line breaks.
            with contextlib.suppress(*FAILURES):
                await line.publish(self.place.up(STATUS), OFFLINE.encode(), qos=1, retain=True, timeout=END_S)

    async def _send(self, line: aiomqtt.Client) -> None:
        """Records, oldest first, and births in their places."""
        loop = asyncio.get_running_loop()
        next_s = loop.time() + REMEMBER_S
        while True:
            if self._rewind is not None:
                mark, self._rewind = self._rewind, None
                await asyncio.to_thread(self._go_back, mark)
            if loop.time() >= next_s:
                next_s = loop.time() + REMEMBER_S
                await asyncio.to_thread(self._remember)
            entries, place = await asyncio.to_thread(self.sink.spool.read, self._at)
            if not entries:
                self._pass_over(place)
            ready = self._ready(entries, loop.time())
            if ready:
                await self._publish(line, ready)
            else:
                await asyncio.sleep(self._poll_s)

    def _ready(self, entries: list[Entry], now_s: float) -> list[Entry]:
        """Those to be sent now: a second that goes on waits for its end, or until nothing more has come for so long."""
        last = next((one for one in reversed(entries) if one.kind == RECORD), None)
        if last is None:
            return entries
        start = len(entries)
        while start and entries[start - 1].kind == RECORD and together(entries[start - 1].kept, last.kept):
            start -= 1
        key = entries[start].kept.boot, entries[start].kept.sequence
        if self._held is None or self._held[0] != key:
            self._held = key, now_s
        return entries[:start] if now_s - self._held[1] < SECOND_S else entries

    async def _publish(self, line: aiomqtt.Client, entries: list[Entry]) -> None:
        waiting: list[Entry] = []
        for one in entries:
            if one.kind == RECORD:
                waiting.append(one)
                continue
            await self._publish_records(line, waiting)
            waiting = []
            if one.kind == STATE:
                self._session = session_in(one.kept.data) or self._session
            else:
                self._session = one.kept.data
                birth = await asyncio.to_thread(self.sink.birth, self._session)
                if birth is not None:
                    await line.publish(self.place.up(BIRTH), birth, qos=1, retain=True)
            self._at = one.after
        await self._publish_records(line, waiting)

    async def _publish_records(self, line: aiomqtt.Client, entries: list[Entry]) -> None:
        messages = list(seconds([one.kept for one in entries], self._session, self._before))
        topic, done = self.place.up(RECORDS), 0
        for start in range(0, len(messages), IN_FLIGHT):
            some = messages[start : start + IN_FLIGHT]
            # Publishing hands each message over before it waits, so they go out in this order.
            await asyncio.gather(*(line.publish(topic, pack(one), qos=1) for one in some))
            for one in some:
                done += len(one.records)
                last = entries[done - 1]
                self._at, self._before = last.after, (last.kept.boot, last.kept.sequence)
                self._unkept.append((self._before, self._at))

    async def _hear(self, line: aiomqtt.Client) -> None:
        """What the other side says it has."""
        async for message in line.messages:
            if not message.payload:
                # Somebody took away what was kept there: nobody takes records any more.
                self.sent = msgspec.structs.replace(self.sent, kept=None)
                continue
            mark = _mark(message.payload)
            if mark is None:
                continue
            kept, again = mark
            self.sent = msgspec.structs.replace(self.sent, kept=kept)
            if any(one == kept for one, _ in self._unkept):
                while self._unkept[0][0] != kept:
                    self._unkept.popleft()
                at = self._unkept.popleft()[1]
                self.sent = msgspec.structs.replace(self.sent, kept_at=(at.segment, at.offset, at.count))
            if again:
                self._rewind = kept

    async def _say_on(self, line: aiomqtt.Client) -> None:
        while True:
            while self._newest or self._minutes:
                if self._newest:
                    one = self._newest.pop(next(iter(self._newest)))
                else:
                    one = self._minutes.popleft()
                try:
                    await line.publish(one.topic, one.payload, qos=1, retain=one.retain)
                except BaseException:
                    if one.newest:
                        self._newest.setdefault(one.topic, one)
                    raise
            self._some.clear()
            await self._some.wait()

    def _pass_over(self, place: Cursor) -> None:
        """Go on from a place; what was dropped before it is lost."""
        if place == self._at:
            return
        lost = max(0, place.count - self._at.count)
        if lost:
            self._before = NOTHING
            self.sent = msgspec.structs.replace(self.sent, lost=self.sent.lost + lost)
            LOGGER.error(
                "%d records of %s are older than the spool keeps, or were more than it holds, and were never sent; "
                "raise spool_days or spool_mb of [mqtt] in hub.toml.",
                lost,
                self.place.wearable,
            )
        self._at = place
        self._tell_spool()

    def _go_back(self, mark: tuple[int, int]) -> None:
        """To the place behind a record that the other side has; to the oldest where it has none of those here.

        Raises:
            StorageError: the spool cannot be read.
        """
        spool = self.sink.spool
        near = spool.start(self.sent.kept_at[0])
        places = [place for place in (near, spool.first()) if place is not None and mark != NOTHING]
        found = next((one for place in places if (one := self._find(mark, place)) is not None), None)
        before = mark if found is not None else NOTHING
        place, session = found or (spool.first(), b"")
        lost = place.count - self._at.count
        if lost > 0 and before == NOTHING:
            self.sent = msgspec.structs.replace(self.sent, lost=self.sent.lost + lost)
        self._at, self._before, self._session = place, before, session or self._session
        self._held = None
        self._unkept.clear()

    def _find(self, mark: tuple[int, int], place: Cursor) -> tuple[Cursor, bytes] | None:
        """Place behind a record, and the session that holds there."""
        session = b""
        while True:
            entries, following = self.sink.spool.read(place)
            for one in entries:
                if one.kind == STATE:
                    session = session_in(one.kept.data)
                elif one.kind == SESSION:
                    session = one.kept.data
                elif (one.kept.boot, one.kept.sequence) == mark:
                    return one.after, session
            if following == place:
                return None
            place = following

    def _tell_spool(self) -> None:
        facts = self.facts()
        told = {"waiting": facts["waiting"], "lost": facts["lost"], "notice": NOTICE}
        self.say(said(self.place.up(SPOOL), told, retain=True))

    def _status(self) -> Said:
        return Said(self.place.up(STATUS), self._state.encode(), True)

    def _remember(self) -> None:
        """Write how far it is, and let go of what somebody has."""
        at = self._at
        self.sent = msgspec.structs.replace(self.sent, taken=(at.segment, at.offset, at.count), session=self._session)
        if self.sent == self._saved:
            return
        try:
            write_file(self._path, msgspec.json.encode(self.sent))
            self._saved = self.sent
            self.sink.spool.forget(at if self.sent.kept is None else Cursor(*self.sent.kept_at))
        except StorageError as error:
            LOGGER.error("%s", error)


def said(topic: str, facts: Mapping[str, Any], retain: bool = False, newest: bool = True) -> Said:
    """Facts as a message in JSON."""
    return Said(topic, json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode(), retain, newest)


def _remembered(path: Path) -> Sent:
    try:
        return msgspec.json.decode(read_file(path), type=Sent)
    except (StorageError, msgspec.MsgspecError):
        return Sent()


def _mark(payload: object) -> tuple[tuple[int, int], bool] | None:
    """What a message says of what is kept; None where it makes no sense."""
    try:
        plain: Any = json.loads(payload) if isinstance(payload, bytes | bytearray) else None
        return (int(plain["boot"]), int(plain["sequence"])), bool(plain.get("again"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None

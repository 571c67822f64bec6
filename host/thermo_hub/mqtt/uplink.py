"""One wearable's line to the broker: its last will, its birth, its records out of the spool in their order, and what is new of it."""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiomqtt

from thermo_core.errors import StorageError
from thermo_core.wearable.profile import NOTICE
from thermo_hub.broker.connection import FAILURES, IN_FLIGHT, Door, first_of
from thermo_hub.broker.records import pack, seconds, together
from thermo_hub.broker.topics import BIRTH, KEPT, RECORDS, SPOOL, STATUS, Place
from thermo_hub.mqtt.identity import session_in
from thermo_hub.mqtt.position import Mark, Position, Sent
from thermo_hub.mqtt.sink import SpoolSink
from thermo_hub.mqtt.spool import RECORD, STATE, Entry

LOGGER = logging.getLogger(__name__)
ONLINE, LOST, OFFLINE = "online", "lost", "offline"
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""From one try to reach the broker to the next."""
POLL_S = 0.25
REMEMBER_S = 2.0
WAITING = 1024
"""Messages about minutes that wait for the broker; records tell of them anyway."""
SECOND_S = 1.0
END_S = 2.0


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
        self._position = Position(sink.spool)
        self._rewind: Mark | None = None
        self._held: tuple[Mark, float] | None = None
        self._state = ONLINE
        self._newest: dict[str, Said] = {}
        self._minutes: deque[Said] = deque(maxlen=WAITING)
        self._some = asyncio.Event()

    @property
    def sent(self) -> Sent:
        """How far its records are."""
        return self._position.sent

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
            "waiting": max(0, end.count - self._position.at.count),
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
            await self._remember()

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
                await self._go_back(mark)
            if loop.time() >= next_s:
                next_s = loop.time() + REMEMBER_S
                await self._remember()
            entries, place = await asyncio.to_thread(self.sink.spool.read, self._position.at)
            if not entries and place != self._position.at:
                self._tell_lost(self._position.pass_over(place))
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
        position = self._position
        for one in entries:
            if one.kind == RECORD:
                waiting.append(one)
                continue
            await self._publish_records(line, waiting)
            waiting = []
            if one.kind == STATE:
                position.session = session_in(one.kept.data) or position.session
            else:
                position.session = one.kept.data
                birth = await asyncio.to_thread(self.sink.birth, position.session)
                if birth is not None:
                    await line.publish(self.place.up(BIRTH), birth, qos=1, retain=True)
            position.at = one.after
        await self._publish_records(line, waiting)

    async def _publish_records(self, line: aiomqtt.Client, entries: list[Entry]) -> None:
        messages = list(seconds([one.kept for one in entries], self._position.session, self._position.before))
        topic, done = self.place.up(RECORDS), 0
        for start in range(0, len(messages), IN_FLIGHT):
            some = messages[start : start + IN_FLIGHT]
            # Publishing hands each message over before it waits, so they go out in this order.
            await asyncio.gather(*(line.publish(topic, pack(one), qos=1) for one in some))
            for one in some:
                done += len(one.records)
                last = entries[done - 1]
                self._position.took(last.kept, last.after)

    async def _hear(self, line: aiomqtt.Client) -> None:
        """What the other side says it has."""
        async for message in line.messages:
            if not message.payload:
                self._position.keeps(None)  # somebody took away what was kept there
                continue
            mark = _mark(message.payload)
            if mark is None:
                continue
            kept, again = mark
            self._position.keeps(kept)
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

    async def _go_back(self, mark: Mark) -> None:
        found = await asyncio.to_thread(self._position.find, mark)
        oldest = await asyncio.to_thread(self.sink.spool.first)
        self._held = None
        self._tell_lost(self._position.go_back(mark, found, oldest))

    def _tell_lost(self, lost: int) -> None:
        if not lost:
            return
        LOGGER.error(
            "%d records of %s are older than the spool keeps, or were more than it holds, and were never sent; "
            "raise spool_days or spool_mb of [mqtt] in hub.toml.",
            lost,
            self.place.wearable,
        )
        self._tell_spool()

    def _tell_spool(self) -> None:
        facts = self.facts()
        told = {"waiting": facts["waiting"], "lost": facts["lost"], "notice": NOTICE}
        self.say(said(self.place.up(SPOOL), told, retain=True))

    def _status(self) -> Said:
        return Said(self.place.up(STATUS), self._state.encode(), True)

    async def _remember(self) -> None:
        """Write how far it is."""
        sent = self._position.remember()
        if sent is not None:
            try:
                await asyncio.to_thread(self._position.write, sent)
            except StorageError as error:
                LOGGER.error("%s", error)


def said(topic: str, facts: Mapping[str, Any], retain: bool = False, newest: bool = True) -> Said:
    """Facts as a message in JSON."""
    return Said(topic, json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode(), retain, newest)


def _mark(payload: object) -> tuple[Mark, bool] | None:
    """What a message says of what is kept; None where it makes no sense."""
    try:
        plain: Any = json.loads(payload) if isinstance(payload, bytes | bytearray) else None
        return (int(plain["boot"]), int(plain["sequence"])), bool(plain.get("again"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None

"""The part that receives: records of other hubs from a broker, kept, confirmed, and shown on the wall."""

import asyncio
import contextlib
import functools
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import aiomqtt
from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection

from thermo_core.errors import RecordingError, StorageError, ThermoError
from thermo_hub.broker.connection import FAILURES, Door, first_of
from thermo_hub.broker.settings import Ingest
from thermo_hub.broker.topics import BIRTH, KEPT, RECORDS, ROOT, STATUS, Place, read
from thermo_hub.described import says
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.ingest.answers import Ingested
from thermo_hub.ingest.keeper import Keeper, Mark, Taken
from thermo_hub.ingest.remote import Remote
from thermo_hub.security.roles import TENDING, allow

LOGGER = logging.getLogger(__name__)
ROUTER = APIRouter(prefix="/api/ingest", tags=["ingest"])
FOLDER = "ingest"
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
BATCH = 1024
"""Messages that are kept together at most."""
CONFIRM_S = 5.0
"""How often it is told how far a wearable is kept."""
AGAIN_S = 5.0
"""Least time from one asking for what is missing to the next."""
AT_ONCE = 100
"""Wearables that are confirmed before others have their turn."""
TICK_S = 1.0
RETRY_S = 1.0


class Taker:
    """Takes records from a broker.

    Args:
        hub: where.
        settings: of the broker.
        keeper: keeps them.
        pauses_s: from one try to reach the broker to the next.
        confirm_s: how often it is told how far wearables are kept.

    Attributes:
        problem: why the broker cannot be reached, a sentence; "" while it is.
        records, repeats, bad: records that came, those that had come before, and messages that were none, since the start.
    """

    def __init__(
        self,
        hub: Hub,
        settings: Ingest,
        keeper: Keeper,
        pauses_s: tuple[float, ...] = PAUSES_S,
        confirm_s: float = CONFIRM_S,
    ) -> None:
        self.problem = "It is not connected yet."
        self.records = self.repeats = self.bad = 0
        self.remotes: dict[Place, Remote] = {}
        self._hub, self._settings, self._keeper = hub, settings, keeper
        self._door = Door(settings)
        self._pauses_s, self._confirm_s = pauses_s, confirm_s
        self._unconfirmed: dict[Place, Mark] = {}
        self._asked: dict[Place, float] = {}

    async def run(self) -> None:
        """Take them for ever."""
        ticking = asyncio.create_task(self._tick_on())
        tries = 0
        try:
            while True:
                try:
                    async with self._door.client(f"thermo-ingest-{self._settings.name}", lasting=True) as line:
                        # The broker hears that this hub has a message only once it is kept.
                        line._client.manual_ack_set(True)
                        self.problem, tries = "", 0
                        await self._take_on(line)
                except* FAILURES as group:
                    said = self._door.problem(first_of(group))
                    if said != self.problem:
                        LOGGER.warning("%s", said)
                    self.problem = said
                except* Exception as group:
                    self.problem = "A bug in the hub: please report it."
                    LOGGER.exception("Taking of records failed.", exc_info=group)
                await asyncio.sleep(self._pauses_s[min(tries, len(self._pauses_s) - 1)])
                tries += 1
        finally:
            ticking.cancel()

    async def _take_on(self, line: aiomqtt.Client) -> None:
        for site in self._settings.sites or ("+",):
            for what in (BIRTH, RECORDS, STATUS):
                await line.subscribe(f"{ROOT}/{site}/+/up/{what}", qos=1)
        for number, (place, mark) in enumerate(self._keeper.marks().items()):
            await self._confirm(line, place, mark, again=True)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(line))
            group.create_task(self._confirm_on(line))

    async def _hear(self, line: aiomqtt.Client) -> None:
        messages = line.messages
        async for message in messages:
            batch = [message]
            while len(batch) < BATCH and len(messages):
                batch.append(await anext(messages))
            await self._take(line, batch)

    async def _confirm_on(self, line: aiomqtt.Client) -> None:
        while True:
            await asyncio.sleep(self._confirm_s)
            waiting, self._unconfirmed = self._unconfirmed, {}
            for place, mark in waiting.items():
                await self._confirm(line, place, mark)

    async def _take(self, line: aiomqtt.Client, batch: list[aiomqtt.Message]) -> None:
        records: list[tuple[Place, bytes]] = []
        for message in batch:
            found = read(str(message.topic))
            payload = message.payload
            if found is None or not isinstance(payload, bytes | bytearray) or self._is_own(found[0]):
                continue
            place, what = found
            if what == RECORDS:
                records.append((place, bytes(payload)))
            elif what == BIRTH and payload:
                # What it says holds of the records behind it alone.
                await self._keep(line, records)
                records = []
                await self._patiently(functools.partial(self._born, place, bytes(payload)))
            elif what == STATUS and place in self.remotes:
                await asyncio.to_thread(self.remotes[place].stand, payload.decode("ascii", "replace"))
        await self._keep(line, records)
        for message in batch:
            line._client.ack(message.mid, message.qos)

    async def _keep(self, line: aiomqtt.Client, records: list[tuple[Place, bytes]]) -> None:
        if not records:
            return
        taken: Taken = await self._patiently(lambda: self._keeper.take(records, time.time_ns()))
        self.records += taken.records
        self.repeats += taken.repeats
        self.bad += taken.bad
        self._unconfirmed.update(taken.kept)
        now_s = asyncio.get_running_loop().time()
        for place, mark in taken.again.items():
            if now_s - self._asked.get(place, -AGAIN_S) >= AGAIN_S:
                self._asked[place] = now_s
                await self._confirm(line, place, mark, again=True)
        if taken.seconds:
            await asyncio.to_thread(self._show, taken)

    async def _patiently(self, work: Callable[[], Any]) -> Any:
        """What work in a thread gives; where the store takes nothing it is tried until it does."""
        failing = False
        while True:
            try:
                return await asyncio.to_thread(work)
            except StorageError as error:
                if not failing:
                    LOGGER.error("%s", error)
                failing = True
                self.problem = str(error)
                await asyncio.sleep(RETRY_S)

    def _born(self, place: Place, data: bytes) -> None:
        try:
            known, session = self._keeper.born(place, data)
        except RecordingError as error:
            LOGGER.warning("%s", error)
            return
        remote = self._remote(place)
        if remote is not None:
            try:
                remote.born(known, session)
            except ThermoError as error:
                LOGGER.warning("%s is kept, and not shown: %s", remote.port, error)

    def _remote(self, place: Place) -> Remote | None:
        """What follows a wearable; None where as many are shown as are to be."""
        found = self.remotes.get(place)
        if found is None and len(self.remotes) < self._settings.shown:
            found = self.remotes[place] = Remote(place, self._hub.bus.post)
            for known, session in self._keeper.sessions(place).items():
                with contextlib.suppress(ThermoError):
                    found.born(known, session)
        return found

    def _show(self, taken: Taken) -> None:
        for place, second, _ in taken.seconds:
            remote = self._remote(place)
            if remote is None:
                continue
            adopted = remote.session is not None
            remote.take(second)
            session = remote.session
            if not adopted and session is not None:
                self._hub.wearables.adopt(remote.wearable_id, remote, session.hello.serial, session.hello.profile)

    async def _confirm(self, line: aiomqtt.Client, place: Place, mark: Mark, again: bool = False) -> None:
        facts: dict[str, Any] = {"boot": mark[0], "sequence": mark[1]}
        if again:
            facts["again"] = True
        # Not to wait for the broker: one that is lost is made up for by the next, or by what is then missing.
        await line.publish(place.down(KEPT), json.dumps(facts), qos=0, retain=True)

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            remotes = list(self.remotes.values())
            try:
                await asyncio.to_thread(_tick, remotes)
            except Exception:
                LOGGER.exception("Wearables of other hubs could not be looked after.")

    def _is_own(self, place: Place) -> bool:
        """Whether it is of a wearable on a port of this very hub."""
        mqtt, mine = self._hub.settings.mqtt, self._settings
        return mqtt is not None and (mqtt.host, mqtt.port, mqtt.site) == (mine.host, mine.port, place.site)


def _tick(remotes: Iterable[Remote]) -> None:
    for remote in remotes:
        remote.tick()


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Taker | None]:
    """Take records as long as the hub runs, where settings name a broker.

    Raises:
        UsageError, StorageError: a secret, a certificate or the folder cannot be used.
    """
    settings = hub.settings.ingest
    if settings is None:
        yield None
        return
    keeper = await asyncio.to_thread(Keeper, hub.store, hub.settings.place / FOLDER, settings.keep, settings.days)
    taker = Taker(hub, settings, keeper)
    task = asyncio.create_task(taker.run())
    try:
        yield taker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


PART = Part("ingest", ROUTER, run)


@ROUTER.get("", dependencies=[Depends(allow(TENDING))], responses=says(Ingested))
async def facts(connection: HTTPConnection) -> dict[str, Any]:
    """How taking of records stands: what came, what had come before, and why the broker cannot be reached."""
    taker: Taker | None = connection.app.state.running[PART.name]
    settings = hub_of(connection).settings.ingest
    if taker is None or settings is None:
        return {"broker": None}
    return {
        "broker": f"{settings.host}:{settings.port}",
        "problem": taker.problem,
        "records": taker.records,
        "repeats": taker.repeats,
        "bad": taker.bad,
        "shown": [remote.wearable_id for remote in taker.remotes.values()],
    }

"""The part that sends: a spool and a line to the broker for each wearable on a port here, and what is new of it for homes."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Depends
from sqlalchemy import Table, select
from starlette.requests import HTTPConnection

from thermo_core.errors import ThermoError
from thermo_core.recording.session import Session
from thermo_core.wearable.profile import NOTICE
from thermo_hub.broker.connection import Door
from thermo_hub.broker.settings import WEARABLE, Mqtt
from thermo_hub.broker.topics import ALERT, FINDING, MINUTE, NOW, PICTURE, Place, level
from thermo_hub.described import says
from thermo_hub.events import (
    ALERT_STEP,
    Announced,
    Event,
    Found,
    Joined,
    Left,
    Measured,
    Pictured,
    Returned,
    Rolled,
    Ruled,
    Sampled,
)
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.mqtt.answers import Lines
from thermo_hub.mqtt.discovery import entities
from thermo_hub.mqtt.numbers import Numbers
from thermo_hub.mqtt.sink import SpoolSink
from thermo_hub.mqtt.uplink import LOST, ONLINE, Said, Uplink, said
from thermo_hub.security.roles import TENDING, allow
from thermo_hub.store.tables import METADATA

LOGGER = logging.getLogger(__name__)
ROUTER = APIRouter(prefix="/api/mqtt", tags=["mqtt"])
FOLDER = "spool"
NOW_NS = 5_000_000_000
"""How often the newest numbers are told."""
MEGABYTE = 1_000_000


@dataclass
class _Sending:
    """What is sent of one wearable.

    Attributes:
        uplink: its line.
        task: that keeps it.
        numbers: newest of it.
        session: what holds.
        rules: of alerts, in words, by name.
        told_ns: when its numbers were told last.
        drawing: a picture is being drawn.
    """

    uplink: Uplink
    task: asyncio.Task[None]
    session: Session
    numbers: Numbers = field(default_factory=Numbers)
    rules: Mapping[str, str] = field(default_factory=dict)
    told_ns: int = 0
    drawing: bool = False


class Teller:
    """Tells a broker of the wearables here.

    Args:
        hub: where.
        settings: of the broker.
    """

    def __init__(self, hub: Hub, settings: Mqtt) -> None:
        self._hub, self._settings = hub, settings
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._sinks: dict[str, SpoolSink] = {}
        self._sending: dict[str, _Sending] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._rules: dict[str, Mapping[str, str]] = {}
        if WEARABLE not in (settings.password_file or ""):
            Door(settings)  # so that a secret that cannot be read is told at the start

    def tap(self, wearable: str, session: Session) -> SpoolSink | None:
        """A sink for a wearable that answers; in its listener's thread."""
        with self._lock:
            sink = self._sinks.get(wearable)
            if sink is not None:
                sink.take(session, None)
                return sink
            settings = self._settings
            try:
                door = Door(settings, wearable)
                sink = SpoolSink(
                    self._hub.settings.place / FOLDER / wearable,
                    session,
                    settings.spool_days,
                    round(settings.spool_mb * MEGABYTE),
                )
            except ThermoError as error:
                LOGGER.error("What %s sends is not told to the broker: %s", wearable, error)
                return None
            self._sinks[wearable] = sink
        self._loop.call_soon_threadsafe(self._begin, wearable, session, sink, door)
        return sink

    def take(self, event: Event) -> None:
        """Take an event; a handler of the bus."""
        if isinstance(event, Ruled):
            self._rules[event.wearable] = event.rules
        one = self._sending.get(event.wearable)
        if one is None:
            return
        line, place = one.uplink, one.uplink.place
        if isinstance(event, Sampled):
            one.numbers.sampled(event)
        elif isinstance(event, Measured):
            one.numbers.measured(event)
            if event.at_ns - one.told_ns >= NOW_NS:
                one.told_ns = event.at_ns
                line.say(said(place.up(NOW), one.numbers.facts(), retain=True))
        elif isinstance(event, Found):
            line.say(
                said(place.up(FINDING, event.model), {"at_ms": event.utc_ns // 1_000_000, **event.facts}, retain=True)
            )
        elif isinstance(event, Rolled):
            line.say(said(place.up(MINUTE), _minute(event), newest=False))
        elif isinstance(event, Announced) and event.kind == ALERT_STEP:
            alert = event.data["alert"]
            line.say(said(place.up(ALERT, str(alert["rule"])), {"alert": alert, "notice": NOTICE}, retain=True))
        elif isinstance(event, Pictured):
            self._draw(one, event)
        elif isinstance(event, Left):
            line.stand(LOST)
        elif isinstance(event, Returned):
            line.stand(ONLINE)
        elif isinstance(event, Joined):
            line.stand(ONLINE)
            one.session = event.session
            self._announce_on(one)
        elif isinstance(event, Ruled):
            one.rules = event.rules
            self._announce_on(one)

    def facts(self) -> list[dict[str, Any]]:
        """How each line stands, for JSON."""
        return [one.uplink.facts() for _, one in sorted(self._sending.items())]

    async def end(self) -> None:
        """Send nothing more."""
        tasks = [one.task for one in self._sending.values()] + list(self._working)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sink in self._sinks.values():
            await asyncio.to_thread(sink.close)

    def _begin(self, wearable: str, session: Session, sink: SpoolSink, door: Door) -> None:
        place = Place(self._settings.site, level(wearable))
        uplink = Uplink(place, door, sink, lambda: self._announced(wearable))
        task = self._loop.create_task(uplink.run())
        self._sending[wearable] = _Sending(uplink, task, session, rules=self._rules.get(wearable, {}))

    def _announce_on(self, one: _Sending) -> None:
        self._start(one.uplink.tell_again())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def _announced(self, wearable: str) -> list[Said]:
        """What is told on each line: entities, and of rules that raised nothing that they did not."""
        one = self._sending.get(wearable)
        if one is None:
            return []
        worn = self._hub.wearables.get(wearable)
        place = one.uplink.place
        found = []
        if self._settings.discovery:
            label = "" if worn is None else worn.label
            found = entities(self._settings.discovery, place, label, one.session, one.rules)
        open_rules = _open_rules(self._hub, wearable)
        for rule in one.rules:
            if rule not in open_rules:
                calm = {"alert": {"rule": rule, "state": "none"}, "notice": NOTICE}
                found.append(said(place.up(ALERT, rule), calm, retain=True))
        return found

    def _draw(self, one: _Sending, event: Pictured) -> None:
        if one.drawing or not self._settings.discovery or one.uplink.problem:
            return

        async def draw() -> None:
            one.drawing = True
            try:
                png = await asyncio.to_thread(event.png)
                one.uplink.say(Said(one.uplink.place.up(PICTURE, event.signal), png))
            except Exception:
                LOGGER.exception("A picture of %s could not be drawn.", event.wearable)
            finally:
                one.drawing = False

        self._start(draw())


def _open_rules(hub: Hub, wearable: str) -> set[str]:
    """Rules of which an alert of a wearable is open."""
    alert: Table = METADATA.tables["alert"]
    with hub.store.read() as connection:
        rows = connection.execute(
            select(alert.c.rule).where(alert.c.wearable == wearable, alert.c.resolved_ns.is_(None))
        )
        return {row.rule for row in rows}


def _minute(event: Rolled) -> dict[str, Any]:
    deviation = None if event.deviation is None else round(event.deviation, 3)
    return {
        "series": event.series,
        "start_ms": event.start_ns // 1_000_000,
        "mean": round(event.mean, 3),
        "deviation": deviation,
        "notice": NOTICE,
    }


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Teller | None]:
    """Send as long as the hub runs, where settings name a broker.

    Raises:
        UsageError, StorageError: a secret or a certificate cannot be used.
    """
    if hub.settings.mqtt is None:
        yield None
        return
    teller = Teller(hub, hub.settings.mqtt)
    hub.wearables.tap(teller.tap)
    kinds = (Joined, Left, Returned, Sampled, Found, Measured, Rolled, Pictured, Ruled, Announced)
    hub.bus.handle(kinds, teller.take)
    try:
        yield teller
    finally:
        await teller.end()


PART = Part("mqtt", ROUTER, run)


def _teller(connection: HTTPConnection) -> Teller | None:
    found: Teller | None = connection.app.state.running[PART.name]
    return found


@ROUTER.get("", dependencies=[Depends(allow(TENDING))], responses=says(Lines))
async def lines(connection: HTTPConnection) -> dict[str, Any]:
    """How the lines to the broker stand: what waits, what was lost, and why a broker cannot be reached."""
    teller, settings = _teller(connection), hub_of(connection).settings.mqtt
    broker = None if settings is None else f"{settings.host}:{settings.port}"
    return {"broker": broker, "at_ms": time.time_ns() // 1_000_000, "lines": teller.facts() if teller else []}

"""The part of trends: collects minutes as long as the hub runs, and answers what pages ask of them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import HTTPConnection

from thermo_core.errors import StorageError
from thermo_core.wearable.profile import NOTICE
from thermo_hub.bus import Bus
from thermo_hub.described import says
from thermo_hub.events import Found, Joined, Measured, Rolled, Sampled
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.roles import Named, Role, Seen, allow
from thermo_hub.store.store import Store
from thermo_hub.trends import answers, lookup
from thermo_hub.trends.answers import AllSeries, Nights, Trended, Trends
from thermo_hub.trends.baseline import Usual, usual
from thermo_hub.trends.collector import Collector
from thermo_hub.trends.keeper import HOUR_NS, SECOND_NS, Minute, TrendKeeper
from thermo_hub.trends.tables import SERIES
from thermo_hub.zones import zone_of

LOGGER = logging.getLogger(__name__)
ROUTER = APIRouter(prefix="/api/trends", tags=["trends"])
TICK_S = 1.0
MOST_WAITING = 100_000
"""Minutes that wait for a store that takes none."""
READING = frozenset((Role.WEARER, Role.CARER, Role.CLINICIAN, Role.RESEARCHER))
SEES = Depends(allow(READING))


@dataclass(frozen=True, slots=True)
class Running:
    """Trends at work.

    Attributes:
        zone: of the hub's clock.
    """

    zone: tzinfo | None


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Running]:
    """Collect trends as long as the hub runs."""
    zone = zone_of(hub.settings.alerts.zone)
    gatherer = Gatherer(hub.store, hub.bus, TrendKeeper(hub.store, lambda: zone), zone)
    await asyncio.to_thread(gatherer.keeper.start)
    hub.bus.handle({Joined, Sampled, Found, Measured}, gatherer.collector.take)
    task = asyncio.create_task(gatherer.run())
    try:
        yield Running(zone)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with contextlib.suppress(StorageError):
            await asyncio.to_thread(gatherer.keep, gatherer.collector.everything(), time.time_ns())
            await asyncio.to_thread(gatherer.keeper.settle)


class Gatherer:
    """Carries minutes that are over into the store, and tells of them.

    Args:
        store: where they go.
        bus: of events.
        keeper: of trends.
        zone: of the hub's clock.
    """

    def __init__(self, store: Store, bus: Bus, keeper: TrendKeeper, zone: tzinfo | None) -> None:
        self.collector = Collector()
        self.keeper = keeper
        self._store, self._bus, self._zone = store, bus, zone
        self._waiting: list[Minute] = []
        self._usual: dict[tuple[str, str], tuple[int, tuple[Usual | None, ...]]] = {}

    async def run(self) -> None:
        """Look once a second, for ever."""
        settled = time.time_ns() // HOUR_NS
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = time.time_ns()
            closed = self.collector.closed(now_ns)
            try:
                if closed or self._waiting:
                    for event in await asyncio.to_thread(self.keep, closed, now_ns):
                        self._bus.publish(event)
                if now_ns // HOUR_NS != settled:
                    await asyncio.to_thread(self.keeper.settle)
                    settled = now_ns // HOUR_NS
            except StorageError as error:
                LOGGER.error("%s", error)
            except Exception:
                LOGGER.exception("Trends could not be kept.")

    def keep(self, closed: list[Minute], now_ns: int) -> list[Rolled]:
        """Write minutes; what is to be told of them.

        Raises:
            StorageError: the store takes none; they wait.
        """
        self._waiting += closed
        del self._waiting[:-MOST_WAITING]
        minutes = list(self._waiting)
        self.keeper.add(minutes, now_ns)
        self._waiting.clear()
        return [event for one in minutes if (event := self._told(one)) is not None]

    def _told(self, one: Minute) -> Rolled | None:
        mean = one.rollup().total / (one.counts.total() * 1000) if one.counts else None
        if mean is None:
            return None
        return Rolled(one.wearable, one.name, one.start_ns, mean, self._deviation(one, mean))

    def _deviation(self, one: Minute, mean: float) -> float | None:
        day, key = self.keeper.day(one.start_ns)[0], (one.wearable, one.name)
        if key not in self._usual or self._usual[key][0] != day:
            with self._store.read() as connection:
                row = connection.execute(
                    SERIES.select().where(SERIES.c.wearable == one.wearable, SERIES.c.name == one.name)
                ).one()
                self._usual[key] = day, usual(connection, row.id, day, lambda: self._zone)
        hour = time_of_day(one.start_ns, self._zone)
        known = self._usual[key][1][hour]
        return None if known is None else mean - known.centre


def time_of_day(at_ns: int, zone: tzinfo | None) -> int:
    """Hour of a moment by the hub's clock."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, zone).hour


PART = Part("trends", ROUTER, run)


def running(connection: HTTPConnection) -> Running:
    """What runs: a dependency."""
    found: Running = connection.app.state.running[PART.name]
    return found


Mine = Annotated[Hub, Depends(hub_of)]
Runs = Annotated[Running, Depends(running)]
Milliseconds = Annotated[int, Query(ge=0, le=9_000_000_000_000)]


@ROUTER.get("", dependencies=[SEES], responses=says(Trended))
def trended(hub: Mine, seen: Seen, names: Named) -> dict[str, Any]:
    """Wearables that the visitor sees and of which there are trends, whether they are here or away."""
    found = [one for one in lookup.wearables(hub.store) if seen.sees(one["wearable"])]
    return {
        "wearables": [
            {**one, "wearable": names.wearable(one["wearable"]), "label": names.text(one["label"])} for one in found
        ],
        "notice": NOTICE,
    }


@ROUTER.get("/{wearable}/series", dependencies=[SEES], responses=says(AllSeries))
def series(wearable: str, hub: Mine) -> dict[str, Any]:
    """What there are trends of."""
    return {"series": lookup.all_series(hub.store, wearable), "notice": NOTICE}


@ROUTER.get("/{wearable}", dependencies=[SEES], responses=says(Trends))
def trends(
    wearable: str,
    hub: Mine,
    from_ms: Milliseconds,
    to_ms: Milliseconds,
    name: Annotated[list[str] | None, Query(max_length=lookup.MOST_SERIES)] = None,
    width: Annotated[str, Query(pattern="^(auto|minute|hour|day)$")] = "auto",
) -> dict[str, Any]:
    """Minutes, hours or days of some series in a window, as columns."""
    chosen = lookup.WIDTHS.get(width)
    found = lookup.columns(hub.store, wearable, name or (), from_ms * 1_000_000, to_ms * 1_000_000, chosen)
    return {**found, "notice": NOTICE}


@ROUTER.get("/{wearable}/baseline", dependencies=[SEES], responses=says(answers.Usual))
def baseline(
    wearable: str,
    hub: Mine,
    runs: Runs,
    name: Annotated[str, Query(max_length=120)],
    at_ms: Annotated[int | None, Query(ge=0, le=9_000_000_000_000)] = None,
) -> dict[str, Any]:
    """What is usual of this wearer in each hour of a day, of the days before it."""
    keeper = TrendKeeper(hub.store, lambda: runs.zone)
    day_ns = keeper.day(time.time_ns() if at_ms is None else at_ms * 1_000_000)[0]
    return {
        "hours": lookup.baseline(hub.store, wearable, name, day_ns, lambda: runs.zone),
        "day_ms": day_ns // 1_000_000,
    }


@ROUTER.get("/{wearable}/nights", dependencies=[SEES], responses=says(Nights))
def nights(wearable: str, runs: Runs, names: Named, count: Annotated[int, Query(ge=1, le=400)] = 14) -> dict[str, Any]:
    """The last nights, each as one stretch from noon to noon."""
    return {"wearable": names.wearable(wearable), "nights": lookup.nights(time.time_ns(), count, lambda: runs.zone)}

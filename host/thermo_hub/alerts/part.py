"""The part of alerts: what runs, and what pages and programs may ask."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from thermo_core.errors import LinkError, UsageError
from thermo_core.wearable.profile import NOTICE
from thermo_host.link.wearable import Wearable
from thermo_hub.alerts import lookup
from thermo_hub.alerts.answers import (
    Alert,
    Alerts,
    Channels,
    PutAway,
    RulesText,
    RulesVersion,
    Thresholds,
    Watched,
    WholeAlert,
)
from thermo_hub.alerts.channels.channel import Channel
from thermo_hub.alerts.channels.table import channels
from thermo_hub.alerts.deliveries import Deliveries
from thermo_hub.alerts.desk import Desk
from thermo_hub.alerts.keeper import Keeper
from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.alerts.rules import OWN
from thermo_hub.alerts.thresholds import of_wearer, with_threshold, without_threshold
from thermo_hub.described import says
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.limits import Limit, held
from thermo_hub.security.roles import TENDING, WATCHING, Role, Seen, Visitor, allow
from thermo_hub.zones import zone_of

LOGGER = logging.getLogger(__name__)
ROUTER = APIRouter(prefix="/api/alerts", tags=["alerts"])
SETTING = frozenset((Role.CLINICIAN, Role.ADMINISTRATOR))
"""Those who may change rules."""
FOLDER = "rules"


@dataclass(frozen=True, slots=True)
class Running:
    """Alerts at work.

    Attributes:
        desk: of alerts.
        channels: by name.
        tests, snoozes, changes: how often one name may test channels, an alert may be snoozed, and one name may change rules; each time is
            kept.
    """

    desk: Desk
    channels: Mapping[str, Channel]
    tests: Limit = field(default_factory=lambda: Limit(20, 600))
    snoozes: Limit = field(default_factory=lambda: Limit(60, 3600))
    changes: Limit = field(default_factory=lambda: Limit(120, 3600))


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Running]:
    """Look after alerts as long as the hub runs.

    Raises:
        UsageError, StorageError: settings or secrets of a channel cannot be used.
    """
    zone = zone_of(hub.settings.alerts.zone)
    known = await asyncio.to_thread(channels, hub.settings.alerts, hub.bus)
    files = await asyncio.to_thread(RuleFiles, hub.settings.place / FOLDER, known)
    follows = frozenset(name for name, channel in known.items() if channel.follows)
    keeper = Keeper(hub.store, lambda: zone, follows)
    deliveries = Deliveries(hub.store, known, keeper.lock)
    desk = Desk(hub.store, hub.bus, keeper, files, deliveries)
    await asyncio.to_thread(desk.start)
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(deliveries.run())]
    try:
        yield Running(desk, known)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


PART = Part("alerts", ROUTER, run)


def running(connection: HTTPConnection) -> Running:
    """What runs: a dependency."""
    found: Running = connection.app.state.running[PART.name]
    return found


Runs = Annotated[Running, Depends(running)]
Mine = Annotated[Hub, Depends(hub_of)]
Sees = Annotated[Visitor, Depends(allow(WATCHING))]


class Note(BaseModel):
    """What somebody says of a step.

    Attributes:
        note: in words; "" for nothing.
    """

    note: Annotated[str, Field(max_length=500)] = ""


class Snooze(Note):
    """For how long nobody is to be called.

    Attributes:
        minutes: from now.
    """

    minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)]


class Test(BaseModel):
    """What the test button does.

    Attributes:
        channels: by which it calls; all of them where empty.
        wearable: that it is said to be of; "" for none.
    """

    channels: Annotated[list[Annotated[str, Field(max_length=48)]], Field(max_length=40)] = []
    wearable: Annotated[str, Field(max_length=80)] = ""


class Rules(BaseModel):
    """A new version of the rules.

    Attributes:
        toml: all of them; what it says of version, by and at is not heeded.
        expected: version that it was made of.
    """

    toml: Annotated[str, Field(max_length=1 << 20)]
    expected: Annotated[int, Field(ge=0)]


@ROUTER.get("", responses=says(Alerts))
def alerts(
    hub: Mine,
    _: Sees,
    seen: Seen,
    state: Annotated[str, Query(pattern="^(open|all)$")] = "open",
    wearable: Annotated[str, Query(max_length=80)] = "",
    before_ms: Annotated[int | None, Query(ge=0)] = None,
    most: Annotated[int, Query(ge=1, le=lookup.MOST)] = 100,
) -> dict[str, Any]:
    """Alerts, newest first."""
    found = lookup.listed(hub.store, state == "open", wearable, before_ms, most, seen)
    return {"alerts": found, "notice": NOTICE}


@ROUTER.get("/channels", dependencies=[Depends(allow(WATCHING | TENDING))], responses=says(Channels))
def all_channels(runs: Runs) -> dict[str, Any]:
    """Ways by which alerts call."""
    return {
        "channels": [{"name": one.name, "what": one.what, "follows": one.follows} for one in runs.channels.values()]
    }


@ROUTER.get("/watched", dependencies=[Depends(allow(WATCHING | TENDING))], responses=says(Watched))
def watched(runs: Runs, seen: Seen) -> dict[str, Any]:
    """Wearables whose silence is an alert, and why rules cannot hold for one."""
    problems = {wearable: one for wearable, one in runs.desk.problems().items() if seen.sees(wearable)}
    return {"wearables": [one for one in runs.desk.watched() if seen.sees(one)], "problems": problems}


@ROUTER.post("/watched/{wearable}/put-away", responses=says(PutAway))
async def put_away(
    wearable: str, runs: Runs, visitor: Annotated[Visitor, Depends(allow(WATCHING | TENDING))]
) -> dict[str, Any]:
    """Nobody wears it: its silence is no alert until it joins again."""
    if wearable not in runs.desk.watched():
        raise UsageError(f"No wearable {wearable!r:.80} is watched; it was put away, or has never been here.")
    await runs.desk.put_away(wearable, visitor.name)
    return {"wearable": wearable}


@ROUTER.get("/rules", dependencies=[Depends(allow(WATCHING | TENDING))], responses=says(RulesText))
def rules(runs: Runs, seen: Seen, version: Annotated[int | None, Query(ge=0)] = None) -> dict[str, Any]:
    """The rules that hold, or a version of them, as TOML."""
    number = runs.desk.rules.version if version is None else version
    found = runs.desk.files.read(number)
    return {
        "version": found.version,
        "by": found.by,
        "at": found.at,
        "toml": runs.desk.files.text(number, seen),
        "versions": [0, *runs.desk.files.versions()],
        "wrong": runs.desk.wrong,
        "own": OWN,
    }


@ROUTER.get(
    "/rules.toml",
    dependencies=[Depends(allow(WATCHING | TENDING))],
    responses=says(media="application/toml"),
    response_class=Response,
)
def exported(runs: Runs, seen: Seen) -> Response:
    """The rules that hold, as a file."""
    text = runs.desk.files.text(runs.desk.rules.version, seen)
    name = f"rules-{runs.desk.rules.version:06d}.toml"
    return Response(
        text, media_type="application/toml", headers={"content-disposition": f'attachment; filename="{name}"'}
    )


@ROUTER.put("/rules", responses=says(RulesVersion))
async def change_rules(
    body: Rules, runs: Runs, seen: Seen, visitor: Annotated[Visitor, Depends(allow(SETTING))]
) -> dict[str, Any]:
    """Write a new version of the rules; it holds from now on."""
    if not seen.is_all:
        raise HTTPException(
            403, "The rules are of all wearables, and you do not see all; set thresholds of yours instead."
        )
    held(runs.changes, visitor.name, "Rules were changed too often")
    made = await run_in_threadpool(runs.desk.files.parse, body.toml)
    found = await runs.desk.change_rules(lambda _: made, visitor.name, body.expected)
    return {"version": found.version}


class OwnThreshold(BaseModel):
    """A threshold of one wearer.

    Attributes:
        when: comparison, as ">= 38.6 degC".
        clear: when it is over; null for when that does not hold.
        why: in words.
        expected: version of the rules that the page showed; null takes whatever holds.
    """

    when: Annotated[str, Field(min_length=1, max_length=200)]
    clear: Annotated[str, Field(max_length=200)] | None = None
    why: Annotated[str, Field(max_length=200)] = ""
    expected: Annotated[int, Field(ge=0)] | None = None


@ROUTER.get("/thresholds/{wearable}", dependencies=[Depends(allow(WATCHING | SETTING))], responses=says(Thresholds))
def thresholds(wearable: str, runs: Runs) -> dict[str, Any]:
    """Thresholds of a wearer beside those for everybody, with who set them, when, and what they were before."""
    rules = runs.desk.rules
    return {"rules": of_wearer(runs.desk.files, rules, wearable), "version": rules.version, "notice": NOTICE}


@ROUTER.put("/thresholds/{wearable}/{rule}", responses=says(RulesVersion))
async def set_threshold(
    wearable: str, rule: str, body: OwnThreshold, runs: Runs, visitor: Annotated[Visitor, Depends(allow(SETTING))]
) -> dict[str, Any]:
    """Give a wearer a threshold of their own; a new version of the rules, which holds from now on."""
    held(runs.changes, visitor.name, "Rules were changed too often")
    change = with_threshold(wearable, rule, body.when, body.clear or None, body.why or None)
    found = await runs.desk.change_rules(change, visitor.name, body.expected)
    return {"version": found.version}


@ROUTER.delete("/thresholds/{wearable}/{rule}", responses=says(RulesVersion))
async def remove_threshold(
    wearable: str, rule: str, runs: Runs, visitor: Annotated[Visitor, Depends(allow(SETTING))]
) -> dict[str, Any]:
    """Give a wearer the threshold of everybody again."""
    held(runs.changes, visitor.name, "Rules were changed too often")
    found = await runs.desk.change_rules(without_threshold(wearable, rule), visitor.name, None)
    return {"version": found.version}


@ROUTER.post("/test", responses=says(Alert, 404))
async def test(
    body: Test, runs: Runs, seen: Seen, visitor: Annotated[Visitor, Depends(allow(WATCHING | TENDING))]
) -> dict[str, Any]:
    """Raise an alert that only shows that channels work."""
    if body.wearable and not seen.sees(body.wearable):
        raise HTTPException(404, "There is no wearable of that name that you see.")
    for name in body.channels:
        if name not in runs.channels:
            raise UsageError(f"There is no channel {name!r:.60}; there is {', '.join(runs.channels)}.")
    held(runs.tests, visitor.name, "Channels were tested too often")
    kept = await runs.desk.test(body.wearable, body.channels or list(runs.channels), visitor.name)
    return dict(kept.facts)


@ROUTER.get("/{alert}", responses=says(WholeAlert))
def one(alert: str, hub: Mine, _: Sees) -> dict[str, Any]:
    """An alert with all of its steps, and what was delivered of it."""
    return {**lookup.told(hub.store, alert), "notice": NOTICE}


@ROUTER.post("/{alert}/acknowledge", responses=says(Alert))
async def acknowledge(alert: str, body: Note, runs: Runs, hub: Mine, visitor: Sees) -> dict[str, Any]:
    """Say that you have seen it, and see to it: it calls nobody any more."""
    kept = await runs.desk.change(lambda now_ns: runs.desk.keeper.acknowledge(alert, now_ns, visitor.name, body.note))
    _tell_wearable(hub, kept.facts)
    return dict(kept.facts)


@ROUTER.post("/{alert}/snooze", responses=says(Alert))
async def snooze(alert: str, body: Snooze, runs: Runs, visitor: Sees) -> dict[str, Any]:
    """Have it call nobody for a while, whatever becomes of it meanwhile."""
    held(runs.snoozes, alert, "This alert was snoozed too often, and can be acknowledged")
    until_ns = time.time_ns() + round(body.minutes * 60e9)
    kept = await runs.desk.change(
        lambda now_ns: runs.desk.keeper.snooze(alert, now_ns, visitor.name, until_ns, body.note)
    )
    return dict(kept.facts)


def _tell_wearable(hub: Hub, facts: Mapping[str, Any]) -> None:
    """Have a wearable whose own alert it is know that somebody has seen it; where it is away it says so again when it is back."""
    worn = hub.wearables.get(facts["wearable"])
    names = [] if worn is None else [f"{OWN}{alert.name}" for alert in worn.session.profile.alerts]
    if facts["rule"] not in names:
        return

    def work(wearable: Wearable) -> None:
        try:
            wearable.acknowledge(names.index(facts["rule"]))
        except LinkError as error:
            LOGGER.warning("%s", error)

    hub.wearables.listener(facts["wearable"]).ask(work)

"""The part of live pages: the WebSocket, and what pages ask for once."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, WebSocket, WebSocketDisconnect
from msgspec import Meta
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from thermo_core.body import SEGMENTS
from thermo_host.screen.body_shapes import BACK, FRONT, HEIGHT, WIDTH, parts
from thermo_host.screen.palette import TABLE
from thermo_hub.described import says
from thermo_hub.events import EVERY
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.live import answers
from thermo_hub.live.answers import Drawing, Labelled, Me
from thermo_hub.live.frames import message
from thermo_hub.live.presenter import Presenter
from thermo_hub.live.shown import summary
from thermo_hub.live.viewers import Viewer
from thermo_hub.security.accesses import Accesses
from thermo_hub.security.cookies import cookie_of
from thermo_hub.security.roles import EVERYBODY, TENDING, WATCHING, Seen, Visitor, allow, seen_by

ROUTER = APIRouter(prefix="/api", tags=["live"])
BEAT_S = 10.0
"""A viewer to whom nothing is said for so long is told that the hub is there."""
CHECK_S = 1.0
"""How often it is looked whether a viewer may still be here."""
SENT_AWAY = 4401
TOO_SLOW = 4008
"""Code with which a viewer who cannot keep up is sent away, to come again and be told how things stand."""
TOO_MANY = 4429
MOST_OPEN = 512
"""Pages that are open at once under one name."""
SEES = Depends(allow(WATCHING))


class Watch(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="watch"):
    """What a page says first, and whenever it looks at something else.

    Attributes:
        wearables: ids; empty for all.
        every_ms: least time between two pictures.
    """

    wearables: Annotated[list[Annotated[str, Meta(max_length=160)]], Meta(max_length=256)] = []
    every_ms: Annotated[float, Meta(ge=0, le=60_000)] = 0.0


class Time(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="time"):
    """Asks for the hub's time.

    Attributes:
        sent: the page's own, which comes back.
    """

    sent: float


LIVE = "WEBSOCKET /api/live"
READ = msgspec.json.Decoder(Watch | Time)


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Presenter]:
    """Present what happens as long as the hub runs."""
    presenter = Presenter(hub.wearables)
    hub.bus.handle(EVERY, presenter.take)
    yield presenter


PART = Part("live", ROUTER, run)


def presenter_of(connection: HTTPConnection) -> Presenter:
    """The presenter at work: a dependency."""
    presenter: Presenter = connection.app.state.running[PART.name]
    return presenter


Shows = Annotated[Presenter, Depends(presenter_of)]
Mine = Annotated[Hub, Depends(hub_of)]


@ROUTER.get("/me", responses=says(Me))
def me(visitor: Annotated[Visitor, Depends(allow(EVERYBODY))]) -> dict[str, Any]:
    """Who the visitor is, and what their requests that change something must carry."""
    return {"name": visitor.name, "roles": sorted(visitor.roles), "csrf": visitor.csrf}


@ROUTER.get("/wearables", dependencies=[SEES], responses=says(answers.Wearables))
def wearables(hub: Mine, seen: Seen) -> dict[str, Any]:
    """Every wearable that is here and that the visitor sees, and ports behind which none answers."""
    return {
        "wearables": [summary(worn) for worn in hub.wearables.all() if seen.sees(worn.id)],
        "shut": [
            {"port": one.port, "state": one.state, "reason": one.reason}
            for one in (hub.wearables.shut() if seen.is_all else ())
        ],
    }


@ROUTER.get("/drawing", dependencies=[Depends(allow(EVERYBODY))], responses=says(Drawing))
def drawing() -> dict[str, Any]:
    """What pages draw with: colours of temperatures, coldest first, and the outlines of a body's segments."""
    return {
        "palette": TABLE.tolist(),
        "body": {
            "width": WIDTH,
            "height": HEIGHT,
            "segments": list(SEGMENTS),
            "views": {view: [[segment, points] for segment, points in parts(view)] for view in (FRONT, BACK)},
        },
    }


class Label(BaseModel):
    """What a wearable is called.

    Attributes:
        label: it; "" for nothing.
    """

    label: Annotated[str, Field(max_length=200)]


@ROUTER.put("/wearables/{wearable}/label", dependencies=[Depends(allow(WATCHING | TENDING))], responses=says(Labelled))
async def rename(wearable: str, body: Label, hub: Mine, presenter: Shows) -> dict[str, str]:
    """Call a wearable something."""
    await run_in_threadpool(hub.wearables.rename, wearable, body.label)
    presenter.say_again(wearable)
    return {"label": body.label}


@ROUTER.websocket("/live")
async def live(
    socket: WebSocket,
    presenter: Shows,
    hub: Mine,
    visitor: Annotated[Visitor, Depends(allow(WATCHING | TENDING))],
    cookie: Annotated[str, Depends(cookie_of)],
) -> None:
    """What wearables measure and say, as it comes; see `frames` for what travels. Who only tends wearables hears how they are."""
    await socket.accept()
    if presenter.counts[visitor.name] >= MOST_OPEN:
        await socket.close(TOO_MANY, "Too many pages are open under this name; close some.")
        return
    viewer = Viewer(bool(visitor.roles & WATCHING), lambda: seen_by(socket, visitor))
    accesses: Accesses = socket.app.state.accesses
    roles = " ".join(sorted(visitor.roles))
    presenter.counts[visitor.name] += 1
    sending = asyncio.create_task(_send(socket, viewer, lambda: hub.door.knows(cookie)))
    try:
        while True:
            said = READ.decode(await socket.receive_text())
            if isinstance(said, Watch):
                seen = viewer.seen()
                every = [""] if seen.wearables is None else sorted(seen.wearables)
                for wearable in said.wearables or every:
                    await run_in_threadpool(
                        accesses.note, visitor.name, roles, wearable, "live", LIVE, seen.sees(wearable)
                    )
            _hear(said, viewer, presenter)
    except (WebSocketDisconnect, msgspec.MsgspecError, RuntimeError, HTTPException):
        pass  # it left, is none of our pages, or asks for too much
    finally:
        presenter.counts[visitor.name] -= 1
        presenter.close(viewer)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sending
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await socket.close()


def _hear(said: Watch | Time, viewer: Viewer, presenter: Presenter) -> None:
    if isinstance(said, Time):
        viewer.tell(message("time", sent=said.sent, utc=time.time_ns() / 1e6))
        return
    presenter.close(viewer)
    viewer.wearables, viewer.every_s = frozenset(said.wearables), said.every_ms / 1000
    presenter.welcome(viewer)
    presenter.open(viewer)


async def _send(socket: WebSocket, viewer: Viewer, may_stay: Callable[[], bool]) -> None:
    said_s = time.monotonic()
    while not viewer.lost:
        await viewer.wait(CHECK_S)
        if not may_stay():
            await socket.close(SENT_AWAY)
            return
        something = False
        for one in viewer.take():
            something = True
            if isinstance(one, str):
                await socket.send_text(one)
            else:
                await socket.send_bytes(one)
        if something:
            said_s = time.monotonic()
        elif time.monotonic() - said_s > BEAT_S:
            said_s = time.monotonic()
            await socket.send_text(message("beat", utc=time.time_ns() / 1e6))
    await socket.close(TOO_SLOW)

"""The part of FHIR: what leaves the hub, by whose consent, and what clinicians confirm."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Response
from sqlalchemy import delete, insert
from starlette.requests import HTTPConnection

from thermo_core.errors import StorageError, UsageError
from thermo_core.recording.session import Session
from thermo_core.wearable.profile import NOTICE
from thermo_hub.described import says
from thermo_hub.events import Event, Joined
from thermo_hub.fhir import agreed
from thermo_hub.fhir.answers import Again, Confirmation, Confirmed, Consents, ConsentSaid, Estimates, Sendings
from thermo_hub.fhir.bundle import bundle
from thermo_hub.fhir.description import describe
from thermo_hub.fhir.sending import Sender, again, sendings
from thermo_hub.fhir.tables import DESCRIPTION
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.consents import Purpose
from thermo_hub.security.limits import Limit, held
from thermo_hub.security.pseudonyms import KEY_FILE, key_of
from thermo_hub.security.roles import WATCHING, Role, Visitor, allow

LOGGER = logging.getLogger(__name__)
ROUTER = APIRouter(prefix="/api/fhir/{wearable}", tags=["fhir"])
MEDIA = "application/fhir+json"
Milliseconds = Annotated[int, Query(ge=0, le=9_000_000_000_000)]
Mine = Annotated[Hub, Depends(hub_of)]
TREATS = Depends(allow(Role.CLINICIAN))
AGREES = frozenset((Role.WEARER, Role.ADMINISTRATOR))
"""Those who say what a wearer agrees to."""


@dataclass(frozen=True, slots=True)
class Running:
    """FHIR at work.

    Attributes:
        key: by which pseudonyms are made.
        often: how often consent of a wearer may be given; each time is kept.
    """

    key: bytes
    often: Limit = field(default_factory=lambda: Limit(30, 3600))


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Running]:
    """Keep what wearables are, and send, as long as the hub runs.

    Raises:
        UsageError, StorageError: the settings of a server, or secrets, cannot be used.
    """
    key = await asyncio.to_thread(key_of, hub.settings.place / KEY_FILE)
    joined: asyncio.Queue[tuple[str, Session]] = asyncio.Queue()

    def take(event: Event) -> None:
        if isinstance(event, Joined):
            joined.put_nowait((event.wearable, event.session))

    hub.bus.handle((Joined,), take)
    tasks = [asyncio.create_task(_describe_on(hub, joined))]
    if hub.settings.fhir.server:
        sender = await asyncio.to_thread(Sender, hub.store, hub.settings.fhir, key)
        tasks.append(asyncio.create_task(sender.run()))
    try:
        yield Running(key)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _describe_on(hub: Hub, joined: asyncio.Queue[tuple[str, Session]]) -> None:
    while True:
        wearable, session = await joined.get()
        try:
            await asyncio.to_thread(keep_description, hub, wearable, session)
        except (StorageError, UsageError) as error:
            LOGGER.error("%s", error)
        except Exception:
            LOGGER.exception("What %s is could not be kept.", wearable)


def keep_description(hub: Hub, wearable: str, session: Session) -> None:
    """Keep what a wearable is, for when it is away."""
    described = msgspec.json.encode(describe(session)).decode()
    with hub.store.write() as connection:
        connection.execute(delete(DESCRIPTION).where(DESCRIPTION.c.wearable == wearable))
        connection.execute(insert(DESCRIPTION).values(wearable=wearable, described=described, at_ns=time.time_ns()))


PART = Part("fhir", ROUTER, run)


def running(connection: HTTPConnection) -> Running:
    """What runs: a dependency."""
    found: Running = connection.app.state.running[PART.name]
    return found


@ROUTER.get("", dependencies=[TREATS], responses=says(media=MEDIA), response_class=Response)
def exported(
    wearable: str,
    hub: Mine,
    runs: Annotated[Running, Depends(running)],
    from_ms: Milliseconds,
    to_ms: Milliseconds,
) -> Response:
    """What was measured, said and called about, as a FHIR R4 bundle of a pseudonym; refused without the wearer's consent."""
    try:
        agreed.check_given(hub.store, wearable, Purpose.SHARING)
    except agreed.Refusal as refusal:
        raise HTTPException(403, str(refusal)) from refusal
    made = bundle(hub.store, wearable, from_ms * 1_000_000, to_ms * 1_000_000, runs.key)
    headers = {"content-disposition": 'attachment; filename="thermo-hub.fhir.json"'}
    return Response(json.dumps(made, ensure_ascii=False), media_type=MEDIA, headers=headers)


@ROUTER.get("/consents", dependencies=[Depends(allow(WATCHING | AGREES))], responses=says(Consents))
def consents(wearable: str, hub: Mine) -> dict[str, Any]:
    """What the wearer agrees to, and all that was said of it."""
    return agreed.consents(hub.store, wearable)


@ROUTER.put("/consents/{purpose}", responses=says(Consents))
def say_consent(
    wearable: str,
    purpose: Purpose,
    body: ConsentSaid,
    hub: Mine,
    runs: Annotated[Running, Depends(running)],
    visitor: Annotated[Visitor, Depends(allow(AGREES))],
) -> dict[str, Any]:
    """Give the wearer's consent for a purpose, or withdraw it, which is never refused."""
    if body.given:
        held(runs.often, wearable, "Consent was given and withdrawn too often")
    agreed.say(hub.store, wearable, purpose, body.given, visitor.name, body.note)
    return agreed.consents(hub.store, wearable)


@ROUTER.get("/estimates", dependencies=[TREATS], responses=says(Estimates))
def estimates(wearable: str, hub: Mine, most: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    """Hours of what models estimate in degC, and who confirmed them."""
    return {"estimates": agreed.estimates(hub.store, wearable, most), "notice": NOTICE}


@ROUTER.post("/confirmations", responses=says(Confirmed))
def confirm(wearable: str, body: Confirmation, hub: Mine, visitor: Annotated[Visitor, TREATS]) -> dict[str, Any]:
    """Confirm an hour's estimate of a model: it leaves the hub as a body temperature then, derived from the estimate."""
    start_ns = body.start_ms * 1_000_000
    return agreed.confirm(hub.store, wearable, body.series, start_ns, body.value, visitor.name, body.note)


LOOKS = Depends(allow(frozenset((Role.CLINICIAN, Role.ADMINISTRATOR))))


@ROUTER.get("/sendings", dependencies=[LOOKS], responses=says(Sendings))
def all_sendings(wearable: str, hub: Mine) -> dict[str, Any]:
    """What was sent of the wearable to the FHIR server, with every try."""
    return {"server": hub.settings.fhir.server, "sendings": sendings(hub.store, wearable)}


@ROUTER.post("/sendings/again", dependencies=[LOOKS], responses=says(Again, 409))
def send_again(wearable: str, hub: Mine) -> dict[str, int]:
    """Have what waits or has failed sent at once."""
    if not hub.settings.fhir.server:
        raise HTTPException(409, "No FHIR server is set; name it in [fhir] of hub.toml, and start the hub anew.")
    return {"waiting": again(hub.store, wearable)}

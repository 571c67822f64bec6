"""The application: its parts put together behind the guard."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute

from thermo_core.errors import BundleError, ImageFormatError, LinkError, SignatureError, ThermoError, UsageError
from thermo_core.version import software_version
from thermo_hub.accounts.part import PART as ACCOUNTS
from thermo_hub.accounts.passkey_routes import PART as PASSKEYS
from thermo_hub.alerts.part import PART as ALERTS
from thermo_hub.anomaly.part import PART as ANOMALY
from thermo_hub.api.description import operation_name
from thermo_hub.api.part import PART as API
from thermo_hub.devices.part import PART as DEVICES
from thermo_hub.fhir.part import PART as FHIR
from thermo_hub.hub import Hub, Part
from thermo_hub.ingest.part import PART as INGEST
from thermo_hub.live.part import PART as LIVE
from thermo_hub.lsl.part import PART as LSL
from thermo_hub.mqtt.part import PART as MQTT
from thermo_hub.pages.part import FOLDER
from thermo_hub.pages.part import PART as PAGES
from thermo_hub.recordings.part import PART as RECORDINGS
from thermo_hub.review.part import PART as REVIEW
from thermo_hub.security.accesses import DAY_NS, Accesses
from thermo_hub.security.aliases import Aliases
from thermo_hub.security.guard import BODY_LIMIT, Guard
from thermo_hub.security.roles import RESEARCHES
from thermo_hub.trends.part import PART as TRENDS

TITLE, DESCRIPTION = "thermo-hub", "Wearable thermal sensors. Informs only. Not a medical device."
PARTS: Sequence[Part] = (
    ACCOUNTS,
    PASSKEYS,
    LIVE,
    ALERTS,
    TRENDS,
    ANOMALY,
    RECORDINGS,
    REVIEW,
    DEVICES,
    FHIR,
    LSL,
    MQTT,
    INGEST,
    API,
)
"""Every part of a hub; the pages come after them, because the shell answers whatever address is left."""


def application(hub: Hub, parts: Sequence[Part] = PARTS, refused: Callable[[ThermoError], None] | None = None) -> Guard:
    """The ASGI application of a hub.

    Args:
        hub: it.
        parts: of it.
        refused: told why a part cannot run, as for a setting; the application then only waits to be ended. Where left out that is raised,
            and a server prints it with all of its origins.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            app.state.running = {}
            try:
                for part in parts:
                    if part.run is not None:
                        app.state.running[part.name] = await stack.enter_async_context(part.run(hub))
                await stack.enter_async_context(hub.wearables.open())
            except ThermoError as error:
                if refused is None:
                    raise
                refused(error)
            yield

    app = FastAPI(
        title=TITLE,
        version=software_version(),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=operation_name,
    )
    app.state.hub = hub
    app.state.routes = routes(parts)
    app.state.accesses = Accesses(hub.store, kept_ns=round(hub.settings.keep.accesses_days * DAY_NS))
    app.state.aliases = Aliases(hub.settings, hub.store)
    app.add_exception_handler(ThermoError, _told)
    app.add_exception_handler(ClientDisconnect, _too_large)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    for part in (*parts, PAGES):
        app.include_router(part.router)
    return Guard(app, hub.door, hub.settings)


def routes(parts: Sequence[Part] = PARTS) -> list[BaseRoute]:
    """Every route of some parts and of the pages."""
    return [route for part in (*parts, PAGES) for route in part.router.routes]


ASKED = (UsageError, ImageFormatError, SignatureError, BundleError)
"""Errors that are in what was asked for or sent."""


async def _told(request: Request, error: Exception) -> JSONResponse:
    """An error of ours as a sentence, which names no wearer to a researcher."""
    status = 400 if isinstance(error, ASKED) else 502 if isinstance(error, LinkError) else 500
    said = str(error)
    if request.scope.get(RESEARCHES):
        said = await run_in_threadpool(request.app.state.aliases.scrubbed, said)
    return JSONResponse({"detail": said, "kind": type(error).__name__}, status)


async def _too_large(_: Request, __: Exception) -> JSONResponse:
    """What came was cut off by the guard; somebody who has really gone does not read it."""
    return JSONResponse({"detail": f"The hub takes {BODY_LIMIT >> 20} MB at a time; send less."}, 413)

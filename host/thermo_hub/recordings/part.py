"""The part of recordings: start, mark and end one; list them; look at one again."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from thermo_core.files import file_name, make_folder
from thermo_core.recording.session import Session
from thermo_core.text import clean
from thermo_host.flash import MAX_IMAGE
from thermo_host.stream.pump import Sink
from thermo_hub.described import BINARY, says
from thermo_hub.events import Announced
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.recordings import answers
from thermo_hub.recordings.again import again
from thermo_hub.recordings.answers import Looked, Marked, Recorder
from thermo_hub.recordings.looking import brief, channels, pictures, whole
from thermo_hub.recordings.sink import RecordingSink
from thermo_hub.security.roles import TENDING, WATCHING, Role, Seen, allow
from thermo_hub.security.subjects import of_recording

ROUTER = APIRouter(prefix="/api", tags=["recordings"])
SUFFIX = ".mcap"
START_S = 10.0
SEES = Depends(allow(WATCHING | {Role.RESEARCHER}))
KEEPS = Depends(allow(WATCHING))


class Recorders:
    """Recordings that are being made.

    Args:
        hub: where.

    Attributes:
        computing: taken while one is computed again.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.computing = asyncio.Semaphore(1)
        self._sinks: dict[str, RecordingSink] = {}

    def of(self, wearable: str) -> RecordingSink | None:
        """The one of a wearable, while it runs."""
        sink = self._sinks.get(wearable)
        return sink if sink is not None and sink.running else None

    def status(self) -> dict[str, dict[str, Any]]:
        """Of each wearable: its recording, as pages show it."""
        return {wearable: _status(sink) for wearable, sink in self._sinks.items()}

    async def start(self, wearable: str, subject: str, note: str) -> RecordingSink:
        """Begin one."""
        if self.of(wearable) is not None:
            raise HTTPException(409, "This wearable is being recorded already; end that recording first.")
        folder = self._hub.settings.recordings
        await asyncio.to_thread(make_folder, folder)

        def make(session: Session) -> Sink:
            began = datetime.now(UTC)
            name = f"{file_name(session.hello.serial)}-{began:%Y%m%dT%H%M%S}Z{SUFFIX}"
            described = replace(session, started_ns=time.time_ns(), subject=subject, note=note)
            return RecordingSink(folder / name, described)

        sink = await asyncio.wait_for(
            asyncio.wrap_future(self._hub.wearables.listener(wearable).add_sink(make)), START_S
        )
        assert isinstance(sink, RecordingSink)
        self._sinks[wearable] = sink
        self._tell(wearable)
        return sink

    async def end(self, wearable: str) -> RecordingSink:
        """End it."""
        sink = self.of(wearable)
        if sink is None:
            raise HTTPException(409, "This wearable is not being recorded.")
        self._hub.wearables.listener(wearable).remove_sink(sink)
        await asyncio.to_thread(sink.end)
        self._tell(wearable)
        return sink

    def mark(self, wearable: str, text: str) -> None:
        """Mark this moment in it."""
        sink = self.of(wearable)
        if sink is None:
            raise HTTPException(409, "This wearable is not being recorded; start a recording first.")
        sink.mark(text)

    def close(self) -> None:
        """End all of them."""
        for sink in self._sinks.values():
            sink.end()

    def _tell(self, wearable: str) -> None:
        self._hub.bus.publish(Announced("recording", {"recording": _status(self._sinks[wearable])}, wearable))


def _status(sink: RecordingSink) -> dict[str, Any]:
    return {
        "name": sink.path.name,
        "running": sink.running,
        "since": sink.started_ns / 1e6,
        "marked": sink.marked,
        "failure": sink.failure,
    }


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Recorders]:
    """Record as long as the hub runs."""
    recorders = Recorders(hub)
    try:
        yield recorders
    finally:
        await asyncio.to_thread(recorders.close)


PART = Part("recordings", ROUTER, run)


def recorders_of(connection: HTTPConnection) -> Recorders:
    """Recordings that are being made: a dependency."""
    recorders: Recorders = connection.app.state.running[PART.name]
    return recorders


Mine = Annotated[Hub, Depends(hub_of)]
Recording = Annotated[Recorders, Depends(recorders_of)]
Line = Annotated[str, Field(max_length=500)]


class Start(BaseModel):
    """What a recording is of.

    Attributes:
        subject: whom; kept in the recording.
        note: what; kept in the recording.
    """

    subject: Line = ""
    note: Line = ""


class Mark(BaseModel):
    """A moment.

    Attributes:
        text: what it is.
    """

    text: Line = ""


@ROUTER.post("/wearables/{wearable}/recording", dependencies=[KEEPS], responses=says(Recorder, 409))
async def start(wearable: str, body: Start, recorders: Recording) -> dict[str, Any]:
    """Begin to record a wearable."""
    return _status(await recorders.start(wearable, clean(body.subject), clean(body.note)))


@ROUTER.delete("/wearables/{wearable}/recording", dependencies=[KEEPS], responses=says(Recorder, 409))
async def end(wearable: str, recorders: Recording) -> dict[str, Any]:
    """End the recording of a wearable."""
    return _status(await recorders.end(wearable))


@ROUTER.post("/wearables/{wearable}/recording/mark", dependencies=[KEEPS], responses=says(Marked, 409))
def mark(wearable: str, body: Mark, recorders: Recording) -> dict[str, str]:
    """Mark this moment in the recording of a wearable."""
    text = clean(body.text)
    recorders.mark(wearable, text)
    return {"text": text}


@ROUTER.get("/recordings", dependencies=[SEES], responses=says(answers.Recordings))
def recordings(hub: Mine, recorders: Recording, seen: Seen) -> dict[str, Any]:
    """All recordings that the visitor sees, the newest first, and those that are being made."""
    folder = hub.settings.recordings
    paths = (
        sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        if folder.is_dir()
        else []
    )
    running = {one["name"]: wearable for wearable, one in recorders.status().items() if one["running"]}
    found = [brief(path) for path in paths if seen.sees(of_recording(path))]
    return {
        "recordings": [
            {"name": one.name, "size": one.size, "recording": running.get(one.name), **one.facts} for one in found
        ],
        "running": {one: status for one, status in recorders.status().items() if seen.sees(one)},
    }


@ROUTER.get("/recordings/{recording}", dependencies=[SEES], responses=says(Looked, 404))
def look(recording: str, hub: Mine) -> dict[str, Any]:
    """A recording as a page shows it."""
    path = _path(hub, recording)
    return {**whole(path), **channels(path), "facts": brief(path).facts}


@ROUTER.get(
    "/recordings/{recording}/pictures/{signal}",
    dependencies=[SEES],
    responses=says(None, 404, media="application/octet-stream"),
    response_class=Response,
)
async def frames(recording: str, signal: str, hub: Mine) -> Response:
    """Pictures of a recording one after another, each as it travels to live pages."""
    path = _path(hub, recording)
    data = await run_in_threadpool(lambda: b"".join(pictures(path, signal)))
    return Response(data, media_type="application/octet-stream")


@ROUTER.get(
    "/recordings/{recording}/file",
    dependencies=[SEES],
    responses=says(None, 404, media="application/octet-stream"),
    response_class=Response,
)
def file(recording: str, hub: Mine) -> FileResponse:
    """The recording itself."""
    path = _path(hub, recording)
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


class RunWith(BaseModel):
    """What a recording is run with.

    Attributes:
        bundle: SHA-256 of its image, hexadecimal.
    """

    bundle: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@ROUTER.get("/bundles", dependencies=[SEES], responses=says(answers.KnownBundles))
def bundles(hub: Mine) -> dict[str, Any]:
    """Bundles that recordings can be run with: those installed, and those flashed or given here."""
    return {
        "bundles": [
            {
                "sha256": one.sha256.hex(),
                "wearable": one.bundle.profile.name,
                "version": one.version,
                "installed": one.installed,
            }
            for one in hub.bundles.all()
        ]
    }


@ROUTER.post(
    "/bundles",
    dependencies=[Depends(allow(TENDING | {Role.CLINICIAN, Role.RESEARCHER}))],
    responses=says(answers.GivenBundle, 413),
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": BINARY}}}},
)
async def give_bundle(request: Request, hub: Mine) -> dict[str, str]:
    """Have recordings run with a signed bundle; the body is its image. It is put on no wearable."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_IMAGE:
            raise HTTPException(413, "No wearable holds so much; give a signed bundle.")
    sha256 = await run_in_threadpool(hub.bundles.keep, bytes(data))
    return {"sha256": sha256.hex()}


@ROUTER.post("/recordings/{recording}/again", dependencies=[SEES], responses=says(answers.RunAgain, 404, 409))
async def run_again(recording: str, body: RunWith, hub: Mine, recorders: Recording) -> dict[str, Any]:
    """Compute a recording again with another bundle, and tell where that says something else. One at a time."""
    path = _path(hub, recording)
    bundle = await run_in_threadpool(hub.bundles.of, bytes.fromhex(body.bundle))
    if bundle is None:
        raise HTTPException(404, "There is no such bundle here; look at the list for those there are, or give one.")
    async with recorders.computing:
        return await run_in_threadpool(again, path, bundle)


def _path(hub: Hub, name: str) -> Path:
    folder = hub.settings.recordings
    # A name of the folder's own listing leads nowhere else.
    found = next((path for path in folder.glob(f"*{SUFFIX}") if path.name == name), None) if folder.is_dir() else None
    if found is None:
        raise HTTPException(404, "There is no such recording; look at the list for those there are.")
    return found

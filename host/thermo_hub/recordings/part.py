"""The part of recordings: start, mark and end one; list them; look at one again."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from thermo_core.errors import UsageError
from thermo_core.files import file_name, make_folder
from thermo_core.recording.session import Session
from thermo_core.text import clean
from thermo_host.flash import MAX_IMAGE
from thermo_host.stream.pump import Sink
from thermo_hub.anomaly.answers import RestsOn
from thermo_hub.anomaly.rests import told
from thermo_hub.described import BINARY, says
from thermo_hub.events import Announced
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.recordings import answers
from thermo_hub.recordings.again import again
from thermo_hub.recordings.answers import Looked, Marked, Recorder
from thermo_hub.recordings.looking import brief, channels, facts_for, pictures, told_to, whole
from thermo_hub.recordings.nameless import nameless
from thermo_hub.recordings.rests import rests_at
from thermo_hub.recordings.sink import RecordingSink
from thermo_hub.security.aliases import SUFFIX
from thermo_hub.security.roles import TENDING, WATCHING, Named, Role, Seen, Visitor, allow
from thermo_hub.security.subjects import of_recording

ROUTER = APIRouter(prefix="/api", tags=["recordings"])
START_S = 10.0
PIECE = 1 << 18
SEES = Depends(allow(WATCHING | {Role.RESEARCHER}))
KEEPS = Depends(allow(WATCHING))
GIVES = allow(TENDING | {Role.CLINICIAN, Role.RESEARCHER})


class Recorders:
    """Recordings that are being made.

    Args:
        hub: where.

    Attributes:
        computing: taken while one is computed again, or copied for research.
        covering: taken while it is worked out what a finding of one rests on.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.computing = asyncio.Semaphore(1)
        self.covering = asyncio.Semaphore(1)
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
            return RecordingSink(folder / name, described, round(self._hub.settings.keep.spare_mb * 1e6))

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
def recordings(hub: Mine, recorders: Recording, seen: Seen, names: Named) -> dict[str, Any]:
    """All recordings that the visitor sees, the newest first, and those that are being made; a researcher gets pseudonyms."""
    folder = hub.settings.recordings
    paths = (
        sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        if folder.is_dir()
        else []
    )
    running = {one["name"]: wearable for wearable, one in recorders.status().items() if one["running"]}
    found = []
    for path in paths:
        if seen.sees(wearable := of_recording(path)):
            one, being_made = brief(path), running.get(path.name)
            found.append(
                {
                    "name": names.recording(one.name),
                    "size": one.size,
                    "recording": None if being_made is None else names.wearable(being_made),
                    "wearable": wearable and names.wearable(wearable),
                    **facts_for(one, wearable, names),
                }
            )
    return {
        "recordings": found,
        "running": {
            names.wearable(one): {
                **status,
                "name": names.recording(status["name"]),
                "failure": names.text(status["failure"]),
            }
            for one, status in recorders.status().items()
            if seen.sees(one)
        },
    }


@ROUTER.get("/recordings/{recording}", dependencies=[SEES], responses=says(Looked, 404))
def look(recording: str, hub: Mine, names: Named) -> dict[str, Any]:
    """A recording as a page shows it."""
    path = _path(hub, recording)
    facts = facts_for(brief(path), of_recording(path), names)
    return {**told_to(whole(path), names), **channels(path), "facts": facts}


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


@ROUTER.get("/recordings/{recording}/rests/{model}", dependencies=[SEES], responses=says(RestsOn, 404))
async def rests(
    recording: str,
    model: str,
    hub: Mine,
    recorders: Recording,
    at_ms: Annotated[float, Query(ge=0, le=9e12, allow_inf_nan=False)],
) -> dict[str, Any]:
    """What a model's finding at a moment of a recording rests on: the part of the picture without which it would say so less."""
    path = _path(hub, recording)
    async with recorders.covering:
        try:
            return told(await run_in_threadpool(rests_at, path, hub.bundles, model, round(at_ms * 1e6)))
        except UsageError as error:
            return {"known": False, "why": str(error)}


@ROUTER.get(
    "/recordings/{recording}/file",
    dependencies=[SEES],
    responses=says(None, 404, media="application/octet-stream"),
    response_class=Response,
)
async def file(recording: str, hub: Mine, recorders: Recording, names: Named) -> Response:
    """The recording itself; a researcher gets a copy that names nobody."""
    path = _path(hub, recording)
    if not names.hidden:
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)
    async with recorders.computing:
        copy = await run_in_threadpool(nameless, path, hub.settings.place, of_recording(path), names)
    headers = {"content-disposition": f'attachment; filename="{names.recording(path.name)}"'}
    return StreamingResponse(_pieces(copy), media_type="application/octet-stream", headers=headers)


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
    responses=says(answers.GivenBundle, 413),
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": BINARY}}}},
)
async def give_bundle(request: Request, hub: Mine, visitor: Annotated[Visitor, Depends(GIVES)]) -> dict[str, str]:
    """Have recordings run with a signed bundle; the body is its image. It is put on no wearable.

    Of one account so many are kept as `keep` of hub.toml says; then the one goes that nobody has used for longest.
    """
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_IMAGE:
            raise HTTPException(413, "No wearable holds so much; give a signed bundle.")
    worn = [one.session.hello.bundle_sha256 for one in hub.wearables.all()]
    sha256 = await run_in_threadpool(hub.bundles.keep, bytes(data), visitor.name, worn)
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


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _path(hub: Hub, name: str) -> Path:
    folder = hub.settings.recordings
    # A name of the folder's own listing leads nowhere else.
    found = next((path for path in folder.glob(f"*{SUFFIX}") if path.name == name), None) if folder.is_dir() else None
    if found is None:
        raise HTTPException(404, "There is no such recording; look at the list for those there are.")
    return found

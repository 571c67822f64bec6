"""The part of devices: routes for those who look after wearables."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from thermo_core import schema
from thermo_core.errors import StorageError, UsageError
from thermo_host import flash as flashing
from thermo_host.inventory import everything
from thermo_host.link.session import profile_of
from thermo_host.link.wearable import Wearable
from thermo_hub.described import BINARY, says
from thermo_hub.devices import answers
from thermo_hub.devices.answers import Device, Job, JobNow
from thermo_hub.devices.calibration import calibrated
from thermo_hub.devices.jobs import Jobs, Talk, Tell
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.roles import TENDING, WATCHING, allow

ROUTER = APIRouter(prefix="/api/devices/{wearable}", tags=["devices"])
ANSWER_S = 30.0
TENDS = Depends(allow(TENDING))
Answer = TypeVar("Answer")


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Jobs]:
    """Jobs last as long as the hub runs."""
    yield Jobs(hub)


PART = Part("devices", ROUTER, run)


def jobs_of(connection: HTTPConnection) -> Jobs:
    """The jobs that run: a dependency."""
    jobs: Jobs = connection.app.state.running[PART.name]
    return jobs


Mine = Annotated[Hub, Depends(hub_of)]
Working = Annotated[Jobs, Depends(jobs_of)]


@ROUTER.get("", dependencies=[TENDS], responses=says(Device, 502, 504))
async def device(wearable: str, hub: Mine, jobs: Working) -> dict[str, Any]:
    """Everything a wearable says of itself, with its counters, and the job that it had last."""
    facts = await _ask(hub, wearable, lambda one: everything(one)[2])
    return {**facts, "job": jobs.of(wearable)}


@ROUTER.post("/self-test", dependencies=[TENDS], responses=says(Job, 409, 502))
async def self_test(wearable: str, jobs: Working) -> dict[str, Any]:
    """Have it test itself; a job."""

    def work(one: Wearable, tell: Tell) -> dict[str, Any]:
        tell("self-test", 0.0)
        results = one.self_test()
        return {"passed": all(result.passed for result in results), "results": schema.to_readable(results)}

    return jobs.start(wearable, "self-test", work)


@ROUTER.post("/reset", dependencies=[TENDS], responses=says(Job, 409, 502))
async def reset(wearable: str, jobs: Working) -> dict[str, Any]:
    """Restart it; a job."""

    def work(one: Wearable, tell: Tell) -> dict[str, Any]:
        tell("reset", 0.0)
        return {"bundle": one.reset().bundle}

    return jobs.start(wearable, "reset", work)


@ROUTER.post(
    "/flash",
    dependencies=[TENDS],
    responses=says(Job, 409, 413, 502),
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": BINARY}}}},
)
async def flash(wearable: str, request: Request, hub: Mine, jobs: Working) -> dict[str, Any]:
    """Put a signed bundle on it, try it, keep it only where the wearable is well with it; a job. The body is the image."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > flashing.MAX_IMAGE:
            raise HTTPException(413, "No slot holds so much; give a signed bundle.")
    candidate = await asyncio.to_thread(_candidate, bytes(data))

    def work(one: Wearable, tell: Tell) -> dict[str, Any]:
        done = flashing.flash(
            one,
            candidate,
            progress=lambda sent, total: tell("upload", sent / max(total, 1)),
            step=lambda name: tell(name, 0.0),
        )
        with contextlib.suppress(StorageError):  # it runs, whether it is known here or not
            hub.bundles.keep(candidate.data, worn=[one.session.hello.bundle_sha256 for one in hub.wearables.all()])
        return {
            "version": done.version,
            "previous": done.previous,
            "profile": done.profile,
            "unchanged": done.unchanged,
            "development_key": candidate.development,
            "waived": list(candidate.bundle.waived),
            "self_test": schema.to_readable(done.self_test),
        }

    return jobs.start(wearable, "flash", work)


class Calibration(BaseModel):
    """How a wearable is calibrated.

    Attributes:
        set_points: temperatures of the blackbody or bath, degC.
        quick: under a minute, with fewer readings.
        uncertainty_k: expanded (k = 2), of a reading that is typed.
        sensor: name of an accelerometer, which is calibrated by itself, in positions; "" for the thermometers that go together.
    """

    set_points: Annotated[list[Annotated[float, Field(ge=-20, le=120)]], Field(min_length=2, max_length=10)] = [
        30.0,
        37.0,
    ]
    quick: bool = False
    uncertainty_k: Annotated[float, Field(gt=0, le=5)] = 0.1
    sensor: Annotated[str, Field(max_length=80)] = ""


class Reply(BaseModel):
    """What somebody says to a job's question.

    Attributes:
        words: a reading, or one of the choices.
    """

    words: Annotated[str, Field(max_length=80)]


@ROUTER.post("/calibrate", dependencies=[TENDS], responses=says(Job, 409, 502))
async def calibrate(wearable: str, body: Calibration, hub: Mine, jobs: Working) -> dict[str, Any]:
    """Calibrate it before a blackbody, in a bath or in positions; a job, which asks for readings and whether to write."""

    def work(one: Wearable, talk: Talk) -> dict[str, Any]:
        folder = hub.settings.calibrations
        return calibrated(one, talk, body.set_points, body.quick, body.uncertainty_k, folder, body.sensor)

    return jobs.start(wearable, "calibration", work)


@ROUTER.get("/job", dependencies=[TENDS], responses=says(JobNow))
async def job(wearable: str, jobs: Working) -> dict[str, Any]:
    """How its job stands; it is told while the wearable itself has no time to answer."""
    return {"job": jobs.of(wearable)}


@ROUTER.post("/job/answer", dependencies=[TENDS], responses=says(Job, 409))
async def reply(wearable: str, body: Reply, jobs: Working) -> dict[str, Any]:
    """Answer what its job asks."""
    return jobs.answer(wearable, body.words)


@ROUTER.post("/job/end", dependencies=[TENDS], responses=says(Job, 409))
async def end_job(wearable: str, jobs: Working) -> dict[str, Any]:
    """End its job at the next step."""
    return jobs.give_up(wearable)


class Seen(BaseModel):
    """An alert of a wearable's own that somebody has seen.

    Attributes:
        alert: its name.
    """

    alert: Annotated[str, Field(max_length=80)]


@ROUTER.post(
    "/acknowledge", dependencies=[Depends(allow(WATCHING | TENDING))], responses=says(answers.SeenAlert, 502, 504)
)
async def acknowledge(wearable: str, body: Seen, hub: Mine) -> dict[str, str]:
    """Tell a wearable that somebody has seen one of its alerts."""

    def work(one: Wearable) -> None:
        names = [alert.name for alert in profile_of(one).alerts]
        if body.alert not in names:
            raise UsageError(f"The wearable has no alert {body.alert!r:.80}; it has {', '.join(names) or 'none'}.")
        one.acknowledge(names.index(body.alert))

    await _ask(hub, wearable, work)
    return {"alert": body.alert}


async def _ask(hub: Hub, wearable: str, work: Callable[[Wearable], Answer]) -> Answer:
    """Have something short done with a wearable while it streams."""
    answer = asyncio.wrap_future(hub.wearables.listener(wearable).ask(work))
    try:
        return await asyncio.wait_for(answer, ANSWER_S)
    except TimeoutError as error:
        raise HTTPException(504, "The wearable takes too long to answer; look at its line and try again.") from error


def _candidate(data: bytes) -> flashing.Candidate:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.img"
        path.write_bytes(data)
        return flashing.load(path)

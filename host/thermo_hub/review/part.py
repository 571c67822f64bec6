"""The part of review: the queue, windows, steps of readers, their agreement, and labels for training."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from thermo_core.errors import SchemaError, UsageError
from thermo_core.files import file_name
from thermo_core.labels import MOST_POINTS, MOST_RANGES, MOST_SHAPES, Kind, Opinion, to_bytes
from thermo_core.schema import from_plain
from thermo_core.text import clean
from thermo_core.wearable.profile import NOTICE
from thermo_hub.described import says
from thermo_hub.hub import Hub, Part
from thermo_hub.review import playing
from thermo_hub.review.answers import Agreements, Finding, Queue, ReadWindow, WholeWindow
from thermo_hub.review.desk import Desk
from thermo_hub.review.labels import labels
from thermo_hub.review.shown import brief, told
from thermo_hub.security.consents import HOW
from thermo_hub.security.pseudonyms import KEY_FILE, key_of
from thermo_hub.security.roles import Named, Role, Seen, Visitor, allow

ROUTER = APIRouter(prefix="/api/review", tags=["review"])
SEEING = frozenset((Role.CLINICIAN, Role.RESEARCHER))
"""Those who see windows; a researcher by pseudonyms."""


@dataclass(frozen=True, slots=True)
class Running:
    """Reviews at work.

    Attributes:
        desk: of them.
        folder: of recordings.
        key: by which pseudonyms are made.
    """

    desk: Desk
    folder: Path
    key: bytes


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Running]:
    """Review as long as the hub runs.

    Raises:
        StorageError: the secret of pseudonyms cannot be kept.
    """
    key = await asyncio.to_thread(key_of, hub.settings.place / KEY_FILE)
    folder = hub.settings.recordings
    yield Running(Desk(hub.store, folder), folder, key)


PART = Part("review", ROUTER, run)


def running(connection: HTTPConnection) -> Running:
    """What runs: a dependency."""
    found: Running = connection.app.state.running[PART.name]
    return found


Runs = Annotated[Running, Depends(running)]
Sees = Annotated[Visitor, Depends(allow(SEEING))]
Reads = Annotated[Visitor, Depends(allow(Role.CLINICIAN))]
Coordinate = Annotated[float, Field(ge=0, le=4096, allow_inf_nan=False)]
Moment = Annotated[float, Field(ge=0, le=9e12, allow_inf_nan=False)]
Name = Annotated[str, Query(max_length=64)]


class MarkedPlace(BaseModel):
    """A place on a picture.

    Attributes:
        kind: a box has two corners, a polygon three points or more.
        signal: the picture.
        points: (x, y), pixels from the left and from the top.
    """

    kind: Literal["box", "polygon"]
    signal: Annotated[str, Field(max_length=97)]
    points: Annotated[list[tuple[Coordinate, Coordinate]], Field(min_length=2, max_length=MOST_POINTS)]


class OpinionSaid(BaseModel):
    """What a reader says.

    Attributes:
        label: a class of the model; null where the reader cannot tell.
        shapes: where it is seen.
        ranges: from and to, milliseconds since 1970 UTC, between which it holds; all of the window where there is none.
        note: in words.
    """

    label: Annotated[str, Field(max_length=200)] | None
    shapes: Annotated[list[MarkedPlace], Field(max_length=MOST_SHAPES)]
    ranges: Annotated[list[tuple[Moment, Moment]], Field(max_length=MOST_RANGES)]
    note: Annotated[str, Field(max_length=500)] = ""

    def opinion(self) -> Opinion:
        """The same as it is kept.

        Raises:
            UsageError: something of it cannot be.
        """
        plain = {
            "label": self.label,
            "shapes": [one.model_dump() for one in self.shapes],
            "ranges": [{"from_ns": round(a * 1e6), "to_ns": round(b * 1e6)} for a, b in self.ranges],
            "note": clean(self.note),
        }
        try:
            return from_plain(plain, Opinion, "")
        except SchemaError as error:
            raise UsageError(str(error)) from None


class StepTaken(BaseModel):
    """A step of a reader.

    Attributes:
        kind: of it.
        opinion: held from now on; left out where it is kept.
        expected: number of the reader's own steps on this window that the page knew of.
    """

    kind: Kind
    opinion: OpinionSaid | None = None
    expected: Annotated[int, Field(ge=0)]


@ROUTER.get("", responses=says(Queue))
def queue(
    runs: Runs, visitor: Sees, seen: Seen, state: Annotated[str, Query(pattern="^(mine|all)$")] = "mine"
) -> dict[str, Any]:
    """Windows that wait for this reader, or all of them; the most urgent first."""
    runs.desk.gather()
    every = [brief(one, visitor, runs.key) for one in runs.desk.all() if seen.sees(one.row.wearable)]
    shown = every if state == "all" else [one for one in every if one["may"]]
    return {"items": shown, "all": len(every), "notice": NOTICE}


@ROUTER.get("/agreement", responses=says(Agreements))
def agreement(runs: Runs, _: Sees, seen: Seen) -> dict[str, Any]:
    """Cohen's kappa of each two readers, with its interval, over all classes and for each against the rest."""
    return {"pairs": runs.desk.agreement(seen), "level": 0.95, "notice": NOTICE}


@ROUTER.get("/labels.npz", responses=says(media="application/octet-stream"), response_class=Response)
def exported(
    runs: Runs,
    _: Sees,
    seen: Seen,
    names: Named,
    profile: Name,
    model: Name = "",
    decided: Annotated[bool, Query()] = False,
) -> Response:
    """What was read of a wearable and its wearers have agreed to training with, as the file that `thermo-models train --labels` takes."""
    if names.hidden and not seen.wearables:
        raise HTTPException(403, f"No wearer that you see has given consent to research; {HOW}.")
    data = to_bytes(labels(runs.desk, runs.folder, runs.key, profile, model, decided, seen))
    headers = {"content-disposition": f'attachment; filename="labels-{file_name(profile)}.npz"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


@ROUTER.get("/{item}", responses=says(WholeWindow, 404))
def window(item: str, runs: Runs, visitor: Sees) -> dict[str, Any]:
    """A window as a reader may see it: its signals, and of opinions those that are theirs to see."""
    kept = runs.desk.one(item)
    drawn = playing.shown(runs.folder / kept.row.recording, kept.row.from_ns, kept.row.to_ns)
    return {**told(kept, visitor, runs.key), **drawn, "notice": NOTICE}


@ROUTER.get("/{item}/finding", responses=says(Finding, 404, 409))
def finding(item: str, runs: Runs, visitor: Sees) -> dict[str, Any]:
    """What the model said of a window; refused to whoever has not read it yet."""
    return {**runs.desk.finding(item, visitor.name), "notice": NOTICE}


@ROUTER.get(
    "/{item}/pictures/{signal}",
    responses=says(None, 404, media="application/octet-stream"),
    response_class=Response,
)
def frames(item: str, signal: str, runs: Runs, _: Sees) -> Response:
    """Pictures of a window one after another, each as it travels to live pages."""
    kept = runs.desk.one(item)
    path = runs.folder / kept.row.recording
    data = playing.pictures(path, signal, kept.row.from_ns, kept.row.to_ns)
    return Response(data, media_type="application/octet-stream")


@ROUTER.post("/{item}/steps", responses=says(ReadWindow, 404, 409))
def step(item: str, body: StepTaken, runs: Runs, visitor: Reads) -> dict[str, Any]:
    """Say what you see; each step is kept, and none is changed."""
    opinion = None if body.opinion is None else body.opinion.opinion()
    return told(runs.desk.step(item, visitor.name, body.kind, opinion, body.expected), visitor, runs.key)

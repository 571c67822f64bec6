"""The part of what stands out: it watches every picture, remembers what is usual of each wearer, and draws annotated pictures."""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response
from sqlalchemy import delete, insert, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from thermo_core.errors import StorageError, UsageError
from thermo_core.files import file_name
from thermo_core.quality import in_words
from thermo_core.recording.session import Session
from thermo_core.signals import Signal, Values
from thermo_host.moments import utc, utc_of_second
from thermo_host.screen.layout import is_picture, picture
from thermo_hub.anomaly.answers import RestsOn
from thermo_hub.anomaly.deviation import Deviation, Overlay
from thermo_hub.anomaly.drawing import Drawing, Subject, draw, to_png, to_svg
from thermo_hub.anomaly.occlusion import Rest
from thermo_hub.anomaly.rests import Rests, told
from thermo_hub.anomaly.tables import ALERT_PICTURE
from thermo_hub.described import says
from thermo_hub.events import ALERT_STEP, Announced, Event, Fed, Joined, Pictured, Sampled
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.roles import WATCHING, allow
from thermo_hub.store.tables import BASELINE

LOGGER = logging.getLogger(__name__)
ROUTER = APIRouter(prefix="/api/wearables/{wearable}", tags=["pictures"])
PICTURE_NS = 10_000_000_000
"""How often it is told that a picture can be drawn."""
KEEP_S = 60.0
"""How often what was learned is kept."""
RAISED = frozenset(("raised", "notified"))
"""What the bus carries when an alert takes a step, and the first of its states."""
FRESH_NS = 10_000_000_000
MOST_KEPT = 500
"""Pictures of alerts that are kept of a wearable."""
SHOWN = 0.3
"""Share by which a drawn picture follows each new one."""


class Watch:
    """Watches pictures of all wearables.

    Args:
        hub: where.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._deviations: dict[tuple[str, str], Deviation] = {}
        self._bases: dict[tuple[str, str], str] = {}
        self._kept: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._told_ns: dict[tuple[str, str], int] = {}
        self.overlays: dict[tuple[str, str], Overlay] = {}
        self.rests = Rests(hub)
        self.pictures: dict[tuple[str, str], tuple[int, Values, int]] = {}
        self.raised: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def recall(self) -> None:
        """Read what was learned before."""
        with self._hub.store.read() as connection:
            for row in connection.execute(select(BASELINE)):
                self._kept[row.wearable, row.signal] = row.basis, row.state

    def keep(self) -> None:
        """Write what was learned."""
        now = time.time_ns()
        with self._hub.store.write() as connection:
            for (wearable, signal), one in list(self._deviations.items()):
                where = (BASELINE.c.wearable == wearable) & (BASELINE.c.signal == signal)
                connection.execute(delete(BASELINE).where(where))
                connection.execute(
                    insert(BASELINE).values(
                        wearable=wearable,
                        signal=signal,
                        basis=self._bases.get((wearable, signal), ""),
                        state=one.state,
                        updated_ns=now,
                        samples=one.samples,
                    )
                )

    def take(self, event: Event) -> None:
        """Take an event; a handler of the bus."""
        if isinstance(event, Joined):
            self._begin(event.wearable, event.session)
        elif isinstance(event, Announced):
            self._note(event)
        elif isinstance(event, Sampled) and is_picture(event.signal) and event.signal.unit == "degC":
            self._look(event)

    def keep_pictures(self, alert: str, wearable: str) -> None:
        """Keep the pictures of a wearable as they are when an alert of it is raised."""
        for (of, signal), (utc_ns, _, _) in list(self.pictures.items()):
            drawing = drawn(self._hub, self, wearable, signal) if of == wearable else None
            if drawing is None:
                continue
            png = to_png(drawing(), factor=1)
            where = ALERT_PICTURE.c.wearable == wearable
            with self._hub.store.write() as connection:
                mine = (ALERT_PICTURE.c.alert == alert) & (ALERT_PICTURE.c.signal == signal)
                if connection.execute(select(ALERT_PICTURE.c.at_ns).where(mine)).first() is None:
                    connection.execute(
                        insert(ALERT_PICTURE).values(
                            alert=alert, signal=signal, wearable=wearable, at_ns=utc_ns, png=png
                        )
                    )
                newest = select(ALERT_PICTURE.c.at_ns).where(where).order_by(ALERT_PICTURE.c.at_ns.desc())
                oldest = connection.execute(newest.offset(MOST_KEPT).limit(1)).scalar()
                if oldest is not None:
                    connection.execute(delete(ALERT_PICTURE).where(where, ALERT_PICTURE.c.at_ns <= oldest))

    def _note(self, event: Announced) -> None:
        alert = event.data.get("alert", {})
        if event.kind != ALERT_STEP or alert["state"] not in RAISED or alert["level"]:
            return
        if time.time_ns() - alert["raised_ms"] * 1_000_000 < FRESH_NS:
            self.raised.put_nowait((alert["id"], event.wearable))

    def _begin(self, wearable: str, session: Session) -> None:
        """Forget what was learned of another sensor, or with another correction."""
        for sensor, (settings, state) in enumerate(zip(session.profile.sensors, session.hello.sensors, strict=False)):
            key = wearable, settings.name
            correction = session.corrections.get(sensor, b"") if state.corrected else b""
            basis = hashlib.sha256(state.id + correction).hexdigest()
            if self._bases.get(key, basis) != basis:
                self._deviations.pop(key, None)
                self.overlays.pop(key, None)
            self._bases[key] = basis

    def _look(self, event: Sampled) -> None:
        key = event.wearable, event.signal.name
        values = picture(event.values)
        before = self.pictures.get(key)
        calm = values
        if before is not None and event.utc_ns - before[0] < 2_000_000_000 and before[1].shape == values.shape:
            calm = np.where(
                np.isfinite(before[1]) & np.isfinite(values), before[1] + SHOWN * (values - before[1]), values
            )
        self.pictures[key] = event.utc_ns, calm.astype(np.float32), event.flags
        one = self._deviations.get(key)
        if one is None:
            signal = Signal(
                event.signal.name, values.shape, event.signal.unit, event.signal.rate_hz, event.signal.clock
            )
            one = self._deviations[key] = Deviation(signal, self._hub.settings.usual_learn_s)
            basis, state = self._kept.pop(key, ("", b""))
            if basis == self._bases.get(key):
                with contextlib.suppress(ValueError):
                    one.load(state)
        overlay = one.push(event.utc_ns, values, event.flags)
        if overlay is not None:
            self.overlays[key] = overlay
            self._hub.bus.publish(Announced("overlay", {"overlay": overlay.to_map()}, event.wearable))
        if event.utc_ns - self._told_ns.get(key, 0) >= PICTURE_NS:
            self._told_ns[key] = event.utc_ns
            drawing = drawn(self._hub, self, *key)
            if drawing is not None:
                png = lambda: to_png(drawing())  # noqa: E731
                self._hub.bus.publish(Pictured(event.wearable, event.signal.name, event.utc_ns, png))


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Watch]:
    """Watch as long as the hub runs."""
    watch = Watch(hub)
    await asyncio.to_thread(watch.recall)
    hub.bus.handle((Joined, Sampled, Announced), watch.take)
    hub.bus.handle((Fed,), watch.rests.take)
    tasks = [asyncio.create_task(_keep_on(watch)), asyncio.create_task(_picture_on(watch))]
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(watch.rests.end)
        await asyncio.to_thread(_keep, watch)


async def _keep_on(watch: Watch) -> None:
    while True:
        await asyncio.sleep(KEEP_S)
        await asyncio.to_thread(_keep, watch)


async def _picture_on(watch: Watch) -> None:
    while True:
        alert, wearable = await watch.raised.get()
        try:
            await asyncio.to_thread(watch.keep_pictures, alert, wearable)
        except StorageError as error:
            LOGGER.error("%s", error)
        except Exception:
            LOGGER.exception("The picture of an alert could not be kept.")


def _keep(watch: Watch) -> None:
    try:
        watch.keep()
    except StorageError as error:
        LOGGER.error("%s", error)


PART = Part("anomaly", ROUTER, run)


def watch_of(connection: HTTPConnection) -> Watch:
    """What watches: a dependency."""
    watch: Watch = connection.app.state.running[PART.name]
    return watch


Mine = Annotated[Hub, Depends(hub_of)]
Watching = Annotated[Watch, Depends(watch_of)]
SEES = Depends(allow(WATCHING))


@ROUTER.get("/rests/{model}", dependencies=[SEES], responses=says(RestsOn))
async def rests(wearable: str, model: str, watch: Watching) -> dict[str, Any]:
    """What the newest finding of a model rests on: the part of the picture without which it would say so less."""
    try:
        found = await watch.rests.of(wearable, model)
    except UsageError as error:
        return {"known": False, "why": str(error)}
    return told(found)


@ROUTER.get(
    "/pictures/{signal}.svg",
    dependencies=[SEES],
    responses=says(None, 404, media="image/svg+xml"),
    response_class=Response,
)
async def svg(wearable: str, signal: str, hub: Mine, watch: Watching) -> Response:
    """The newest picture, annotated, as SVG."""
    drawing = _found(wearable, signal, hub, watch, await _resting(wearable, signal, hub, watch))
    text = await run_in_threadpool(lambda: to_svg(drawing()))
    return Response(text, media_type="image/svg+xml", headers=_named(wearable, signal, "svg"))


@ROUTER.get(
    "/pictures/{signal}.png", dependencies=[SEES], responses=says(None, 404, media="image/png"), response_class=Response
)
async def png(wearable: str, signal: str, hub: Mine, watch: Watching) -> Response:
    """The newest picture, annotated, as PNG."""
    drawing = _found(wearable, signal, hub, watch, await _resting(wearable, signal, hub, watch))
    data = await run_in_threadpool(lambda: to_png(drawing()))
    return Response(data, media_type="image/png", headers=_named(wearable, signal, "png"))


def _found(wearable: str, signal: str, hub: Hub, watch: Watch, resting: tuple[Rest, ...]) -> Callable[[], Drawing]:
    found = drawn(hub, watch, wearable, signal, resting)
    if found is None:
        raise HTTPException(404, "There is no such picture; look at the page of the wearable for those there are.")
    return found


def drawn(
    hub: Hub, watch: Watch, wearable: str, signal: str, resting: tuple[Rest, ...] = ()
) -> Callable[[], Drawing] | None:
    """What draws the newest picture, outside the event loop; None where there is none."""
    worn, newest = hub.wearables.get(wearable), watch.pictures.get((wearable, signal))
    if worn is None or newest is None:
        return None
    utc_ns, values, flags = newest
    session = worn.session
    sensor = next((one for one in session.profile.sensors if one.name == signal), None)
    known = [f"calibration: {_calibrated(session, signal)}"]
    known += [f"quality: {', '.join(in_words(flags))}"] if flags else []
    place = f", {sensor.place}" if sensor is not None and sensor.place else ""
    title = f"{worn.label or session.hello.profile} ({session.hello.serial}), {signal}{place}"
    subject = Subject(title, f"{utc(utc_ns)[:19].replace('T', ' ')} UTC", tuple(known))
    overlay = watch.overlays.get((wearable, signal))
    return lambda: draw(values, overlay, subject, resting)


async def _resting(wearable: str, signal: str, hub: Hub, watch: Watch) -> tuple[Rest, ...]:
    """What findings that look at a picture rest on, as far as that is known."""
    found: list[Rest] = []
    worn = hub.wearables.get(wearable)
    for model in worn.session.profile.models if worn is not None else ():
        with contextlib.suppress(UsageError):
            one = await watch.rests.of(wearable, model.name)
            found += [one.rest] if one.signal == signal else []
    return tuple(found)


def _calibrated(session: Session, signal: str) -> str:
    """How well the sensor of a picture is known, in words."""
    for number, settings in enumerate(session.profile.sensors):
        if settings.name == signal and number < len(session.hello.sensors):
            correction = session.correction(number) if session.hello.sensors[number].corrected else None
            if correction is not None:
                stamp = correction.stamp
                return f"{utc_of_second(stamp.created_unix_s)[:10]}, ± {2 * stamp.residual_rms:.2f} K (k = 2)"
    return "none"


def _named(wearable: str, signal: str, suffix: str) -> dict[str, str]:
    return {"content-disposition": f'inline; filename="{file_name(f"{wearable}-{signal}")}.{suffix}"'}

"""What a hub says while it is looked at, as typed events. Times are milliseconds since 1970 UTC, and pictures' are nanoseconds."""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from thermo_hub.client.answers import Alert, Job, Recorder, Shut


class _Said(msgspec.Struct, frozen=True, tag_field="type"):
    """A message."""


class Wall(_Said, frozen=True, tag="wall"):
    """Who is here.

    Attributes:
        wearables: ids.
        shut: ports behind which none answers.
    """

    wearables: list[str]
    shut: list[Shut]


class PictureStream(msgspec.Struct, frozen=True):
    """A stream of pictures.

    Attributes:
        stream: its number.
        signal: it is of.
        place: of the sensor; "" where that is not said.
        rows, columns: of a picture.
        unit: of its pixels.
    """

    stream: int
    signal: str
    place: str | None
    rows: int
    columns: int
    unit: str


class Session(_Said, frozen=True, tag="session"):
    """What a wearable is, and what of it is shown.

    Attributes:
        id: of it.
        label: what people call it.
        name, serial, profile, bundle, software, platform: of the device.
        simulated: its hardware is.
        state: live, or why not in a word; `reason` in words.
        notice: that it informs only.
        sensors, channels, hearts, bodies, models, alerts: that it has.
        pictures: its streams.
    """

    id: str
    label: str
    name: str
    serial: str
    profile: str
    bundle: str
    software: str
    platform: str
    simulated: bool
    state: str
    reason: str
    notice: str
    sensors: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    hearts: list[dict[str, Any]] = []
    bodies: list[dict[str, Any]] = []
    models: list[dict[str, Any]] = []
    alerts: list[dict[str, Any]] = []
    pictures: list[PictureStream] = []


Rows = dict[str, list[list[float | None]]]
"""Of each signal rows of seconds since 1970 and its numbers."""


class Past(_Said, frozen=True, tag="past"):
    """The last minutes of a wearable.

    Attributes:
        id: of it.
        signals: means of seconds.
        waves: every sample of fast signals.
        newest: sample of each signal.
        findings: newest of each model.
        alerts: of its own.
        events: that it told of.
        gaps: in which nothing came.
        line: how it does.
    """

    id: str
    signals: Rows = {}
    waves: Rows = {}
    newest: dict[str, dict[str, Any]] = {}
    findings: dict[str, dict[str, Any]] = {}
    alerts: dict[str, dict[str, Any]] = {}
    events: list[dict[str, Any]] = []
    gaps: list[dict[str, Any]] = []
    line: dict[str, Any] = {}


class Pulse(_Said, frozen=True, tag="pulse"):
    """A second of a wearable.

    Attributes:
        id: of it.
        at: now.
        signals, waves, newest, findings, line: as in `Past`, what is new.
    """

    id: str
    at: float
    signals: Rows = {}
    waves: Rows = {}
    newest: dict[str, dict[str, Any]] = {}
    findings: dict[str, dict[str, Any]] = {}
    line: dict[str, Any] = {}


class Left(_Said, frozen=True, tag="left"):
    """A wearable has fallen silent.

    Attributes:
        id: of it.
        since: last sign of it.
        reason: why.
    """

    id: str
    since: float
    reason: str


class Gap(msgspec.Struct, frozen=True):
    """A time in which nothing came.

    Attributes:
        from_, to: its ends.
        reason: why.
    """

    to: float
    reason: str
    from_: float = msgspec.field(name="from")


class Returned(_Said, frozen=True, tag="returned"):
    """A wearable is back.

    Attributes:
        id: of it.
        gap: in which nothing came.
    """

    id: str
    gap: Gap


class DeviceAlert(_Said, frozen=True, tag="device alert"):
    """An alert of a wearable's own took a step.

    Attributes:
        id: of the wearable.
        alert: the step.
    """

    id: str
    alert: dict[str, Any]


class DeviceEvent(_Said, frozen=True, tag="event"):
    """A wearable told of something that happened on it.

    Attributes:
        id: of it.
        event: what.
    """

    id: str
    event: dict[str, Any]


class OverlayMade(_Said, frozen=True, tag="overlay"):
    """What stands out on a picture.

    Attributes:
        id: of the wearable.
        overlay: outlines, in pixels.
    """

    id: str
    overlay: dict[str, Any]


class JobStep(_Said, frozen=True, tag="job"):
    """A job on a wearable goes on.

    Attributes:
        id: of the wearable.
        job: as it stands.
    """

    id: str
    job: Job


class RecordingChanged(_Said, frozen=True, tag="recording"):
    """A recording began or ended.

    Attributes:
        id: of the wearable.
        recording: as it stands.
    """

    id: str
    recording: Recorder


class AlertStep(_Said, frozen=True, tag="alert-step"):
    """An alert of the hub took a step.

    Attributes:
        alert: as it stands.
        id: of the wearable; "" for the hub's own.
    """

    alert: Alert
    id: str = ""


class AlertCall(_Said, frozen=True, tag="alert"):
    """An alert calls somebody.

    Attributes:
        delivery: the same where it is told again.
        calls: else it only tells.
        at_ms: of the step.
        step: state that it led to.
        by: who took it.
        label: what people call the wearable.
        alert: as it stands.
        notice: that it informs only.
        id: of the wearable; "" for the hub's own.
    """

    delivery: str
    calls: bool
    at_ms: int
    step: str
    by: str
    label: str
    alert: Alert
    notice: str
    id: str = ""


class Time(_Said, frozen=True, tag="time"):
    """The hub's time.

    Attributes:
        sent: what was sent to ask for it.
        utc: what time it is.
    """

    sent: float
    utc: float


class Beat(_Said, frozen=True, tag="beat"):
    """Nothing happens, and the hub is there.

    Attributes:
        utc: what time it is.
    """

    utc: float


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture.

    Attributes:
        id: of the wearable.
        signal: it is of.
        unit: of its pixels.
        utc_ns: of its capture, nanoseconds since 1970 UTC.
        values: (rows, columns) float32; NaN where there is no value.
    """

    id: str
    signal: str
    unit: str
    utc_ns: int
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Other:
    """A message of a kind that this client does not know.

    Attributes:
        type: it has.
        data: all of it.
    """

    type: str
    data: dict[str, Any]


Said = (
    Wall
    | Session
    | Past
    | Pulse
    | Left
    | Returned
    | DeviceAlert
    | DeviceEvent
    | OverlayMade
    | JobStep
    | RecordingChanged
    | AlertStep
    | AlertCall
    | Time
    | Beat
)
Event = Said | Picture | Other

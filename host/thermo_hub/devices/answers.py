"""What the routes of devices answer."""

from typing import Any

from thermo_hub.described import Answer


class Question(Answer):
    """What a job asks whoever looks at it.

    Attributes:
        words: the question.
        choices: answers there are; empty where something is to be typed.
    """

    words: str
    choices: list[str]


class Job(Answer):
    """What takes long on a wearable.

    Attributes:
        id: of it.
        what: it is.
        state: running, done or failed.
        step: that goes on.
        share: of the step that is done.
        notes: what was said on the way.
        ask: what it waits for; None where for nothing.
        result: what came of it; None while it runs.
    """

    id: str
    what: str
    state: str
    step: str
    share: float
    notes: list[str]
    ask: Question | None
    result: dict[str, Any] | None


class JobNow(Answer):
    """How the job of a wearable stands.

    Attributes:
        job: it, or the one that it had last; None before the first.
    """

    job: Job | None


class Image(Answer):
    """An image on a wearable.

    Attributes:
        slot: it lies in.
        version: of it.
        sha256: of it, hexadecimal.
        bootable, pending, confirmed, active, permanent: as the boot loader has it.
    """

    slot: int
    version: str
    sha256: str
    bootable: bool
    pending: bool
    confirmed: bool
    active: bool
    permanent: bool


class Device(Answer):
    """Everything that a wearable says of itself.

    Attributes:
        port: where it is.
        hello: who it is.
        sensors: with their corrections.
        models: of its bundle.
        alerts: of its own.
        person: what it knows of the wearer.
        images: on it.
        counters: since its start.
        round_trip_s: of the line.
        job: that it had last; None before the first.
    """

    port: str
    hello: dict[str, Any]
    sensors: list[dict[str, Any]]
    models: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    person: dict[str, float]
    images: list[Image]
    counters: dict[str, int]
    round_trip_s: float
    job: Job | None


class SeenAlert(Answer):
    """An alert of a wearable's own that somebody has seen.

    Attributes:
        alert: its name.
    """

    alert: str

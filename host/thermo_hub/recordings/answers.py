"""What the routes of recordings answer. Times are milliseconds since 1970 UTC."""

from typing import Annotated, Any

from pydantic import Field

from thermo_hub.described import Answer


class Recorder(Answer):
    """A recording that is made, or was since the hub began.

    Attributes:
        name: of the file.
        running: whether it goes on.
        since: when it began.
        marked: markers so far.
        failure: why it ended; empty where nothing went wrong.
    """

    name: str
    running: bool
    since: float
    marked: int
    failure: str | None


class Listed(Answer):
    """A recording in the list.

    Attributes:
        name: of the file.
        size: bytes.
        recording: id of the wearable that it is being made of; None where it is over.
        wearable: id of the wearable that it is of; "" where it cannot be read.
        serial, profile, bundle, simulated, started, subject, note: whose it is; absent where it cannot be read.
        problem: why it cannot be read.
    """

    name: str
    size: int
    recording: str | None
    wearable: str
    serial: str = ""
    profile: str = ""
    bundle: str = ""
    simulated: bool = False
    started: str = ""
    subject: str = ""
    note: str = ""
    problem: str = ""


class Recordings(Answer):
    """All recordings.

    Attributes:
        recordings: newest first.
        running: by wearable.
    """

    recordings: list[Listed]
    running: dict[str, Recorder]


class Marked(Answer):
    """A marker.

    Attributes:
        text: what it is.
    """

    text: str


class Looked(Answer):
    """A recording as a page shows it.

    Attributes:
        name: of the file.
        started: when, ISO 8601 in UTC.
        from_: of its first record, as "from".
        to: of its last.
        complete: whether it was ended.
        damaged: stretches that cannot be read.
        lines: of each signal rows of seconds since 1970 and its numbers.
        findings: of models.
        alerts: of the wearable's own.
        gaps: in which nothing came.
        markers: that somebody set.
        pictures, bodies, channels: what of it is drawn as what.
        facts: whose it is.
    """

    name: str
    started: str
    from_: Annotated[float, Field(alias="from")]
    to: float
    complete: bool
    damaged: Any
    lines: dict[str, list[list[float | None]]]
    findings: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    markers: list[dict[str, Any]]
    pictures: list[dict[str, Any]]
    bodies: list[dict[str, Any]]
    channels: list[dict[str, Any]]
    facts: dict[str, Any]


class KnownBundle(Answer):
    """A bundle that recordings can be run with.

    Attributes:
        sha256: of its image, hexadecimal.
        wearable: whose.
        version: of it.
        installed: whether it came with the hub.
    """

    sha256: str
    wearable: str
    version: str
    installed: bool


class KnownBundles(Answer):
    """All of them.

    Attributes:
        bundles: by the names of their wearables.
    """

    bundles: list[KnownBundle]


class GivenBundle(Answer):
    """A bundle that is known from here on.

    Attributes:
        sha256: of its image, hexadecimal.
    """

    sha256: str


class ModelAgain(Answer):
    """A model's findings, recorded and computed again.

    Attributes:
        name: of the model.
        both: moments of which there is a finding now and then.
        same: of these, with the same label or the same quantities.
        greatest: difference of any value.
        recorded_only: recorded, and not computed again.
        again_only: computed again, and not recorded.
    """

    name: str
    both: int
    same: int
    greatest: float
    recorded_only: int
    again_only: int


class AlertAgain(Answer):
    """How often an alert was raised.

    Attributes:
        name: of it.
        recorded: in the recording.
        again: computed again; None where it is not computed.
    """

    name: str
    recorded: int
    again: int | None


class SaidOfMoment(Answer):
    """What a model said of a moment.

    Attributes:
        words: label, or quantities with their units.
        flags: what is in doubt.
    """

    words: str
    flags: list[str]


class DifferenceAgain(Answer):
    """A moment of which something else is said.

    Attributes:
        utc: when.
        model: its name.
        recorded, again: what was said.
    """

    utc: float
    model: str
    recorded: SaidOfMoment
    again: SaidOfMoment


class RunAgain(Answer):
    """A recording, computed again with another bundle.

    Attributes:
        wearable: whose bundle ran.
        models, alerts: what was compared.
        different: moments of which something else is said.
        differences: the first of them.
        notice: that it informs only.
    """

    wearable: str
    models: list[ModelAgain]
    alerts: list[AlertAgain]
    different: int
    differences: list[DifferenceAgain]
    notice: str

"""What happens to wearables, as typed events: what the parts of the hub tell one another over the bus.

Times are nanoseconds since 1970 UTC of the capture, unless they are called otherwise. A wearable is named by its `id`, which stays
the same over restarts of the hub.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thermo_core.recording.session import Session
from thermo_core.signals import Signal, Values
from thermo_core.wire.records import AlertRecord, EventRecord, FindingRecord
from thermo_host.sinks.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Joined:
    """A wearable answers, or says that it is not as before: from here on this session holds.

    Attributes:
        wearable: its id.
        session: who it is and what it has.
        at_ns: since when.
        changes: what is not as it was, in words; empty the first time.
    """

    wearable: str
    session: Session
    at_ns: int
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A wearable has fallen silent, or its cable was pulled; it is waited for.

    Attributes:
        wearable: its id.
        since_ns: last sign of it.
        reason: why, in words.
    """

    wearable: str
    since_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A wearable that had left is back.

    Attributes:
        wearable: its id.
        from_ns, to_ns: ends of the time in which nothing was heard.
        reason: why.
    """

    wearable: str
    from_ns: int
    to_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sample of a signal: of a sensor, or of a stage that runs here.

    Attributes:
        wearable: its id.
        signal: whose sample it is.
        utc_ns: when it was captured.
        received_ns: when it came.
        values: of the signal's shape, float32, in its unit; NaN where there is no value.
        flags: `Quality`.
    """

    wearable: str
    signal: Signal
    utc_ns: int
    received_ns: int
    values: Values
    flags: int


@dataclass(frozen=True, slots=True)
class Fed:
    """What a model that looks at a picture was given, as worked out here.

    Attributes:
        wearable: its id.
        model: its name.
        utc_ns: of the moment.
        values: of the model's inputs, in its order.
        flags: `Quality` of all of them.
    """

    wearable: str
    model: str
    utc_ns: int
    values: tuple[Values, ...]
    flags: int


@dataclass(frozen=True, slots=True)
class Found:
    """A model on a wearable said something.

    Attributes:
        wearable: its id.
        model: its name.
        utc_ns: of the moment it is about.
        record: what it said.
        facts: the same for JSON, as `thermo-host stream --json` has it, with the notice that it informs only.
    """

    wearable: str
    model: str
    utc_ns: int
    record: FindingRecord
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stepped:
    """An alert of a wearable's own profile took a step, or stands so when the wearable joins.

    Attributes:
        wearable: its id.
        alert: its name.
        utc_ns: when it was said.
        record: the step.
        facts: the same for JSON.
    """

    wearable: str
    alert: str
    utc_ns: int
    record: AlertRecord
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A wearable told of something that happened on it.

    Attributes:
        wearable: its id.
        utc_ns: when.
        record: what.
    """

    wearable: str
    utc_ns: int
    record: EventRecord


@dataclass(frozen=True, slots=True)
class Measured:
    """How a wearable's line does, about once a second, also while it is silent.

    Attributes:
        wearable: its id.
        at_ns: now.
        age_s: since anything came, seconds.
        silent: whether that is too long.
        statistics: what came, how late, and what did not.
        stale: seconds since a sensor gave anything, of those where that is too long, by name.
    """

    wearable: str
    at_ns: int
    age_s: float
    silent: bool
    statistics: Statistics
    stale: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rolled:
    """A minute of trends is over.

    Attributes:
        wearable: its id.
        series: whose minute, as "skin.max".
        start_ns: when it began.
        mean: of its samples.
        deviation: of that from what is usual of this wearer at this time of day; None while that is not known.
    """

    wearable: str
    series: str
    start_ns: int
    mean: float
    deviation: float | None


@dataclass(frozen=True, slots=True)
class Pictured:
    """An annotated picture can be drawn; told of each picture every few seconds.

    Attributes:
        wearable: its id.
        signal: name of the picture.
        utc_ns: when it was captured.
        png: draws it, with the sentence that it informs only; takes a while, in any thread.
    """

    wearable: str
    signal: str
    utc_ns: int
    png: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Ruled:
    """Which rules of alerts hold for a wearable from here on.

    Attributes:
        wearable: its id.
        rules: what each is, in words, by its name.
    """

    wearable: str
    rules: Mapping[str, str]


ALERT_STEP = "alert-step"
"""Kind of what is announced of each step of an alert; "alert" is what calls somebody."""


@dataclass(frozen=True, slots=True)
class Announced:
    """Something a part of the hub has to say to every page that is open; no viewer loses it.

    Attributes:
        kind: what, as pages know it: `alert` say.
        data: JSON values.
        wearable: id of the wearable it is about; "" for none.
    """

    kind: str
    data: Mapping[str, Any]
    wearable: str = ""


Event = (
    Joined | Left | Returned | Sampled | Fed | Found | Stepped | Told | Measured | Rolled | Pictured | Ruled | Announced
)
EVERY: tuple[type[Event], ...] = (
    Joined,
    Left,
    Returned,
    Sampled,
    Fed,
    Found,
    Stepped,
    Told,
    Measured,
    Rolled,
    Pictured,
    Ruled,
    Announced,
)
"""All types of events."""

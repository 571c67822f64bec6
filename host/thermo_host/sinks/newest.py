"""The newest of each kind of thing that a stream carries, and its past."""

from dataclasses import dataclass, field

from thermo_core.signals import Sample
from thermo_core.wire.records import EventRecord, FindingRecord
from thermo_host.sinks.freshness import Freshness
from thermo_host.sinks.history import History


@dataclass(frozen=True, slots=True)
class Change:
    """Another session holds.

    Attributes:
        utc_ns: since when, nanoseconds since 1970 UTC.
        what: what is not as it was.
    """

    utc_ns: int
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event, and whether it happened before this session began, to whoever was there then."""

    record: EventRecord
    before: bool


@dataclass(slots=True)
class Newest:
    """The newest sample of a signal.

    Attributes:
        sample: it.
        utc_ns: when it was captured, nanoseconds since 1970 UTC.
        history: of the signal, where it has few numbers.
    """

    sample: Sample
    utc_ns: int
    history: History = field(default_factory=History)


@dataclass(slots=True)
class NewestFinding:
    """The newest finding of a model.

    Attributes:
        record: it.
        utc_ns: of the moment it is about, nanoseconds since 1970 UTC.
        fresh: tells when it is old.
        history: of its values.
    """

    record: FindingRecord
    utc_ns: int
    fresh: Freshness
    history: History = field(default_factory=History)

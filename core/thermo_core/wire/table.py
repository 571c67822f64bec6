"""Numbers that must be the same on both ends of the line and in C: versions, codes, counters, and the limits of a profile.

`python -m thermo_core.wire.table` writes the C header and the tables of docs/wire.md from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Meta


@dataclass(frozen=True, slots=True)
class Limit:
    """A range both ends of which work.

    Attributes:
        low, high: least and greatest value.
        unit: in words; "" for a number of things.
        about: what it limits.
    """

    low: float
    high: float
    unit: str
    about: str


LIMITS: Mapping[str, Limit] = {
    "sensors": Limit(1, 32, "", "sensors of a wearable"),
    "stages": Limit(0, 128, "", "stages of a wearable"),
    "models": Limit(0, 8, "", "models of a wearable"),
    "model_inputs": Limit(1, 8, "", "inputs of a model"),
    "outputs": Limit(1, 64, "", "scores or quantities of a model"),
    "alerts": Limit(0, 32, "", "alerts of a wearable"),
    "average_pictures": Limit(1, 256, "", "samples that a running mean is of"),
    "alert_findings": Limit(1, 65535, "", "findings in a row"),
    "alert_seconds": Limit(0, 86400, "s", "time for which a condition holds"),
}


def limited(name: str) -> Meta:
    """The limit as the length of a list in a type."""
    limit = LIMITS[name]
    return Meta(min_length=int(limit.low), max_length=int(limit.high))


def within(name: str) -> Meta:
    """The limit as the range of a number in a type."""
    limit = LIMITS[name]
    whole = float(limit.low).is_integer() and float(limit.high).is_integer() and not limit.unit
    return Meta(ge=int(limit.low) if whole else limit.low, le=int(limit.high) if whole else limit.high)

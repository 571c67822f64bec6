"""Whether a reading can be believed: flags that start at a sensor or a stage and travel to findings, alerts and screens."""

from collections.abc import Mapping
from enum import IntFlag
from functools import lru_cache


class Quality(IntFlag):
    """Sixteen bits, the same on the line, in recordings and in C (`enum quality`)."""

    OFF_SKIN = 1 << 0
    SATURATED = 1 << 1
    OPEN = 1 << 2
    SHORTED = 1 << 3
    MISSING = 1 << 4
    STALE = 1 << 5
    MOVING = 1 << 6
    IMPLAUSIBLE = 1 << 7
    UNCALIBRATED = 1 << 8
    OUT_OF_RANGE = 1 << 9
    OUT_OF_DOMAIN = 1 << 10
    FILLED = 1 << 11
    SIMULATED = 1 << 12
    FAST_KERNELS = 1 << 13
    GATE_FAILED = 1 << 14
    SUSPECT = 1 << 15


WORDS: Mapping[Quality, str] = {
    Quality.OFF_SKIN: "off skin",
    Quality.SATURATED: "saturated",
    Quality.OPEN: "open",
    Quality.SHORTED: "shorted",
    Quality.MISSING: "missing",
    Quality.STALE: "stale",
    Quality.MOVING: "moving",
    Quality.IMPLAUSIBLE: "implausible",
    Quality.UNCALIBRATED: "uncalibrated",
    Quality.OUT_OF_RANGE: "out of range",
    Quality.OUT_OF_DOMAIN: "out of domain",
    Quality.FILLED: "partly filled in",
    Quality.SIMULATED: "simulated",
    Quality.FAST_KERNELS: "fast kernels",
    Quality.GATE_FAILED: "signed although it lost accuracy",
    Quality.SUSPECT: "constants in doubt",
}
"""How each flag is shown to a person."""

DOUBTFUL = (
    Quality.OFF_SKIN
    | Quality.SATURATED
    | Quality.OPEN
    | Quality.SHORTED
    | Quality.MISSING
    | Quality.STALE
    | Quality.MOVING
    | Quality.IMPLAUSIBLE
    | Quality.OUT_OF_RANGE
    | Quality.OUT_OF_DOMAIN
)
"""A finding with one of these neither raises nor clears an alert."""

NO_VALUE = (
    Quality.OFF_SKIN
    | Quality.SATURATED
    | Quality.OPEN
    | Quality.SHORTED
    | Quality.MISSING
    | Quality.STALE
    | Quality.IMPLAUSIBLE
)
"""Why a number has no value."""


@lru_cache(maxsize=1024)
def in_words(flags: int) -> tuple[str, ...]:
    """Flags as a person reads them, in the order of their bits; bits without a meaning as their number."""
    known = tuple(word for flag, word in WORDS.items() if flags & flag)
    unknown = flags & ~sum(WORDS)
    return (*known, f"0x{unknown:04x}") if unknown else known

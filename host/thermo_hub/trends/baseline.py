"""What is usual of a wearer at a time of day: the median, over the days before, of the hours of that time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from statistics import median

from sqlalchemy import Connection

from thermo_hub.trends.keeper import SECOND_NS, Width, rows
from thermo_hub.trends.rollup import STEPS

DAYS = 28
ENOUGH = 3
"""Days that must have had an hour before it is usual."""
LEAST_SHARE = 0.25
"""Of the samples that an hour usually has; one with less says nothing."""
DAY_NS = 86_400 * SECOND_NS
HOURS = 24
MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True)
class Usual:
    """Of one hour of the day.

    Attributes:
        centre: median of the means, in the unit of the series.
        spread: standard deviation that the median deviation from it would have of normal numbers.
        days: that had such an hour.
    """

    centre: float
    spread: float
    days: int


def usual(
    connection: Connection, series: int, day_start_ns: int, zone: Callable[[], tzinfo | None]
) -> tuple[Usual | None, ...]:
    """What is usual in each of the 24 hours of a day, of the days before it; None for an hour that too few of them had.

    Args:
        connection: to the store.
        series: number of it.
        day_start_ns: when the day begins.
        zone: of the hub's clock.
    """
    hours = rows(connection, series, Width.HOUR, day_start_ns - DAYS * DAY_NS, day_start_ns)
    full = median([one.n for one in hours]) if hours else 0
    means: list[list[float]] = [[] for _ in range(HOURS)]
    for one in hours:
        if one.n and one.n >= LEAST_SHARE * full:
            at = datetime.fromtimestamp(one.start_ns // SECOND_NS, zone()).hour
            means[at].append(one.total / one.n / STEPS)
    found: list[Usual | None] = []
    for values in means:
        if len(values) < ENOUGH:
            found.append(None)
            continue
        centre = median(values)
        found.append(Usual(centre, MAD_TO_SD * median([abs(value - centre) for value in values]), len(values)))
    return tuple(found)

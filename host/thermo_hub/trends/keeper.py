"""Trends in the store: minutes as they end, hours and days made of them, each exactly what all of its samples give."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from thermo_hub.store.store import Store
from thermo_hub.trends.rollup import Rollup, added, joined, of_counts, pack, unpack
from thermo_hub.trends.tables import COUNTS, ROLLUP, SERIES

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
LATE_NS = 3 * HOUR_NS
"""So long after a day's end its minutes may still be added to: a device keeps what it found for an hour."""


class Width(IntEnum):
    """Of a roll-up, as it is stored."""

    MINUTE = 0
    HOUR = 1
    DAY = 2


@dataclass(frozen=True, slots=True)
class Minute:
    """What came of one series in one minute.

    Attributes:
        wearable: id of it.
        name, label, unit: of the series.
        start_ns: of the minute.
        counts: how often each value came.
        doubtful, lost, ambient, uncertainty, calibration: as `Rollup`.
    """

    wearable: str
    name: str
    label: str
    unit: str
    start_ns: int
    counts: Counter[int]
    doubtful: int = 0
    lost: int = 0
    ambient: int | None = None
    uncertainty: int | None = None
    calibration: str = ""

    def rollup(self) -> Rollup:
        """What is kept of it."""
        whole = of_counts(self.counts, self.start_ns, self.start_ns + MINUTE_NS, self.doubtful, self.lost)
        return replace(
            whole,
            uncertainty=self.uncertainty,
            ambient=self.ambient,
            ambients=int(self.ambient is not None),
            calibration=self.calibration,
        )


class TrendKeeper:
    """Keeps trends. May be used in any thread, one at a time; one hub keeps the trends of a store.

    Args:
        store: where they are.
        zone: of the hub's clock, by which days begin.
    """

    def __init__(self, store: Store, zone: Callable[[], tzinfo | None]) -> None:
        self._store = store
        self._zone = zone
        self._days: set[tuple[int, int]] = set()

    def start(self) -> None:
        """Make days anew of whose minutes more is known than is over, as after a kill."""
        with self._store.read() as connection:
            rows = connection.execute(select(COUNTS.c.series, COUNTS.c.start_ns)).all()
        self._days = {(row.series, self.day(row.start_ns)[0]) for row in rows}
        self.settle()

    def add(self, minutes: Iterable[Minute], now_ns: int) -> int:
        """Keep minutes; one that is there already is added to.

        Args:
            minutes: in any order.
            now_ns: what time it is.

        Returns:
            How many came too late for their day, and were left out.
        """
        late = 0
        days: set[tuple[int, int]] = set()
        with self._store.write() as connection:
            for _, group in groupby(sorted(minutes, key=_key), key=lambda one: _key(one)[:2]):
                ones = list(group)
                kept = [one for one in ones if now_ns <= self.day(one.start_ns)[1] + LATE_NS]
                late += len(ones) - len(kept)
                if not kept:
                    continue
                series = _series(connection, kept[-1])
                _add(connection, series, kept)
                for start_ns in sorted({one.start_ns // HOUR_NS * HOUR_NS for one in kept}):
                    _roll(connection, series, Width.HOUR, start_ns, start_ns + HOUR_NS)
                days |= {(series, self.day(one.start_ns)[0]) for one in kept}
                oldest = self.day(now_ns - LATE_NS)[0]
                over = {(one, day) for one, day in days | self._days if one == series and day < oldest}
                for _, day in sorted(over):
                    _roll(connection, series, Width.DAY, *self.day(day))
                connection.execute(delete(COUNTS).where(COUNTS.c.series == series, COUNTS.c.start_ns < oldest))
                days -= over
                self._days -= over
        self._days |= days
        return late

    def settle(self) -> None:
        """Make the days that minutes were added to; called once an hour, for a day has many minutes."""
        with self._store.write() as connection:
            for series, day in sorted(self._days):
                _roll(connection, series, Width.DAY, *self.day(day))
        self._days.clear()

    def day(self, at_ns: int) -> tuple[int, int]:
        """Begin and end of the day that a moment lies in, by the hub's clock; 23 or 25 hours where that is set."""
        first = datetime.fromtimestamp(at_ns // SECOND_NS, self._zone()).replace(hour=0, minute=0, second=0, fold=0)
        ends = (first, first + timedelta(days=1))
        start, end = (round(one.timestamp()) * SECOND_NS for one in ends)
        return start, end


_FIELDS: Sequence[str] = tuple(field.name for field in fields(Rollup))


def rows(connection: Connection, series: int, width: Width, from_ns: int, to_ns: int) -> list[Rollup]:
    """Roll-ups of a series that begin in a window, in their order."""
    found = connection.execute(
        select(ROLLUP)
        .where(
            ROLLUP.c.series == series,
            ROLLUP.c.width == width,
            ROLLUP.c.start_ns >= from_ns,
            ROLLUP.c.start_ns < to_ns,
        )
        .order_by(ROLLUP.c.start_ns)
    ).all()
    return [_rollup(row) for row in found]


def _series(connection: Connection, one: Minute) -> int:
    known = select(SERIES.c.id).where(SERIES.c.wearable == one.wearable, SERIES.c.name == one.name)
    row = connection.execute(known).first()
    if row is None:
        connection.execute(insert(SERIES).values(wearable=one.wearable, name=one.name, label=one.label, unit=one.unit))
        row = connection.execute(known).one()
    return int(row.id)


def _add(connection: Connection, series: int, ones: Sequence[Minute]) -> None:
    """Keep minutes of a series, in the order of time; those that are there are added to."""
    first_ns, last_ns = ones[0].start_ns, ones[-1].start_ns
    window = (COUNTS.c.series == series) & (COUNTS.c.start_ns >= first_ns) & (COUNTS.c.start_ns <= last_ns)
    there = {row.start_ns: row.counts for row in connection.execute(select(COUNTS).where(window))}
    known = (
        {one.start_ns: one for one in rows(connection, series, Width.MINUTE, first_ns, last_ns + 1)} if there else {}
    )
    made: list[Rollup] = []
    stored = []
    for start_ns, group in groupby(ones, key=lambda one: one.start_ns):
        parts = list(group)
        before = [known[start_ns]] if start_ns in there else []
        counts = added(*(one.counts for one in parts), *([unpack(there[start_ns])] if before else []))
        stored.append({"series": series, "start_ns": start_ns, "counts": pack(counts)})
        made.append(joined([*before, *(one.rollup() for one in parts)], counts, start_ns, start_ns + MINUTE_NS))
    again = [one["start_ns"] for one in stored if one["start_ns"] in there]
    if again:
        connection.execute(delete(COUNTS).where(COUNTS.c.series == series, COUNTS.c.start_ns.in_(again)))
    connection.execute(insert(COUNTS), stored)
    _replace(connection, series, Width.MINUTE, made)


def _roll(connection: Connection, series: int, width: Width, start_ns: int, end_ns: int) -> None:
    minutes = rows(connection, series, Width.MINUTE, start_ns, end_ns)
    stored = connection.execute(
        select(COUNTS.c.counts).where(
            COUNTS.c.series == series, COUNTS.c.start_ns >= start_ns, COUNTS.c.start_ns < end_ns
        )
    ).all()
    counts = added(*(unpack(row.counts) for row in stored))
    _replace(connection, series, width, [joined(minutes, counts, start_ns, end_ns)])


def _rollup(row: Row[Any]) -> Rollup:
    return Rollup(**{name: getattr(row, name) for name in _FIELDS})


def _replace(connection: Connection, series: int, width: Width, made: Sequence[Rollup]) -> None:
    connection.execute(
        delete(ROLLUP).where(
            ROLLUP.c.series == series, ROLLUP.c.width == width, ROLLUP.c.start_ns.in_([one.start_ns for one in made])
        )
    )
    head = {"series": series, "width": int(width)}
    connection.execute(insert(ROLLUP), [head | {name: getattr(one, name) for name in _FIELDS} for one in made])


def _key(one: Minute) -> tuple[str, str, int]:
    return one.wearable, one.name, one.start_ns

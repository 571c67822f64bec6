"""What pages ask of trends: columns of numbers in the units of their series, means to the thousandth as all the others."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import select

from thermo_core.errors import UsageError
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE
from thermo_hub.trends.baseline import usual
from thermo_hub.trends.keeper import HOUR_NS, MINUTE_NS, SECOND_NS, Width
from thermo_hub.trends.rollup import STEPS
from thermo_hub.trends.tables import ROLLUP, SERIES

DAY_NS = 24 * HOUR_NS
WIDTHS = {"minute": Width.MINUTE, "hour": Width.HOUR, "day": Width.DAY}
LONGEST_NS = {Width.MINUTE: 49 * HOUR_NS, Width.HOUR: 93 * DAY_NS, Width.DAY: 40 * 366 * DAY_NS}
"""The window of which stretches of a width are given; of a longer one those of the next width."""
MOST_ROWS = 200_000
MOST_SERIES = 64
_ASKED = (
    "start_ns",
    "n",
    "doubtful",
    "lost",
    "calibration",
    "low",
    "p5",
    "p95",
    "high",
    "uncertainty",
    "total",
    "ambient",
    "ambients",
)


def wearables(store: Store) -> list[dict[str, str]]:
    """Wearables of which there are series, those that were here last first."""
    with store.read() as connection:
        rows = connection.execute(
            select(WEARABLE)
            .where(WEARABLE.c.id.in_(select(SERIES.c.wearable)))
            .order_by(WEARABLE.c.last_ns.desc(), WEARABLE.c.id)
        ).all()
    return [{"wearable": row.id, "profile": row.profile, "label": row.label} for row in rows]


def all_series(store: Store, wearable: str) -> list[dict[str, Any]]:
    """Series of a wearable."""
    with store.read() as connection:
        found = connection.execute(select(SERIES).where(SERIES.c.wearable == wearable).order_by(SERIES.c.id)).all()
    return [{"name": row.name, "label": row.label, "unit": row.unit} for row in found]


def width_for(from_ns: int, to_ns: int) -> Width:
    """The finest width of which a window has few enough stretches."""
    return next(width for width in Width if to_ns - from_ns <= LONGEST_NS[width] or width is Width.DAY)


def columns(
    store: Store, wearable: str, names: Sequence[str], from_ns: int, to_ns: int, width: Width | None = None
) -> dict[str, Any]:
    """Roll-ups of some series in a window; a stretch of which nothing came is not among them.

    Args:
        store: where they are.
        wearable: its id.
        names: of series; all of them where empty.
        from_ns: begin of the window.
        to_ns: its end.
        width: of the stretches; None takes what suits the window.

    Raises:
        UsageError: there is no such series, or the window is none, or has too many stretches.
    """
    if to_ns <= from_ns:
        raise UsageError("The window ends before it begins; exchange from and to.")
    chosen = width_for(from_ns, to_ns) if width is None else width
    with store.read() as connection:
        known = connection.execute(select(SERIES).where(SERIES.c.wearable == wearable).order_by(SERIES.c.id)).all()
        wanted = [row for row in known if not names or row.name in names][:MOST_SERIES]
        unknown = set(names) - {row.name for row in known}
        if unknown:
            there = ", ".join(row.name for row in known) or "none"
            raise UsageError(f"There is no series {sorted(unknown)[0]!r:.130} of {wearable!r:.80}; there is {there}.")
        found = connection.execute(
            select(ROLLUP.c.series, *(ROLLUP.c[name] for name in _ASKED))
            .where(
                ROLLUP.c.series.in_([row.id for row in wanted]),
                ROLLUP.c.width == int(chosen),
                ROLLUP.c.start_ns >= from_ns,
                ROLLUP.c.start_ns < to_ns,
            )
            .order_by(ROLLUP.c.series, ROLLUP.c.start_ns)
            .limit(MOST_ROWS + 1)
        ).all()
    if len(found) > MOST_ROWS:
        raise UsageError(f"The window has more than {MOST_ROWS} stretches; choose a shorter one, or a greater width.")
    by_series = {series: list(group) for series, group in groupby(found, key=itemgetter(0))}
    return {
        "width": chosen.name.lower(),
        "width_ms": {Width.MINUTE: MINUTE_NS, Width.HOUR: HOUR_NS, Width.DAY: DAY_NS}[chosen] // 1_000_000,
        "from_ms": from_ns // 1_000_000,
        "to_ms": to_ns // 1_000_000,
        "series": [
            {"name": row.name, "label": row.label, "unit": row.unit, **_transposed(by_series.get(row.id, []))}
            for row in wanted
        ],
    }


def baseline(
    store: Store, wearable: str, name: str, day_start_ns: int, zone: Callable[[], tzinfo | None]
) -> list[dict[str, float] | None]:
    """What is usual of a series in each hour of a day.

    Raises:
        UsageError: there is no such series.
    """
    with store.read() as connection:
        row = connection.execute(
            select(SERIES.c.id).where(SERIES.c.wearable == wearable, SERIES.c.name == name)
        ).first()
        if row is None:
            raise UsageError(f"There is no series {name!r:.130} of {wearable!r:.80}.")
        found = usual(connection, row.id, day_start_ns, zone)
    return [
        None if one is None else {"centre": round(one.centre, 4), "spread": round(one.spread, 4), "days": one.days}
        for one in found
    ]


def nights(now_ns: int, count: int, zone: Callable[[], tzinfo | None]) -> list[dict[str, Any]]:
    """The last nights, newest first: each from noon to noon by the hub's clock, and called by both of its dates."""
    here = datetime.fromtimestamp(now_ns // SECOND_NS, zone())
    evening = here.date() if here.time() >= time(12) else here.date() - timedelta(days=1)
    return [_night(evening - timedelta(days=back), zone()) for back in range(count)]


def _night(evening: date, zone: tzinfo | None) -> dict[str, Any]:
    noon = datetime.combine(evening, time(12), zone)
    ends = [round(one.timestamp() * 1000) for one in (noon, noon + timedelta(days=1))]
    woke = evening + timedelta(days=1)
    return {"night_of": evening.isoformat(), "woke": woke.isoformat(), "from_ms": ends[0], "to_ms": ends[1]}


def _transposed(found: Sequence[Any]) -> dict[str, list[Any]]:
    """Columns of rows that hold a series and what is `_ASKED`; by columns, because a year has thousands of rows."""
    columns_ = (
        dict(zip(_ASKED, list(zip(*found, strict=True))[1:], strict=True)) if found else dict.fromkeys(_ASKED, ())
    )
    counts = columns_["n"]
    made: dict[str, list[Any]] = {"start_ms": [start // 1_000_000 for start in columns_["start_ns"]]}
    made |= {name: list(columns_[name]) for name in ("n", "doubtful", "lost", "calibration")}
    for name in ("low", "p5", "p95", "high"):
        made[name] = [value / STEPS if n else None for value, n in zip(columns_[name], counts, strict=True)]
    made["uncertainty"] = [None if value is None else value / STEPS for value in columns_["uncertainty"]]
    made["mean"] = [round(total / n) / STEPS if n else None for total, n in zip(columns_["total"], counts, strict=True)]
    pairs = zip(columns_["ambient"], columns_["ambients"], strict=True)
    made["ambient"] = [round(total / count) / STEPS if count else None for total, count in pairs]
    return made

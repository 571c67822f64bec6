"""What the store knows of a wearable in a window of time: rows of all parts, which meet there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from thermo_core.errors import UsageError
from thermo_core.typed import from_json
from thermo_hub.fhir.description import Description
from thermo_hub.fhir.tables import CONFIRMATION, DESCRIPTION
from thermo_hub.security.consents import consent_rows
from thermo_hub.store.store import Store
from thermo_hub.store.tables import ACCESS, METADATA, WEARABLE

HOUR_WIDTH = 1
HOUR_NS = 3_600_000_000_000
MOST_HOURS = 24 * 93
MOST_PICTURES = 50
MOST_ACCESSES = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """Rows of one wearable.

    Attributes:
        worn: of it.
        description: what it said of itself when it joined last; of nothing where it never has.
        series: of trends, by their numbers.
        hours: roll-ups of hours that have samples.
        confirmations: by series and begin of the hour.
        alerts: that were open in the window.
        steps, deliveries: of these.
        pictures: of these, annotated.
        consents: all, oldest first.
        accesses: who looked at it.
    """

    worn: Any
    description: Description
    series: Mapping[int, Any]
    hours: Sequence[Any]
    confirmations: Mapping[tuple[str, int], Any]
    alerts: Sequence[Any]
    steps: Sequence[Any]
    deliveries: Sequence[Any]
    pictures: Sequence[Any]
    consents: Sequence[Any]
    accesses: Sequence[Any]


def known(store: Store, wearable: str, from_ns: int, to_ns: int) -> Known:
    """Everything of a wearable in a window.

    Args:
        store: of the hub.
        wearable: its id.
        from_ns: begin of the window, nanoseconds since 1970 UTC.
        to_ns: its end.

    Raises:
        UsageError: there is no such wearable, or the window is none or too long.
    """
    if not from_ns < to_ns <= from_ns + MOST_HOURS * HOUR_NS:
        raise UsageError("The window ends before it begins, or is longer than 93 days; choose another.")
    # Of other parts, which are met in the store.
    series, rollups, alerts, steps, deliveries, pictures = (
        METADATA.tables[name]
        for name in ("trend_series", "trend_rollup", "alert", "alert_step", "delivery", "alert_picture")
    )
    with store.read() as connection:
        worn = row_of(connection, wearable)
        described = connection.execute(
            select(DESCRIPTION.c.described).where(DESCRIPTION.c.wearable == wearable)
        ).scalar()
        all_series = connection.execute(select(series).where(series.c.wearable == wearable).order_by(series.c.id)).all()
        hours = connection.execute(
            select(rollups)
            .where(
                rollups.c.series.in_([one.id for one in all_series]),
                rollups.c.width == HOUR_WIDTH,
                rollups.c.start_ns >= from_ns,
                rollups.c.start_ns < to_ns,
                rollups.c.n > 0,
            )
            .order_by(rollups.c.start_ns, rollups.c.series)
        ).all()
        open_then = connection.execute(
            select(alerts)
            .where(
                alerts.c.wearable == wearable,
                alerts.c.raised_ns < to_ns,
                alerts.c.resolved_ns.is_(None) | (alerts.c.resolved_ns >= from_ns),
            )
            .order_by(alerts.c.raised_ns, alerts.c.id)
        ).all()
        ids = [one.id for one in open_then]
        return Known(
            worn,
            Description() if described is None else from_json(described, Description),
            {one.id: one for one in all_series},
            hours,
            {
                (row.series, row.start_ns): row
                for row in connection.execute(select(CONFIRMATION).where(CONFIRMATION.c.wearable == wearable))
            },
            open_then,
            connection.execute(
                select(steps).where(steps.c.alert.in_(ids)).order_by(steps.c.alert, steps.c.number)
            ).all(),
            connection.execute(
                select(deliveries).where(deliveries.c.alert.in_(ids)).order_by(deliveries.c.made_ns, deliveries.c.id)
            ).all(),
            connection.execute(
                select(pictures).where(pictures.c.alert.in_(ids)).order_by(pictures.c.at_ns.desc()).limit(MOST_PICTURES)
            ).all(),
            consent_rows(connection, wearable),
            _accesses(connection, wearable, from_ns, to_ns),
        )


def row_of(connection: Connection, wearable: str) -> Any:
    """The row of a wearable.

    Raises:
        UsageError: there is none.
    """
    worn = connection.execute(select(WEARABLE).where(WEARABLE.c.id == wearable)).first()
    if worn is None:
        raise UsageError(f"There is no wearable {wearable!r:.80}; look at the wall for those that are.")
    return worn


def _accesses(connection: Connection, wearable: str, from_ns: int, to_ns: int) -> Sequence[Any]:
    return connection.execute(
        select(ACCESS)
        .where(ACCESS.c.wearable.in_((wearable, "")), ACCESS.c.at_ns >= from_ns, ACCESS.c.at_ns < to_ns)
        .order_by(ACCESS.c.at_ns, ACCESS.c.id)
        .limit(MOST_ACCESSES)
    ).all()

"""What pages and programs ask of alerts."""

from typing import Any

from sqlalchemy import func, select

from thermo_core.errors import UsageError
from thermo_hub.alerts.keeper import facts_of
from thermo_hub.alerts.tables import ALERT, ATTEMPT, DELIVERY, STEP
from thermo_hub.security.scopes import ALL, Scope
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE

MOST = 500


def listed(
    store: Store,
    only_open: bool,
    wearable: str = "",
    before_ms: int | None = None,
    most: int = 100,
    seen: Scope = ALL,
) -> list[Any]:
    """Alerts, newest first.

    Args:
        store: where they are.
        only_open: those whose condition holds.
        wearable: id; "" for all.
        before_ms: raised earlier than that.
        most: how many.
        seen: wearables whose alerts, and those of the hub itself.
    """
    wanted = select(ALERT, WEARABLE.c.label).outerjoin(WEARABLE, WEARABLE.c.id == ALERT.c.wearable)
    if only_open:
        wanted = wanted.where(ALERT.c.resolved_ns.is_(None))
    if wearable:
        wanted = wanted.where(ALERT.c.wearable == wearable)
    if seen.wearables is not None:
        wanted = wanted.where(ALERT.c.wearable.in_((*seen.wearables, "")))
    if before_ms is not None:
        wanted = wanted.where(ALERT.c.raised_ns < before_ms * 1_000_000)
    wanted = wanted.order_by(ALERT.c.raised_ns.desc(), ALERT.c.id).limit(min(most, MOST))
    with store.read() as connection:
        return [{**facts_of(row), "label": row.label or ""} for row in connection.execute(wanted)]


def told(store: Store, alert: str) -> dict[str, Any]:
    """An alert with all of its steps, and what was delivered of it.

    Raises:
        UsageError: there is none of that id.
    """
    with store.read() as connection:
        row = connection.execute(
            select(ALERT, WEARABLE.c.label)
            .outerjoin(WEARABLE, WEARABLE.c.id == ALERT.c.wearable)
            .where(ALERT.c.id == alert)
        ).first()
        if row is None:
            raise UsageError(f"There is no alert {alert!r:.60}; look at the list of alerts.")
        steps = connection.execute(select(STEP).where(STEP.c.alert == alert).order_by(STEP.c.number)).all()
        newest = (
            select(ATTEMPT.c.delivery, func.max(ATTEMPT.c.number).label("number"))
            .group_by(ATTEMPT.c.delivery)
            .subquery()
        )
        deliveries = connection.execute(
            select(DELIVERY, ATTEMPT.c.detail)
            .outerjoin(newest, newest.c.delivery == DELIVERY.c.id)
            .outerjoin(ATTEMPT, (ATTEMPT.c.delivery == DELIVERY.c.id) & (ATTEMPT.c.number == newest.c.number))
            .where(DELIVERY.c.alert == alert)
            .order_by(DELIVERY.c.step, DELIVERY.c.channel)
        ).all()
    return {
        **facts_of(row),
        "label": row.label or "",
        "steps": [
            {
                "number": one.number,
                "at_ms": one.at_ns // 1_000_000,
                "state": one.state,
                "by": one.by,
                "note": one.note,
                "until_ms": None if one.until_ns is None else one.until_ns // 1_000_000,
            }
            for one in steps
        ],
        "deliveries": [
            {
                "id": one.id,
                "step": one.step,
                "channel": one.channel,
                "calls": one.calls,
                "state": one.state,
                "attempts": one.attempts,
                "detail": one.detail or "",
                "due_ms": one.due_ns // 1_000_000,
                "ended_ms": None if one.ended_ns is None else one.ended_ns // 1_000_000,
            }
            for one in deliveries
        ],
    }

"""Alerts in the store: each step of each is a row, written with what follows from it in one transaction.

Whatever ends the process, what was committed stands: open alerts go on where they were, and what had to be delivered is delivered.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from threading import RLock
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from thermo_core.errors import UsageError
from thermo_core.text import clean
from thermo_hub.alerts import life
from thermo_hub.alerts.life import HUB, SECOND_NS, Call, State, Step
from thermo_hub.alerts.rules import TEST, Quiet, Rule
from thermo_hub.alerts.tables import ALERT, DELIVERY, STEP
from thermo_hub.store.store import Store

LONGEST_SNOOZE_NS = 7 * 24 * 3600 * SECOND_NS
LONGEST_NOTE = 500
TEST_NS = 900 * SECOND_NS
"""After which a test that nobody acknowledged is over."""
WAITING, SENDING, SENT, FAILED, CANCELLED = "waiting", "sending", "sent", "failed", "cancelled"
"""States of a delivery."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A condition that has begun to hold.

    Attributes:
        wearable: id of the wearable; "" for the hub itself.
        rule: by which; its name is that of the alert, where `name` is "".
        version: of the rules.
        condition: in words.
        value: that raised it; None where a person or the wearable did.
        unit: of the value.
        text: what a person reads.
        personal: whether the condition is of this wearer alone.
        name: of the alert, where the rule makes several, one for each sensor.
        now: raised although quiet hours or an earlier snooze would have it wait, as a test is.
    """

    wearable: str
    rule: Rule
    version: int
    condition: str
    value: float | None
    unit: str
    text: str
    personal: bool = False
    name: str = ""
    now: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert that took steps, and who hears of it.

    Attributes:
        facts: as pages and receivers have it.
        steps: that it took now.
    """

    facts: Mapping[str, Any]
    steps: tuple[Step, ...]


class Keeper:
    """Takes alerts through their lives. May be used in any thread; one hub keeps the alerts of a store.

    Args:
        store: where they are.
        zone: of the hub's clock, for quiet hours.
        follows: names of channels that hear of every step, not of calls alone.

    Attributes:
        lock: held by each change; who reads the clock for a change within it has changes and their times in one order.
    """

    def __init__(self, store: Store, zone: Callable[[], tzinfo | None], follows: frozenset[str] = frozenset()) -> None:
        self._store = store
        self._zone = zone
        self._follows = follows
        self.lock = RLock()

    def begin(self, raised: Raised, now_ns: int) -> Kept | None:
        """Raise an alert; None where it is raised already."""
        name, rule = raised.name or raised.rule.name, raised.rule
        calls = tuple(Call(round(one.after_s * SECOND_NS), tuple(one.channels)) for one in rule.escalation)
        quiet = [] if raised.now else [[one.start, one.end] for one in rule.quiet]
        policy = {
            "channels": list(rule.channels),
            "calls": [[one.after_ns, list(one.channels)] for one in calls],
            "quiet": quiet,
        }
        with self.lock, self._store.write() as connection:
            there = select(ALERT.c.id).where(
                ALERT.c.wearable == raised.wearable, ALERT.c.rule == name, ALERT.c.resolved_ns.is_(None)
            )
            if connection.execute(there).first() is not None:
                return None
            snoozed = None if raised.now else self._snoozed_ns(connection, raised.wearable, name)
            is_quiet = self._is_quiet(quiet, now_ns)
            alert, steps = life.begin(rule.channels, calls, now_ns, is_quiet, snoozed)
            alert_id = secrets.token_hex(16)
            row = {
                "id": alert_id,
                "wearable": raised.wearable,
                "rule": name,
                "version": raised.version,
                "severity": rule.severity,
                "text": clean(raised.text),
                "condition": clean(raised.condition, 200),
                "personal": raised.personal,
                "value": raised.value,
                "unit": raised.unit,
                "policy": json.dumps(policy),
                "raised_ns": now_ns,
                "resolved_ns": None,
            }
            connection.execute(insert(ALERT).values(**row, **_standing(alert)))
            return self._keep(connection, alert_id, 0, alert, steps)

    def resolve(self, wearable: str, name: str, now_ns: int, by: str = HUB, note: str = "") -> Kept | None:
        """The condition of an alert is over; None where there is none."""
        with self.lock, self._store.write() as connection:
            row = connection.execute(
                select(ALERT).where(ALERT.c.wearable == wearable, ALERT.c.rule == name, ALERT.c.resolved_ns.is_(None))
            ).first()
            return None if row is None else self._move(connection, row, lambda one: life.resolve(one, now_ns, by, note))

    def acknowledge(self, alert: str, now_ns: int, by: str, note: str = "") -> Kept:
        """Somebody has seen it.

        Raises:
            UsageError: there is none of that id, or it is over.
        """

        def step(one: life.Alert, row: Row[Any]) -> life.Taken:
            after, steps = life.acknowledge(one, now_ns, by, _short(note))
            if row.rule != TEST:
                return after, steps
            after, more = life.resolve(after, now_ns, note="the test is over")
            return after, (*steps, *more)

        return self._by_person(alert, step)

    def acknowledge_named(self, wearable: str, name: str, now_ns: int, by: str) -> Kept | None:
        """Somebody has seen the open alert of a wearable and a rule; None where there is none."""
        with self.lock, self._store.write() as connection:
            row = connection.execute(
                select(ALERT).where(ALERT.c.wearable == wearable, ALERT.c.rule == name, ALERT.c.resolved_ns.is_(None))
            ).first()
            return None if row is None else self._move(connection, row, lambda one: life.acknowledge(one, now_ns, by))

    def snooze(self, alert: str, now_ns: int, by: str, until_ns: int, note: str = "") -> Kept:
        """Nobody is called before a time.

        Raises:
            UsageError: there is none of that id, it is over, or the time cannot be.
        """
        if until_ns - now_ns > LONGEST_SNOOZE_NS:
            raise UsageError("A snooze lasts a week at most; choose an earlier time, or disable the rule.")
        return self._by_person(alert, lambda one, _: life.snooze(one, now_ns, by, until_ns, _short(note)))

    def attend(self, now_ns: int) -> list[Kept]:
        """Do what time brings: snoozes and quiet hours that end, escalations that are due."""
        found = []
        with self.lock, self._store.write() as connection:
            waits = ALERT.c.state.in_([State.RAISED, State.NOTIFIED, State.ESCALATED, State.SNOOZED])
            for row in connection.execute(select(ALERT).where(ALERT.c.resolved_ns.is_(None), waits)).all():
                if row.rule == TEST and now_ns - row.raised_ns >= TEST_NS:
                    found.append(
                        self._move(connection, row, lambda one: life.resolve(one, now_ns, note="the test is over"))
                    )
                    continue
                due = life.next_ns(_alert(row))
                if due is not None and now_ns >= due:
                    quiet = self._is_quiet(json.loads(row.policy)["quiet"], now_ns)
                    kept = self._move(connection, row, lambda one, quiet=quiet: life.attend(one, now_ns, quiet))  # type: ignore[misc]
                    if kept.steps:
                        found.append(kept)
        return found

    def open_names(self) -> list[tuple[str, str]]:
        """Wearable and name of every alert that is open."""
        with self._store.read() as connection:
            rows = connection.execute(select(ALERT.c.wearable, ALERT.c.rule).where(ALERT.c.resolved_ns.is_(None)))
            return [(row.wearable, row.rule) for row in rows]

    def facts(self, alert: str) -> dict[str, Any]:
        """An alert as pages have it.

        Raises:
            UsageError: there is none of that id.
        """
        with self._store.read() as connection:
            row = connection.execute(select(ALERT).where(ALERT.c.id == alert)).first()
        if row is None:
            raise _unknown(alert)
        return facts_of(row)

    def _by_person(self, alert: str, step: Callable[[life.Alert, Row[Any]], life.Taken]) -> Kept:
        with self.lock, self._store.write() as connection:
            row = connection.execute(select(ALERT).where(ALERT.c.id == alert)).first()
            if row is None:
                raise _unknown(alert)
            return self._move(connection, row, lambda one: step(one, row))

    def _move(self, connection: Connection, row: Row[Any], step: Callable[[life.Alert], life.Taken]) -> Kept:
        alert, steps = step(_alert(row))
        if not steps:
            return Kept(facts_of(row), ())
        changed: dict[str, Any] = _standing(alert)
        if alert.state is State.RESOLVED:
            changed["resolved_ns"] = steps[-1].at_ns
        connection.execute(update(ALERT).where(ALERT.c.id == row.id).values(**changed))
        last = connection.execute(select(func.max(STEP.c.number)).where(STEP.c.alert == row.id)).scalar() or 0
        return self._keep(connection, row.id, last, alert, steps)

    def _keep(self, connection: Connection, alert_id: str, last: int, alert: life.Alert, steps: Sequence[Step]) -> Kept:
        if alert.state not in life.CALLING:
            # What has not called anybody yet must not do so any more.
            connection.execute(
                update(DELIVERY)
                .where(DELIVERY.c.alert == alert_id, DELIVERY.c.calls, DELIVERY.c.state == WAITING)
                .values(state=CANCELLED, ended_ns=steps[-1].at_ns)
            )
        for number, step in enumerate(steps, last + 1):
            connection.execute(
                insert(STEP).values(
                    alert=alert_id,
                    number=number,
                    at_ns=step.at_ns,
                    state=step.state,
                    by=step.by,
                    note=step.note,
                    until_ns=step.until_ns,
                )
            )
            told = [(channel, True) for channel in step.calls]
            told += [(one, False) for one in alert.channels if one in self._follows and one not in step.calls]
            for channel, calls in told:
                connection.execute(
                    insert(DELIVERY).values(
                        id=secrets.token_hex(16),
                        alert=alert_id,
                        step=number,
                        channel=channel,
                        calls=calls,
                        state=WAITING,
                        attempts=0,
                        due_ns=step.at_ns,
                        made_ns=step.at_ns,
                        ended_ns=None,
                    )
                )
        row = connection.execute(select(ALERT).where(ALERT.c.id == alert_id)).one()
        return Kept(facts_of(row), tuple(steps))

    def _snoozed_ns(self, connection: Connection, wearable: str, name: str) -> int | None:
        """Until when the alerts of a rule are snoozed for a wearable."""
        row = connection.execute(
            select(ALERT.c.snoozed_ns)
            .where(ALERT.c.wearable == wearable, ALERT.c.rule == name)
            .order_by(ALERT.c.raised_ns.desc(), ALERT.c.resolved_ns.desc())
            .limit(1)
        ).first()
        return None if row is None else row.snoozed_ns

    def _is_quiet(self, quiet: Sequence[Sequence[str]], now_ns: int) -> bool:
        if not quiet:
            return False
        now = datetime.fromtimestamp(now_ns / 1e9, self._zone()).time()
        return any(Quiet(start=start, end=end).holds(now) for start, end in quiet)


def facts_of(row: Row[Any]) -> dict[str, Any]:
    """A row of an alert for JSON."""
    policy = json.loads(row.policy)
    return {
        "id": row.id,
        "wearable": row.wearable,
        "rule": row.rule,
        "version": row.version,
        "severity": row.severity,
        "text": row.text,
        "condition": row.condition,
        "personal": row.personal,
        "value": row.value,
        "unit": row.unit,
        "state": row.state,
        "calling": row.state in life.CALLING,
        "raised_ms": row.raised_ns // 1_000_000,
        "snoozed_ms": None if row.snoozed_ns is None else row.snoozed_ns // 1_000_000,
        "resolved_ms": None if row.resolved_ns is None else row.resolved_ns // 1_000_000,
        "level": row.level,
        "channels": policy["channels"],
    }


def _alert(row: Row[Any]) -> life.Alert:
    policy = json.loads(row.policy)
    return life.Alert(
        State(row.state),
        tuple(policy["channels"]),
        tuple(Call(after_ns, tuple(channels)) for after_ns, channels in policy["calls"]),
        row.told_ns,
        row.level,
        row.snoozed_ns,
    )


def _standing(alert: life.Alert) -> dict[str, Any]:
    return {
        "state": alert.state,
        "told_ns": alert.told_ns,
        "level": alert.level,
        "snoozed_ns": alert.snoozed_ns,
    }


def _short(note: str) -> str:
    return clean(note.strip(), LONGEST_NOTE)


def _unknown(alert: str) -> UsageError:
    return UsageError(f"There is no alert {alert!r:.60}; look at the list of alerts.")

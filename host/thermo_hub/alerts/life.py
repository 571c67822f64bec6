"""The life of an alert: what each step needs and makes, and who is called by it. Pure: no clock, no store.

    raised -> notified -> acknowledged
                       -> snoozed until a time, then notified again
                       -> escalated, once for each step of the rule
    any of these       -> resolved, when the condition is over

An alert that is raised in quiet hours stays raised until they are over. One whose predecessor of the same rule and wearable was
snoozed is snoozed until the same time: nobody is called before. What was acknowledged calls nobody any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from thermo_core.errors import UsageError

SECOND_NS = 1_000_000_000


class State(StrEnum):
    """Where an alert stands, which is its last step."""

    RAISED = "raised"
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


CALLING = frozenset((State.NOTIFIED, State.ESCALATED))
"""States in which somebody is being called: a page sounds, and what could not be delivered is tried again."""
HUB = "the hub"
"""Who takes the steps that time or a condition takes."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who else is called, and when.

    Attributes:
        after_ns: since somebody was told first.
        channels: by which.
    """

    after_ns: int
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands.

    Attributes:
        state: its last step.
        channels: by which it calls.
        calls: escalations, in their order.
        told_ns: when somebody was told; None before.
        level: escalations so far.
        snoozed_ns: until when nobody is called; None where nobody said so.
    """

    state: State
    channels: tuple[str, ...]
    calls: tuple[Call, ...] = ()
    told_ns: int | None = None
    level: int = 0
    snoozed_ns: int | None = None

    @property
    def open(self) -> bool:
        """Whether its condition holds."""
        return self.state is not State.RESOLVED


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        state: it led to.
        at_ns: when.
        by: who.
        note: why, in words.
        until_ns: of a snooze.
        calls: channels that call because of it.
    """

    state: State
    at_ns: int
    by: str
    note: str = ""
    until_ns: int | None = None
    calls: tuple[str, ...] = ()


Taken = tuple[Alert, tuple[Step, ...]]
"""The alert after some steps, and these."""


def begin(
    channels: Sequence[str],
    calls: Sequence[Call],
    now_ns: int,
    quiet: bool,
    snoozed_ns: int | None = None,
    note: str = "",
) -> Taken:
    """An alert whose condition has begun to hold.

    Args:
        channels: by which it calls.
        calls: escalations.
        now_ns: when.
        quiet: whether nobody is to be called now.
        snoozed_ns: until when its predecessor was snoozed; None where it was not.
        note: what is said of it.
    """
    alert = Alert(State.RAISED, tuple(channels), tuple(calls))
    steps = [Step(State.RAISED, now_ns, HUB, note)]
    if snoozed_ns is not None and snoozed_ns > now_ns:
        alert = replace(alert, state=State.SNOOZED, snoozed_ns=snoozed_ns)
        steps.append(Step(State.SNOOZED, now_ns, HUB, "snoozed before, and not over yet", snoozed_ns))
        return alert, tuple(steps)
    alert, more = attend(alert, now_ns, quiet)
    return alert, (*steps, *more)


def attend(alert: Alert, now_ns: int, quiet: bool) -> Taken:
    """What time brings.

    Args:
        alert: as it stands.
        now_ns: what time it is.
        quiet: whether nobody is to be called now.
    """
    if alert.state is State.SNOOZED and alert.snoozed_ns is not None and now_ns >= alert.snoozed_ns:
        alert = replace(alert, state=State.RAISED, snoozed_ns=None)
        if quiet:
            return alert, (Step(State.RAISED, now_ns, HUB, "the snooze is over, in quiet hours"),)
        return _tell(alert, now_ns, "the snooze is over")
    if quiet:
        return alert, ()
    if alert.state is State.RAISED:
        return _tell(alert, now_ns, "")
    if alert.state in CALLING and alert.told_ns is not None and alert.level < len(alert.calls):
        call = alert.calls[alert.level]
        if now_ns - alert.told_ns >= call.after_ns:
            after = replace(alert, state=State.ESCALATED, level=alert.level + 1)
            note = f"nobody acknowledged it for {call.after_ns // SECOND_NS} s"
            return after, (Step(State.ESCALATED, now_ns, HUB, note, calls=call.channels),)
    return alert, ()


def acknowledge(alert: Alert, now_ns: int, by: str, note: str = "") -> Taken:
    """Somebody has seen it, and sees to it: nobody is called any more.

    Raises:
        UsageError: it is over.
    """
    _check_open(alert)
    if alert.state is State.ACKNOWLEDGED:
        return alert, ()
    return replace(alert, state=State.ACKNOWLEDGED, snoozed_ns=None), (Step(State.ACKNOWLEDGED, now_ns, by, note),)


def snooze(alert: Alert, now_ns: int, by: str, until_ns: int, note: str = "") -> Taken:
    """Nobody is called before a time, whatever becomes of the condition meanwhile.

    Raises:
        UsageError: it is over, or the time has passed.
    """
    _check_open(alert)
    if until_ns <= now_ns:
        raise UsageError("A snooze ends later than now; choose a time to come.")
    after = replace(alert, state=State.SNOOZED, snoozed_ns=until_ns)
    return after, (Step(State.SNOOZED, now_ns, by, note, until_ns),)


def resolve(alert: Alert, now_ns: int, by: str = HUB, note: str = "") -> Taken:
    """Its condition is over. How long it was snoozed stays known, for the next one of its kind."""
    if not alert.open:
        return alert, ()
    return replace(alert, state=State.RESOLVED), (Step(State.RESOLVED, now_ns, by, note),)


def next_ns(alert: Alert) -> int | None:
    """When `attend` has to look at it next, quiet hours aside; None where time alone brings nothing."""
    if alert.state is State.SNOOZED:
        return alert.snoozed_ns
    if alert.state in CALLING and alert.told_ns is not None and alert.level < len(alert.calls):
        return alert.told_ns + alert.calls[alert.level].after_ns
    return 0 if alert.state is State.RAISED else None


def _tell(alert: Alert, now_ns: int, note: str) -> Taken:
    after = replace(alert, state=State.NOTIFIED, told_ns=now_ns, level=0)
    return after, (Step(State.NOTIFIED, now_ns, HUB, note, calls=alert.channels),)


def _check_open(alert: Alert) -> None:
    if not alert.open:
        raise UsageError("This alert is over; look at the open ones.")

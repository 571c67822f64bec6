"""The life of a window under review, worked out from its steps: who may do what next, and which opinion holds.

    waiting -> reading -> read once -> reading -> agreed
                                               -> disputed -> agreed        (a reader came round)
                                                           -> adjudicated   (a third decided)

A reader's first step is blind; only after it is stored may that reader see the model's finding, and keep or change. Two readers read a
window without hearing of each other. Where they disagree each hears the other, and a third who has read nothing of it decides.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from thermo_core.errors import UsageError
from thermo_core.labels import Kind, Opinion, Reading

READERS = 2
MOST_STEPS = 64
"""Of a window, after which a third reader decides; those who disagree may come round so often."""


class State(StrEnum):
    """How a window stands."""

    WAITING = "waiting"
    READING = "reading"
    ONCE = "read once"
    AGREED = "agreed"
    DISPUTED = "disputed"
    ADJUDICATED = "adjudicated"


CLOSED = frozenset((State.AGREED, State.ADJUDICATED))


def readers(steps: Sequence[Reading]) -> list[str]:
    """Those who read it, in the order in which they began; who decides between them is none of them."""
    found: list[str] = []
    for step in steps:
        if step.kind == "first" and step.by not in found:
            found.append(step.by)
    return found


def opinion_of(steps: Sequence[Reading], who: str) -> Opinion | None:
    """What a reader says last of all; None before the first read."""
    return next((step.opinion for step in reversed(steps) if step.by == who), None)


def has_ended(steps: Sequence[Reading], who: str) -> bool:
    """Whether a reader has said something with the model's finding before their eyes."""
    return any(step.by == who and step.kind != "first" for step in steps)


def state(steps: Sequence[Reading]) -> State:
    """How a window with these steps stands."""
    if any(step.kind == "adjudicated" for step in steps):
        return State.ADJUDICATED
    reading = readers(steps)
    if not reading:
        return State.WAITING
    if not all(has_ended(steps, who) for who in reading):
        return State.READING
    if len(reading) < READERS:
        return State.ONCE
    labels = {opinion_of(steps, who).label for who in reading}  # type: ignore[union-attr]
    return State.AGREED if len(labels) == 1 else State.DISPUTED


def holding(steps: Sequence[Reading]) -> Opinion | None:
    """The opinion that holds: what was adjudicated, else what readers agree on, else that of the only one; None where none does.

    Of two that agree the first reader's places and times are taken.
    """
    match state(steps):
        case State.ADJUDICATED:
            return next(step.opinion for step in steps if step.kind == "adjudicated")
        case State.AGREED | State.ONCE:
            return opinion_of(steps, readers(steps)[0])
        case _:
            return None


def may(steps: Sequence[Reading], who: str) -> frozenset[Kind]:
    """Steps that somebody may take next."""
    now, reading = state(steps), readers(steps)
    if now is State.ADJUDICATED:
        return frozenset()
    if who in reading:
        if not has_ended(steps, who):
            return frozenset(("kept", "changed"))
        return frozenset(("revised",)) if now is State.DISPUTED else frozenset()
    if len(reading) < READERS:
        return frozenset(("first",))
    return frozenset(("adjudicated",)) if now is State.DISPUTED else frozenset()


def sees_finding(steps: Sequence[Reading], who: str) -> bool:
    """Whether somebody may see what the model said: after their own first read, to decide, and when all is over."""
    return who in readers(steps) or state(steps) in CLOSED or "adjudicated" in may(steps, who)


def sees_others(steps: Sequence[Reading], who: str) -> bool:
    """Whether somebody may see what readers said: when they disagree, and when all is over; before that they read alone."""
    now = state(steps)
    return now in CLOSED or (now is State.DISPUTED and (who in readers(steps) or "adjudicated" in may(steps, who)))


def step(steps: Sequence[Reading], who: str, kind: Kind, opinion: Opinion | None, now_ns: int) -> Reading:
    """The step that somebody takes.

    Args:
        steps: so far.
        who: takes it.
        kind: of it.
        opinion: that is held from now on; None for what was held before, which is `kept`.
        now_ns: when.

    Raises:
        UsageError: it is not theirs to take, or says nothing.
    """
    allowed = may(steps, who)
    if len(steps) >= MOST_STEPS and kind != "adjudicated":
        raise UsageError(
            f"Readers of this window have taken {MOST_STEPS} steps and do not agree; have a third reader decide."
        )
    if kind not in allowed:
        raise UsageError(_refusal(steps, who, kind, allowed))
    before = opinion_of(steps, who)
    if kind == "kept":
        if opinion is not None and opinion != before:
            raise UsageError("Keeping an opinion takes no other one; change it instead.")
        opinion = before
    if opinion is None:
        raise UsageError("An opinion is missing; choose a class, or say that you cannot tell.")
    return Reading(at_ns=now_ns, by=who, kind=kind, blinded=kind == "first", opinion=opinion)


def _refusal(steps: Sequence[Reading], who: str, kind: str, allowed: frozenset[Any]) -> str:
    if state(steps) is State.ADJUDICATED:
        return "This window was decided by a third reader; nothing is added to it any more."
    if allowed:
        return f"You cannot take the step {kind!r:.20} here; the next of yours is {' or '.join(sorted(allowed))}."
    if who in readers(steps):
        return "You have read this window; it waits for others, or is agreed on."
    return f"{READERS} readers have read this window and agree, or are not done; read another one."

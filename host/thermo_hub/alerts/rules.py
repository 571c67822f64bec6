"""Rules of alerts as data: what is watched, when it calls, when it is over, who hears of it and how soon.

A rule set is a TOML file with a version; the alerts of a wearable's own profile are rules too, which a set may adjust. The
comparison of a rule is written as in a profile, without the name: `when = ">= 38.2 degC"`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from thermo_core.errors import SchemaError
from thermo_core.schema import Name, Record, Text
from thermo_core.wearable.condition import Condition, parse
from thermo_core.wearable.profile import Duration
from thermo_hub.alerts.watches import (
    DAY_S,
    AsymmetryWatch,
    BatteryWatch,
    CalibrationAgeWatch,
    LossesWatch,
    ProfileWatch,
    Watched,
)

MOST_RULES = 256
MOST_PERSONAL = 4096
LONGEST_ESCALATION = 8

Id = Annotated[str, Meta(min_length=1, max_length=80)]
"""Of a wearable, as the hub knows it."""
PAGE = "page"
"""The channel that is always there: sound and a line on every page that is open."""


class Quiet(Record, frozen=True, rename={"start": "from", "end": "to"}):
    """Hours in which an alert waits: it is there, but calls nobody before they are over.

    Attributes:
        start, end: "HH:MM" by the hub's clock; `from` and `to` in a file. Over midnight where `to` is earlier.
    """

    start: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

    def holds(self, now: time) -> bool:
        """Whether it is such an hour."""
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return start <= now < end if start <= end else now >= start or now < end


class Escalation(Record, frozen=True):
    """Who else hears of an alert that nobody acknowledged.

    Attributes:
        after_s: seconds since somebody was told first.
        channels: names of channels.
    """

    after_s: Annotated[float, Meta(ge=1, le=7 * DAY_S)]
    channels: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=16)]


class Rule(Record, frozen=True, rename={"after": "for"}):
    """When to call somebody, and whom.

    Attributes:
        name: of the rule.
        watch: what it looks at.
        when: comparison, as ">= 38.2 degC"; "" for an alert of a profile, which has its own.
        after: how long that must hold; "for" in a file.
        clear: when it is over, as "< 37.9 degC"; when `when` does not hold any more, where left out.
        severity: how much it matters.
        text: what a person reads.
        channels: by which it calls.
        quiet: hours in which it does not.
        escalation: who else, and when.
        wearables: for which it holds; for all where empty.
        enabled: whether it holds at all.
    """

    name: Name
    watch: Watched
    when: str = ""
    after: Duration = Duration()
    clear: str | None = None
    severity: Literal["info", "warning", "urgent"] = "warning"
    text: Text | None = None
    channels: Annotated[tuple[Text, ...], Meta(max_length=16)] = (PAGE,)
    quiet: Annotated[tuple[Quiet, ...], Meta(max_length=8)] = ()
    escalation: Annotated[tuple[Escalation, ...], Meta(max_length=LONGEST_ESCALATION)] = ()
    wearables: Annotated[tuple[Id, ...], Meta(max_length=MOST_PERSONAL)] = ()
    enabled: bool = True


class Personal(Record, frozen=True):
    """A threshold of one wearer instead of the rule's own.

    Attributes:
        rule: name of the rule.
        wearable: whose.
        when: comparison.
        clear: when it is over.
        why: in words, shown beside the default.
        by: who set it; kept by the hub.
        at: when, ISO 8601; kept by the hub.
    """

    rule: Name
    wearable: Id
    when: Text
    clear: Text | None = None
    why: Text | None = None
    by: Annotated[str, Meta(max_length=80)] = ""
    at: Annotated[str, Meta(max_length=40)] = ""


class RuleSet(Record, frozen=True):
    """All rules of a hub.

    Attributes:
        version: rises by one with each change.
        by: who made the change.
        at: when, ISO 8601.
        rules: all of them.
        personal: thresholds of single wearers.
        stale_after_s: what is added to two periods of a sensor before its silence is an alert.
    """

    version: Annotated[int, Meta(ge=0, le=1 << 31)] = 0
    by: Annotated[str, Meta(max_length=80)] = ""
    at: Annotated[str, Meta(max_length=40)] = ""
    rules: Annotated[tuple[Rule, ...], Meta(max_length=MOST_RULES)] = ()
    personal: Annotated[tuple[Personal, ...], Meta(max_length=MOST_PERSONAL)] = ()
    stale_after_s: Annotated[float, Meta(ge=0, le=5)] = 4.0


STALE = "stale"
"""Name of the rule that is always there: a sensor of a wearable that is watched says nothing."""
TEST = "test"
"""Name of what the test button raises."""
OWN = "own-"
"""Names of rules made of a profile's alerts begin so."""
RESERVED = (STALE, TEST)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The conditions of a rule, read.

    Attributes:
        when: the condition; None for an alert of a profile.
        clear: when it is over; None where that is when `when` does not hold.
        personal: whether they are of one wearer.
        why: what is said of that.
    """

    when: Condition | None
    clear: Condition | None
    personal: bool = False
    why: str = ""


def defaults() -> RuleSet:
    """What holds before anybody has written rules."""
    return RuleSet(
        rules=(
            Rule(
                name="losses",
                watch=LossesWatch(),
                when="> 0.1",
                clear="< 0.02",
                severity="info",
                text="More than a tenth of what the wearable measured did not arrive.",
            ),
            Rule(
                name="supply",
                watch=BatteryWatch(),
                when="< 3.0 V",
                clear="> 3.1 V",
                after=Duration(seconds=60.0),
                text="The supply of the wearable is low; charge it.",
            ),
            Rule(
                name="calibration-expired",
                watch=CalibrationAgeWatch(),
                when="> 365 d",
                severity="info",
                text="A sensor was calibrated more than a year ago; calibrate it again.",
            ),
        )
    )


def comparison(rule: Rule, rules: RuleSet, wearable: str) -> Comparison:
    """The conditions that hold for a wearable: its own where it has one.

    Raises:
        SchemaError: one is none.
    """
    for one in rules.personal:
        if (one.rule, one.wearable) == (rule.name, wearable):
            clear = None if one.clear is None else _read(one.clear)
            return Comparison(_read(one.when), clear, True, one.why or "")
    if isinstance(rule.watch, ProfileWatch):
        return Comparison(None, None)
    return Comparison(_read(rule.when), None if rule.clear is None else _read(rule.clear))


def check(rules: RuleSet, channels: Mapping[str, object]) -> None:
    """Hold a set to what types cannot say.

    Args:
        rules: to be checked.
        channels: that there are, by name.

    Raises:
        SchemaError: a name comes twice or is reserved, a condition is none, a channel is not there, or hysteresis is upside down.
    """
    names: set[str] = set()
    for rule in rules.rules:
        where = f'rule "{rule.name}"'
        if rule.name in names:
            raise SchemaError(f"There are two rules called {rule.name}; give each a name of its own.")
        if rule.name in RESERVED or (rule.name.startswith(OWN) != isinstance(rule.watch, ProfileWatch)):
            raise SchemaError(
                f"{where} has a name that means something else; names beginning with {OWN} are for alerts of profiles, "
                f"{' and '.join(RESERVED)} for the hub's own."
            )
        names.add(rule.name)
        _check_conditions(rule.when, rule.clear, isinstance(rule.watch, ProfileWatch), where)
        for name in (*rule.channels, *(name for step in rule.escalation for name in step.channels)):
            if name not in channels:
                raise SchemaError(f"{where} calls by {name!r:.40}; there is {', '.join(channels)}.")
        steps = [step.after_s for step in rule.escalation]
        if steps != sorted(set(steps)):
            raise SchemaError(f"{where} escalates in steps that do not follow each other; sort them by after_s.")
        if isinstance(rule.watch, AsymmetryWatch) and rule.watch.elements and (rule.watch.rows or rule.watch.columns):
            raise SchemaError(f"{where} compares elements and a region; choose one.")
    seen = set()
    for one in rules.personal:
        where = f'the threshold of {one.wearable!r:.80} for "{one.rule}"'
        rule = next((rule for rule in rules.rules if rule.name == one.rule), None)  # type: ignore[assignment]
        if rule is None or isinstance(rule.watch, ProfileWatch):
            raise SchemaError(f"{where} is of no rule with a threshold; correct its name.")
        if (one.rule, one.wearable) in seen:
            raise SchemaError(f"{where} is there twice; keep one.")
        seen.add((one.rule, one.wearable))
        _check_conditions(one.when, one.clear, False, where)


def _check_conditions(when: str, clear: str | None, own: bool, where: str) -> None:
    if own:
        if when or clear is not None:
            raise SchemaError(
                f"{where} is an alert of a profile, which has its own condition; leave out when and clear."
            )
        return
    try:
        up = _read(when)
        down = None if clear is None else _read(clear)
    except SchemaError as error:
        raise SchemaError(f"{where}: {error}") from None
    if down is None:
        return
    if down.unit not in ("", up.unit):
        raise SchemaError(f"{where} is raised in {up.unit or 'no unit'} and cleared in {down.unit}; use one.")
    rising = up.comparison in (">", ">=")
    if (down.comparison in (">", ">=")) == rising or (down.number > up.number if rising else down.number < up.number):
        raise SchemaError(
            f'{where} would be over while it holds (raised by "{when}", over by "{clear}"); clear it on the other side.'
        )


def _read(text: str) -> Condition:
    if not re.match(r"\s*(>=|<=|>|<)", text):
        raise SchemaError(f'"{text}" is no comparison; write one like ">= 38.2 degC"')
    return parse(f"value {text}")


def for_wearable(rules: RuleSet, wearable: str, own: Mapping[str, Rule]) -> dict[str, Rule]:
    """Rules that hold for a wearable, by name; alerts of its profile are among them unless the set says otherwise of one.

    Args:
        rules: of the hub.
        wearable: its id.
        own: rules of its profile's alerts.
    """
    found = dict(own)
    for rule in rules.rules:
        if isinstance(rule.watch, ProfileWatch):
            if rule.name in own or f"{OWN}{rule.watch.alert}" in own:
                base = own[f"{OWN}{rule.watch.alert}"]
                found[base.name] = msgspec.structs.replace(rule, name=base.name, text=rule.text or base.text)
        else:
            found[rule.name] = rule
    return {
        name: rule
        for name, rule in found.items()
        if rule.enabled and (not rule.wearables or wearable in rule.wearables)
    }

"""Thresholds of one wearer: beside those for everybody, with who set them, when, and what they were before."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from thermo_core.errors import StorageError, UsageError
from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.alerts.rules import Personal, Rule, RuleSet
from thermo_hub.alerts.watches import ProfileWatch

MOST_VERSIONS = 200
"""Versions of the rules that are looked through for the history of a threshold."""


def of_wearer(files: RuleFiles, rules: RuleSet, wearable: str) -> list[dict[str, Any]]:
    """Every rule with a threshold that holds for a wearable, its threshold for everybody, that of this wearer, and its history.

    Args:
        files: versions of the rules.
        rules: those that hold.
        wearable: its id.
    """
    past = _past(files, rules.version)
    return [
        {
            "rule": rule.name,
            "what": rule.watch.__struct_config__.tag,
            "when": rule.when,
            "clear": rule.clear,
            "personal": _plain(_of(rules, rule.name, wearable)),
            "history": _history(past, rule.name, wearable),
        }
        for rule in rules.rules
        if not isinstance(rule.watch, ProfileWatch)
        and rule.enabled
        and (not rule.wearables or wearable in rule.wearables)
    ]


def with_threshold(
    wearable: str, rule: str, when: str, clear: str | None, why: str | None
) -> Callable[[RuleSet], RuleSet]:
    """What gives rules with a threshold for one wearer; what it says is checked where the rules are written."""

    def change(rules: RuleSet) -> RuleSet:
        _known(rules.rules, rule)
        others = tuple(one for one in rules.personal if (one.rule, one.wearable) != (rule, wearable))
        made = Personal(rule=rule, wearable=wearable, when=when, clear=clear, why=why)
        return msgspec.structs.replace(rules, personal=(*others, made))

    return change


def without_threshold(wearable: str, rule: str) -> Callable[[RuleSet], RuleSet]:
    """What gives rules in which a wearer has the threshold of everybody again."""

    def change(rules: RuleSet) -> RuleSet:
        left = tuple(one for one in rules.personal if (one.rule, one.wearable) != (rule, wearable))
        if len(left) == len(rules.personal):
            raise UsageError(f"{wearable!r:.80} has no threshold of its own for {rule!r:.60}; look at those there are.")
        return msgspec.structs.replace(rules, personal=left)

    return change


def _known(rules: Sequence[Rule], name: str) -> None:
    known = [one.name for one in rules if not isinstance(one.watch, ProfileWatch)]
    if name not in known:
        raise UsageError(f"There is no rule {name!r:.60} with a threshold; there is {', '.join(known) or 'none'}.")


def _of(rules: RuleSet, rule: str, wearable: str) -> Personal | None:
    return next((one for one in rules.personal if (one.rule, one.wearable) == (rule, wearable)), None)


def _plain(one: Personal | None) -> Mapping[str, Any] | None:
    return None if one is None else {"when": one.when, "clear": one.clear, "why": one.why, "by": one.by, "at": one.at}


def _past(files: RuleFiles, newest: int) -> list[RuleSet]:
    """Versions up to one, rising; one that cannot be read is passed over."""
    found = []
    for version in [one for one in files.versions() if one <= newest][-MOST_VERSIONS:]:
        try:
            found.append(files.read(version))
        except (UsageError, StorageError):
            continue
    return found


def _history(past: Sequence[RuleSet], rule: str, wearable: str) -> list[dict[str, Any]]:
    """Changes of a threshold, newest first; `when` is None from where the wearer had that of everybody again."""
    found: list[dict[str, Any]] = []
    before: Personal | None = None
    for rules in past:
        now = _of(rules, rule, wearable)
        if now != before:
            told = _plain(now) or {"when": None, "clear": None, "why": None, "by": rules.by, "at": rules.at}
            found.insert(0, {"version": rules.version, **told})
        before = now
    return found

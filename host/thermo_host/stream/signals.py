"""Signals that somebody names: which are meant, what they rest on, and samples put together of the parts in which they travel."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from thermo_core.errors import UsageError
from thermo_core.graph.plan import Plan
from thermo_core.signals import Sample
from thermo_core.wearable.profile import Model
from thermo_core.wire.management import MAX_SIGNALS
from thermo_core.wire.records import SignalRecord

NEAREST = 3
LIKE = 0.5
"""Least likeness of a name that may have been meant, 0 to 1."""


def named(plan: Plan, names: Sequence[str], option: str) -> tuple[str, ...]:
    """Signals by their names; a model's name means what its network gives.

    Args:
        plan: the graph.
        names: as a person gave them.
        option: where, for the error.

    Raises:
        UsageError: there is none of a name, or there are more than a wearable sends at once.
    """
    raws = {model.name: model.raw for model in plan.profile.models}
    known = list(plan.signals)
    found = []
    for name in names:
        signal = raws.get(name, name)
        if signal not in known:
            like = get_close_matches(name, [*known, *raws], NEAREST, LIKE)
            nearest = "the nearest is" if len(like) == 1 else "the nearest are"
            there = f"{nearest} {', '.join(like)}" if like else f"there are {', '.join(known)}"
            raise UsageError(f"{option} {name!r:.60} is no signal of {plan.profile.name}; {there}.")
        found.append(signal)
    unique = tuple(dict.fromkeys(found))
    if len(unique) > MAX_SIGNALS:
        raise UsageError(f"{option} names {len(unique)} signals; at most {MAX_SIGNALS} come at once, so name fewer.")
    return unique


def networks_under(plan: Plan, name: str) -> tuple[str, ...]:
    """Names of the models whose networks must run before there is such a signal."""
    made = {node.gives.name: node for node in plan.nodes}
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        node = made.get(waiting.pop())
        if node is not None:
            waiting += [signal.name for signal in node.inputs]
            if isinstance(node.what, Model):
                found[node.what.name] = None
    return tuple(found)


class Joined:
    """Puts samples together of the records in which a wearable sends them.

    Args:
        plan: the wearable's graph.

    Attributes:
        undecodable: samples so far that have not the size of their signal.
    """

    def __init__(self, plan: Plan) -> None:
        self.undecodable = 0
        self._signals = tuple(plan.signals.values())
        self._parts: dict[int, list[SignalRecord]] = {}

    def clear(self) -> None:
        """Forget parts whose rest will not come."""
        self._parts.clear()

    def push(self, record: SignalRecord) -> tuple[str, Sample] | None:
        """Take a record; name and sample once all of its parts came."""
        if record.signal >= len(self._signals):
            return None
        signal = self._signals[record.signal]
        parts = self._parts.setdefault(record.signal, [])
        if parts and (parts[0].time_us, parts[0].elements) != (record.time_us, record.elements):
            parts.clear()
        parts.append(record)
        if sum(len(part.values) for part in parts) < record.elements:
            return None
        values = np.concatenate([part.values for part in sorted(parts, key=lambda part: part.first)])
        parts.clear()
        if values.size != signal.elements:
            self.undecodable += 1
            return None
        return signal.name, Sample(record.time_us, values.reshape(signal.shape), record.flags)

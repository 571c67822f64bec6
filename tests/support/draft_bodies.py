"""Stages that know a wearer or a body, drawn at random."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from wearable_draft import Draft, Kind, Made, same


def _vouching(draft: Draft, nodes: int) -> list[float]:
    """Weights by which nodes are told from others."""
    weights = np.array(draft.floats(nodes * nodes, -0.2, 0.5), np.float32).reshape(nodes, nodes)
    np.fill_diagonal(weights, 0)
    return [float(one) for one in weights.ravel()]


def _body_map(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    nodes, segments = kind.elements, draft.choices.whole(1, 5)
    if not 2 <= nodes <= 64:
        return None
    fields: dict[str, Any] = {
        "usual": draft.floats(nodes, 25, 35),
        "level": draft.floats(segments, 25, 35),
        "matrix": draft.floats(nodes * segments, -0.5, 1),
        "least": draft.choices.whole(1, nodes),
    }
    if nodes < 13 and draft.choices.one([False, True]):
        fields["weights"] = _vouching(draft, nodes)
    if draft.choices.one([False, True]):
        fields["areas"] = draft.floats(segments, 0.1, 2)
    return fields, Kind((segments + ("areas" in fields),), kind.clock, False, kind.rated)


def _expectile(draft: Draft, of: str) -> Made:
    if not draft.kinds[of].rated:
        return None
    fields: dict[str, Any] = {
        "share": draft.choices.one([0.05, 0.5, 0.9]),
        "memory_s": draft.choices.one([1.0, 5.0, 600.0]),
        "least_s": draft.choices.one([0.0, 1.0, 3.0]),
    }
    if draft.choices.one([False, True]):
        fields |= {"start": draft.choices.one([0.0, 33.0]), "start_s": draft.choices.one([0.0, 2.0])}
    return same(draft.kinds[of], **fields)


def _foster(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    sizes = {p * (p + 1) // 2 * (1 + c) + p: (p, c) for p in (1, 2, 3) for c in (1, 2, 3)}
    if kind.elements not in sizes:
        return None
    parts, copies = sizes[kind.elements]
    fields = {"parts": parts, "copies": copies, "log_centre": 3.0, "log_spread": draft.choices.one([1.0, 0.3])}
    return fields, Kind((1 + 2 * parts,), kind.clock, False, kind.rated)


def _foster_fit(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if len(kind.shape) != 1 or not 16 <= kind.elements <= 40:
        return None
    begin = f"begin-{len(draft.stages)}"
    draft.stages.append({"op": "select", "of": of, "gives": begin, "places": [0, 1, 2, 3, 4, 5, 6]})
    draft.kinds[begin] = Kind((7,), kind.clock, False, kind.rated)
    samples = draft.choices.whole(2 * kind.elements, 100)
    return {"begin": begin, "samples": samples, "period_s": 0.5}, Kind((10,), kind.clock, False, kind.rated)


def _kalman_core(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.elements != 1 or not kind.rated or abs(60 * draft.rate_hz(of) - 1) > 0.01:
        return None
    return {"start": draft.choices.one([37.0, 38.5])}, Kind((2,), kind.clock, False, True)


def _metabolic_rate(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.elements != 1:
        return None
    numbers = [name for name in draft.alike(of) if draft.kinds[name].elements == 1]
    wearer = f"wearer{len(draft.stages)}"
    draft.stages.append({"op": "concatenate", "of": [draft.choices.one(numbers) for _ in range(4)], "gives": wearer})
    draft.kinds[wearer] = Kind((4,), kind.clock, False, kind.rated)
    fields = {
        "resting": draft.choices.one(numbers),
        "wearer": wearer,
        "per": draft.choices.one(["kg", "body"]),
    }
    return fields, Kind((), kind.clock, False, kind.rated)


def _node_check(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    nodes = kind.elements
    if not 3 <= nodes <= 64:
        return None
    fields: dict[str, Any] = {"limit": draft.floats(draft.choices.one([1, nodes]), 0.5, 9.0)}
    if draft.choices.one([False, True]):
        fields["usual"] = draft.floats(nodes, 25, 35)
    if nodes < 13 and draft.choices.one([False, True]):
        fields["weights"] = _vouching(draft, nodes)
    return same(kind, most=draft.choices.whole(1, 3), **fields)


def _own_baseline(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 300:
        return None
    one = draft.choices.one
    learn_s = one([1.0, 2.0, 9.0])
    return same(
        kind, learn_s=learn_s, memory_s=one([1.0, 6.0, 60.0]), least_spread=one([0.001, 1.0]), limit=one([2.0, 50.0])
    )


def _reference(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 300:
        return None
    fields: dict[str, Any] = {
        "memory_s": draft.choices.one([1.0, 5.0, 600.0]),
        "settled_s": draft.choices.one([0.0, 1.0]),
        "least_s": draft.choices.one([0.0, 1.0, 3.0]),
        "limit": draft.choices.one([0.0, 5.0]),
    }
    numbers = [name for name in draft.alike(of) if draft.kinds[name].elements == 1]
    if numbers and draft.choices.whole(0, 2):
        fields |= {"ambient": draft.choices.one(numbers), "bins": draft.choices.whole(1, 5), "low": 25.0, "high": 35.0}
    parts = ["difference", "reference", "hours", "samples"]
    if len(kind.shape) == 2 and min(kind.shape) >= 6 and not kind.timed and draft.choices.whole(0, 3):
        fields |= {"most_shift": draft.choices.one([0.75, 2.0, 4.0]), "noise": draft.choices.one([0.001, 0.1, 10.0])}
        parts.append("shift")
    fields["give"] = list(dict.fromkeys(draft.some(parts, 1, 5)))
    widths = {"difference": kind.elements, "reference": kind.elements, "shift": 2}
    alone = fields["give"] in (["difference"], ["reference"])
    shape = kind.shape if alone else (sum(widths.get(one, 1) for one in fields["give"]),)
    return fields, Kind(shape, kind.clock, False, True)


def _trees(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.elements > 256:
        return None
    rng = np.random.default_rng(draft.choices.whole(0, 2**32 - 1))
    trees, leaves, classes = draft.choices.whole(1, 7), draft.choices.whole(2, 6), draft.choices.whole(2, 4)
    fields = {
        "leaves": leaves,
        "split": [int(rng.integers(n + 1)) for _ in range(trees) for n in range(leaves - 1)],
        "feature": rng.integers(0, kind.elements, trees * (leaves - 1)).tolist(),
        "threshold": draft.floats(trees * (leaves - 1), 28, 38),
        "value": draft.floats(trees * leaves, draft.choices.one([-2.0, -50.0]), 3),
        "start": draft.floats(classes, -1, 1),
    }
    return fields, Kind((classes,), kind.clock, False, kind.rated)


STAGES: Mapping[str, Callable[[Draft, str], Made]] = {
    "body_map": _body_map,
    "expectile": _expectile,
    "foster": _foster,
    "foster_fit": _foster_fit,
    "kalman_core": _kalman_core,
    "metabolic_rate": _metabolic_rate,
    "node_check": _node_check,
    "own_baseline": _own_baseline,
    "reference": _reference,
    "trees": _trees,
}
"""By operation."""

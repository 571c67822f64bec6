"""Stages that make each sample of one moment, drawn at random."""

from collections.abc import Callable, Mapping
from typing import Any

from wearable_draft import Draft, Kind, Made, finished, same


def _bins(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or len(kind.shape) > 2 or kind.shape[0] < 8:
        return None
    fields = {"bins": 4, "settled": draft.choices.whole(0, kind.shape[0] // 2)}
    return fields, Kind((*kind.shape[1:], 4), kind.clock, False, kind.rated)


def _centre(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    return None if kind.elements < 2 else same(kind, by=draft.choices.one(["median", "mean"]))


def _concatenate(draft: Draft, of: str) -> Made:
    names = [of, *draft.some(draft.alike(of), 1, 3)]
    kind = draft.kinds[of]
    return {"of": names}, Kind((sum(draft.kinds[name].elements for name in names),), kind.clock, False, kind.rated)


def _contact_correction(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    numbers = [name for name in draft.alike(of) if draft.kinds[name].elements == 1]
    if not numbers:
        return None
    share = draft.floats(draft.choices.one([1, kind.elements]), 0.0, 0.6)
    return same(kind, air=draft.choices.one(numbers), share=share)


def _domain(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    axes = draft.choices.whole(1, 4)
    low, high = (draft.floats(draft.choices.one([1, kind.elements]), *ends) for ends in ((-9, 25), (32, 60)))
    limits = {name: draft.choices.one([0.5, 20.0, 300.0]) for name in ("along", "across")}
    numbers, spread = draft.floats(axes * kind.elements, -1, 1), draft.floats(axes, 0.1, 9)
    return same(kind, low=low, high=high, axes=numbers, spread=spread, **limits)


def _domain_gate(draft: Draft, of: str) -> Made:
    return same(
        draft.kinds[of],
        by=draft.choices.one(draft.alike(of)),
        low=draft.choices.one([-1e9, 30.0]),
        high=draft.choices.one([34.0, 1e9]),
        calibrated=draft.choices.one([False, True]),
    )


def _enmo(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.shape[-1:] != (3,) or len(kind.shape) != 1 + kind.timed:
        return None
    shape = (2,) if kind.timed else ()
    return {"gravity": draft.choices.one([1.0, 9.81])}, Kind(shape, kind.clock, False, kind.rated)


def _lacking(draft: Draft, of: str) -> Made:
    return same(draft.kinds[of])


def _logarithm(draft: Draft, of: str) -> Made:
    return same(draft.kinds[of], offset=draft.choices.one([0.0, 0.25]))


def _normalise(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    many = draft.choices.one([False, True])
    return same(
        kind,
        centre=draft.floats(kind.elements if many else 1, -5, 40),
        spread=draft.floats(1 if draft.choices.one([False, True]) else kind.elements, 0.1, 9),
        limit=draft.choices.one([0.5, 4.0]),
    )


def _normalise_percentiles(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.elements < 2:
        return None
    low, high = draft.choices.one([(0, 100), (2, 98), (25, 75), (99, 100)])
    return same(kind, low=low, high=high, least=draft.choices.one([1e-6, 0.1, 5.0]))


def _prefer(draft: Draft, of: str) -> Made:
    signals = finished(draft).signals
    alike = [name for name in draft.alike(of, same_shape=True) if signals[name].unit == signals[of].unit]
    return same(draft.kinds[of], of=[of, *draft.some(alike, 1, 3)])


def _projection(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    rows = draft.choices.whole(1, 4)
    fields: dict[str, Any] = {"rows": rows, "basis": draft.floats(rows * kind.elements, -1, 1)}
    if draft.choices.one([False, True]):
        fields["offset"] = draft.floats(rows, -9, 9)
    if rows < kind.elements and draft.choices.one([False, True]):
        fields["least_noise"] = 0.001
        rows += 1
    return fields, Kind((rows,), kind.clock, False, kind.rated)


def _relative(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    others = [name for name in draft.alike(of) if draft.kinds[name].elements % kind.elements == 0]
    to = draft.choices.one(others)
    shares = draft.floats(draft.kinds[to].elements // kind.elements, -1, 1)
    return same(kind, to=to, floor=draft.choices.one([0.05, 2.0]), shares=shares)


def _scale(draft: Draft, of: str) -> Made:
    offset, factor = draft.floats(2, -40, 40)
    return same(draft.kinds[of], offset=offset, factor=factor)


def _select(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    places = draft.some(range(kind.elements), 1, 12)
    return {"places": places}, Kind((len(places),), kind.clock, False, kind.rated)


def _stack(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    names = [name for name in draft.alike(of) if draft.kinds[name].shape == kind.shape]
    if len(kind.shape) != 2 or kind.elements > 1024 or kind.timed:
        return None
    chosen = [of, *draft.some(names, 1, 3)]
    return {"of": chosen}, Kind((*kind.shape, len(chosen)), kind.clock, False, kind.rated)


STAGES: Mapping[str, Callable[[Draft, str], Made]] = {
    "bins": _bins,
    "centre": _centre,
    "concatenate": _concatenate,
    "contact_correction": _contact_correction,
    "domain": _domain,
    "domain_gate": _domain_gate,
    "enmo": _enmo,
    "lacking": _lacking,
    "logarithm": _logarithm,
    "normalise": _normalise,
    "normalise_percentiles": _normalise_percentiles,
    "prefer": _prefer,
    "projection": _projection,
    "relative": _relative,
    "scale": _scale,
    "select": _select,
    "stack": _stack,
}
"""By operation."""

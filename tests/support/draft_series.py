"""Stages that look back, drawn at random."""

from collections.abc import Callable, Mapping
from typing import Any

from wearable_draft import Draft, Kind, Made, finished, same, untimed

from thermo_core.signals import DEPTHS


def _average(draft: Draft, of: str) -> Made:
    step = draft.choices.one([0.0078125, 0.01, 3.0])
    return same(draft.kinds[of], pictures=draft.choices.whole(1, 20), step=step)


def _bandpass(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 60:
        return None
    rate_hz = draft.rate_hz(of)
    low, high = draft.choices.one([(0.05, 0.2), (0.1, 0.45), (0.01, 0.1)])
    return {"low_hz": low * rate_hz, "high_hz": high * rate_hz, "order": draft.choices.whole(1, 4)}, untimed(kind)


def _contact_gate(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated:
        return None
    within_s, hold_s = (draft.choices.one([1, 3]) / draft.rate_hz(of) for _ in range(2))
    return same(kind, step=draft.choices.one([0.3, 9.0]), within_s=min(within_s, 60.0), hold_s=hold_s)


def _forward_fill(draft: Draft, of: str) -> Made:
    return same(draft.kinds[of], oldest_s=draft.choices.one([0.01, 0.5, 3.0]))


def _hold(draft: Draft, of: str) -> Made:
    on = draft.choices.one(sorted(draft.kinds))
    other, kind = draft.kinds[on], draft.kinds[of]
    fields = {"on": on, "oldest_s": draft.choices.one([0.0, 0.3, 2.0])}
    return fields, Kind(kind.shape, other.clock, kind.timed, other.rated)


def _integral(draft: Draft, of: str) -> Made:
    if not draft.kinds[of].rated:
        return None
    return same(draft.kinds[of], factor=draft.choices.one([1.0, 0.000239]))


def _motion_gate(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    hold_s = draft.choices.one([0, 3]) / draft.rate_hz(of) if kind.rated else 0.0
    return same(
        kind,
        motion=draft.choices.one(draft.alike(of)),
        threshold=draft.choices.one([0.03, 34.0]),
        hold_s=min(hold_s, 3600.0),
    )


def _paired_recovery(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or len(kind.shape) != 2 or kind.shape[0] < 16 or kind.shape[1] % 2 or kind.shape[1] > 16:
        return None
    rows, nodes = kind.shape
    bins, before = f"bins-{len(draft.stages)}", f"before-{len(draft.stages)}"
    draft.stages.append({"op": "bins", "of": of, "gives": bins, "bins": 8})
    draft.kinds[bins] = Kind((nodes, 8), kind.clock, False, kind.rated)
    draft.stages.append({"op": "select", "of": of, "gives": before, "places": list(range(nodes))})
    draft.kinds[before] = Kind((nodes,), kind.clock, False, kind.rated)
    fields = {"of": bins, "before": before, "samples": rows, "shares": draft.floats(nodes // 2, 0.1, 1.0)}
    return fields | {"walk": draft.choices.one([0.2, 2.0])}, Kind((4,), kind.clock, False, kind.rated)


def _recovery(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or len(kind.shape) > 2 or kind.shape[0] < 8:
        return None
    return {"clear": draft.choices.one([0.0, 3.0])}, Kind(
        (4,) if len(kind.shape) == 1 else (kind.shape[1], 4), kind.clock, False, kind.rated
    )


def _resample(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.clock[1] >= DEPTHS - 2 or not kind.rated:
        return None
    # A mean may not make a signal faster, and the slow one has 2 samples a second or fewer.
    by = draft.choices.one(["mean", "last"])
    rate = draft.choices.one([0.05] if by == "mean" and kind.clock[0] != "fast" else [0.5, 1.0, 3.0])
    return {"rate_hz": rate, "by": by}, Kind(
        kind.shape, (f"{kind.clock[0]}@{rate}", kind.clock[1] + 1), False, kind.rated
    )


def _slope(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 60:
        return None
    span_s = draft.choices.one([1, 2, 7, 20]) / draft.rate_hz(of)
    return {"span_s": span_s, "per": draft.choices.one(["s", "min", "h"])}, untimed(kind)


def _spectrum_peak(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or kind.shape[0] != kind.elements or kind.elements < 8:
        return None
    rows_a_minute = 60 / finished(draft).signals[of].spacing_s
    fields: dict[str, Any] = {
        "low_bpm": max(5.0, 0.05 * rows_a_minute),
        "high_bpm": 0.45 * rows_a_minute,
        "step_bpm": 0.02 * rows_a_minute,
        "track_bpm": 0.1 * rows_a_minute,
        "motion_scale": draft.choices.one([0.03, 5.0]),
        "least_quality": draft.choices.one([0.0, 0.5]),
    }
    if fields["high_bpm"] > 1000 or fields["low_bpm"] >= fields["high_bpm"]:
        return None
    windows = {name: one.shape[0] for name, one in draft.kinds.items() if one.timed and one.clock == kind.clock}
    alike = [name for name, rows in windows.items() if rows == kind.shape[0]]
    if draft.choices.one([False, True, True]):
        fields["motion"] = draft.choices.one(alike)
    return fields, Kind((2,), kind.clock, False, kind.rated)


def _statistics(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    rows = kind.shape[0] if kind.timed else kind.elements
    words = ["mean", "sd", "min", "max", "range", "first", "last", "median", "p50", "p95", "mean[:1]", "last - first"]
    if rows > 1:
        words += ["slope", "change1", "rise1", "fall1", "max - mean", "median[1:]", "p0[-2:] - p100[:2]"]
    give = draft.some(words, 1, 6)
    columns = kind.elements // rows
    shape = (columns, len(give)) if kind.timed and len(kind.shape) == 2 else (len(give),)
    return {"give": give, "over": "time" if kind.timed else "all"}, Kind(shape, kind.clock, False, kind.rated)


def _step_removal(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or len(kind.shape) > 2 or kind.shape[0] < 16:
        return None
    return same(kind, limit=draft.choices.one([1.0, 5.0]), least=draft.choices.one([0.05, 2.0]), first=8)


def _subtract_background(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.timed:
        return None
    return same(
        kind,
        time_constant_s=draft.choices.one([0.5, 5.0, 300.0]),
        threshold=draft.choices.one([0.5, 5.0]),
        by=draft.choices.one(["mean", "median"]),
        give=draft.choices.one(["difference", "mask"]),
        least_s=draft.choices.one([0.0, 1.0, 3.0]),
        patience_s=draft.choices.one([0, 1, 5]),
    )


def _window(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if len(kind.shape) > 2 or not kind.rated or kind.elements > 60:
        return None
    length, every = draft.choices.one([2, 3, 4, 8, 9, 16]), draft.choices.one([1, 1, 2, 3, 11])
    clock = kind.clock if every == 1 else (f"{kind.clock[0]}/{length}/{every}", kind.clock[1])
    return {"length": length, "every": every}, Kind((length, *kind.shape), clock, True, True)


STAGES: Mapping[str, Callable[[Draft, str], Made]] = {
    "average": _average,
    "bandpass": _bandpass,
    "contact_gate": _contact_gate,
    "forward_fill": _forward_fill,
    "hold": _hold,
    "integral": _integral,
    "motion_gate": _motion_gate,
    "paired_recovery": _paired_recovery,
    "recovery": _recovery,
    "resample": _resample,
    "slope": _slope,
    "spectrum_peak": _spectrum_peak,
    "statistics": _statistics,
    "step_removal": _step_removal,
    "subtract_background": _subtract_background,
    "window": _window,
}
"""By operation."""

"""Random wearables for tests of graphs: stages and models that fit together, and recordings of what may come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core import schema
from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan, plan
from thermo_core.signals import DEPTHS, Sample
from thermo_core.wearable.profile import Profile

Sensors = Mapping[str, tuple[tuple[int, ...], float]]
"""Shape and rate of each sensor's signal; what happens now and then has no rate."""

SENSORS: Sensors = {"fast": ((3,), 10.0), "slow": ((), 2.0), "event": ((2,), 0.0)}

FEW = np.array([0.0, -0.0, 1.0, -1.0, 40.0], np.float32)
"""Both zeros, and little else, so that much is alike."""
SPECIAL = np.array([0.0, -0.0, 1e-42, -1e-42, 3e38, -3e38, np.inf, -np.inf, 65535.0, 0.5, 1.5], np.float32)


Option = TypeVar("Option")


class Choices(Protocol):
    """Where a random wearable's choices come from."""

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""

    def one(self, options: Sequence[Option]) -> Option:
        """One of them."""


@dataclass(frozen=True)
class Drawn:
    """Hypothesis, which finds the smallest wearable that fails."""

    draw: st.DrawFn

    def whole(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def one(self, options: Sequence[Option]) -> Option:
        return self.draw(st.sampled_from(options))


@dataclass(frozen=True)
class Seeded:
    """A generator, which makes many large wearables, all unlike."""

    rng: np.random.Generator

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def one(self, options: Sequence[Option]) -> Option:
        return options[self.whole(0, len(options) - 1)]


class Unfit(Exception):
    """The choices make no wearable."""


@dataclass
class Kind:
    """What a stage must know of a signal to be put on it: clock by name and depth, whether rows are moments, whether it has a rate."""

    shape: tuple[int, ...]
    clock: tuple[str, int]
    timed: bool
    rated: bool

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=int))


@dataclass
class Draft:
    """A wearable in the making."""

    choices: Choices
    sensors: Sensors
    kinds: dict[str, Kind] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)

    def alike(self, of: str, same_shape: bool = False) -> list[str]:
        """Signals of the clock of another."""
        one = self.kinds[of]
        return [n for n, k in self.kinds.items() if k.clock == one.clock and (not same_shape or k.shape == one.shape)]

    def some(self, options: Sequence[Option], least: int, most: int) -> list[Option]:
        """`least` to `most` of them, some perhaps more than once."""
        return [self.choices.one(options) for _ in range(self.choices.whole(least, most))]

    def floats(self, count: int, low: float, high: float) -> list[float]:
        """Constants that depend on one choice."""
        rng = np.random.default_rng(self.choices.whole(0, 2**32 - 1))
        return [float(x) for x in rng.uniform(low, high, count).astype(np.float32)]

    def rate_hz(self, of: str) -> float:
        """Samples a second of a signal."""
        return finished(self).signals[of].rate_hz


Made = tuple[dict[str, Any], Kind] | None
"""Fields of a stage beside op, of and gives, and what it gives; None where it cannot be put there."""


def _same(kind: Kind, **fields: Any) -> Made:
    return fields, Kind(kind.shape, kind.clock, kind.timed, kind.rated)


def _untimed(kind: Kind) -> Kind:
    """What has the shape of a window but whose rows are no moments."""
    return Kind(kind.shape, kind.clock, False, kind.rated)


def _average(draft: Draft, of: str) -> Made:
    step = draft.choices.one([0.0078125, 0.01, 3.0])
    return _same(draft.kinds[of], pictures=draft.choices.whole(1, 20), step=step)


def _bandpass(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 60:
        return None
    rate_hz = draft.rate_hz(of)
    low, high = draft.choices.one([(0.05, 0.2), (0.1, 0.45), (0.01, 0.1)])
    return {"low_hz": low * rate_hz, "high_hz": high * rate_hz, "order": draft.choices.whole(1, 4)}, _untimed(kind)


def _bins(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or len(kind.shape) > 2 or kind.shape[0] < 8:
        return None
    fields = {"bins": 4, "settled": draft.choices.whole(0, kind.shape[0] // 2)}
    return fields, Kind((*kind.shape[1:], 4), kind.clock, False, kind.rated)


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


def _vouching(draft: Draft, nodes: int) -> list[float]:
    """Weights by which nodes are told from others."""
    weights = np.array(draft.floats(nodes * nodes, -0.2, 0.5), np.float32).reshape(nodes, nodes)
    np.fill_diagonal(weights, 0)
    return [float(one) for one in weights.ravel()]


def _centre(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    return None if kind.elements < 2 else _same(kind, by=draft.choices.one(["median", "mean"]))


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
    return _same(kind, air=draft.choices.one(numbers), share=share)


def _contact_gate(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated:
        return None
    within_s, hold_s = (draft.choices.one([1, 3]) / draft.rate_hz(of) for _ in range(2))
    return _same(kind, step=draft.choices.one([0.3, 9.0]), within_s=min(within_s, 60.0), hold_s=hold_s)


def _enmo(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.shape[-1:] != (3,) or len(kind.shape) != 1 + kind.timed:
        return None
    shape = (2,) if kind.timed else ()
    return {"gravity": draft.choices.one([1.0, 9.81])}, Kind(shape, kind.clock, False, kind.rated)


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
    return _same(draft.kinds[of], **fields)


def _forward_fill(draft: Draft, of: str) -> Made:
    return _same(draft.kinds[of], oldest_s=draft.choices.one([0.01, 0.5, 3.0]))


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


def _hold(draft: Draft, of: str) -> Made:
    on = draft.choices.one(sorted(draft.kinds))
    other, kind = draft.kinds[on], draft.kinds[of]
    fields = {"on": on, "oldest_s": draft.choices.one([0.0, 0.3, 2.0])}
    return fields, Kind(kind.shape, other.clock, kind.timed, other.rated)


def _integral(draft: Draft, of: str) -> Made:
    if not draft.kinds[of].rated:
        return None
    return _same(draft.kinds[of], factor=draft.choices.one([1.0, 0.000239]))


def _lacking(draft: Draft, of: str) -> Made:
    return _same(draft.kinds[of])


def _kalman_core(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.elements != 1 or not kind.rated or abs(60 * draft.rate_hz(of) - 1) > 0.01:
        return None
    return {"start": draft.choices.one([37.0, 38.5])}, Kind((2,), kind.clock, False, True)


def _logarithm(draft: Draft, of: str) -> Made:
    return _same(draft.kinds[of], offset=draft.choices.one([0.0, 0.25]))


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


def _domain_gate(draft: Draft, of: str) -> Made:
    return _same(
        draft.kinds[of],
        by=draft.choices.one(draft.alike(of)),
        low=draft.choices.one([-1e9, 30.0]),
        high=draft.choices.one([34.0, 1e9]),
        calibrated=draft.choices.one([False, True]),
    )


def _stack(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    names = [name for name in draft.alike(of) if draft.kinds[name].shape == kind.shape]
    if len(kind.shape) != 2 or kind.elements > 1024 or kind.timed:
        return None
    chosen = [of, *draft.some(names, 1, 3)]
    return {"of": chosen}, Kind((*kind.shape, len(chosen)), kind.clock, False, kind.rated)


def _motion_gate(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    hold_s = draft.choices.one([0, 3]) / draft.rate_hz(of) if kind.rated else 0.0
    return _same(
        kind,
        motion=draft.choices.one(draft.alike(of)),
        threshold=draft.choices.one([0.03, 34.0]),
        hold_s=min(hold_s, 3600.0),
    )


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
    return _same(kind, most=draft.choices.whole(1, 3), **fields)


def _normalise(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    many = draft.choices.one([False, True])
    return _same(
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
    return _same(kind, low=low, high=high, least=draft.choices.one([1e-6, 0.1, 5.0]))


def _own_baseline(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 300:
        return None
    one = draft.choices.one
    learn_s = one([1.0, 2.0, 9.0])
    return _same(
        kind, learn_s=learn_s, memory_s=one([1.0, 6.0, 60.0]), least_spread=one([0.001, 1.0]), limit=one([2.0, 50.0])
    )


def _prefer(draft: Draft, of: str) -> Made:
    signals = finished(draft).signals
    same = [name for name in draft.alike(of, same_shape=True) if signals[name].unit == signals[of].unit]
    return _same(draft.kinds[of], of=[of, *draft.some(same, 1, 3)])


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


def _recovery(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or len(kind.shape) > 2 or kind.shape[0] < 8:
        return None
    return {"clear": draft.choices.one([0.0, 3.0])}, Kind(
        (4,) if len(kind.shape) == 1 else (kind.shape[1], 4), kind.clock, False, kind.rated
    )


def _reference(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 300:
        return None
    fields: dict[str, Any] = {
        "memory_s": draft.choices.one([1.0, 5.0, 600.0]),
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


def _relative(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    others = [name for name in draft.alike(of) if draft.kinds[name].elements % kind.elements == 0]
    to = draft.choices.one(others)
    shares = draft.floats(draft.kinds[to].elements // kind.elements, -1, 1)
    return _same(kind, to=to, floor=draft.choices.one([0.05, 2.0]), shares=shares)


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


def _scale(draft: Draft, of: str) -> Made:
    offset, factor = draft.floats(2, -40, 40)
    return _same(draft.kinds[of], offset=offset, factor=factor)


def _select(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    places = draft.some(range(kind.elements), 1, 12)
    return {"places": places}, Kind((len(places),), kind.clock, False, kind.rated)


def _slope(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.elements > 60:
        return None
    span_s = draft.choices.one([1, 2, 7, 20]) / draft.rate_hz(of)
    return {"span_s": span_s, "per": draft.choices.one(["s", "min", "h"])}, _untimed(kind)


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


def _subtract_background(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.rated or kind.timed:
        return None
    return _same(
        kind,
        time_constant_s=draft.choices.one([0.5, 5.0, 300.0]),
        threshold=draft.choices.one([0.5, 5.0]),
        by=draft.choices.one(["mean", "median"]),
        give=draft.choices.one(["difference", "mask"]),
        least_s=draft.choices.one([0.0, 1.0, 3.0]),
        patience_s=draft.choices.one([0, 1, 5]),
    )


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


def _window(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if len(kind.shape) > 2 or not kind.rated or kind.elements > 60:
        return None
    length, every = draft.choices.one([2, 3, 4, 8, 9, 16]), draft.choices.one([1, 1, 2, 3, 11])
    clock = kind.clock if every == 1 else (f"{kind.clock[0]}/{length}/{every}", kind.clock[1])
    return {"length": length, "every": every}, Kind((length, *kind.shape), clock, True, True)


def _is_picture(kind: Kind) -> bool:
    return len(kind.shape) == 2 and not kind.timed and min(kind.shape) > 1


def _of_picture(draft: Draft, of: str, shape: tuple[int, ...] | None = None, **fields: Any) -> Made:
    """A stage that takes a picture, of which it makes another or something of that shape."""
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    return fields, Kind(kind.shape if shape is None else shape, kind.clock, False, kind.rated)


def _crop(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    row, column = (draft.choices.whole(0, length - 1) for length in kind.shape)
    rows, columns = kind.shape[0] - row, kind.shape[1] - column
    return _of_picture(draft, of, (rows, columns), row=row, column=column, rows=rows, columns=columns)


def _difference(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if _is_picture(kind) and draft.choices.one([False, True]):
        return _of_picture(draft, of, (kind.shape[0], kind.shape[1] // 2))
    first = draft.some(range(kind.elements), 1, 6)
    second = draft.some(range(kind.elements), len(first), len(first))
    return {"first": first, "second": second}, Kind((len(first),), kind.clock, False, kind.rated)


def _domain(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    axes = draft.choices.whole(1, 4)
    low, high = (draft.floats(draft.choices.one([1, kind.elements]), *ends) for ends in ((-9, 25), (32, 60)))
    limits = {name: draft.choices.one([0.5, 20.0, 300.0]) for name in ("along", "across")}
    numbers, spread = draft.floats(axes * kind.elements, -1, 1), draft.floats(axes, 0.1, 9)
    return _same(kind, low=low, high=high, axes=numbers, spread=spread, **limits)


def _gaussian(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, size=draft.choices.one([3, 5]), sigma=draft.choices.one([0.3, 0.8, 1.7]))


def _median3(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, step=draft.choices.one([0.0078125, 0.01, 3.0]))


def _resize(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    by = draft.choices.one(["area", "bilinear"])
    rows, columns = (draft.choices.whole(1, length if by == "area" else 20) for length in kind.shape)
    return _of_picture(draft, of, (rows, columns), rows=rows, columns=columns, by=by)


def _sobel(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, give=draft.choices.one(["magnitude", "x", "y"]))


def _canny(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, high=draft.choices.one([0.5, 2.0]), low=draft.choices.one([0.01, 0.5]))


_LEVELS: dict[str, Any] = {"low": 18.3, "high": 41.7}


def _equalise(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    tiles = [1, 1] if draft.choices.one([False, True]) else [draft.choices.whole(1, min(n, 4)) for n in kind.shape]
    levels, clip = draft.choices.one([2, 64, 256]), draft.choices.one([0.0, 0.0, 1.0, 3.0])
    return _of_picture(draft, of, **_LEVELS, levels=levels, tile_rows=tiles[0], tile_columns=tiles[1], clip=clip)


def _glcm(draft: Draft, of: str) -> Made:
    angles, levels = draft.some([0, 45, 90, 135], 1, 4), draft.choices.one([2, 8, 16])
    return _of_picture(draft, of, (len(angles), 4), **_LEVELS, levels=levels, angles=angles)


def _hot_spots(draft: Draft, of: str) -> Made:
    most = draft.choices.one([1, 4, 9])
    return _of_picture(draft, of, (most, 4), most=most, least_k=draft.choices.one([0.5, 4.0]))


def _segment(draft: Draft, of: str) -> Made:
    flags: dict[str, Any] = {name: draft.choices.one([False, True]) for name in ("largest", "diagonal")}
    threshold: dict[str, Any] = (
        {} if draft.choices.one([False, True]) else {"threshold": draft.choices.one([28.0, 33.0])}
    )
    give, opening = draft.choices.one(["mask", "picture"]), draft.choices.one([0, 0, 1, 2])
    return _of_picture(draft, of, give=give, opening=opening, **flags, **threshold)


STAGES: dict[str, Callable[[Draft, str], Made]] = {
    "average": _average,
    "bandpass": _bandpass,
    "bins": _bins,
    "body_map": _body_map,
    "canny": _canny,
    "centre": _centre,
    "concatenate": _concatenate,
    "contact_correction": _contact_correction,
    "contact_gate": _contact_gate,
    "crop": _crop,
    "difference": _difference,
    "domain": _domain,
    "domain_gate": _domain_gate,
    "stack": _stack,
    "enmo": _enmo,
    "equalise": _equalise,
    "expectile": _expectile,
    "forward_fill": _forward_fill,
    "foster": _foster,
    "foster_fit": _foster_fit,
    "gaussian": _gaussian,
    "glcm": _glcm,
    "hold": _hold,
    "hot_spots": _hot_spots,
    "integral": _integral,
    "kalman_core": _kalman_core,
    "lacking": _lacking,
    "logarithm": _logarithm,
    "median3": _median3,
    "metabolic_rate": _metabolic_rate,
    "motion_gate": _motion_gate,
    "node_check": _node_check,
    "normalise": _normalise,
    "normalise_percentiles": _normalise_percentiles,
    "own_baseline": _own_baseline,
    "prefer": _prefer,
    "projection": _projection,
    "recovery": _recovery,
    "reference": _reference,
    "relative": _relative,
    "resample": _resample,
    "resize": _resize,
    "scale": _scale,
    "segment": _segment,
    "select": _select,
    "slope": _slope,
    "sobel": _sobel,
    "spectrum_peak": _spectrum_peak,
    "statistics": _statistics,
    "subtract_background": _subtract_background,
    "trees": _trees,
    "window": _window,
}
"""One row an operation, as the registry has them."""

CURVES = ("bins", "foster_fit", "recovery", "spectrum_peak")
"""Operations on a window of one number, which would seldom come about by itself."""


PICTURES = ("canny", "crop", "equalise", "gaussian", "glcm", "hot_spots", "median3", "resize", "segment", "sobel")
"""Operations that take pictures alone."""
MINUTELY = ("kalman_core",)
"""Operations on one number a minute."""
NUMBERS = ("metabolic_rate",)
"""Operations on one number."""


def add_stage(draft: Draft, op: str, of: str, gives: str) -> bool:
    """Put a stage on a signal; False where it cannot be put there."""
    made = STAGES[op](draft, of)
    if made is None:
        return False
    fields, kind = made
    draft.stages.append({"op": op, "of": of, "gives": gives} | fields)
    draft.kinds[gives] = kind
    return True


def _add_model(draft: Draft, name: str) -> None:
    of = draft.choices.one(sorted(draft.kinds))
    inputs = [of, *draft.some(draft.alike(of), 0, 2)]
    outputs = draft.choices.whole(1, 9)
    quantities = [{"name": f"q{n}", "unit": "", "low": -1.0, "high": 1.0} for n in range(outputs)]
    draft.models.append({"name": name, "inputs": inputs, "quantities": quantities})
    draft.kinds[f"{name}.raw"] = Kind((outputs,), draft.kinds[of].clock, False, draft.kinds[of].rated)


def begun(choices: Choices, sensors: Sensors = SENSORS) -> Draft:
    """A wearable that has sensors alone."""
    kinds = {name: Kind(shape, (name, 0), False, rate > 0) for name, (shape, rate) in sensors.items()}
    return Draft(choices, sensors, kinds)


def finished(draft: Draft, unit: str = "") -> Plan:
    """The wearable, checked; what its sensors say is in `unit`."""
    sensors = [
        {"kind": "external", "name": name, "shape": list(shape), "rate_hz": rate_hz, "unit": unit}
        for name, (shape, rate_hz) in draft.sensors.items()
    ]
    parts = {"name": "test", "version": "1", "sensors": sensors, "stages": draft.stages, "models": draft.models}
    try:
        return plan(schema.from_plain(parts, Profile, "profile"))
    except ProfileError as error:
        # A mean of what a window thinned out; contrasts of what is not a temperature.
        if "faster" in str(error) or "needs kelvin" in str(error):
            raise Unfit from error
        raise


def single(choices: Choices, op: str) -> Plan:
    """A wearable of one operation, on a sample of 1 to 256 numbers or a window of them. Raises Unfit."""
    curve = op in CURVES
    shape = () if curve else choices.one([(), (2,), (3,), (5,), (12,), (7, 9), (16, 16)])
    shape = () if op in (*MINUTELY, *NUMBERS) else choices.one([(7, 9), (16, 16), (2, 5)]) if op in PICTURES else shape
    draft = begun(choices, {"one": (shape, 1 / 60 if op in MINUTELY else 8.0), "two": (shape, 3.0)})
    of = "one"
    if curve or (op not in (*MINUTELY, *NUMBERS) and draft.kinds[of].elements <= 12 and choices.one([False, True])):
        # Seldom do many samples come without a gap.
        length = choices.one([12, 16, 40] if curve else [2, 12, 100])
        draft.stages.append({"op": "window", "of": of, "gives": "window", "length": length})
        draft.kinds["window"] = Kind((length, *shape), draft.kinds[of].clock, True, True)
        of = "window"
    if not add_stage(draft, op, of, "made"):
        raise Unfit
    return finished(draft, "degC")


def graph(choices: Choices, least: int = 1, most: int = 8) -> Plan:
    """Stages that fit together, each on what came before, and models among them. Raises Unfit."""
    draft = begun(choices)
    for number in range(choices.whole(least, most)):
        # Where clocks meet, most can go wrong.
        op = choices.one([*sorted(STAGES), "model", "hold", "hold", "resample", "resample", "window"])
        if op == "model":
            _add_model(draft, f"m{number}")
            continue
        of = choices.one(sorted(draft.kinds))
        if op in CURVES and draft.kinds[of].shape == () and draft.kinds[of].rated:
            draft.stages.append({"op": "window", "of": of, "gives": f"w{number}", "length": 12})
            draft.kinds[f"w{number}"] = Kind((12,), draft.kinds[of].clock, True, True)
            of = f"w{number}"
        add_stage(draft, op, of, f"s{number}")
    return finished(draft)


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """`graph`, as Hypothesis has it."""
    try:
        return graph(Drawn(draw))
    except Unfit:
        reject()


def plain_bytes(values: NDArray[np.float32]) -> bytes:
    """Bytes of values, with one and the same NaN for all: what has no value has no bits of its own either."""
    return np.where(np.isnan(values), np.float32(np.nan), values).astype(np.float32).tobytes()


Recording = list[tuple[str, list[Sample]]]
"""Blocks of sensors as they came: samples of a sensor's signal, of one moment or of many."""

MOMENTS = 7
"""Most samples of a block, where a sensor has many."""


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Numbers of a sample: mostly temperatures, some of them the same, now and then none, extreme, or any float32 there is."""
    values = rng.normal(30, 5, shape).astype(np.float32)
    style = rng.random()
    if style < 0.2:
        values = np.round(values * rng.choice([0.0, 0.1, 1.0]))
    elif style < 0.3:
        values = rng.integers(0, 1 << 32, shape, np.uint32).view(np.float32)
    elif style < 0.4:
        values = rng.choice(FEW, shape)
    if style < 0.8:
        values = np.where(rng.random(shape) < 0.1, np.float32(np.nan), values)
        values = np.where(rng.random(shape) < 0.05, rng.choice(SPECIAL, shape), values)
    return np.asarray(values, np.float32).reshape(shape)


def recording(
    rng: np.random.Generator, count: int, sensors: Sensors = SENSORS, most_a_block: int = MOMENTS
) -> Recording:
    """Samples of all sensors as they come: gaps, missing and extreme values, flags, another sensor put in, one or many a block."""
    times = {name: int(rng.integers(0, 400_000)) for name in sensors}
    most = {name: int(rng.choice([1, 1, most_a_block])) for name in sensors}
    gathered: dict[str, list[Sample]] = {name: [] for name in sensors}
    due = dict.fromkeys(sensors, 1)
    blocks: Recording = []
    for _ in range(count):
        name = min(times, key=lambda one: times[one])
        shape, rate_hz = sensors[name]
        values = numbers(rng, shape)
        flags = int(rng.integers(0, 1 << 15)) if rng.random() < 0.1 else 0
        gathered[name].append(Sample(times[name], values, flags, bool(rng.random() < 0.03)))
        if len(gathered[name]) == due[name]:
            blocks.append((name, gathered[name]))
            gathered[name], due[name] = [], int(rng.integers(1, most[name], endpoint=True))
        period_us = 1e6 / (rate_hz or 1.0)
        times[name] += round(period_us * (rng.uniform(0.8, 1.2) if rng.random() < 0.95 else rng.uniform(2, 12)))
    return blocks


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """`recording` of up to 80 samples."""
    return recording(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 80)))

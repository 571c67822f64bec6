"""Random wearables for tests of graphs: stages and models that fit together, and recordings of what may come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core import schema
from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan, plan
from thermo_core.signals import DEPTHS, Sample
from thermo_core.wearable.profile import Profile

SENSORS: dict[str, tuple[tuple[int, ...], float]] = {"fast": ((3,), 10.0), "slow": ((), 2.0), "event": ((2,), 0.0)}
"""Shape and rate of each sensor's signal; what happens now and then has no rate."""

SPECIAL = (0.0, -0.0, 1e-42, -1e-42, 3e38, -3e38, np.inf, -np.inf, 65535.0, 0.5, 1.5)


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

    draw: st.DrawFn
    kinds: dict[str, Kind] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)

    def alike(self, of: str, same_shape: bool = False) -> list[str]:
        """Signals of the clock of another."""
        one = self.kinds[of]
        return [n for n, k in self.kinds.items() if k.clock == one.clock and (not same_shape or k.shape == one.shape)]

    def floats(self, count: int, low: float, high: float) -> list[float]:
        """Constants that depend on one draw."""
        rng = np.random.default_rng(self.draw(st.integers(0, 2**32 - 1)))
        return [float(x) for x in np.float32(rng.uniform(low, high, count))]


Made = tuple[dict[str, Any], Kind] | None
"""Fields of a stage beside op, of and gives, and what it gives; None where it cannot be put there."""


def _same(kind: Kind, **fields: Any) -> Made:
    return fields, Kind(kind.shape, kind.clock, kind.timed, kind.rated)


def _average(draft: Draft, of: str) -> Made:
    step = draft.draw(st.sampled_from([0.0078125, 0.01, 3.0]))
    return _same(draft.kinds[of], pictures=draft.draw(st.integers(1, 20)), step=step)


def _bins(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not kind.timed or len(kind.shape) != 1 or kind.elements < 8:
        return None
    fields = {"bins": 4, "settled": draft.draw(st.integers(0, kind.elements // 2))}
    return fields, Kind((4,), kind.clock, False, kind.rated)


def _centre(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    return None if kind.elements < 2 else _same(kind, by=draft.draw(st.sampled_from(["median", "mean"])))


def _concatenate(draft: Draft, of: str) -> Made:
    names = [of, *draft.draw(st.lists(st.sampled_from(draft.alike(of)), min_size=1, max_size=3))]
    kind = draft.kinds[of]
    return {"of": names}, Kind((sum(draft.kinds[name].elements for name in names),), kind.clock, False, kind.rated)


def _foster(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    sizes = {(places := p * (p + 1) // 2) * (1 + c) + p: (p, c) for p in (1, 2, 3) for c in (1, 2, 3)}
    if kind.elements not in sizes:
        return None
    parts, copies = sizes[kind.elements]
    fields = {"parts": parts, "copies": copies, "log_centre": 3.0, "log_spread": draft.draw(st.sampled_from([1.0, 0.3]))}
    return fields, Kind((1 + 2 * parts,), kind.clock, False, kind.rated)


def _hold(draft: Draft, of: str) -> Made:
    on = draft.draw(st.sampled_from(sorted(draft.kinds)))
    other, kind = draft.kinds[on], draft.kinds[of]
    fields = {"on": on, "oldest_s": draft.draw(st.sampled_from([0.0, 0.3, 2.0]))}
    return fields, Kind(kind.shape, other.clock, kind.timed, other.rated)


def _logarithm(draft: Draft, of: str) -> Made:
    return _same(draft.kinds[of], offset=draft.draw(st.sampled_from([0.0, 0.25])))


def _normalise(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    many = draft.draw(st.booleans())
    return _same(
        kind,
        centre=draft.floats(kind.elements if many else 1, -5, 40),
        spread=draft.floats(1 if draft.draw(st.booleans()) else kind.elements, 0.1, 9),
        limit=draft.draw(st.sampled_from([0.5, 4.0])),
    )


def _prefer(draft: Draft, of: str) -> Made:
    names = draft.draw(st.lists(st.sampled_from(draft.alike(of, same_shape=True)), min_size=1, max_size=3))
    return _same(draft.kinds[of], of=[of, *names])


def _projection(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    rows = draft.draw(st.integers(1, 4))
    fields: dict[str, Any] = {"rows": rows, "basis": draft.floats(rows * kind.elements, -1, 1)}
    if draft.draw(st.booleans()):
        fields["offset"] = draft.floats(rows, -9, 9)
    if rows < kind.elements and draft.draw(st.booleans()):
        fields["least_noise"] = 0.001
        rows += 1
    return fields, Kind((rows,), kind.clock, False, kind.rated)


def _resample(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if kind.clock[1] >= DEPTHS - 2 or not kind.rated:
        return None
    # A mean may not make a signal faster, and the slow one has 2 samples a second or fewer.
    by = draft.draw(st.sampled_from(["mean", "last"]))
    rate = draft.draw(st.sampled_from([0.05] if by == "mean" and kind.clock[0] != "fast" else [0.5, 1.0, 3.0]))
    return {"rate_hz": rate, "by": by}, Kind(
        kind.shape, (f"{kind.clock[0]}@{rate}", kind.clock[1] + 1), False, kind.rated
    )


def _scale(draft: Draft, of: str) -> Made:
    offset, factor = draft.floats(2, -40, 40)
    return _same(draft.kinds[of], offset=offset, factor=factor)


def _select(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    places = draft.draw(st.lists(st.integers(0, kind.elements - 1), min_size=1, max_size=12))
    return {"places": places}, Kind((len(places),), kind.clock, False, kind.rated)


def _statistics(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    rows = kind.shape[0] if kind.timed else kind.elements
    words = ["mean", "sd", "min", "max", "range", "first", "last", "median", "p50", "p95", "mean[:1]", "last - first"]
    if rows > 1:
        words += ["slope", "change1", "rise1", "fall1", "max - mean", "median[1:]", "p0[-2:] - p100[:2]"]
    give = draft.draw(st.lists(st.sampled_from(words), min_size=1, max_size=6))
    columns = kind.elements // rows
    shape = (columns, len(give)) if kind.timed and len(kind.shape) == 2 else (len(give),)
    return {"give": give, "over": "time" if kind.timed else "all"}, Kind(shape, kind.clock, False, kind.rated)


def _window(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if len(kind.shape) > 2 or not kind.rated or kind.elements > 60:
        return None
    length, every = draft.draw(st.sampled_from([2, 3, 4, 8, 9, 16])), draft.draw(st.sampled_from([1, 1, 2, 3, 11]))
    clock = kind.clock if every == 1 else (f"{kind.clock[0]}/{length}/{every}", kind.clock[1])
    return {"length": length, "every": every}, Kind((length, *kind.shape), clock, True, True)


STAGES: dict[str, Callable[[Draft, str], Made]] = {
    "average": _average,
    "bins": _bins,
    "centre": _centre,
    "concatenate": _concatenate,
    "foster": _foster,
    "hold": _hold,
    "logarithm": _logarithm,
    "normalise": _normalise,
    "prefer": _prefer,
    "projection": _projection,
    "resample": _resample,
    "scale": _scale,
    "select": _select,
    "statistics": _statistics,
    "window": _window,
}
"""One row an operation, as the registry has them."""


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
    of = draft.draw(st.sampled_from(sorted(draft.kinds)))
    inputs = [of, *draft.draw(st.lists(st.sampled_from(draft.alike(of)), max_size=2))]
    outputs = draft.draw(st.integers(1, 9))
    quantities = [{"name": f"q{n}", "unit": "", "low": -1.0, "high": 1.0} for n in range(outputs)]
    draft.models.append({"name": name, "inputs": inputs, "quantities": quantities})
    draft.kinds[f"{name}.raw"] = Kind((outputs,), draft.kinds[of].clock, False, draft.kinds[of].rated)


def begun(draw: st.DrawFn) -> Draft:
    """A wearable that has sensors alone."""
    kinds = {name: Kind(shape, (name, 0), False, rate > 0) for name, (shape, rate) in SENSORS.items()}
    return Draft(draw, kinds)


def finished(draft: Draft) -> Plan:
    """The wearable, checked."""
    sensors = [
        {"kind": "external", "name": name, "shape": list(shape), "rate_hz": rate_hz}
        for name, (shape, rate_hz) in SENSORS.items()
    ]
    parts = {"name": "test", "version": "1", "sensors": sensors, "stages": draft.stages, "models": draft.models}
    try:
        return plan(schema.from_plain(parts, Profile, "profile"))
    except ProfileError as error:
        if "faster" in str(error):
            reject()  # a mean of what a window thinned out
        raise


@st.composite
def graphs(draw: st.DrawFn, models: bool = True) -> Plan:
    """Stages that fit together, each on what came before, and models among them."""
    draft = begun(draw)
    for number in range(draw(st.integers(1, 8))):
        op = draw(st.sampled_from([*sorted(STAGES), "model"] if models else sorted(STAGES)))
        if op == "model":
            _add_model(draft, f"m{number}")
            continue
        of = draw(st.sampled_from(sorted(draft.kinds)))
        if op == "bins" and draft.kinds[of].shape == () and draft.kinds[of].rated:
            # A curve, which would seldom come about by itself.
            draft.stages.append({"op": "window", "of": of, "gives": f"w{number}", "length": 12})
            draft.kinds[f"w{number}"] = Kind((12,), draft.kinds[of].clock, True, True)
            of = f"w{number}"
        add_stage(draft, op, of, f"s{number}")
    return finished(draft)


def plain_bytes(values: NDArray[np.float32]) -> bytes:
    """Bytes of values, with one and the same NaN for all: what has no value has no bits of its own either."""
    return np.where(np.isnan(values), np.float32(np.nan), values).astype(np.float32).tobytes()


Recording = list[tuple[str, Sample]]
"""Samples of sensors' signals as they came."""


def recording(rng: np.random.Generator, count: int) -> Recording:
    """Samples of all sensors as they come: gaps, missing and extreme values, flags, another sensor put in."""
    times = {name: int(rng.integers(0, 400_000)) for name in SENSORS}
    samples: Recording = []
    for _ in range(count):
        name = min(times, key=lambda one: times[one])
        shape, rate_hz = SENSORS[name]
        values = np.asarray(rng.normal(30, 5, shape), np.float32)
        values = np.where(rng.random(shape) < 0.05, np.float32(np.nan), values)
        values = np.where(rng.random(shape) < 0.03, rng.choice(np.float32(SPECIAL), shape), values).astype(np.float32)
        flags = int(rng.integers(0, 1 << 15)) if rng.random() < 0.1 else 0
        samples.append((name, Sample(times[name], values, flags, bool(rng.random() < 0.03))))
        period_us = 1e6 / (rate_hz or 1.0)
        times[name] += round(period_us * (rng.uniform(0.8, 1.2) if rng.random() < 0.95 else rng.uniform(2, 12)))
    return samples


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """`recording` of up to 80 samples."""
    return recording(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 80)))

"""A graph gives the same bytes one moment at a time and over a whole recording, whatever the graph and whatever came."""

import numpy as np
from hypothesis import given, reject
from hypothesis import strategies as st

from thermo_core import schema
from thermo_core.errors import ProfileError
from thermo_core.graph import series as whole
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import Plan, plan
from thermo_core.signals import DEPTHS, Sample, Series
from thermo_core.wearable.profile import Profile

RATE_HZ = {"fast": 10.0, "slow": 2.0}
SHAPE = {"fast": (3,), "slow": (2,)}


def _profile(stages: list[dict[str, object]]) -> Profile:
    sensors = [
        {"kind": "external", "name": name, "shape": list(SHAPE[name]), "rate_hz": RATE_HZ[name]} for name in RATE_HZ
    ]
    return schema.from_plain({"name": "test", "version": "1", "sensors": sensors, "stages": stages}, Profile, "profile")


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """Stages that fit together, each on what came before."""
    stages: list[dict[str, object]] = []
    shapes = dict(SHAPE)
    clocks = {name: (name, 0) for name in SHAPE}
    timed: set[str] = set()
    for number in range(draw(st.integers(1, 7))):
        of = draw(st.sampled_from(sorted(shapes)))
        gives = f"s{number}"
        flat = [name for name in shapes if len(shapes[name]) == 1]
        op = draw(
            st.sampled_from(
                [
                    "average",
                    "centre",
                    "scale",
                    "window",
                    "hold",
                    "resample",
                    "concatenate",
                    "logarithm",
                    "statistics",
                    "prefer",
                ]
            )
        )
        shape, clock = shapes[of], clocks[of]
        stage: dict[str, object] = {"op": op, "of": of, "gives": gives}
        if op == "average":
            stage["pictures"] = draw(st.integers(1, 4))
        elif op == "window":
            if of not in flat:
                continue
            stage |= {"length": draw(st.integers(2, 5)), "every": draw(st.integers(1, 3))}
            shape = (int(stage["length"]), *shape)  # type: ignore[call-overload]
            if stage["every"] != 1:
                clock = (f"{clock[0]}/{stage['length']}/{stage['every']}", clock[1])
            timed.add(gives)
        elif op == "hold":
            on = draw(st.sampled_from(sorted(shapes)))
            stage |= {"on": on, "oldest_s": draw(st.sampled_from([0.0, 0.3, 2.0]))}
            clock = clocks[on]
        elif op == "resample":
            if clock[1] >= DEPTHS - 2:
                continue
            stage |= {"rate_hz": draw(st.sampled_from([0.5, 1.0])), "by": draw(st.sampled_from(["mean", "last"]))}
            clock = (f"{clock[0]}@{stage['rate_hz']}", clock[1] + 1)
        elif op == "concatenate":
            same = [name for name in shapes if clocks[name] == clock]
            stage["of"] = [of, draw(st.sampled_from(same))]
            shape = (sum(int(np.prod(shapes[name])) for name in stage["of"]),)  # type: ignore[attr-defined]
        elif op == "prefer":
            same = [name for name in shapes if clocks[name] == clock and shapes[name] == shape]
            stage["of"] = [of, draw(st.sampled_from(same))]
        elif op == "statistics":
            over = "time" if of in timed and len(shape) == 2 else "all"
            give = ["mean", "sd", "slope", "max - mean", "change1", "p50"] if over == "time" else ["mean", "median"]
            stage |= {"give": give, "over": over}
            shape = (shape[1], len(give)) if over == "time" else (len(give),)
        elif op == "centre" and int(np.prod(shape)) < 2:
            continue
        if op in ("hold", "scale", "average", "logarithm", "centre") and of in timed:
            timed.add(gives)
        stages.append(stage)
        shapes[gives], clocks[gives] = shape, clock
    try:
        return plan(_profile(stages))
    except ProfileError:
        reject()  # as a mean that would make a slow signal faster


@st.composite
def recordings(draw: st.DrawFn) -> list[tuple[str, list[Sample]]]:
    """Blocks of both sensors as they come: gaps, missing values, flags, another sensor put in; of one sample or of many."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    times = {name: int(rng.integers(0, 400_000)) for name in RATE_HZ}
    largest = {name: draw(st.sampled_from([1, 1, 7])) for name in RATE_HZ}
    gathered: dict[str, list[Sample]] = {name: [] for name in RATE_HZ}
    due = dict.fromkeys(RATE_HZ, 1)
    blocks = []
    for _ in range(draw(st.integers(1, 80))):
        name = min(times, key=lambda one: times[one])
        values = rng.normal(30, 5, SHAPE[name]).astype(np.float32)
        values[rng.random(values.shape) < 0.05] = np.nan
        flags = int(rng.integers(0, 1 << 15)) if rng.random() < 0.1 else 0
        gathered[name].append(Sample(times[name], values, flags, bool(rng.random() < 0.03)))
        if len(gathered[name]) == due[name]:
            blocks.append((name, gathered[name]))
            gathered[name], due[name] = [], int(rng.integers(1, largest[name] + 1))
        period_us = 1e6 / RATE_HZ[name]
        times[name] += round(period_us * (rng.uniform(0.8, 1.2) if rng.random() < 0.95 else rng.uniform(2, 12)))
    return blocks


@given(graphs(), recordings())
def test_live_and_whole_agree(made: Plan, blocks: list[tuple[str, list[Sample]]]) -> None:
    live: dict[str, list[Sample]] = {name: [] for name in made.signals}
    graph = LiveGraph(made, {})
    for name, samples in blocks:
        for produced in graph.push([{name: sample} for sample in samples]):
            for signal, given_sample in produced.items():
                live[signal].append(given_sample)
    sources = {}
    for name, shape in SHAPE.items():
        of = [
            Sample(one.time_us, one.values, one.flags, one.fresh, DEPTHS * place)
            for place, (source, samples) in enumerate(blocks)
            if source == name
            for one in samples
        ]
        sources[name] = Series.of(of, shape)
    found = whole.run(made, sources, {})
    for name, signal in made.signals.items():
        wanted = Series.of(live[name], signal.shape)
        assert found[name].times_us.tolist() == wanted.times_us.tolist(), name
        assert found[name].values.tobytes() == wanted.values.tobytes(), name
        assert found[name].values.shape == wanted.values.shape, name
        assert found[name].flags.tolist() == wanted.flags.tolist(), name
        assert found[name].fresh.tolist() == wanted.fresh.tolist(), name
        assert found[name].order.tolist() == wanted.order.tolist(), name

"""A garment on other bodies than it learnt from: days of `thermo_sim.people`, its own graph and alerts.

Run `python bench/clothing.py [--people 20] [--wearable clothing]`. Nodes say the skin of their segments with a bias and noise of their own,
every 10 s; everything from there on is the wearable's graph, with its network. For each script of a day: errors of the map, nodes taken
away that were in their place, events and alerts told though nothing happened, and what is told of happenings. Nobody here was learnt from.
"""

import argparse
from collections import Counter
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.graph import series
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.plan import Plan, plan
from thermo_core.schema import from_plain
from thermo_core.sensors.settings import SensorSettings
from thermo_core.signals import Series
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_core.wearable.profile import Profile
from thermo_models.tasks import find
from thermo_models.tasks.clothing import Clothing
from thermo_models.tasks.clothing_scenes import BIAS_K, NOISE_K
from thermo_sim.people import Person, course
from thermo_sim.people.table import AREA, SEGMENTS

Array = NDArray[np.float64]
STEP_S = 10.0
SCRIPTS = ("rest", "night", "workout", "outdoors", "fever", "day")
HAPPENINGS = ("jacket-open", "warm-side", "cool-side", "warm-spot")
LEAST_EVENT = 0.5


@dataclass(frozen=True)
class Garment:
    """A wearable from its nodes on.

    Attributes:
        plan: its graph, which begins with what all nodes say.
        networks: by model.
        nodes: segments that have one.
    """

    plan: Plan
    networks: dict[str, Int8Network]
    nodes: NDArray[np.int64]

    @classmethod
    def read(cls, name: str) -> "Garment":
        """One that ships."""
        wearable, task = file.read(library.resolve(name)), find(name)
        assert isinstance(task, Clothing)
        given = {"name": "nodes", "kind": "external", "shape": [len(task.nodes)], "unit": "degC", "rate_hz": 1 / STEP_S}
        profile = wearable.profile
        known, kept = {"nodes"}, []
        for stage in profile.stages:
            if stage.gives != "nodes" and all(of in known for of in stage.inputs):
                kept.append(stage)
                known.add(stage.gives)
        sensor = from_plain({**given, "low": -50, "high": 100}, Profile.__annotations__ and _sensor_type(), "sensor")
        rest = replace(profile, sensors=(sensor,), stages=tuple(kept))
        networks = {model: Int8Network(path.read_bytes()) for model, path in wearable.networks.items()}
        return cls(plan(rest), networks, task.nodes)

    def run(self, times_s: Array, said: Array) -> dict[str, Series]:
        """All signals of (n, nodes) degC."""
        times_us = np.rint(1e6 * (times_s - times_s[0] + STEP_S)).astype(np.int64)
        made = Series(times_us, said.astype(np.float32), order=series.order_of_blocks(len(times_us)))
        return series.run(self.plan, {"nodes": made}, self.networks)

    def raised(self, found: dict[str, Series]) -> Counter[str]:
        """How often each alert is raised."""
        counts: Counter[str] = Counter()
        for number, alert in enumerate(self.plan.alerts):
            machine, of = AlertMachine(alert, number), found[alert.watch.signal]
            for place in range(len(of)):
                value = float(of.values[place].reshape(-1)[alert.watch.place])
                change = machine.push(value, int(of.flags[place]), int(of.times_us[place]))
                counts[alert.alert.name] += change is not None and change.state is AlertState.RAISED
        return counts


def _sensor_type() -> type[SensorSettings]:
    from thermo_core.sensors import SETTINGS

    return next(one for one in SETTINGS if one.__struct_config__.tag == "external")


def nodes_of(went: object, nodes: NDArray[np.int64], times_s: Array, seed: int) -> Array:
    """(n, nodes) what nodes say."""
    rng = np.random.default_rng([seed, 0xC10])
    felt = np.stack([went.felt(SEGMENTS[at], times_s) for at in nodes], axis=1)  # type: ignore[attr-defined]
    return np.asarray(felt + rng.normal(0, BIAS_K, len(nodes)) + rng.normal(0, NOISE_K, felt.shape), np.float64)


def healthy(garment: Garment, people: int) -> None:
    """Print what it says while nothing happens, by script."""
    print("script    hours   map K  mean K  nodes taken away a day  events a day  alerts a day")
    for script in SCRIPTS:
        squares, means, false, events, hours = [], [], 0, 0, 0.0
        counts: Counter[str] = Counter()
        for number in range(people):
            went = course(script, number, Person.drawn(50_000 + number))
            times_s = np.arange(0, 3600 * went.hours, STEP_S)
            truth = went.at(times_s).skin_celsius
            found = garment.run(times_s, nodes_of(went, garment.nodes, times_s, number))
            squares.append(np.square(found["segments"].values - truth).mean(1))
            means.append(found["mean-skin"].values.ravel() - truth @ AREA)
            off = found["nodes-off"].values.ravel() > 0.5
            false += int(np.sum(off[1:] & ~off[:-1]) + off[0])
            said = found["event.raw"]
            told = (said.values[:, 1:].max(1) > LEAST_EVENT) & (said.flags & DOUBT == 0)
            events += int(np.sum(told[1:] & ~told[:-1]))
            counts += garment.raised(found)
            hours += went.hours
        alerts = ", ".join(f"{name} {24 * count / hours:.2f}" for name, count in counts.items() if count) or "none"
        print(
            f"{script:9} {hours:5.0f} {np.sqrt(np.concatenate(squares).mean()):7.3f} {np.sqrt(np.square(np.concatenate(means)).mean()):7.3f} "
            f"{24 * false / hours:23.2f} {24 * events / hours:13.2f}  {alerts}"
        )


def loose(garment: Garment, people: int) -> None:
    """Print how many nodes are found that lift, by what they read then."""
    for kind in ("node-off", "sensor-off"):
        found, gaps = [], []
        for number in range(people):
            node = number % len(garment.nodes)
            place = SEGMENTS[garment.nodes[node]]
            went = course("rest", number, Person.drawn(60_000 + number), happenings=f"{kind}@1800:at={place}")
            times_s = np.arange(0, 2400, STEP_S)
            said = nodes_of(went, garment.nodes, times_s, number)
            off = garment.run(times_s, said)["off"].values[:, node] > 0.5
            found.append(bool(off[(times_s >= 1800) & (times_s < 2100)].any()))
            gaps.append(abs(said[-1, node] - went.at(times_s[-1:]).skin_celsius[0, garment.nodes[node]]))
        far = np.array(gaps) > 3
        print(
            f"{kind}: {np.mean(found):.2f} of {people} found within 5 min; where it reads 3 K or more beside the skin "
            f"{np.mean(np.array(found)[far]) if far.any() else float('nan'):.2f} of {far.sum()}"
        )


DOUBT = 1 << 10
"""Out of the domain that the network has learnt."""


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wearable", default="clothing")
    parser.add_argument("--people", type=int, default=20)
    options = parser.parse_args()
    garment = Garment.read(options.wearable)
    healthy(garment, options.people)
    loose(garment, 3 * options.people)


if __name__ == "__main__":
    main()

"""A garment on other bodies than it learnt from: days of `thermo_sim.people`, its own graph and alerts.

Run `python bench/clothing.py [--people 20] [--wearable clothing]`. Nodes say the skin of their segments with a bias and noise of their own,
every 10 s; everything from there on is the wearable's graph, with its network. For each script of a day: errors of the map, nodes taken
away that were in their place, events and alerts told though nothing happened, and what is told of happenings. Nobody here was learnt from.
"""

import argparse
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_models.garment import STEP_S, Array, Garment
from thermo_models.tasks.clothing_scenes import BIAS_K, NOISE_K
from thermo_sim.people import Person, course
from thermo_sim.people.course import Course
from thermo_sim.people.table import AREA, SEGMENTS

SCRIPTS = ("rest", "night", "workout", "outdoors", "fever", "day")
HAPPENINGS = ("jacket-open", "warm-side", "cool-side", "warm-spot")
LEAST_EVENT = 0.5


def nodes_of(went: Course, nodes: NDArray[np.int64], times_s: Array, seed: int) -> Array:
    """(n, nodes + 1) what nodes say, and the sensor of the room last."""
    rng = np.random.default_rng([seed, 0xC10])
    felt = np.stack([*(went.felt(SEGMENTS[at], times_s) for at in nodes), went.air(times_s)], axis=1)
    return np.asarray(felt + rng.normal(0, BIAS_K, felt.shape[1]) + rng.normal(0, NOISE_K, felt.shape), np.float64)


def healthy(garment: Garment, people: int) -> None:
    """Print what it says while nothing happens, by script."""
    print("script    hours   map K  mean K  nodes taken away a day  events a day  refused  alerts a day")
    for script in SCRIPTS:
        squares, means, refused, false, events, hours = [], [], [], 0, 0, 0.0
        counts: Counter[str] = Counter()
        for number in range(people):
            went = course(script, number, Person.drawn(50_000 + number))
            times_s = np.arange(0, 3600 * went.hours, STEP_S)
            truth = went.at(times_s).skin_celsius
            found = garment.run(nodes_of(went, garment.nodes, times_s, number))
            squares.append(np.square(found["segments"].values - truth).mean(1))
            means.append(found["mean-skin"].values.ravel() - truth @ AREA)
            off = found["nodes-off"].values.ravel() > 0.5
            false += int(np.sum(off[1:] & ~off[:-1]) + off[0])
            said = found["event.raw"]
            refused.append(said.flags & int(Quality.OUT_OF_DOMAIN) != 0)
            told = (said.values[:, 1:].max(1) > LEAST_EVENT) & ~refused[-1]
            events += int(np.sum(told[1:] & ~told[:-1]))
            counts += garment.raised(found)
            hours += went.hours
        alerts = ", ".join(f"{name} {24 * count / hours:.2f}" for name, count in counts.items() if count) or "none"
        print(
            f"{script:9} {hours:5.0f} {np.sqrt(np.concatenate(squares).mean()):7.3f} {np.sqrt(np.square(np.concatenate(means)).mean()):7.3f} "
            f"{24 * false / hours:23.2f} {24 * events / hours:13.2f} {100 * np.concatenate(refused).mean():6.1f} %  {alerts}"
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
            off = garment.run(said)["off"].values[:, node] > 0.5
            found.append(bool(off[(times_s >= 1800) & (times_s < 2100)].any()))
            gaps.append(abs(said[-1, node] - went.at(times_s[-1:]).skin_celsius[0, garment.nodes[node]]))
        far = np.array(gaps) > 3
        print(
            f"{kind}: {np.mean(found):.2f} of {people} found within 5 min; where it reads 3 K or more beside the skin "
            f"{np.mean(np.array(found)[far]) if far.any() else float('nan'):.2f} of {far.sum()}"
        )


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

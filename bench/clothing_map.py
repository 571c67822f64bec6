"""What limits a garment's map: its error by segment on bodies it has not met, and what other models of the body would bring.

Run `python bench/clothing_map.py bodies.npz [--wearable clothing]` with the file of `bench/jos3_bodies.py`, or with the 100 scenes of the data set. First,
root mean square errors of the shipped map by segment on bodies 70 to 99. Then, learnt from the file's other bodies alone and in the same way,
a linear, a quadratic and a kernel model (Gaussian, on 1,500 moments), each with the penalty that does best on a fifth of these
other bodies: errors of the map, by how much they differ from the linear model's, and of segments without a node and with one.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from thermo_models.tasks import find
from thermo_models.tasks.clothing import Clothing
from thermo_models.tasks.clothing_scenes import TESTED, Array, Index, Scenes
from thermo_sim.people.table import SEGMENTS

DRAWS = 8
EVERY, SINCE = 3, 29
"""Minutes from moment to moment, and the first."""
CENTRES = 1500
PENALTIES = np.geomspace(1e-5, 1e2, 15)
Lift = Callable[[Array], Array]


def by_segment(task: Clothing, scenes: Scenes) -> None:
    """Print errors of the shipped map."""
    stages, tested = task.wearable.profile.stages, np.array(TESTED)
    squares = np.concatenate([task.worn(scenes, stages, tested, draw)["segments"] for draw in range(DRAWS)]).mean(0)
    bare = ~np.isin(np.arange(len(SEGMENTS)), task.nodes)
    print(f"the shipped map: {np.sqrt(squares.mean()):.4f} K")
    print(
        "  by segment: " + ", ".join(f"{name} {np.sqrt(off):.3f}" for name, off in zip(SEGMENTS, squares, strict=True))
    )
    print(f"  without a node {np.sqrt(squares[bare].mean()):.3f} K, with one {np.sqrt(squares[~bare].mean()):.3f} K")


def moments(task: Clothing, scenes: Scenes, which: Index, draw: int) -> tuple[Array, Array]:
    """(n, nodes + 1) what nodes and room say, with bias and noise, and (n, 17) the skin."""
    minutes = np.arange(SINCE, scenes.skin.shape[1], EVERY)
    plain, bias = scenes.seen(task.nodes, draw)
    said = (plain + bias)[which][:, minutes]
    return said.reshape(-1, said.shape[2]), scenes.skin[which][:, minutes].reshape(-1, len(SEGMENTS))


def quadratic(x: Array) -> Array:
    """(n, p) with all squares and products beside."""
    first, second = np.triu_indices(x.shape[1])
    return np.concatenate([x, x[:, first] * x[:, second]], axis=1)


def gaussian(centres: Array, width: float) -> Lift:
    """Likeness to each of some moments, beside the numbers themselves."""

    def lift(x: Array) -> Array:
        apart = np.square(x).sum(1)[:, np.newaxis] + np.square(centres).sum(1) - 2 * x @ centres.T
        return np.concatenate([x, np.exp(-apart / (2 * width**2))], axis=1)

    return lift


def solved(x: Array, y: Array, penalty: float) -> Array:
    """Ridge regression; the first column is left without penalty."""
    square = x.T @ x / len(x)
    return np.asarray(np.linalg.solve(square + penalty * np.diag([0.0] + [1.0] * (x.shape[1] - 1)), x.T @ y / len(x)))


def others(task: Clothing, scenes: Scenes) -> None:
    """Print what other models bring."""
    learnt, tested = np.flatnonzero(scenes.learnt), np.array(TESTED)
    held = learnt[::5]
    train = moments(task, scenes, np.setdiff1d(learnt, held), 1)
    check = moments(task, scenes, held, 2)
    test = [
        np.concatenate(of) for of in zip(*(moments(task, scenes, tested, 3 + n) for n in range(DRAWS)), strict=True)
    ]
    centre, spread = train[0].mean(0), train[0].std(0)
    rng = np.random.default_rng(0)
    chosen = (train[0][rng.permutation(len(train[0]))[:CENTRES]] - centre) / spread
    bare = ~np.isin(np.arange(len(SEGMENTS)), task.nodes)
    lifts: dict[str, list[Lift]] = {
        "linear": [lambda x: x],
        "quadratic": [quadratic],
        "kernel": [gaussian(chosen, width) for width in (3.0, 6.0, 12.0)],
    }
    linear = 0.0
    for name, candidates in lifts.items():
        best, said = np.inf, test[1]
        for lift in candidates:

            def terms(x: Array, lift: Lift = lift) -> Array:
                raised = lift((x - centre) / spread)
                return np.concatenate([np.ones((len(raised), 1)), raised], axis=1)

            fitted, checked = terms(train[0]), terms(check[0])
            for penalty in PENALTIES:
                weights = solved(fitted, train[1], penalty)
                off = float(np.square(checked @ weights - check[1]).mean())
                if off < best:
                    best, said = off, terms(test[0]) @ weights
        squares = np.square(said - test[1]).mean(0)
        map_k = float(np.sqrt(squares.mean()))
        linear = linear or map_k
        print(
            f"{name:10} map {map_k:.4f} K ({100 * (map_k / linear - 1):+.1f} %), without a node {np.sqrt(squares[bare].mean()):.3f} K, "
            f"with one {np.sqrt(squares[~bare].mean()):.3f} K"
        )


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--wearable", default="clothing")
    options = parser.parse_args()
    task = find(options.wearable)
    assert isinstance(task, Clothing)
    scenes = Scenes.read(options.file)
    by_segment(task, scenes)
    others(task, scenes)


if __name__ == "__main__":
    main()

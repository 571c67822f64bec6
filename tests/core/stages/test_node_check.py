"""node_check: dead nodes of made-up and of simulated bodies."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality

Floats = NDArray[np.float64]


@given(st.integers(0, 2**32 - 1), st.integers(5, 20))
def test_a_node_apart_from_the_others_is_taken_away(seed: int, nodes: int) -> None:
    rng = np.random.default_rng(seed)
    usual = rng.uniform(28, 36, nodes)
    values = (usual + rng.uniform(-3, 3, (60, 1)) + rng.normal(0, 0.1, (60, nodes))).astype(np.float32)
    dead = rng.integers(0, nodes, 60)
    values[np.arange(30), dead[:30]] = 20.0
    values[rng.random(60) < 0.2, rng.integers(0, nodes)] = np.nan
    values[40:, :] += np.where(np.arange(nodes) == dead[40:, np.newaxis], 9, 0)
    made = wearable(
        sensor(shape=(nodes,)),
        {"op": "node_check", "of": "x", "gives": "y", "limit": [2.0], "usual": usual.tolist()},
    )
    found = run(made, x=samples(values))["y"]
    wanted = values.copy()
    wanted[np.arange(30), dead[:30]] = np.nan
    wanted[np.arange(40, 60), dead[40:]] = np.nan
    np.testing.assert_array_equal(found.values, wanted)
    apart = (np.isnan(wanted) & ~np.isnan(values)).any(1)
    np.testing.assert_array_equal(found.flags == Quality.IMPLAUSIBLE, apart)


def test_as_many_go_as_may_and_half_stay() -> None:
    x = np.full((1, 6), 33.0)
    x[0, :3] = [5, 15, 25]
    assert np.isnan(one({"op": "node_check", "limit": [2.0], "most": 1}, x)).sum() == 1
    assert np.isnan(one({"op": "node_check", "limit": [2.0], "most": 3}, x)[0, :3]).all()
    lacking = np.array([[33, 20, np.nan, np.nan, np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(one({"op": "node_check", "limit": [2.0]}, lacking), lacking)


def body_model(nodes: Floats) -> dict[str, list[float]]:
    """Each node by the others, ridge, of (n, 16) temperatures; limits of six standard deviations of what that leaves."""
    usual = nodes.mean(0)
    apart, count = nodes - usual, nodes.shape[1]
    weights = np.zeros((count, count))
    for node in range(count):
        others = np.flatnonzero(np.arange(count) != node)
        x = apart[:, others]
        weights[node, others] = np.linalg.solve(x.T @ x + 0.1 * len(x) * np.eye(count - 1), x.T @ apart[:, node])
    left = apart - apart @ weights.T
    return {"usual": usual.tolist(), "weights": weights.ravel().tolist(), "limit": (6 * left.std(0)).tolist()}


def test_dead_nodes_of_simulated_bodies_are_found_and_live_ones_left(shared_dir: Path) -> None:
    """Sixteen nodes with bias and noise on bodies in activity, cold and local events; a dead one reads the room."""
    path = shared_dir / "datasets/jos3_body/jos3_scenes.npz"
    if not path.is_file():
        pytest.skip(f"simulated bodies not found at {path}")
    data, rng = np.load(path, allow_pickle=True), np.random.default_rng(0)
    nodes = data["tsk"][:, :, [name != "Neck" for name in data["segments"]]]
    nodes = nodes + rng.normal(0, 0.15, (100, 1, 16)) + rng.normal(0, 0.05, nodes.shape)
    stage = {"op": "node_check"} | body_model(nodes[:70].reshape(-1, 16))
    unseen = nodes[70:]
    alive = one(stage, unseen.reshape(-1, 16))
    assert np.isnan(alive).mean() < 1e-3
    missed, drawn = 0, 0
    for node in range(16):
        dead = unseen.copy()
        dead[:, :, node] = data["ta"][70:, np.newaxis]
        found = np.isnan(one(stage, dead.reshape(-1, 16)))
        missed += int((~found[:, node]).sum())
        drawn += int(found.sum() - found[:, node].sum())
    assert missed / (16 * 2700) < 0.01 and drawn / (16 * 2700 * 15) < 1e-3


@pytest.mark.parametrize(
    ("count", "fields"),
    [
        (2, {}),
        (4, {"usual": [1.0, 2.0]}),
        (4, {"limit": [1.0, 2.0]}),
        (4, {"limit": [0.0]}),
        (4, {"weights": [0.0] * 9}),
        (3, {"weights": [0.0, 1.0, 0.0, 0.5, 0.5, 0.0, 0.0, 1.0, 0.0]}),
    ],
)
def test_what_cannot_check_nodes_is_refused(count: int, fields: dict[str, list[float]]) -> None:
    with pytest.raises(ProfileError, match=r"checks 3|usual|limit|weight"):
        wearable(sensor(shape=(count,)), {"op": "node_check", "of": "x", "gives": "y", "limit": [1.0]} | fields)

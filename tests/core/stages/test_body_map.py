"""body_map: linear maps against NumPy, lacking nodes against the formula of conditional means, and simulated bodies."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage_runs import one, run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality
from thermo_models.body_constants import body_constants

Floats = NDArray[np.float64]

AREAS = [0.059, 0.016, 0.094, 0.086, 0.118, *[0.051, 0.034, 0.027] * 2, *[0.112, 0.060, 0.030] * 2]
"""Shares of the skin of the segments of JOS-3 (Takahashi et al. 2021)."""


def body(seed: int, nodes: int, segments: int) -> tuple[Floats, Floats]:
    """(400, nodes) and (400, segments) temperatures that go together."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(0, 2, (400, 3))
    usual, level = rng.uniform(28, 36, nodes), rng.uniform(28, 36, segments)
    x = usual + hidden @ rng.normal(0, 0.6, (3, nodes)) + rng.normal(0, 0.3, (400, nodes))
    return x, level + hidden @ rng.normal(0, 0.6, (3, segments)) + rng.normal(0, 0.1, (400, segments))


@few(30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(1, 17))
def test_what_lacks_is_its_mean_given_the_rest(seed: int, nodes: int, segments: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = body(seed, nodes, segments)
    constants = body_constants(x, y, 0.1)
    areas = rng.uniform(0.1, 1, segments)
    holed = x.copy()
    for row in holed:
        row[rng.choice(nodes, rng.integers(0, nodes // 2, endpoint=True), replace=False)] = np.nan
    mean, covariance = x.mean(0), np.cov(x, rowvar=False) + 0.01 * np.eye(nodes)
    wanted = []
    for row in holed:
        there = np.isfinite(row)
        told = np.linalg.solve(covariance[np.ix_(there, there)], (row - mean)[there])
        whole = mean + covariance[:, there] @ told
        whole[there] = row[there]
        segment = constants.level + constants.matrix @ (whole - mean)
        wanted.append([*segment, np.average(segment, weights=areas)])
    made = wearable(
        sensor(shape=(nodes,), unit="degC"),
        {"of": "x", "gives": "y"} | constants.map_stage(areas=areas.tolist()),
    )
    assert made.signals["y"].unit == "degC"
    found = run(made, x=samples(holed))["y"]
    np.testing.assert_allclose(found.values, wanted, rtol=0, atol=2e-3)
    np.testing.assert_array_equal(found.flags == Quality.FILLED, np.isnan(holed).any(1))


def test_too_few_nodes_give_nothing_and_say_so() -> None:
    x = np.full((4, 4), 33.0)
    x[1, 0] = x[2, 1:3] = x[3, :3] = np.nan
    x[1, 1] = np.inf
    stage = {"op": "body_map", "of": "x", "gives": "y", "usual": [33.0] * 4, "level": [34.0], "matrix": [0.25] * 4}
    found = run(wearable(sensor(shape=(4,)), stage), x=samples(x, flags=[256, 0, 128, 32]))["y"]
    np.testing.assert_array_equal(found.values[:, 0], [34, 34, 34, np.nan])
    assert found.flags.tolist() == [Quality.UNCALIBRATED, Quality.FILLED, Quality.FILLED, Quality.MISSING]
    one_left = run(wearable(sensor(shape=(4,)), stage | {"least": 1}), x=samples(x))["y"]
    assert one_left.values[:, 0].tolist() == [34] * 4


def test_without_weights_a_node_is_the_mean_of_the_others() -> None:
    stage = {
        "op": "body_map",
        "usual": [30.0, 31.0, 32.0, 33.0],
        "level": [0.0] * 4,
        "matrix": np.eye(4).ravel().tolist(),
    }
    found = one(stage, [[31.0, 34.0, np.nan, np.nan]])
    np.testing.assert_allclose(found, [[1, 3, 2, 2]], rtol=0, atol=1e-5)


def test_maps_of_simulated_bodies_bear_a_dead_node(shared_dir: Path) -> None:
    """Sixteen nodes with bias and noise tell seventeen segments of unseen bodies; with one dead they tell them nearly as well."""
    path = shared_dir / "datasets/jos3_body/jos3_scenes.npz"
    if not path.is_file():
        pytest.skip(f"simulated bodies not found at {path}")
    data, rng = np.load(path, allow_pickle=True), np.random.default_rng(0)
    skin = data["tsk"].astype(np.float64)
    nodes = skin[:, :, [name != "Neck" for name in data["segments"]]]
    nodes = nodes + rng.normal(0, 0.15, (100, 1, 16)) + rng.normal(0, 0.05, nodes.shape)
    constants = body_constants(nodes[:70].reshape(-1, 16), skin[:70].reshape(-1, 17), 0.05)
    stage = constants.map_stage(areas=AREAS)
    truth = skin[70:].reshape(-1, 17)
    mean = np.average(truth, axis=1, weights=AREAS)

    def error(seen: Floats) -> tuple[float, float]:
        found = one(stage, seen.reshape(-1, 16))
        return float(np.sqrt(np.mean((found[:, :17] - truth) ** 2))), float(
            np.sqrt(np.mean((found[:, 17] - mean) ** 2))
        )

    whole, whole_mean = error(nodes[70:])
    assert whole < 0.2 and whole_mean < 0.06
    dead_errors = []
    for node in range(16):
        dead = nodes[70:].copy()
        dead[:, :, node] = np.nan
        dead_errors.append(error(dead)[0])
    assert np.mean(dead_errors) < 0.25
    left_in = nodes[70:].copy()
    left_in[:, :, 3] = 25.0
    assert error(left_in)[0] > 4 * np.mean(dead_errors), "a dead node must matter for the case to tell anything"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"usual": [1.0, 2.0]}, "usual"),
        ({"level": [33.0] * 65}, "level"),
        ({"matrix": [1.0] * 5}, "matrix"),
        ({"weights": [0.0] * 4}, "weights"),
        ({"weights": [1.0] * 9}, "own weight"),
        ({"areas": [1.0]}, "areas"),
        ({"areas": [0.0, 0.0]}, "areas"),
        ({"areas": [2.0, -1.0]}, "areas"),
        ({"least": 4}, "least"),
    ],
)
def test_what_cannot_map_a_body_is_refused(fields: dict[str, Any], said: str) -> None:
    stage = {"op": "body_map", "of": "x", "gives": "y", "usual": [33.0] * 3, "level": [33.0] * 2, "matrix": [0.5] * 6}
    with pytest.raises(ProfileError, match=said):
        wearable(sensor(shape=(3,)), stage | fields)

"""A network beside simpler methods: by how much it is better, and when that is more than luck."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.wearable import library
from thermo_models import contrast, extra_trees
from thermo_models.intervals import bootstrap
from thermo_models.metrics import rmse
from thermo_models.task_card import against as rows
from thermo_models.tasks import find

MORE_IS_BETTER = {"auc": True, "rmse": False, "absent": True}


def test_better_is_more_of_what_should_be_much_and_less_of_what_should_be_little() -> None:
    others = {"trees": {"auc": 0.8, "rmse": 0.3}, "chance": {"auc": 0.5}}
    better = contrast.better_by(MORE_IS_BETTER, {"auc": 0.9, "rmse": 0.2}, others)
    assert better == pytest.approx({"auc against trees": 0.1, "rmse against trees": 0.1})
    sure = {"auc against trees": (0.01, 0.2), "auc": (0.8, 0.95)}
    assert contrast.parted(sure) == ({"auc": (0.8, 0.95)}, {"auc against trees": (0.01, 0.2)})
    assert contrast.described(better, sure) == {"trees": {"auc": {"by": pytest.approx(0.1), "interval": (0.01, 0.2)}}}


def test_a_card_claims_what_an_interval_excludes_and_nothing_else() -> None:
    told = "\n".join(
        rows(
            {
                "trees": {"auc": {"by": 0.1, "interval": [0.02, 0.2]}, "rmse": {"by": 0.1, "interval": [-0.1, 0.3]}},
                "clock": {"auc": {"by": -0.2, "interval": [-0.3, -0.1]}},
            }
        )
    )
    assert "| auc | trees | 0.1 | 0.02 to 0.2 | better |" in told
    assert "| rmse | trees | 0.1 | -0.1 to 0.3 | not shown |" in told
    assert "| auc | clock | -0.2 | -0.3 to -0.1 | worse |" in told
    assert rows({}) == []


def test_two_methods_that_meet_the_same_people_are_told_apart_sooner_than_their_figures() -> None:
    """People differ far more than the methods do; the difference is still sure."""
    rng = np.random.default_rng(0)
    hard = rng.gamma(1.0, 1.0, 60)
    errors = {"own": hard + rng.normal(0, 0.02, 60), "other": 1.05 * hard + 0.05}

    def figures(index: NDArray[np.int64], draw: NDArray[np.int64]) -> dict[str, float]:
        own, other = (rmse(of[index]) for of in errors.values())
        return {"own": own, "other": other, "by": other - own}

    sure = bootstrap(figures, np.arange(60), resamples=300)
    assert sure["by"][0] > 0
    assert sure["own"][1] > sure["other"][0]


def test_trees_tell_numbers_that_no_line_does() -> None:
    rng = np.random.default_rng(1)

    def made(count: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
        x = rng.uniform(-3, 3, (count, 5)).astype(np.float32)
        return x, 37 + np.column_stack([np.sin(2 * x[:, 0]), np.abs(x[:, 1])])

    (x, y), (asked, truth) = made(3000), made(500)
    said = extra_trees.tell_numbers(x, y, asked, trees=40)
    assert said.shape == truth.shape
    line = (
        np.column_stack([asked, np.ones(500)]) @ np.linalg.lstsq(np.column_stack([x, np.ones(3000)]), y, rcond=None)[0]
    )
    assert rmse(said - truth) < 0.5 * rmse(line - truth)
    constant = extra_trees.tell_numbers(x, np.full((3000, 1), 36.6), asked, trees=3)
    assert np.allclose(constant, 36.6, atol=1e-5)
    assert np.array_equal(said, extra_trees.tell_numbers(x, y, asked, trees=40))


@pytest.mark.parametrize("name", ["core-temperature", "wrist-stress"])
def test_what_is_shipped_says_how_it_stands_beside_trees_and_chance(name: str) -> None:
    folder = library.resolve(name).parent
    metrics, card = json.loads((folder / "metrics.json").read_text()), (folder / "CARD.md").read_text()
    assert {"trees", "baseline"} <= set(metrics["against"])
    assert metrics["others"]["chance"]
    for figure in find(name).more_is_better:
        for other in metrics["against"]:
            assert f"| {figure} | {other} |" in card

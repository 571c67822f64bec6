"""Intervals, worst folds and limits: against closed forms and by hand, and in what is shipped."""

import copy
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from thermo_core.wearable import library
from thermo_models.intervals import RESAMPLES, bootstrap
from thermo_models.metrics import auc
from thermo_models.tasks import TASKS, find

SHIPPED = [name for name in library.names() if name in TASKS]


def mean_of(values: NDArray[Any]) -> Any:
    return lambda index, draw: {"mean": float(values[index].mean())}


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 200)
    (low, high) = bootstrap(mean_of(values), np.arange(200), seed=0, resamples=4000)["mean"]
    half = 1.96 * values.std() / np.sqrt(200)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=2).confidence_interval
    assert (low, high) == pytest.approx(tuple(theirs), abs=0.1 * half)


def test_samples_of_one_person_are_one_witness() -> None:
    """Fifty copies of each person's one value tell nothing more; taken for independent, they would seem to."""
    values = np.random.default_rng(2).normal(0, 1, 30)
    repeated, people = np.repeat(values, 50), np.repeat(np.arange(30), 50)
    once, many, naive = (
        np.ptp(bootstrap(mean_of(v), p, seed=0, resamples=1000)["mean"])
        for v, p in ((values, np.arange(30)), (repeated, people), (repeated, np.arange(1500)))
    )
    assert many == pytest.approx(once, rel=1e-9)
    assert naive < 0.25 * many


def test_the_same_seed_gives_the_same_interval_and_order_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    values, people = rng.normal(size=90), rng.permutation(np.repeat(np.arange(15), 6))
    one = bootstrap(mean_of(values), people, seed=5, resamples=200)
    assert one == bootstrap(mean_of(values), people, seed=5, resamples=200)
    assert one != bootstrap(mean_of(values), people, seed=6, resamples=200)
    order = np.argsort(people, kind="stable")
    same = bootstrap(mean_of(values[order]), people[order], seed=5, resamples=200)["mean"]
    assert same == pytest.approx(one["mean"], abs=1e-12)


def test_a_person_drawn_twice_counts_twice() -> None:
    people = np.repeat(np.arange(4), 3)

    def figures(index: NDArray[Any], draw: NDArray[Any]) -> dict[str, float]:
        assert len(index) == len(draw) == 12 and len(np.unique(draw)) == 4
        assert all(len(np.unique(people[index[draw == n]])) == 1 for n in range(4))
        return {"draws": float(len(np.unique(draw)))}

    assert bootstrap(figures, people, resamples=20)["draws"] == (4.0, 4.0)


def test_a_figure_that_often_has_no_value_has_no_interval() -> None:
    positive = np.arange(20) == 7
    scores = np.random.default_rng(4).normal(size=20)

    def figures(index: NDArray[Any], draw: NDArray[Any]) -> dict[str, float]:
        of = positive[index]
        return {"auc": auc(scores[index], of) if of.any() and not of.all() else float("nan"), "size": float(len(index))}

    assert set(bootstrap(figures, np.arange(20), resamples=200)) == {"size"}


@pytest.fixture(params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param, json.loads((library.resolve(request.param).parent / "metrics.json").read_text())


def test_every_headline_figure_that_is_shipped_has_its_interval(shipped: tuple[str, dict[str, Any]]) -> None:
    name, metrics = shipped
    sure = metrics["intervals"]
    assert (sure["level"], sure["resamples"]) == (0.95, RESAMPLES)
    headline = {
        key: value for key, value in metrics["int8"].items() if isinstance(value, float) and "worst_fold" not in key
    }
    assert headline
    for figure, value in headline.items():
        low, high = sure["int8"][figure]
        assert low <= value <= high or figure.startswith("below_filter")
    card = (library.resolve(name).parent / "CARD.md").read_text()
    assert f"95 % interval: percentiles of 1,000 bootstrap draws of {sure['drawn']:,} {find(name).whom}" in card
    if "alert" in metrics:
        assert set(sure["alert"]) == set(metrics["alert"]) - {"threshold"}


def test_the_worst_fold_is_the_worst(shipped: tuple[str, dict[str, Any]]) -> None:
    name, metrics = shipped
    folds = metrics["folds"]
    for figure, more_is_better in find(name).more_is_better.items():
        by_seed: dict[int, list[float]] = {}
        for fold in folds:
            by_seed.setdefault(fold["seed"], []).append(fold["int8"][figure])
        told = metrics["int8"].get(f"worst_fold_{figure}")
        if len(folds) == 1 or any(not np.isfinite(value) for values in by_seed.values() for value in values):
            assert told is None
            continue
        worst = np.mean([min(values) if more_is_better else max(values) for values in by_seed.values()])
        assert told == pytest.approx(worst)
        assert (told <= metrics["int8"][figure]) == more_is_better
    assert not any(key.startswith("lowest_fold") for key in metrics["int8"])


def _scaled(value: Any) -> Any:
    """Every number of the metrics a quarter greater, whole ones at least one more."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value + max(1, value // 4)
    if isinstance(value, float):
        return 1.25 * value
    if isinstance(value, list):
        return [_scaled(item) for item in value]
    if isinstance(value, dict):
        return {key: _scaled(item) if key not in ("noise", "from_k", "to_k") else item for key, item in value.items()}
    return value


def test_limits_follow_the_figures(shipped: tuple[str, dict[str, Any]]) -> None:
    """A sentence with a measured number in it says another one of other figures."""
    name, metrics = shipped
    before, after = find(name).limits(metrics), find(name).limits(_scaled(copy.deepcopy(metrics)))
    changed = [one for one, other in zip(before, after, strict=True) if one != other]
    assert changed
    told = " ".join(before)
    if name == "core-temperature":
        assert "47 of 544 readings" in told and "58 of 680 readings" in " ".join(after)
    if name == "wrist-stress":
        assert f"in {metrics['people']} people" in told and f"in {metrics['people'] + 6} people" in " ".join(after)


def test_every_task_says_of_which_figures_more_is_better() -> None:
    for task in TASKS.values():
        assert task.more_is_better
        for goal in task.goals(task.settings):
            figure = goal.metric.removeprefix("worst_fold_")
            if figure in task.more_is_better:
                assert task.more_is_better[figure] == goal.at_least

"""Core temperature where a new campaign would differ: other months, another camera's offset, missing rounds.

The float network beside ridge regression, over people and over quarters of the campaign's days that are left out, as mean of
three drawings. `python bench/core_temperature.py PATH [VARIANT]`, with the .csv.gz file of facial and oral temperatures.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_models.networks.dense import UNITS
from thermo_models.networks.layers import channels
from thermo_models.random_features import Hidden, Solved
from thermo_models.samples import Fold, Samples, Scaling
from thermo_models.tasks import core_temperature as task

DRAWINGS = 3
PERIODS = 4
Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def main() -> None:
    """Print RMSE, MAE and AUC of each case."""
    path, variant = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "full"
    chosen = task.CoreTemperature()
    settings = chosen.settings.changed({"variant": variant})
    samples = chosen.load(path, settings, quick=False)
    regions = len(task.REGIONS) - len(task.LEFT_OUT[variant])
    by_person = chosen.folds(samples, settings)
    nobody = np.zeros(0, np.int64)
    by_period = [
        Fold("period", np.setdiff1d(np.arange(len(samples)), part), nobody, part)
        for part in np.array_split(np.argsort(samples.extra["day"], kind="stable"), PERIODS)
    ]

    def offset(kelvin: float) -> Change:
        def change(features: NDArray[np.float32]) -> NDArray[np.float32]:
            moved = features.copy()
            moved[..., : 2 * regions] += kelvin
            return moved

        return change

    def without(first: int, last: int) -> Change:
        def change(features: NDArray[np.float32]) -> NDArray[np.float32]:
            gone = features.copy()
            gone[..., first:last] = np.nan
            return gone

        return change

    def closed(features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As if nobody had a round 4: lasting regions come from the other rounds, as the task does."""
        shut = features.copy()
        kept = [region for region in task.REGIONS if region not in task.LEFT_OUT[variant]]
        for place, region in enumerate(kept):
            shut[..., regions + place] = np.nan if region in task.MOUTH else shut[..., place]
        return shut

    cases: list[tuple[str, list[Fold], Change]] = [
        ("people left out", by_person, lambda features: features),
        ("quarters of the days left out", by_period, lambda features: features),
        ("same, camera reads 0.1 K more", by_period, offset(0.1)),
        ("same, camera reads 0.3 K more", by_period, offset(0.3)),
        ("same, no round 4", by_period, closed),
        ("same, no ambient, humidity, distance, sex, hour, age", by_period, without(2 * regions, 2 * regions + 6)),
    ]
    print(
        f"{variant}, {len(samples)} people{'':24}    network: RMSE   MAE    bias    AUC      ridge: RMSE   MAE    bias    AUC"
    )
    for name, folds, change in cases:
        rows = [_measured(chosen, samples, folds, change, variant, seed) for seed in range(DRAWINGS)]
        cells = ["  ".join(f"{value:6.3f}" for value in np.mean([row[who] for row in rows], 0)) for who in (0, 1)]
        print(f"{name:56}{cells[0]}          {cells[1]}", flush=True)


def _measured(
    chosen: task.CoreTemperature, samples: Samples, folds: list[Fold], change: Change, variant: str, seed: int
) -> tuple[list[float], list[float]]:
    settings = chosen.settings.changed({"variant": variant})
    prior = task.prior_of(settings)
    hidden = Hidden.draw(prior, channels(UNITS, settings.width), seed)
    said = np.zeros((2, len(samples)), np.float32)
    for fold in folds:
        train, test = samples.pick(fold.train), samples.pick(fold.test)
        scaling = Scaling.fit(train.features, 4.0)
        inputs = scaling.apply(train.features).reshape(len(train), -1).astype(np.float64)
        solved = Solved.of(hidden, prior, inputs, train.targets[:, 0].astype(np.float64))
        changed = Samples(change(test.features), test.targets, test.people, test.groups)
        said[0, fold.test] = solved(scaling.apply(changed.features).reshape(len(test), -1).astype(np.float64))
        said[1, fold.test] = chosen.baseline(train, changed, settings)[:, 0]
    found = (chosen.metrics(samples, one[:, np.newaxis], settings) for one in said)
    network, ridge = ([one[name] for name in ("rmse", "mae", "bias", "auc_fever")] for one in found)
    return network, ridge


if __name__ == "__main__":
    main()

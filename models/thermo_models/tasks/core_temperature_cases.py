"""How an oral temperature told from a face fares where people, months or cameras are unlike those that were learnt from.

The float network, as mean of some drawings of its hidden layer, beside ridge regression and extra trees; nothing is quantised, so that a
case takes seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models import extra_trees
from thermo_models.face import (
    CONTEXT,
    MOUTH,
    REGIONS,
    Taught,
    half_width_of,
    inputs_of,
    prior_of,
    solved_for,
    stages_of,
)
from thermo_models.networks.dense import UNITS
from thermo_models.networks.layers import channels
from thermo_models.random_features import Hidden
from thermo_models.samples import Fold, Samples
from thermo_models.settings import Settings
from thermo_models.tasks.task import Task

DRAWINGS = 3
PERIODS = 4
TREES = 60
FIGURES = ("rmse", "mae", "bias", "auc_fever")
OWN = ("coverage", "coverage_widest", "half_width", "half_width_widest")
"""Further figures, of the network alone."""
SHIFTS = (
    ("room warmer by", 0, 2.5, "2.5 SD"),
    ("room colder by", 0, -2.5, "2.5 SD"),
    ("air damper by", 1, 2.5, "2.5 SD"),
    ("a distance wrong by", 2, 12.0, "12 SD"),
)
"""What a campaign may say of its room that this one never did: name, place among the context, standard deviations."""
Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which what is measured on differs.

    Attributes:
        name: in words.
        folds: who is left out.
        change: made to the features of the test side.
    """

    name: str
    folds: list[Fold]
    change: Change


def cases(task: Task, samples: Samples, settings: Settings) -> list[Case]:
    """People left out; quarters of the days left out; and these with another camera, no round 4, nothing but temperatures."""
    regions = len(REGIONS)
    by_person = task.folds(samples, settings)
    by_period = _periods(samples, samples.extra["day"])

    by_warmth, by_dampness = (_periods(samples, samples.features[:, place - CONTEXT]) for place in (0, 1))

    def offset(kelvin: float) -> Change:
        def change(features: NDArray[np.float32]) -> NDArray[np.float32]:
            moved = features.copy()
            moved[..., : 2 * regions] += kelvin
            return moved

        return change

    def context(place: int, by: float) -> Change:
        def change(features: NDArray[np.float32]) -> NDArray[np.float32]:
            moved = features.copy()
            column = features.shape[1] - CONTEXT + place
            moved[:, column] += np.float32(by * np.nanstd(samples.features[:, column]))
            return moved

        return change

    def closed(features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As if nobody had a round 4: lasting regions come from the other rounds, as the task does."""
        shut = features.copy()
        for place, region in enumerate(REGIONS):
            shut[..., regions + place] = np.nan if region in MOUTH else shut[..., place]
        return shut

    def bare(features: NDArray[np.float32]) -> NDArray[np.float32]:
        alone = features.copy()
        alone[..., 2 * regions :] = np.nan
        return alone

    return [
        Case("people", by_person, lambda features: features),
        Case("periods", by_period, lambda features: features),
        Case("camera 0.1 K more", by_period, offset(0.1)),
        Case("camera 0.3 K more", by_period, offset(0.3)),
        *(Case(f"{name} {amount}", by_period, context(place, by)) for name, place, by, amount in SHIFTS),
        Case("warm days", by_warmth, lambda features: features),
        Case("damp days", by_dampness, lambda features: features),
        Case("no round 4", by_period, closed),
        Case("temperatures alone", by_period, bare),
    ]


def _periods(samples: Samples, order: NDArray[Any]) -> list[Fold]:
    """Quarters of the people by what orders them, each left out in turn."""
    everybody, nobody = np.arange(len(samples)), np.zeros(0, np.int64)
    return [
        Fold("period", np.setdiff1d(everybody[~np.isin(samples.people, samples.people[part])], part), nobody, part)
        for part in np.array_split(np.argsort(order, kind="stable"), PERIODS)
    ]


def measure(case: Case, task: Task, samples: Samples, settings: Settings, drawings: int = DRAWINGS) -> dict[str, Any]:
    """The case's name, `FIGURES` and `OWN` of the network and, as ridge_... and trees_..., `FIGURES` of these."""
    prior = prior_of(settings)
    simple = {"ridge": np.zeros((len(samples), 1), np.float32), "trees": np.zeros((len(samples), 1), np.float32)}
    own = np.zeros((drawings, len(samples), 2), np.float32)
    for fold in case.folds:
        train, test = samples.pick(fold.train), samples.pick(fold.test)
        stages = stages_of(train, settings)
        taught = Taught.of(stages, train)
        changed = Samples(case.change(test.features), test.targets, test.people, test.groups)
        asked = inputs_of(stages, changed)
        for seed in range(drawings):
            hidden = Hidden.draw(prior, channels(UNITS, settings.width), seed)
            known = solved_for(hidden, prior, taught)
            own[seed, fold.test] = np.stack(
                [known.solved(asked), half_width_of(hidden, prior, taught, known)(asked)], axis=1
            )
        simple["ridge"][fold.test] = task.baseline(train, changed, settings)
        simple["trees"][fold.test] = extra_trees.tell_numbers(train.features, train.targets, changed.features, TREES)
    network = [task.metrics(samples, one, settings) for one in own]
    row: dict[str, Any] = {"case": case.name}
    row |= {name: float(np.mean([one[name] for one in network])) for name in (*FIGURES, *OWN)}
    for name, said in simple.items():
        figures = task.metrics(samples, said, settings)
        row |= {f"{name}_{figure}": figures[figure] for figure in FIGURES}
    return row

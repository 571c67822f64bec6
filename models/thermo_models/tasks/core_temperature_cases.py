"""How an oral temperature told from a face fares where people, months or cameras are unlike those that were learnt from.

The float network, as mean of some drawings of its hidden layer, beside ridge regression and extra trees; nothing is quantised, so that a
case takes seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
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

DRAWINGS = 2
PERIODS = 4
TREES = 40
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


def measure(
    asked: Sequence[Case], task: Task, samples: Samples, settings: Settings, drawings: int = DRAWINGS
) -> list[dict[str, Any]]:
    """Of each case its name, `FIGURES` and `OWN` of the network and, as ridge_... and trees_..., `FIGURES` of these.

    Whoever is left out by several cases is learnt without but once.
    """
    shape = (len(asked), drawings, len(samples), 2)
    own, simple = np.zeros(shape, np.float32), {name: np.zeros((len(asked), len(samples), 1)) for name in SIMPLE}
    places: dict[int, list[int]] = {}
    for place, case in enumerate(asked):
        places.setdefault(id(case.folds), []).append(place)
    for of in places.values():
        for fold in asked[of[0]].folds:
            train, test = samples.pick(fold.train), samples.pick(fold.test)
            changed = np.concatenate([asked[place].change(test.features) for place in of])
            everybody = np.tile(np.arange(len(test)), len(of))
            many = replace(test.pick(everybody), features=changed)
            said = _said(train, many, settings, drawings).reshape(drawings, len(of), len(test), 2)
            own[np.array(of)[:, np.newaxis], :, fold.test] = said.transpose(1, 2, 0, 3)
            for name, method in SIMPLE.items():
                told = method(task, train, many, settings).reshape(len(of), len(test), 1)
                simple[name][np.array(of)[:, np.newaxis], fold.test] = told
    rows = []
    for place, case in enumerate(asked):
        network = [task.metrics(samples, one, settings) for one in own[place]]
        row: dict[str, Any] = {"case": case.name}
        row |= {name: float(np.mean([one[name] for one in network])) for name in (*FIGURES, *OWN)}
        for name, of_all in simple.items():
            figures = task.metrics(samples, of_all[place].astype(np.float32), settings)
            row |= {f"{name}_{figure}": figures[figure] for figure in FIGURES}
        rows.append(row)
    return rows


def _said(train: Samples, test: Samples, settings: Settings, drawings: int) -> NDArray[np.float64]:
    """(drawings, n, 2) of networks learnt from one side, of the other."""
    prior, stages = prior_of(settings), stages_of(train, settings)
    taught, asked = Taught.of(stages, train), inputs_of(stages, test)
    found = np.zeros((drawings, len(test), 2))
    for seed in range(drawings):
        hidden = Hidden.draw(prior, channels(UNITS, settings.width), seed)
        known = solved_for(hidden, prior, taught)
        found[seed] = np.stack([known.solved(asked), half_width_of(hidden, prior, taught, known)(asked)], axis=1)
    return found


def _ridge(task: Task, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
    found = task.baseline(train, test, settings)
    assert found is not None
    return found


def _trees(task: Task, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
    return extra_trees.tell_numbers(train.features, train.targets, test.features, TREES)


SIMPLE: Mapping[str, Callable[[Task, Samples, Samples, Settings], NDArray[np.float32]]] = MappingProxyType(
    {"ridge": _ridge, "trees": _trees}
)
"""Methods that stand beside the network."""

"""How the activity of `fitness-band` stands across protocols, and what each of its signals is worth."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models import extra_trees
from thermo_models.features import through
from thermo_models.intervals import bootstrap, numbers
from thermo_models.random_features import Hidden, Prior, SolvedClasses
from thermo_models.samples import Samples, people_folds
from thermo_models.settings import Settings
from thermo_models.tasks.fitness_band_features import CLASSES, COLUMNS, LEVELS, columns, stages_of, standard_of
from thermo_models.tasks.task import Task

RESAMPLES = 200
FOLDS = 8
UNITS = 64
LINEAR, SMOOTH = 0.03, 0.3
"""Prior of the network, chosen on S people alone."""
PROTOCOLS = {1: "S", 2: "f"}
"""Names of groups."""
Inputs = NDArray[np.float32]
Method = Callable[[Inputs, NDArray[np.int64], NDArray[np.int64], Inputs], NDArray[np.float32]]
"""Of training inputs, people and classes, and test inputs: scores."""


def boosted(train: Inputs, people: NDArray[np.int64], targets: NDArray[np.int64], test: Inputs) -> NDArray[np.float32]:
    """What is shipped."""
    return through(stages_of(train, people, targets), test)


def dense(train: Inputs, people: NDArray[np.int64], targets: NDArray[np.int64], test: Inputs) -> NDArray[np.float32]:
    """A network of one hidden layer, drawn, and a last one that is solved for, before rounding to int8."""
    stages = standard_of(train, people)
    inputs = through(stages, train).astype(np.float64)
    prior = Prior(((np.ones(inputs.shape[1]), 1.0),), SMOOTH, LINEAR, 0.0)
    solved = SolvedClasses.of(Hidden.draw(prior, UNITS, 0), prior, inputs, targets, len(CLASSES))
    return solved(through(stages, test).astype(np.float64)).astype(np.float32)


def many(train: Inputs, people: NDArray[np.int64], targets: NDArray[np.int64], test: Inputs) -> NDArray[np.float32]:
    """Extra trees."""
    return extra_trees.tell(train, targets, test, len(CLASSES))


def examined(task: Task, samples: Samples, settings: Settings) -> dict[str, Any]:
    """Rows of macro F1 with intervals: from one protocol to the other, and from parts of the numbers, people dealt to `FOLDS`."""
    there = set(np.unique(samples.groups).tolist())
    protocols = []
    for learnt, tested in ((1, 2), (2, 1)):
        if {learnt, tested} <= there:
            split = [(np.flatnonzero(samples.groups == learnt), np.flatnonzero(samples.groups == tested))]
            row: dict[str, Any] = {"from": PROTOCOLS[learnt], "to": PROTOCOLS[tested]}
            for name, method in (("boosted", boosted), ("trees", many)):
                row |= {name: _figure(task, samples, samples.features, split, settings, method)}
            protocols.append(row)
    folds = [
        (fold.train, fold.test)
        for fold in people_folds(samples.people, min(FOLDS, len(np.unique(samples.people))), 0, False)
    ]
    parts = [
        {"part": name} | _figure(task, samples, of, folds, settings, boosted) for name, of in _parts(samples).items()
    ]
    network = _figure(task, samples, samples.features, folds, settings, dense)
    return {"protocols": protocols, "parts": parts, "network": network}


def _parts(samples: Samples) -> dict[str, Inputs]:
    own = samples.features
    seconds = len(COLUMNS) - 1
    minute = own.shape[1] - seconds * LEVELS
    return {
        "heart rate, motion and temperature": np.concatenate([own, samples.extra["temperature"]], axis=1),
        "the last minute of heart rate and motion": own[:, :minute],
        "heart rate alone": own[:, columns(seconds, ("rate",))],
        "motion alone": own[:, columns(seconds, ("motion",))],
        "temperature alone": samples.extra["temperature"],
        "the clock alone": samples.extra["elapsed_s"][:, np.newaxis].astype(np.float32),
    }


def _figure(
    task: Task,
    samples: Samples,
    inputs: Inputs,
    splits: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    settings: Settings,
    method: Method,
) -> dict[str, Any]:
    """Macro F1 and its interval, pooled over splits."""
    said = np.full((len(samples), len(CLASSES)), np.nan, np.float32)
    for train, test in splits:
        said[test] = method(inputs[train], samples.people[train], samples.targets[train], inputs[test])
    tested = np.sort(np.concatenate([test for _, test in splits]))
    lean, scores = samples.pick(tested).without_features(), said[tested]

    def figures(index: NDArray[np.int64], draw: NDArray[np.int64]) -> dict[str, float]:
        return numbers(task.metrics(lean.pick(index), scores[index], settings))

    macro = task.metrics(lean, scores, settings)["macro_f1"]
    interval = bootstrap(figures, lean.people, 0, RESAMPLES).get("macro_f1", (macro, macro))
    return {"macro_f1": macro, "interval": list(interval)}

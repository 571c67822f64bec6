"""A network beside simpler methods: what they say, and by how much it is better on the same draws of people.

A difference is less uncertain than the two figures it is of, since both methods meet the same people.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models.samples import Samples
from thermo_models.settings import Settings
from thermo_models.tasks.task import CHANCE, Contrasted, Task

BASELINE = "baseline"
_AGAINST = " against "
"""Between a figure and a method in the name of the difference of the two."""
Outputs = Mapping[str, NDArray[np.float32]]
Figures = Mapping[str, Mapping[str, Any]]


def simple_ones(task: Task, train: Samples, test: Samples, settings: Settings) -> dict[str, NDArray[np.float32]]:
    """Outputs (n, outputs) of simpler methods on the test side, by name; `BASELINE` is the task's own."""
    one = task.baseline(train, test, settings)
    found = {} if one is None else {BASELINE: one}
    return found | (dict(task.others(train, test, settings)) if isinstance(task, Contrasted) else {})


def figures_of(task: Task, samples: Samples, said: Outputs, settings: Settings) -> dict[str, dict[str, Any]]:
    """Metrics of each method; a figure that it has no value of, as a delay of alarms that it never raises, is left out."""
    found = {name: task.metrics(samples, of, settings) for name, of in said.items()}
    return {name: {key: one for key, one in figures.items() if one == one} for name, figures in found.items()}


def better_by(more_is_better: Mapping[str, bool], own: Mapping[str, Any], others: Figures) -> dict[str, float]:
    """By how much each figure that both have is better than each method's, by a name that `described` reads."""
    return {
        f"{figure}{_AGAINST}{name}": float((own[figure] - other[figure]) * (1 if more else -1))
        for name, other in others.items()
        if name != CHANCE
        for figure, more in more_is_better.items()
        if figure in own and figure in other
    }


def parted(
    sure: Mapping[str, tuple[float, float]],
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Intervals of figures, and those of differences."""
    differs = {name: ends for name, ends in sure.items() if _AGAINST in name}
    return {name: ends for name, ends in sure.items() if name not in differs}, differs


def described(better: Mapping[str, float], sure: Mapping[str, tuple[float, float]]) -> dict[str, dict[str, Any]]:
    """Of each method and figure, by how much the network is better, `by`, and its `interval`."""
    found: dict[str, dict[str, Any]] = {}
    for name, by in better.items():
        figure, _, method = name.partition(_AGAINST)
        if name in sure:
            found.setdefault(method, {})[figure] = {"by": by, "interval": sure[name]}
    return found

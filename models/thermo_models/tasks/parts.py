"""What parts of the inputs of a task tell by themselves: figures of a simple method, people left out."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models.intervals import bootstrap, numbers
from thermo_models.samples import Samples
from thermo_models.settings import Settings
from thermo_models.tasks.task import Task

RESAMPLES, QUICK_RESAMPLES = 200, 20
"""Of the interval of a part."""
Tell = Callable[[Samples, Samples], NDArray[np.float32]]
"""Outputs for the second samples, learnt from the first."""


def part_alone(
    task: Task,
    name: str,
    samples: Samples,
    settings: Settings,
    folds: int,
    tell: Tell,
    names: tuple[str, ...],
    quick: bool = False,
) -> dict[str, Any]:
    """Figures of what some inputs tell, each fold's people by the others; the first of them with its interval.

    Args:
        task: measures.
        name: of the inputs.
        samples: everybody; features may be of any kind that `tell` takes.
        settings: of the measure.
        folds: into which people are dealt.
        tell: a simple method.
        names: figures that are told.
        quick: draw few people for the interval.
    """
    everybody = np.random.default_rng(0).permutation(np.unique(samples.people))
    said: NDArray[np.float32] | None = None
    for out in np.array_split(everybody, min(folds, len(everybody))):
        test = np.isin(samples.people, out)
        made = tell(samples.pick(~test), samples.pick(test))
        said = np.zeros((len(samples), made.shape[1]), np.float32) if said is None else said
        said[test] = made
    assert said is not None
    outputs, lean = said, samples.without_features()

    def figures(index: NDArray[np.int64], draw: NDArray[np.int64]) -> dict[str, float]:
        found = numbers(task.metrics(lean.pick(index).of_people(draw), outputs[index], settings))
        return {names[0]: found[names[0]]}

    own: Mapping[str, Any] = task.metrics(lean, outputs, settings)
    ends = bootstrap(figures, samples.people, 0, QUICK_RESAMPLES if quick else RESAMPLES).get(
        names[0], (own[names[0]], own[names[0]])
    )
    return {"part": name, **{one: own[one] for one in names}, "interval": list(ends)}

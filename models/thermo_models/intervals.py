"""How sure a figure is: percentile intervals of a bootstrap that draws people, not samples (Field & Welsh 2007).

Samples of one person are no independent witnesses, so whole people are drawn with replacement, as many as there are, and every
figure is computed anew of what they brought along. The same seed gives the same interval.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 0.95
LEAST_KNOWN = 0.9
"""Share of resamples in which a figure must have a value for its interval to be given."""
Figures = Callable[[NDArray[np.int64], NDArray[np.int64]], dict[str, float]]
"""Figures of the samples at some indices, which may repeat, and of which draw each is: a person drawn twice is two."""


def bootstrap(
    figures: Figures, people: NDArray[np.int64], seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, tuple[float, float]]:
    """The interval of each figure that holds `LEVEL` of the resamples.

    Args:
        figures: see `Figures`.
        people: (n,) whose each sample is.
        seed: of the draws.
        resamples: how many.

    Returns:
        (low, high) by name; figures that too often have no value, as an AUC without a case, are left out.
    """
    order = np.argsort(people, kind="stable")
    starts = np.flatnonzero(np.diff(people[order], prepend=people[order[0]] - 1))
    of_person = np.split(order, starts[1:])
    generator = np.random.default_rng([seed, 0xB0])
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        chosen = generator.integers(0, len(of_person), len(of_person))
        index = np.concatenate([of_person[n] for n in chosen])
        draw = np.repeat(np.arange(len(chosen)), [len(of_person[n]) for n in chosen])
        for name, value in figures(index, draw).items():
            drawn.setdefault(name, []).append(value)
    tail = (1 - LEVEL) / 2
    found = {}
    for name, values in drawn.items():
        known = np.array(values)[np.isfinite(values)]
        if len(known) >= LEAST_KNOWN * resamples:
            low, high = np.quantile(known, [tail, 1 - tail])
            found[name] = (float(low), float(high))
    return found


def numbers(metrics: dict[str, Any]) -> dict[str, float]:
    """The figures among a task's metrics; tables and counts are none."""
    return {name: value for name, value in metrics.items() if isinstance(value, float)}


def described(people: NDArray[np.int64], resamples: int, seed: int) -> dict[str, Any]:
    """What an interval rests on, for a file of figures."""
    return {"level": LEVEL, "resamples": resamples, "seed": seed, "drawn": len(np.unique(people))}

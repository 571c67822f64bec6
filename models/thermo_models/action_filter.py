"""A causal filter over classes of a stream: what is believed after each moment, of this one and all before (forward algorithm, Rabiner 1989).

What a class may be followed by, and how long it lasts on average, stands in a table that is given by hand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-4
"""A score below counts as this: nothing is impossible."""


def transitions(
    classes: Sequence[str],
    lasts_s: Mapping[str, float],
    step_s: float,
    follows: Mapping[str, Sequence[str]] | None = None,
) -> NDArray[np.float64]:
    """Chances (classes, classes) of the class at a moment's end, by that at its beginning.

    Args:
        classes: in their order.
        lasts_s: of each, how long it lasts on average.
        step_s: from moment to moment.
        follows: of each, what may follow it, all alike; None for every other class.
    """
    table = np.zeros((len(classes), len(classes)))
    for row, name in enumerate(classes):
        next_ones = [one for one in classes if one != name] if follows is None else follows[name]
        leaves = min(1.0, step_s / lasts_s[name])
        table[row, row] = 1 - leaves
        for one in next_ones:
            table[row, list(classes).index(one)] += leaves / len(next_ones)
    return table


def explained(scores: NDArray[np.floating[Any]], prior: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """How well each class explains each moment by itself (n, classes), but for a factor; see `filtered` for the arguments."""
    told = np.maximum(scores, LEAST) / prior
    weighed: NDArray[np.float64] = np.power(told / told.sum(1, keepdims=True), weight)
    return weighed


def filtered(
    layout: NDArray[np.int64],
    scores: NDArray[np.floating[Any]],
    chances: NDArray[np.float64],
    prior: NDArray[np.float64],
    weight: float,
    start: int,
) -> NDArray[np.float64]:
    """What is believed (n, classes) at each moment.

    Args:
        layout: moments in a row, as `streams.Course.laid_out` gives them.
        scores: (n, classes) of each moment alone.
        chances: see `transitions`.
        prior: (classes,) chance of each in what the scores were learnt from, which they are divided by.
        weight: of a moment's scores, as a power; below 1 where neighbouring moments share most of what they are told from.
        start: class at a stretch's beginning.
    """
    told = explained(scores, prior, weight)
    found = np.zeros(told.shape)
    belief = np.zeros((len(layout), told.shape[1]))
    belief[:, start] = 1.0
    for column in layout.T:
        there = column >= 0
        here = column[there]
        now = belief[there] @ chances * told[here]
        belief[there] = now / now.sum(1, keepdims=True)
        found[here] = belief[there]
    return found

"""How far readers agree beyond chance: Cohen's kappa with its interval.

Kappa: Cohen, Educational and Psychological Measurement 20 (1960) 37. Its standard error away from zero: Fleiss, Cohen and Everitt,
Psychological Bulletin 72 (1969) 323, equation 13 with equal weights of all disagreements.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z = 1.959964
"""Of an interval of 95 %."""
CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two readers.

    Attributes:
        n: windows that both read.
        agreed: share of them on which they agree.
        kappa: 1 for all, 0 for what chance gives; None where chance alone would agree always, as of one class.
        low, high: ends of its interval of 95 %, within -1 to 1; None where kappa is.
    """

    n: int
    agreed: float
    kappa: float | None
    low: float | None
    high: float | None


def agreement(table: NDArray[np.integer[Any]]) -> Agreement:
    """Of a table (classes, classes) of counts: rows are what the one reader says, columns the other."""
    n = int(table.sum())
    if not n:
        return Agreement(0, 0.0, None, None, None)
    share = table / n
    rows, columns = share.sum(1), share.sum(0)
    observed, expected = float(np.trace(share)), float(rows @ columns)
    if expected >= 1 - 1e-12:
        return Agreement(n, observed, None, None, None)
    kappa = (observed - expected) / (1 - expected)
    both = rows[np.newaxis, :] + columns[:, np.newaxis]
    on = np.diag(share) @ ((1 - expected) - np.diag(both) * (1 - observed)) ** 2
    off = (1 - observed) ** 2 * float((share * both**2)[~np.eye(len(share), dtype=bool)].sum())
    variance = (on + off - (observed * expected - 2 * expected + observed) ** 2) / (n * (1 - expected) ** 4)
    half = Z * float(np.sqrt(max(0.0, float(variance))))
    return Agreement(n, observed, float(kappa), max(-1.0, float(kappa - half)), min(1.0, float(kappa + half)))


def table_of(pairs: Sequence[tuple[str, str]], classes: Sequence[str]) -> NDArray[np.int64]:
    """Counts of what two readers said of the same windows."""
    found = np.zeros((len(classes), len(classes)), np.int64)
    for one, other in pairs:
        found[classes.index(one), classes.index(other)] += 1
    return found


def one_against_rest(table: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    """The table of one class and everything else."""
    both, row, column = table[at, at], table[at].sum(), table[:, at].sum()
    return np.array([[both, row - both], [column - both, table.sum() - row - column + both]], np.int64)


def by_pair(reads: Iterable[tuple[str, str, str]], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Agreement of each two readers, over all classes and for each against the rest.

    Args:
        reads: (window, reader, class) of blind reads.
        classes: that there are; `CANNOT_TELL` counts as one.
    """
    every = [*classes, CANNOT_TELL]
    said: Mapping[str, dict[str, str]] = defaultdict(dict)
    for window, reader, label in reads:
        said[reader][window] = label
    found = []
    for one, other in combinations(sorted(said), 2):
        shared = sorted(said[one].keys() & said[other].keys())
        if not shared:
            continue
        table = table_of([(said[one][window], said[other][window]) for window in shared], every)
        found.append(
            {
                "readers": [one, other],
                "over_all": agreement(table),
                "classes": {name: agreement(one_against_rest(table, at)) for at, name in enumerate(every)},
            }
        )
    return found

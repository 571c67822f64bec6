"""What a network has learnt from, as a `domain` stage that holds what it is given within that and flags what lies far from it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.schema import Floats
from thermo_core.stages.domain import Domain, distances

AXES = 12
"""Along more of them two dozen people or a few hundred tell no spread."""
REFUSED = 0.01
"""Share of samples of the kind that was learnt from that are refused."""
PARTS = 5
CHECKS = 3
"""Ranges, distance along the axes, distance across: each refuses its share of `REFUSED`."""
LEAST_SPREAD = 1e-3
Array = NDArray[np.float64]


def domain(
    inputs: NDArray[np.floating[Any]],
    people: NDArray[np.int64],
    of: str,
    gives: str,
    axes: int = AXES,
    refused: float = REFUSED,
) -> Domain:
    """The stage for inputs as a network sees them.

    Limits are quantiles of how far people lie from what other people alone would have given, so that they hold for people who were
    not learnt from.

    Args:
        inputs: (n, elements) as `normalise` gives them; NaN counts as 0.
        people: (n,) whose each is; of one person alone, the samples are parted instead.
        of: the signal it takes.
        gives: the signal it makes.
        axes: at most.
        refused: share of samples that are refused though they are like what was learnt from.
    """
    known = np.nan_to_num(np.asarray(inputs, np.float64).reshape(len(inputs), -1))
    rng = np.random.default_rng(0)
    owners = people if len(np.unique(people)) >= PARTS else np.arange(len(known)) // max(1, len(known) // (4 * PARTS))
    beyond, along, across = np.zeros((3, len(known)))
    for part in np.array_split(rng.permutation(np.unique(owners)), PARTS):
        out = np.isin(owners, part)
        others = known[~out]
        width = np.maximum(np.ptp(others, 0), LEAST_SPREAD)
        beyond[out] = (np.maximum(others.min(0) - known[out], known[out] - others.max(0)) / width).max(1)
        stage = _stage(others, of, gives, axes, (0.0, 1.0, 1.0))
        along[out], across[out] = (
            np.sqrt(np.maximum(one, 0)) for one in distances(stage, known[out].astype(np.float32))
        )
    limits = tuple(float(np.quantile(one, 1 - refused / CHECKS)) for one in (beyond, along, across))
    return _stage(known, of, gives, axes, limits)


def _stage(known: Array, of: str, gives: str, axes: int, limits: tuple[float, ...]) -> Domain:
    """Of samples (n, elements): their ranges, widened by a share of them, and their principal components with limits of the distances."""
    share, along, across = limits
    values, vectors = np.linalg.eigh(known.T @ known / len(known))
    count = max(1, min(axes, known.shape[1] - 1, len(known) - 1))
    margin = max(share, 0.0) * np.maximum(np.ptp(known, 0), LEAST_SPREAD)
    return Domain(
        of=of,
        gives=gives,
        low=Floats(known.min(0) - margin),
        high=Floats(known.max(0) + margin),
        axes=Floats(vectors[:, ::-1][:, :count].T.ravel()),
        spread=Floats(np.sqrt(np.maximum(values[::-1][:count], LEAST_SPREAD**2))),
        along=along,
        across=max(across, LEAST_SPREAD),
    )

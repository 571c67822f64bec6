"""What a network sees of a cooling curve: its projections on the shapes such curves have, finely enough for eight bits.

Samples are averaged in bins that widen with time, each mean weighed by the root of its samples, so that white noise stays
white. The singular value decomposition of decays of all time constants (Golub & Van Loan 2013, 2.4) orders the shapes by how
much of the curves they carry; each further one carries about half of the one before. A projection of wide range is given as
overlapping pieces and a whole, since eight bits over the whole range would be coarser than the noise; one of small range is
given at several magnifications, since noise widens it. What no shape explains tells how noisy the curve is.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from thermo_models import foster
from thermo_models.samples import Scaling

Array = NDArray[np.float64]

BINS = 64
COMPONENTS = 12
PIECES = (14, 8, 4, 2)
"""Pieces that the range of each of the first projections is cut into."""
MAGNIFICATIONS = (1, 1, 2, 2, 3, 3, 4, 5)
"""How often each further projection is given, each time over four times the range."""
LEAST_NOISE = 1e-4
"""Added to the unexplained part, as a share of the amplitude, before its logarithm is taken."""
NOISE_RANGE = (-4.0, -1.5)
"""Decimal logarithms of the unexplained part."""


@cache
def edges() -> NDArray[np.int64]:
    """(BINS + 1,) bin borders: one sample each at first, then ever wider, over all samples."""
    found = [0]
    while len(found) <= BINS:
        left = BINS + 1 - len(found)
        ratio = (foster.SAMPLES / max(found[-1], 1)) ** (1 / left)
        found.append(max(found[-1] + 1, round(max(found[-1], 1) * ratio)))
    found[-1] = foster.SAMPLES
    return np.array(found)


@cache
def basis() -> Array:
    """(COMPONENTS, BINS) orthonormal shapes over bin means weighed by the root of their samples."""
    tau = np.full((200, foster.LARGEST_K), np.nan)
    tau[:, 0] = np.geomspace(*foster.TAU_S, len(tau))
    share = np.where(np.isnan(tau), 0.0, 1.0)
    decays = foster.bin_means(tau, share, edges()) * np.sqrt(np.diff(edges()))
    shapes: Array = np.linalg.svd(decays, full_matrices=False)[2][:COMPONENTS]
    # A singular vector's sign is arbitrary.
    largest = shapes[np.arange(COMPONENTS), np.abs(shapes).argmax(1)]
    signed: Array = shapes * np.sign(largest)[:, np.newaxis]
    return signed


def project(means: Array) -> Array:
    """(n, COMPONENTS + 1) projections and the decimal logarithm of the unexplained part, of bin means (n, BINS)."""
    weighed = means * np.sqrt(np.diff(edges()))
    along = weighed @ basis().T
    unexplained = np.sqrt(np.square(weighed - along @ basis()).sum(1) / (BINS - COMPONENTS))
    return np.column_stack([along, np.log10(unexplained + LEAST_NOISE)])


def of_curves(values: Array) -> Array:
    """`project` of curves (n, SAMPLES)."""
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, 1)], 1)
    return project((sums[:, edges()[1:]] - sums[:, edges()[:-1]]) / np.diff(edges()))


def noisy(projected: Array, noise: Array, rng: np.random.Generator) -> Array:
    """What `project` gives of curves that it gave `projected` of, after white noise is added to their samples.

    Args:
        projected: (n, COMPONENTS + 1).
        noise: (n,) standard deviations.
        rng: draws it.
    """
    free = BINS - COMPONENTS
    moved = projected.copy()
    moved[:, :COMPONENTS] += noise[:, None] * rng.standard_normal((len(projected), COMPONENTS))
    before = 10 ** projected[:, COMPONENTS] - LEAST_NOISE
    after = np.sqrt(np.square(before) + np.square(noise) * rng.chisquare(free, len(noise)) / free)
    moved[:, COMPONENTS] = np.log10(after + LEAST_NOISE)
    return moved


def copies() -> NDArray[np.int64]:
    """Which projection each input channel holds."""
    return np.repeat(np.arange(COMPONENTS + 1), [*(n + 1 for n in PIECES), *MAGNIFICATIONS, 1])


def scaling(projected: Array) -> Scaling:
    """Centre and spread of each input channel, from projections (n, COMPONENTS + 1) of noiseless curves.

    Beyond its piece a channel stands still at -1 or 1.
    """
    low, high = np.quantile(projected, (0.0005, 0.9995), axis=0)
    centres: list[float] = []
    spreads: list[float] = []
    for j in range(COMPONENTS):
        half = (high[j] - low[j]) / 2
        if j < len(PIECES):
            part = half / PIECES[j]
            centres += [low[j] + part * (2 * piece + 1) for piece in range(PIECES[j])]
            spreads += [part] * PIECES[j]
            centres.append(low[j] + half)
            # Room for the largest noise that is trained.
            spreads.append(half + 0.06)
        else:
            times = MAGNIFICATIONS[j - len(PIECES)]
            centres += [low[j] + half] * times
            spreads += [half * 4**power for power in range(times)]
    centres.append(sum(NOISE_RANGE) / 2)
    spreads.append((NOISE_RANGE[1] - NOISE_RANGE[0]) / 2)
    return Scaling(np.array(centres, np.float32), np.array(spreads, np.float32), 1.0)


def described() -> dict[str, object]:
    """All that is needed to make the input channels before scaling, for preprocessing.json."""
    return {
        "samples": foster.SAMPLES,
        "period_s": foster.PERIOD_S,
        "bin_edges": edges().tolist(),
        "basis": np.round(basis(), 9).tolist(),
        "least_noise": LEAST_NOISE,
        "channel_of": copies().tolist(),
        "how": "m = bin means * sqrt(samples a bin); p = basis m; p[12] = log10(sqrt(|m - basis' p|^2 / (bins - 12)) + least_noise); "
        "channel i = (p[channel_of[i]] - centre[i]) / spread[i], clipped to -limit..limit",
    }

"""What a network sees of a cooling curve: its projections on the shapes such curves have, finely enough for eight bits.

The wearable's stages do it; here are the constants they need, found from curves. Samples are averaged in bins that widen with time,
each mean weighed by the root of its samples, so that white noise stays white. The singular value decomposition of decays of all
time constants (Golub & Van Loan 2013, 2.4) orders the shapes by how much of the curves they carry; each further one carries about
half of the one before. A projection of wide range is given as overlapping pieces and a whole, since eight bits over the whole range
would be coarser than the noise; one of small range is given at several magnifications, since noise widens it. What no shape
explains tells how noisy the curve is.
"""

from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from thermo_core import widening
from thermo_core.schema import Floats
from thermo_core.signals import Values
from thermo_core.stages.bins import Bins
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.projection import Projection
from thermo_core.stages.select import Select
from thermo_models import foster
from thermo_models.features import through
from thermo_models.templates import stage_of, template

Array = NDArray[np.float64]

WEARABLE = template("time-constants")
BINNED: Bins = stage_of(WEARABLE.profile, "means")
PROJECTED: Projection = stage_of(WEARABLE.profile, "shapes")
BINS, COMPONENTS, LEAST_NOISE = BINNED.bins, PROJECTED.rows, PROJECTED.least_noise
PIECES = (14, 8, 4, 2)
"""Pieces that the range of each of the first projections is cut into."""
MAGNIFICATIONS = (1, 1, 2, 2, 3, 3, 4, 5)
"""How often each further projection is given, each time over four times the range."""
NOISE_RANGE = (-4.0, -1.5)
"""Decimal logarithms of the unexplained part."""


def edges() -> NDArray[np.int64]:
    """(BINS + 1,) bin borders: one sample each at first, then ever wider, over all samples."""
    return np.array(widening.edges(foster.SAMPLES, BINS))


@cache
def basis() -> Array:
    """(COMPONENTS, BINS) orthonormal shapes over bin means weighed by the root of their samples."""
    tau = np.full((200, foster.LARGEST_K), np.nan)
    tau[:, 0] = np.geomspace(*foster.TAU_S, len(tau))
    share = np.where(np.isnan(tau), 0.0, 1.0)
    shapes: Array = np.linalg.svd(means(tau, share), full_matrices=False)[2][:COMPONENTS]
    # A singular vector's sign is arbitrary.
    largest = shapes[np.arange(COMPONENTS), np.abs(shapes).argmax(1)]
    signed: Array = shapes * np.sign(largest)[:, np.newaxis]
    return signed


def means(tau: Array, share: Array) -> Array:
    """(n, BINS) what the wearable's bins hold of noiseless curves, as `foster.draw` gives them, without making their samples."""
    weighed: Array = foster.bin_means(tau, share, edges()) * np.sqrt(np.diff(edges()))
    return weighed


def of_curves(values: Array) -> Values:
    """(n, BINS) what they hold of curves (n, SAMPLES)."""
    return through((BINNED,), values.astype(np.float32), foster.PERIOD_S)


def project(found: NDArray[np.floating[Any]]) -> Values:
    """(n, COMPONENTS + 1) projections and the decimal logarithm of the unexplained part, of what bins hold (n, BINS)."""
    return through((shapes(),), found.astype(np.float32))


def shapes() -> Projection:
    """The stage that projects."""
    # Nine decimals are beyond float32 and the same on every machine.
    return msgspec.structs.replace(PROJECTED, basis=Floats(np.round(basis(), 9)))


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


def stages(projected: NDArray[np.floating[Any]]) -> tuple[Projection, Select, Normalise]:
    """The wearable's stages from bins to the network, from projections (n, COMPONENTS + 1) of noiseless curves.

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
    pieces = Select(of="shapes", gives="pieces", places=tuple(copies().tolist()))
    scaled = Normalise(of="pieces", gives="scaled", centre=Floats(centres), spread=Floats(spreads), limit=1.0)
    return shapes(), pieces, scaled

"""Foster networks: step responses made at random, and the classical way back to their constants."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Array = NDArray[np.float64]

SAMPLES = 600
PERIOD_S = 1.0
TAU_S = (2.0, 400.0)
LARGEST_K = 3
LEAST_RATIO = 3.0
"""Least ratio of adjacent time constants; closer ones cannot be told apart in 600 samples."""
LEAST_SHARE = 0.15
"""Least share of the whole amplitude a part has."""


@dataclass(frozen=True, slots=True)
class Curves:
    """dT(t) = sum of a_i exp(-t / tau_i), amplitudes adding up to 1, with noise.

    Attributes:
        values: (n, SAMPLES) float64 at t = 0, 1, 2 ... s.
        tau_s: (n, LARGEST_K) ascending, NaN beyond the curve's own number.
        share: (n, LARGEST_K) amplitudes, 0 beyond.
        parts: (n,) number of parts, 1 to LARGEST_K.
    """

    values: Array
    tau_s: Array
    share: Array
    parts: NDArray[np.int64]


def times() -> Array:
    """(SAMPLES,) seconds."""
    return PERIOD_S * np.arange(SAMPLES)


def draw(count: int, rng: np.random.Generator, parts: int | None = None) -> tuple[Array, Array, NDArray[np.int64]]:
    """Time constants in seconds (count, LARGEST_K), shares (count, LARGEST_K) and numbers of parts (count,) at random.

    Args:
        count: how many.
        rng: draws them.
        parts: number of time constants, or None for 1 to LARGEST_K alike.
    """
    number = rng.integers(1, LARGEST_K + 1, count) if parts is None else np.full(count, parts)
    tau = np.full((count, LARGEST_K), np.nan)
    share = np.zeros((count, LARGEST_K))
    low, high = np.log(TAU_S)
    for k in range(1, LARGEST_K + 1):
        of = np.flatnonzero(number == k)
        # Uniform among ascending logarithms at least `gap` apart: draw in the shortened range, then spread out.
        gap = np.log(LEAST_RATIO)
        drawn = np.sort(rng.uniform(low, high - (k - 1) * gap, (len(of), k)), axis=1) + gap * np.arange(k)
        tau[of[:, None], np.arange(k)] = np.exp(drawn)
        share[of[:, None], np.arange(k)] = LEAST_SHARE + (1 - k * LEAST_SHARE) * rng.dirichlet(np.ones(k), len(of))
    return tau, share, number.astype(np.int64)


def make(count: int, noise: Array | float, seed: int, parts: int | None = None) -> Curves:
    """Curves drawn at random; the same arguments give the same curves.

    Args:
        count: how many.
        noise: standard deviation as a share of the amplitude, one or (count,).
        seed: of all chance.
        parts: number of time constants, or None for 1 to LARGEST_K alike.
    """
    rng = np.random.default_rng([seed, 0xF0])
    tau, share, number = draw(count, rng, parts)
    values = np.zeros((count, SAMPLES))
    for i in range(LARGEST_K):
        values += share[:, i, None] * np.exp(-times() / np.where(np.isnan(tau[:, i]), 1.0, tau[:, i])[:, None])
    values += np.broadcast_to(np.asarray(noise, np.float64), (count,))[:, None] * rng.standard_normal(values.shape)
    return Curves(values, tau, share, number)


def bin_means(tau: Array, share: Array, edges: NDArray[np.int64]) -> Array:
    """(n, bins) means of noiseless curves over the samples from one edge to the next, without making the samples.

    Args:
        tau: (n, LARGEST_K) seconds, NaN beyond the curve's own number.
        share: (n, LARGEST_K) amplitudes, 0 beyond.
        edges: (bins + 1,) ascending numbers of samples.
    """
    means = np.zeros((len(tau), len(edges) - 1))
    for i in range(LARGEST_K):
        ratio = np.exp(-PERIOD_S / np.where(np.isnan(tau[:, i]), 1.0, tau[:, i]))[:, None]
        powers = ratio**edges
        means += share[:, i, None] * (powers[:, :-1] - powers[:, 1:]) / (1 - ratio)
    averaged: Array = means / np.diff(edges)
    return averaged


def least_squares_tau(curve: Array, parts: int, starts: int, rng: np.random.Generator) -> Array:
    """(parts,) ascending time constants by multi-start least squares; amplitudes are solved for within (Golub & Pereyra 1973).

    Args:
        curve: (SAMPLES,) values.
        parts: number of time constants, known.
        starts: random starting points, the best end wins.
        rng: draws them.
    """
    t = times()

    def residual(log_tau: Array) -> Array:
        basis = np.exp(-t[:, None] / np.exp(log_tau))
        amplitudes = np.linalg.lstsq(basis, curve, rcond=None)[0]
        return np.asarray(basis @ amplitudes - curve)

    low, high = np.log(TAU_S[0] / 2), np.log(TAU_S[1] * 2)
    best, least = np.zeros(parts), np.inf
    for _ in range(starts):
        start = np.sort(rng.uniform(np.log(TAU_S[0]), np.log(TAU_S[1]), parts))
        found = least_squares(residual, start, bounds=(low, high), max_nfev=60)
        if found.cost < least:
            best, least = found.x, float(found.cost)
    return np.exp(np.sort(best))

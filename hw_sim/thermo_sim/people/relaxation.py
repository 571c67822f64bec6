"""Quantities that go to targets exponentially, asked at any times; targets change at given times and hold between."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Relaxation:
    """Columns that are sums of modes, each of which goes to its target with its own time constant.

    Args:
        starts_s: (p,) times from which targets hold, ascending; before the first everything has settled at its targets.
        targets: (p, modes, columns).
        taus_s: (modes,) time constants; 0 follows at once.
    """

    def __init__(self, starts_s: Array, targets: Array, taus_s: Array) -> None:
        self._starts_s = np.asarray(starts_s, np.float64)
        self._taus_s = np.asarray(taus_s, np.float64)
        self._total: Array = targets.sum(axis=1)
        self._apart = np.zeros_like(targets)
        """How far each mode is from its target when that begins to hold."""
        for piece in range(1, len(targets)):
            left = self._left(self._starts_s[piece : piece + 1] - self._starts_s[piece - 1])[0]
            kept = self._apart[piece - 1] * left[:, np.newaxis]
            self._apart[piece] = kept + targets[piece - 1] - targets[piece]

    def _left(self, since_s: Array) -> Array:
        """Share that is left of a distance, (n, modes)."""
        quick = self._taus_s <= 0
        rate = np.where(quick, 0.0, 1 / np.where(quick, 1.0, self._taus_s))
        return np.where(quick, 0.0, np.exp(-np.maximum(since_s, 0.0)[:, np.newaxis] * rate))

    def at(self, times_s: Array, columns: slice = slice(None)) -> Array:
        """(n, columns) at (n,) times, in any order."""
        pieces = np.maximum(np.searchsorted(self._starts_s, times_s, side="right") - 1, 0)
        found: Array = self._total[:, columns][pieces]
        left = self._left(times_s - self._starts_s[pieces])
        # By runs of one piece: times mostly ascend, and of many pieces each has few.
        edges = np.concatenate([[0], np.flatnonzero(np.diff(pieces)) + 1, [len(pieces)]])
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if begin < end:
                found[begin:end] += left[begin:end] @ self._apart[pieces[begin]][:, columns]
        return found


def lagged(starts_s: Array, values: Array, tau_s: float) -> Relaxation:
    """(p, columns) values that are followed with one time constant."""
    return Relaxation(starts_s, values[:, np.newaxis, :], np.array([tau_s]))


def share(times_s: Array, start_s: float, end_s: float, on_tau_s: float, off_tau_s: float) -> Array:
    """How much there is, 0 to 1, of something that comes on at a time and goes from another on, each exponentially; (n,)."""

    def come(since_s: Array) -> Array:
        if on_tau_s <= 0:
            return (since_s >= 0).astype(float)
        came: Array = 1 - np.exp(-np.maximum(since_s, 0.0) / on_tau_s)
        return came

    going_s = np.maximum(times_s - end_s, 0.0)
    most = come(np.minimum(times_s, end_s) - start_s)
    gone = np.exp(-going_s / off_tau_s) if off_tau_s > 0 else (times_s < end_s).astype(float)
    return np.where(times_s >= start_s, most * np.where(times_s >= end_s, gone, 1.0), 0.0)


_BLOCK = 256
"""Times that are worked out together."""
_EVEN_S = 1e-9


class Ripple:
    """Slow random changes, each column of standard deviation 1 and independent of the others, as a function of time.

    Args:
        rng: of phases.
        columns: how many.
        slowest_s, quickest_s: periods between which its waves lie; slower ones are larger, as of something that is drawn back.
        waves: how many.
    """

    def __init__(
        self, rng: np.random.Generator, columns: int, slowest_s: float, quickest_s: float, waves: int = 16
    ) -> None:
        steps = (np.arange(waves) + rng.uniform(0, 1, waves)) / waves
        self._rates = 2 * np.pi / (slowest_s * (quickest_s / slowest_s) ** steps)
        sizes = self._rates**-0.35
        phases = rng.uniform(0, 2 * np.pi, (waves, columns))
        sizes = sizes * np.sqrt(2 / np.square(sizes).sum())
        self._sines, self._cosines = sizes[:, None] * np.cos(phases), sizes[:, None] * np.sin(phases)

    def at(self, times_s: Array) -> Array:
        """(n, columns) at (n,) times."""
        step_s = _step(times_s) if len(times_s) > 2 * _BLOCK else None
        if step_s is None:
            angles = times_s[:, np.newaxis] * self._rates
            found: Array = np.sin(angles) @ self._sines + np.cos(angles) @ self._cosines
            return found
        # sin(a + b) = sin a cos b + cos a sin b, so that a day of 25 samples a second needs few sines.
        within = np.arange(_BLOCK)[:, np.newaxis] * step_s * self._rates
        basis = np.hstack([np.sin(within), np.cos(within)])
        starts = times_s[::_BLOCK, np.newaxis] * self._rates
        sine, cosine = np.sin(starts)[:, :, np.newaxis], np.cos(starts)[:, :, np.newaxis]
        of_sines = cosine * self._sines - sine * self._cosines
        of_cosines = sine * self._sines + cosine * self._cosines
        blocks: Array = basis @ np.concatenate([of_sines, of_cosines], axis=1)
        return blocks.reshape(-1, blocks.shape[2])[: len(times_s)]


def _step(times_s: Array) -> float | None:
    """Between times that are evenly spaced, s; None for others."""
    step_s = float(times_s[-1] - times_s[0]) / (len(times_s) - 1)
    even = times_s[0] + step_s * np.arange(len(times_s))
    return step_s if np.abs(times_s - even).max() < _EVEN_S else None


def pieces_at(starts_s: Array, times_s: Array) -> NDArray[np.intp]:
    """Number of the piece that each time is in, (n,); before the first the first."""
    return np.maximum(np.searchsorted(starts_s, times_s, side="right") - 1, 0)


def merged(first: Array, second: Array) -> Array:
    """Times of both, ascending, each once."""
    times: Array = np.unique(np.concatenate([first, second]))
    return times

"""paired_recovery: by how much one side recovers slower than the other, from one fit through the curves of all nodes of both."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.schema import Floats
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, Signals, Stage
from thermo_core.widening import edges

STEPS = 10
MOST_PAIRS = 8
RESULTS = 4
SHARED = 6
LOG_FAST, LOG_SLOW, SHARE, DELAY, RATIO, SIZE = range(SHARED)
"""Parameters that all nodes share: logarithms of both time constants, logistic share of the fast one and delay, logarithm of second over
first side, logarithm of the amplitude. Behind them stands one for each node, of its own amplitude."""
USUAL = (2.6, 4.9, 0.0, 0.0, 0.0)
SPREAD = (1.0, 0.9, 1.3, 1.6, 0.45)
"""What is believed of the first five before a curve is seen: skin comes back with about 13 and 134 s, half of each."""
SIZE_SPREAD, OWN_SPREAD = 0.5, 0.12
"""Of the logarithm of the amplitude, and of a node's beside its share."""
LEAST_SHARE, SPARE_SHARE = np.float32(0.15), np.float32(0.7)
"""The fast part has 0.15 to 0.85."""
_FIRST_DAMPING, _LESS, _MORE = np.float32(0.1), np.float32(0.25), np.float32(5)
_MOST_MOVE = np.float32(1)
_LEAST_PIVOT = np.float32(1e-6)
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_CHUNK = 256


class PairedRecovery(Stage, frozen=True, tag="paired_recovery"):
    """Logarithm of the second side's time constants over the first's, its standard deviation, the amplitude, and the misfit.

    Nodes come in pairs, of the first side and of the second. Each is where it was before the challenge, plus its share of a curve that
    all nodes of a side have in common: two exponentials, whose time constants are longer on the second side by one factor and shorter on
    the first by the same, so that `ratio` is the logarithm of both together. Shares of the two, time constants, the delay from the end of
    the challenge to the window, and amplitudes are fitted with that factor to all curves together by damped Gauss-Newton steps (Levenberg
    1944, Marquardt 1963), beside what is believed of each before (a normal distribution: maximum a posteriori). What else a node does is
    believed to be white noise and a random walk, `lead_s` of which lie between the level before and the window; their covariance makes the
    bins white (generalised least squares). The standard deviation is that of the linear model at the end (Laplace).

    The misfit is the root mean square of what is left, 1 where noise and walk are as believed. A curve without a change leaves the factor
    at what is believed of it, 1, with a standard deviation of 0.45. A node without a value does not count; without one on each side there
    is no result.

    Attributes:
        of: bins of each node's curve, as `bins` makes them without `settled`, of a window that begins with the recovery.
        before: of each node: its level before the challenge.
        samples: of the window.
        shares: of each pair: what share of the amplitude its nodes see.
        period_s: seconds from sample to sample.
        noise: standard deviation of a reading, in the curves' unit.
        walk: standard deviation of what a node wanders by in one window, in the curves' unit.
        lead_s: seconds of that walk between the level before and the window.
        delay_s: most that can lie between the end of the challenge and the window.
        size: amplitude that is believed in, in the curves' unit.
    """

    of: Ref
    before: Ref
    samples: Annotated[int, Meta(ge=16, le=4096)]
    shares: Floats
    period_s: Annotated[float, Meta(gt=0, le=3600)] = 1.0
    noise: Annotated[float, Meta(gt=0, le=1e6)] = 0.03
    walk: Annotated[float, Meta(gt=0, le=1e6)] = 0.5
    lead_s: Annotated[float, Meta(ge=0, le=1e6)] = 30.0
    delay_s: Annotated[float, Meta(gt=0, le=1e6)] = 30.0
    size: Annotated[float, Meta(gt=0, le=1e6)] = 8.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the signals it takes."""
        return (self.of, self.before)


@dataclass(frozen=True, slots=True)
class Tables:
    """Constants of a stage.

    Attributes:
        points: (2, bins) seconds at which a curve has, on average, its mean over a bin: exact to the third power of time.
        halves: (bins,) half of the root of a bin's samples.
        levels: (bins,) what a level of 1 puts into bins.
        white: (bins, bins) lower triangle that makes the bins of a node white.
        usual, tight: (6 + nodes,) what is believed of parameters: means, and one over their variances.
        logs: (nodes,) logarithms of shares.
        shares: (nodes,).
    """

    points: Values
    halves: Values
    levels: Values
    white: Values
    usual: Values
    tight: Values
    logs: Values
    shares: Values


def tables(stage: PairedRecovery, bins: int) -> Tables:
    """Constants of a stage that takes so many bins."""
    borders = np.array(edges(stage.samples, bins))
    count = np.diff(borders).astype(np.float64)
    middle, apart = (borders[:-1] + borders[1:] - 1) / 2, np.sqrt((count**2 - 1) / 12)
    shares = np.repeat(stage.shares.array.astype(np.float64), 2)
    spreads = np.concatenate([SPREAD, [SIZE_SPREAD], np.full(len(shares), OWN_SPREAD)])
    made = {
        "points": stage.period_s * np.stack([middle - apart, middle + apart]),
        "halves": np.sqrt(count) / 2,
        "levels": np.sqrt(count),
        "white": np.linalg.inv(np.linalg.cholesky(covariance(stage, bins))),
        "usual": np.concatenate([USUAL, [np.log(stage.size)], np.zeros(len(shares))]),
        "tight": 1 / spreads**2,
        "logs": np.log(shares),
        "shares": shares,
    }
    return Tables(**{name: np.asarray(values, np.float32) for name, values in made.items()})


def covariance(stage: PairedRecovery, bins: int) -> NDArray[np.float64]:
    """(bins, bins) of what a node does beside its curve, in the bins."""
    borders = np.array(edges(stage.samples, bins))
    count, since = np.diff(borders), stage.period_s * np.arange(stage.samples)
    put = (np.repeat(np.arange(bins), count) == np.arange(bins)[:, np.newaxis]) / np.sqrt(count)[:, np.newaxis]
    walked = np.minimum(since, since[:, np.newaxis]) + stage.lead_s
    whole: NDArray[np.float64] = stage.noise**2 * np.eye(bins) + stage.walk**2 / (stage.samples * stage.period_s) * (
        put @ walked @ put.T
    )
    return whole


def room(nodes: int, bins: int) -> int:
    """Numbers that a fit has in work at once: white curves, derivatives as they come and white, and what two steps and a triangle take."""
    parameters = SHARED + nodes
    return nodes * bins + 2 * SHARED * bins + 3 * parameters * parameters


def _result(stage: PairedRecovery, inputs: Signals) -> Signal:
    """Four numbers, the third in the unit of the curves; takes bins of 2 to 16 nodes, and a number for each of them."""
    curves, before = inputs
    nodes = 2 * len(stage.shares)
    if len(curves.shape) != 2 or not 8 <= curves.shape[1] <= stage.samples // 2:
        raise stage.fail(
            f'takes 8 bins or more of {stage.samples} samples, two samples a bin, of nodes in a row; "{curves.name}" has the shape '
            f"{list(curves.shape)}"
        )
    if not 1 <= len(stage.shares) <= MOST_PAIRS or curves.shape[0] != nodes:
        raise stage.fail(
            f'has shares of {len(stage.shares)} pairs; "{curves.name}" has {curves.shape[0]} nodes. Give 1 to {MOST_PAIRS}, one for two nodes'
        )
    if not (stage.shares.array > 0).all():
        raise stage.fail("has shares of 0 or less; give what part of the amplitude each pair sees")
    if before.elements != nodes:
        raise stage.fail(f'takes a level before of each of {nodes} nodes; "{before.name}" has {before.elements}')
    return Signal(stage.gives, (RESULTS,), "", curves.rate_hz, curves.clock)


@dataclass(slots=True)
class _Fit:
    """Fits of (n,) pairs of sides at some parameters.

    Attributes:
        at: (n, parameters).
        cost: (n,) squares of what is left, and of what parameters are from what is believed.
        squares: (n,) of what is left alone.
        curvature: (n, parameters, parameters) lower triangle of half the second derivatives of the cost, as Gauss has them.
        slope: (n, parameters) downhill.
    """

    at: Values
    cost: Values
    squares: Values
    curvature: Values
    slope: Values

    def replaced(self, better: NDArray[np.bool_], other: "_Fit") -> None:
        """Take over those of another that are better."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, np.where(better.reshape(-1, *[1] * (mine.ndim - 1)), theirs, mine).astype(np.float32))


def _apply(stage: PairedRecovery, inputs: Signals, values: Arrays) -> Values:
    curves, before = values[0], values[1].reshape(len(values[1]), -1)
    known = tables(stage, curves.shape[2])
    with np.errstate(all="ignore"):
        chunks = [
            _chunk(stage, known, curves[i : i + _CHUNK], before[i : i + _CHUNK]) for i in range(0, len(curves), _CHUNK)
        ]
    return np.concatenate(chunks) if chunks else np.zeros((0, RESULTS), np.float32)


def _chunk(stage: PairedRecovery, known: Tables, curves: Values, before: Values) -> Values:
    count, nodes, bins = curves.shape
    seen = np.isfinite(before) & np.isfinite(curves).all(2)
    changes = np.where(seen[..., np.newaxis], curves - before[..., np.newaxis] * known.levels, _ZERO)
    early = np.zeros(count, np.float32)
    for node in range(nodes):
        early = early + known.shares[node] * float32.total(changes[:, node, : bins // 2])
    changes = np.where((early < _ZERO)[:, np.newaxis, np.newaxis], -changes, changes).astype(np.float32)
    white = _whitened(known, changes)
    at = np.broadcast_to(known.usual, (count, SHARED + nodes)).astype(np.float32)
    fit = _evaluated(stage, known, white, seen, at)
    damping = np.full(count, _FIRST_DAMPING)
    for _ in range(STEPS):
        lower = _triangle(fit.curvature, damping)
        move = np.clip(_backward(lower, _forward(lower, fit.slope)), -_MOST_MOVE, _MOST_MOVE)
        other = _evaluated(stage, known, white, seen, np.asarray(fit.at + move, np.float32))
        better = other.cost < fit.cost
        fit.replaced(better, other)
        damping = np.where(better, damping * _LESS, damping * _MORE).astype(np.float32)
    unit = np.zeros_like(at)
    unit[:, RATIO] = _ONE
    spread = _forward(_triangle(fit.curvature, np.zeros(count, np.float32)), unit)
    numbers = (seen.sum(1) * bins).astype(np.float32)
    found = np.stack(
        [
            fit.at[:, RATIO] + _ZERO,
            np.sqrt(float32.total(spread * spread)),
            float32.exp(fit.at[:, SIZE]),
            np.sqrt(fit.squares / numbers),
        ],
        axis=1,
    )
    usable = seen[:, 0::2].any(1) & seen[:, 1::2].any(1) & np.isfinite(found).all(1)
    return np.where(usable[:, np.newaxis], found, np.float32(np.nan)).astype(np.float32)


def _whitened(known: Tables, x: Values) -> Values:
    """(..., bins) each a sum in the order of bins."""
    found = np.zeros(x.shape, np.float32)
    for place in range(x.shape[-1]):
        found[..., place:] += known.white[place:, place] * x[..., place, np.newaxis]
    return found


def _logistic(x: Values) -> tuple[Values, Values]:
    """Of 0 to 1, and its derivative."""
    share: Values = _ONE / (_ONE + float32.exp(-x))
    return share, np.asarray(share * (_ONE - share), np.float32)


def _evaluated(stage: PairedRecovery, known: Tables, white: Values, seen: NDArray[np.bool_], at: Values) -> _Fit:
    count, nodes, _ = white.shape
    away = at - known.usual
    fit = _Fit(
        at,
        float32.total(away * away * known.tight),
        np.zeros(count, np.float32),
        np.zeros((count, SHARED + nodes, SHARED + nodes), np.float32),
        np.asarray(-(away * known.tight), np.float32),
    )
    for place in range(SHARED + nodes):
        fit.curvature[:, place, place] = known.tight[place]
    for side in (0, 1):
        columns = _columns(stage, known, at, side)
        shared = np.zeros((count, SHARED, SHARED), np.float32)
        for i in range(SHARED):
            for j in range(i + 1):
                shared[:, i, j] = float32.total(columns[:, i] * columns[:, j])
        for node in range(side, nodes, 2):
            own = SHARED + node
            amplitude = float32.exp(at[:, SIZE] + (known.logs[node] + at[:, own]))
            amplitude = np.where(seen[:, node], amplitude, _ZERO).astype(np.float32)
            left = np.asarray(white[:, node] - amplitude[:, np.newaxis] * columns[:, SIZE], np.float32)
            fit.squares = fit.squares + float32.total(left * left)
            squared = amplitude * amplitude
            for i in range(SHARED):
                downhill = amplitude * float32.total(columns[:, i] * left)
                fit.slope[:, i] += downhill
                for j in range(i + 1):
                    fit.curvature[:, i, j] += squared * shared[:, i, j]
                fit.curvature[:, own, i] += squared * shared[:, SIZE, i]
            fit.slope[:, own] += downhill
            fit.curvature[:, own, own] += squared * shared[:, SIZE, SIZE]
    fit.cost = fit.cost + fit.squares
    return fit


def _columns(stage: PairedRecovery, known: Tables, at: Values, side: int) -> Values:
    """(n, 6, bins) white: derivatives of a side's curve of amplitude 1 by the shared parameters, the last of which is the curve."""
    part, by_part = _logistic(at[:, SHARE])
    waited, by_waited = _logistic(at[:, DELAY])
    delay, by_delay = np.float32(stage.delay_s) * waited, np.float32(stage.delay_s) * by_waited
    share = LEAST_SHARE + SPARE_SHARE * part
    by_share = SPARE_SHARE * by_part
    half = _HALF if side else -_HALF
    columns = np.zeros((len(at), SHARED, len(known.halves)), np.float32)
    for place, of, by in ((LOG_FAST, share, by_share), (LOG_SLOW, _ONE - share, -by_share)):
        rate = _ONE / float32.exp(at[:, place] + half * at[:, RATIO])
        shape, by_log = np.zeros_like(columns[:, 0]), np.zeros_like(columns[:, 0])
        for points in known.points:
            past = rate[:, np.newaxis] * (points + delay[:, np.newaxis])
            decay = float32.exp(-past)
            shape = shape + decay
            by_log = by_log + decay * past
        shape = shape * known.halves
        columns[:, place] = of[:, np.newaxis] * (by_log * known.halves)
        columns[:, SHARE] += by[:, np.newaxis] * shape
        columns[:, DELAY] -= (of * rate * by_delay)[:, np.newaxis] * shape
        columns[:, SIZE] += of[:, np.newaxis] * shape
    columns[:, RATIO] = half * (columns[:, LOG_FAST] + columns[:, LOG_SLOW])
    return _whitened(known, columns)


def _triangle(curvature: Values, damping: Values) -> Values:
    """(n, p, p) lower triangle of Cholesky, of what is damped on its diagonal."""
    lower = np.zeros_like(curvature)
    for i in range(curvature.shape[1]):
        for j in range(i):
            rest = curvature[:, i, j]
            for k in range(j):
                rest = rest - lower[:, i, k] * lower[:, j, k]
            lower[:, i, j] = rest / lower[:, j, j]
        whole = curvature[:, i, i]
        rest = whole + damping * whole
        for k in range(i):
            rest = rest - lower[:, i, k] * lower[:, i, k]
        least = _LEAST_PIVOT * whole
        lower[:, i, i] = np.sqrt(np.where(rest > least, rest, least))
    return lower


def _forward(lower: Values, right: Values) -> Values:
    found = np.zeros_like(right)
    for i in range(right.shape[1]):
        rest = right[:, i]
        for k in range(i):
            rest = rest - lower[:, i, k] * found[:, k]
        found[:, i] = rest / lower[:, i, i]
    return found


def _backward(lower: Values, right: Values) -> Values:
    size = right.shape[1]
    found = np.zeros_like(right)
    for i in reversed(range(size)):
        rest = right[:, i]
        for k in range(i + 1, size):
            rest = rest - lower[:, k, i] * found[:, k]
        found[:, i] = rest / lower[:, i, i]
    return found


OP = Elementwise(
    PairedRecovery,
    _result,
    _apply,
    "float32; sums in the order of bins, nodes of the first side before those of the second, and parameters; exponential of "
    "`thermo_core.float32`; 10 steps, each taken where it lowers the cost; the triangle is Cholesky's, whose pivots are held above 1e-6 of "
    "the diagonal.",
)

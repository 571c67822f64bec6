"""foster_fit: time constants of a recovery curve by least squares, with an offset and a drift where the curve has one."""

import itertools
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.quality import Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, Signals, Stage
from thermo_core.widening import edges, weights

PARTS = 3
STEPS = 14
STARTS = ((0.1,), (0.025, 0.2), (0.01, 0.07, 0.42))
"""Time constants to begin with, as shares of the curve's length, by the number of parts."""
NOISE = 0.003
"""Of a sample, in the curve's unit, which `stray` is set against."""
FLOOR = np.float32(2e-5)
"""Sum of squares below which a better fit is no reason for more parts."""
PENALTY = np.float32(4)
"""Of a parameter more, in logarithms of the likelihood squared: about that of the Bayesian information criterion for 64 bins."""
LEAST_SHARE, LEAST_LOG_RATIO = np.float32(0.03), np.float32(0.69314718)
CLEAR = np.float32(16)
"""Least amplitude of a curve in standard deviations of its noise."""
ALIKE, ALIKE_FROM = np.float32(0.5), np.float32(0.002)
"""Correlation of neighbouring residuals from which a curve is of another shape, where the noise is above the second."""
NINE_IN_TEN = np.float32(1.9)
"""Standard deviations of an interval; a little more than a normal distribution has, since the number of parts was chosen too."""
LEAST_NOISE = np.float32(2e-4)
"""That intervals are made for: what float32 leaves of a curve without noise."""
GO_TOGETHER, ALTERNATE = np.float32(0.05), np.float32(-0.35)
"""Correlation of neighbouring residuals beyond which noise is not white: of 64 bins of white noise, nine in ten have less after a fit."""
BY_TOGETHER, BY_ALTERNATE = np.float32(4), np.float32(1.5)
"""What an interval becomes wider by, as a part of itself, for each 1 of correlation beyond: of samples that go together fewer count.
Chosen on simulated curves, so that intervals hold nine in ten of them."""
BEYOND = np.float32(1000)
"""Added to the score of a fit at the end of its range, so that any other comes before it."""
NOISY, ALMOST_WHOLE, NEAR = np.float32(0.007), np.float32(0.03), np.float32(2)
"""Noise from which what `begin` says counts, for curves whose amplitude is 1 to the second, within the third of a half-width."""
FAR = 4
"""Most of an offset or a drift, in units of `stray`."""
_FIRST_DAMPING, _LESS, _MORE = np.float32(0.01), np.float32(0.2), np.float32(5)
_MOST_MOVE = np.float32(0.7)
_ZERO, _ONE = np.float32(0), np.float32(1)


class FosterFit(Stage, frozen=True, tag="foster_fit"):
    """Number of parts, their time constants, shares and half-widths of the time constants' 90 % intervals, by least squares.

    The curve is a sum of one to three exponentials, in `bins` as that stage makes them without `settled`. Each number of parts is fitted with
    and without an offset and a drift, which are believed to be small (`stray`), by damped Gauss-Newton steps on the logarithms of the time
    constants and all amplitudes together (Levenberg 1944, Marquardt 1963), from fixed starting points and from `begin`, what `foster` says of
    the same curve. The Bayesian information criterion chooses. Intervals are those of the linear model at the end (Laplace), wider where
    neighbouring residuals go together or alternate: of noise that is not white fewer samples count. Of a noisy curve of amplitude 1 that has
    neither offset nor drift, what is said is that of `begin`, which knows what such curves are like, where it lies within two half-widths.

    What is no such curve has 0 parts, with no value beside that, and is flagged OUT_OF_DOMAIN: an amplitude that does not stand out of
    the noise, a time constant at the end of the range, an offset or drift of more than 4 `stray`, or residuals that go together.

    Attributes:
        of: bins of the curve.
        begin: what `foster` says of it.
        samples: of the curve.
        period_s: seconds from sample to sample.
        least_s, most_s: range of time constants.
        stray: standard deviation believed of an offset, and of what drifts in all, in the curve's unit.
    """

    of: Ref
    begin: Ref
    samples: Annotated[int, Meta(ge=16, le=4096)]
    period_s: Annotated[float, Meta(gt=0, le=3600)] = 1.0
    least_s: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    most_s: Annotated[float, Meta(gt=0, le=1e6)] = 800.0
    stray: Annotated[float, Meta(gt=0, le=1e6)] = 0.02

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the signals it takes."""
        return (self.of, self.begin)


@dataclass(frozen=True, slots=True)
class Tables:
    """Constants of a stage.

    Attributes:
        times: (samples,) seconds.
        edges: (bins + 1,) borders of bins in samples.
        weights: (bins,) what the sum of a bin is multiplied by.
        level, drift: (bins,) what an offset of 1, and a drift from 0 to 1, put into bins.
        stiff: what a unit of offset or drift weighs beside a residual.
        far: most of an offset or a drift.
        least, most: logarithms of the range.
        starts: logarithms of the time constants to begin with, by number of parts.
    """

    times: Values
    edges: tuple[int, ...]
    weights: Values
    level: Values
    drift: Values
    stiff: np.float32
    far: np.float32
    least: np.float32
    most: np.float32
    starts: tuple[Values, ...]


def tables(stage: FosterFit, bins: int) -> Tables:
    """Constants of a stage that takes so many bins."""
    borders, w = edges(stage.samples, bins), weights(stage.samples, bins)
    index = np.arange(stage.samples, dtype=np.float32)

    def binned(x: Values) -> Values:
        return np.asarray(np.stack([float32.total(x[a:b]) for a, b in itertools.pairwise(borders)]) * w)

    length = stage.samples * stage.period_s
    return Tables(
        times=np.asarray(index * np.float32(stage.period_s), np.float32),
        edges=borders,
        weights=w,
        level=binned(np.ones(stage.samples, np.float32)),
        drift=binned(np.asarray(index / np.float32(stage.samples - 1), np.float32)),
        stiff=np.float32(NOISE / stage.stray),
        far=np.float32(FAR * stage.stray),
        least=np.float32(np.log(stage.least_s)),
        most=np.float32(np.log(stage.most_s)),
        starts=tuple(np.log(np.array(shares) * length).astype(np.float32) for shares in STARTS),
    )


def room(bins: int) -> int:
    """Numbers that a fit of so many bins has in work at once: derivatives, what is fitted, residuals."""
    strays, parameters = 2, 2 * PARTS + 2
    return (parameters + 2) * (bins + strays + parameters)


def _result(stage: FosterFit, inputs: Signals) -> Signal:
    """Parts, 3 time constants in seconds, ascending, 3 shares, 3 half-widths in seconds; takes bins in a row and what `foster` says."""
    curve, begin = inputs
    if len(curve.shape) != 1 or curve.elements < 16 or 2 * curve.elements > stage.samples:
        raise stage.fail(
            f'takes 16 bins or more of {stage.samples} samples, two samples a bin; "{curve.name}" has {list(curve.shape)}'
        )
    if begin.elements != 1 + 2 * PARTS:
        raise stage.fail(
            f'begins where "foster" says for {PARTS} parts, in {1 + 2 * PARTS} numbers, not {begin.elements}'
        )
    if stage.least_s >= stage.most_s:
        raise stage.fail(f"has time constants of {stage.least_s:g} to {stage.most_s:g} s; give the lower one first")
    return Signal(stage.gives, (1 + 3 * PARTS,), "", curve.rate_hz, curve.clock)


@dataclass(slots=True)
class _Fits:
    """Fits of (n,) curves with one number of parts.

    Attributes:
        logs: (n, parts) logarithms of time constants.
        linear: (n, parts + strays) amplitudes, then offset and drift.
        columns: (n, parts + parts + strays, bins + strays) derivatives by logarithms, then by the linear ones.
        left: (n, bins) residuals.
        squares: (n,) sum of their squares.
        cost: (n,) with what strays weigh.
    """

    logs: Values
    linear: Values
    columns: Values
    left: Values
    squares: Values
    cost: Values

    def replaced(self, better: NDArray[np.bool_], other: "_Fits") -> None:
        """Take over those of another that are better."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, np.where(better.reshape(-1, *[1] * (mine.ndim - 1)), theirs, mine).astype(np.float32))


def _apply(stage: FosterFit, inputs: Signals, values: Arrays) -> Values:
    curves, begun = (part.reshape(len(part), -1) for part in values)
    known = tables(stage, curves.shape[1])
    chunks = [_chunk(known, curves[i : i + 64], begun[i : i + 64]) for i in range(0, len(curves), 64)]
    return np.concatenate(chunks) if chunks else np.zeros((0, 1 + 3 * PARTS), np.float32)


def _chunk(known: Tables, curves: Values, begun: Values) -> Values:
    usable = np.isfinite(curves).all(1)
    y = np.where(usable[:, np.newaxis], curves, _ZERO).astype(np.float32)
    best = np.full(len(y), np.inf, np.float32)
    found = np.full((len(y), 1 + 3 * PARTS), np.nan, np.float32)
    with np.errstate(all="ignore"):
        for parts in range(1, PARTS + 1):
            for strays in (0, 2):
                fits = _fitted(known, y, parts, strays, begun)
                score, said = _said(known, fits, begun, parts, strays)
                better = usable & (score < best)
                best = np.where(better, score, best).astype(np.float32)
                found = np.where(better[:, np.newaxis], said, found).astype(np.float32)
    return found


def _fitted(known: Tables, y: Values, parts: int, strays: int, begun: Values) -> _Fits:
    """The best fits from all starting points."""
    count = len(y)
    begin = np.broadcast_to(known.starts[parts - 1], (count, parts)).astype(np.float32)
    fits = _run(known, y, begin, strays)
    told = begun[:, 0] == np.float32(parts)
    if told.any():
        other = float32.log(np.where(told[:, np.newaxis], begun[:, 1 : 1 + parts], _ONE))
        other = np.where(np.isfinite(other), other, _ZERO).astype(np.float32)
        more = _run(known, y, other, strays)
        fits.replaced(told & (more.cost < fits.cost), more)
    return fits


def _run(known: Tables, y: Values, logs: Values, strays: int) -> _Fits:
    count, parts = logs.shape
    logs = np.clip(logs, known.least, known.most)
    first = y[:, :1] * known.weights[0] / np.float32(parts)
    linear = np.concatenate([np.repeat(first, parts, 1), np.zeros((count, strays), np.float32)], axis=1)
    fits = _at(known, y, logs, linear.astype(np.float32), strays)
    damping = np.full(count, _FIRST_DAMPING)
    for _ in range(STEPS):
        move = _move(fits, strays, damping)
        moved = np.clip(move[:, :parts], -_MOST_MOVE, _MOST_MOVE)
        other = _at(
            known, y, np.clip(fits.logs + moved, known.least, known.most), fits.linear + move[:, parts:], strays
        )
        better = other.cost < fits.cost
        fits.replaced(better, other)
        damping = np.where(better, damping * _LESS, damping * _MORE).astype(np.float32)
    return fits


def _at(known: Tables, y: Values, logs: Values, linear: Values, strays: int) -> _Fits:
    """Everything of a fit at these parameters."""
    count, parts = logs.shape
    bins = y.shape[1]
    rate = _ONE / float32.exp(logs)
    past = rate[..., np.newaxis] * known.times
    decay = float32.exp(-past)
    columns = np.zeros((count, 2 * parts + strays, bins + strays), np.float32)
    by_log: Values = decay * past
    shape = _binned(known, decay)
    columns[:, :parts, :bins] = linear[:, :parts, np.newaxis] * _binned(known, by_log)
    columns[:, parts : 2 * parts, :bins] = shape
    for stray in range(strays):
        columns[:, 2 * parts + stray, :bins] = (known.level, known.drift)[stray]
        columns[:, 2 * parts + stray, bins + stray] = known.stiff
    left = y
    for place in range(parts + strays):
        left = left - linear[:, place, np.newaxis] * columns[:, parts + place, :bins]
    squares = float32.total(left * left)
    cost = squares
    for stray in range(strays):
        held = known.stiff * linear[:, parts + stray]
        cost = cost + held * held
    return _Fits(logs, linear, columns, left, squares, cost)


def _binned(known: Tables, x: Values) -> Values:
    sums = [float32.total(x[..., a:b]) for a, b in itertools.pairwise(known.edges)]
    return np.asarray(np.stack(sums, axis=-1) * known.weights, np.float32)


def _move(fits: _Fits, strays: int, damping: Values) -> Values:
    """(n, parameters) the damped Gauss-Newton step."""
    count, size, rows = fits.columns.shape
    parts, bins = fits.logs.shape[1], fits.left.shape[1]
    held = np.zeros((count, strays), np.float32)
    for stray in range(strays):
        held[:, stray] = -(fits.columns[:, 2 * parts + stray, bins + stray] * fits.linear[:, parts + stray])
    target = np.concatenate([fits.left, held, np.zeros((count, size), np.float32)], axis=1)
    columns = np.concatenate([fits.columns, np.zeros((count, size, size), np.float32)], axis=2)
    for place in range(size):
        column = fits.columns[:, place]
        columns[:, place, rows + place] = np.sqrt(damping * float32.total(column * column))
    upper, onto = _orthogonal(columns, target)
    return _solved(upper, onto)


def _orthogonal(columns: Values, target: Values) -> tuple[Values, Values]:
    """Upper triangle (n, p, p) and products with the target (n, p), by modified Gram-Schmidt."""
    count, size, _ = columns.shape
    columns, target = columns.copy(), target.copy()
    upper, onto = np.zeros((count, size, size), np.float32), np.zeros((count, size), np.float32)
    for place in range(size):
        column = columns[:, place]
        length = np.sqrt(float32.total(column * column))
        upper[:, place, place] = length
        column = np.asarray(column / length[:, np.newaxis], np.float32)
        for later in range(place + 1, size):
            shared = float32.total(column * columns[:, later])
            upper[:, place, later] = shared
            columns[:, later] = columns[:, later] - shared[:, np.newaxis] * column
        shared = float32.total(column * target)
        onto[:, place] = shared
        target = target - shared[:, np.newaxis] * column
    return upper, onto


def _solved(upper: Values, onto: Values) -> Values:
    size = onto.shape[1]
    found = np.zeros_like(onto)
    for place in reversed(range(size)):
        rest = onto[:, place]
        for later in range(place + 1, size):
            rest = rest - upper[:, place, later] * found[:, later]
        found[:, place] = rest / upper[:, place, place]
    return found


def _said(known: Tables, fits: _Fits, begun: Values, parts: int, strays: int) -> tuple[Values, Values]:
    """(n,) scores, the least of which is best, infinite where parts cannot be, and (n, 10) what is said with that fit."""
    count, bins = fits.left.shape
    order = np.argsort(fits.logs, axis=1, kind="stable")
    logs = np.take_along_axis(fits.logs, order, 1)
    amplitudes = np.take_along_axis(fits.linear[:, :parts], order, 1)
    whole = float32.total(amplitudes)
    apart = (np.diff(logs, axis=1) >= LEAST_LOG_RATIO).all(1)
    real = (amplitudes >= LEAST_SHARE * whole[:, np.newaxis]).all(1) & (whole > 0)
    score = np.float32(bins) * float32.log(fits.squares + FLOOR) + PENALTY * np.float32(2 * parts + strays)
    within = (logs[:, 0] > known.least) & (logs[:, -1] < known.most)
    within &= (np.abs(fits.linear[:, parts:]) <= known.far).all(1)
    score = np.where(within, score, score + BEYOND)
    score = np.where(np.isfinite(score) & ((apart & real) | (parts == 1)), score, np.float32(np.inf)).astype(np.float32)
    noise = np.sqrt(fits.squares / np.float32(bins - 2 * parts))
    together = float32.total(fits.left[:, 1:] * fits.left[:, :-1])
    is_one = real & within & (whole >= CLEAR * noise)
    is_one &= ~((together > ALIKE * fits.squares) & (noise > ALIKE_FROM))
    upper, _ = _orthogonal(fits.columns, np.zeros((count, fits.columns.shape[2]), np.float32))
    spread = np.take_along_axis(_spreads(upper, parts), order, 1)
    tau = float32.exp(logs)
    half = tau * ((NINE_IN_TEN * np.maximum(noise, LEAST_NOISE))[:, np.newaxis] * spread)
    shares = amplitudes / whole[:, np.newaxis]
    if not strays:
        begin = begun[:, 1 : 1 + parts]
        told = (begun[:, 0] == np.float32(parts)) & (noise >= NOISY) & (np.abs(whole - _ONE) <= ALMOST_WHOLE)
        told &= (np.abs(begin - tau) <= NEAR * half).all(1)
        tau = np.where(told[:, np.newaxis], begin, tau)
        shares = np.where(told[:, np.newaxis], begun[:, 1 + PARTS : 1 + PARTS + parts], shares)
    said = np.full((count, 1 + 3 * PARTS), np.nan, np.float32)
    said[:, 0] = np.float32(parts)
    said[:, 1 : 1 + parts] = tau
    said[:, 1 + PARTS : 1 + PARTS + parts] = shares
    said[:, 1 + 2 * PARTS : 1 + 2 * PARTS + parts] = half * _wider(together / fits.squares, noise)[:, np.newaxis]
    said[~is_one] = np.nan
    said[~is_one, 0] = _ZERO
    return score, said


def _wider(alike: Values, noise: Values) -> Values:
    """(n,) what intervals are multiplied by, from the correlation of neighbouring residuals."""
    together = np.where(alike > GO_TOGETHER, alike - GO_TOGETHER, _ZERO)
    alternating = np.where(alike < ALTERNATE, ALTERNATE - alike, _ZERO)
    factor = _ONE + BY_TOGETHER * together + BY_ALTERNATE * alternating
    return np.asarray(np.where(noise > LEAST_NOISE, factor, _ONE), np.float32)


def _flags(stage: FosterFit, inputs: Signals, values: Arrays, made: Values) -> NDArray[np.uint16]:
    return np.where(made[:, 0] == _ZERO, np.uint16(Quality.OUT_OF_DOMAIN), np.uint16(0)).astype(np.uint16)


def _spreads(upper: Values, parts: int) -> Values:
    """(n, parts) standard deviations of the logarithms for noise of 1: lengths of the inverse's rows."""
    count, size, _ = upper.shape
    squares = np.zeros((count, parts), np.float32)
    for column in range(size):
        unit = np.zeros((count, size), np.float32)
        unit[:, column] = _ONE
        inverse = _solved(upper, unit)
        squares = squares + inverse[:, :parts] * inverse[:, :parts]
    return np.sqrt(squares)


OP = Elementwise(
    FosterFit,
    _result,
    _apply,
    "float32; sums in the order of samples, bins and parameters; modified Gram-Schmidt; exponential and logarithm of "
    "`thermo_core.float32`; 14 steps, each taken where it lowers the cost. Adds the flag OUT_OF_DOMAIN.",
    flags=_flags,
)

"""recovery: one exponential through a curve, as the skin's after a cold challenge."""

from functools import cache
from typing import Annotated, Any

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

STEPS = 3
RESULTS = 4
LEAST_ROWS = 8
SLOWEST = np.float32(0.05)
"""Lowest number of time constants in a window that is looked for."""
_LEAST_RATIO, _MOST_RATIO = np.float32(0.02), np.float32(0.95)
_NEAR = np.float32(0.15)
"""Points nearer to the offset than this share of the farthest have no logarithm worth having."""
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)


class Recovery(OneInput, frozen=True, tag="recovery"):
    """Amplitude, time constant in seconds, offset and residual of offset + amplitude exp(-t / tau), for each column of a window.

    t is 0 at the window's first row. The start is log-linear: the offset from the means of the window's thirds (Aitken), then a line
    through the logarithms of what is beyond it, weighed by its square. Three Gauss-Newton steps follow on the time constant, with
    amplitude and offset by least squares at each (Kaufman 1975). The residual is a root mean square: an amplitude that is not well
    above it means that there was no recovery to see. Time constants are from one row to twenty windows.

    Rows without a value do not count; with fewer than half the rows, none in a third of the window, or no change at all, there is no
    result.

    Attributes:
        clear: least amplitude of a result, in residuals; where above 0, there is none of a time constant beyond the window either.
    """

    clear: Annotated[float, Meta(ge=0, le=1e6)] = 0.0


@cache
def times(rows: int) -> Values:
    """(rows,) times from 0 to 1."""
    return np.asarray(np.arange(rows, dtype=np.float32) / np.float32(rows - 1), np.float32)


def duration_s(signal: Signal) -> np.float32:
    """From the first row to the last."""
    return np.float32((signal.shape[0] - 1) * signal.spacing_s)


def _result(stage: Recovery, inputs: Signals) -> Signal:
    """Four numbers of a window of one number, columns x 4 of a window of several; takes eight rows or more."""
    (signal,) = inputs
    if not signal.spacing_s or len(signal.shape) > 2 or signal.shape[0] < LEAST_ROWS:
        raise stage.fail(
            f'takes a window of {LEAST_ROWS} rows or more of numbers in a row; "{signal.name}" has the shape {list(signal.shape)}'
        )
    shape = (RESULTS,) if len(signal.shape) == 1 else (signal.shape[1], RESULTS)
    return Signal(stage.gives, shape, "", signal.rate_hz, signal.clock)


def _apply(stage: Recovery, inputs: Signals, values: Arrays) -> Values:
    signal, x = inputs[0], values[0]
    rows = signal.shape[0]
    columns = np.moveaxis(x.reshape(len(x), rows, -1), 1, 2).reshape(-1, rows)
    with np.errstate(all="ignore"):
        fitted = _fit(columns, duration_s(signal), np.float32(stage.clear))
    return fitted.reshape(len(x), *((RESULTS,) if x.ndim == 2 else (x.shape[2], RESULTS)))


def _fit(x: Values, duration: np.float32, clear: np.float32) -> Values:
    """(m, 4) of (m, rows)."""
    rows = x.shape[1]
    known = np.isfinite(x)
    y, u = _where(known, x), times(rows)
    thirds = [slice(i * rows // 3, (i + 1) * rows // 3) for i in range(3)]
    counts = [known[:, third].sum(1) for third in thirds]
    number = known.sum(1)
    count = number.astype(np.float32)
    means = [float32.total(y[:, third], 1) / n.astype(np.float32) for third, n in zip(thirds, counts, strict=True)]
    speed = _start(y, u, known, means)
    mean = float32.total(y, 1) / count
    apart = _where(known, y - mean[:, np.newaxis])
    for step in range(STEPS + 1):
        e = _where(known, float32.exp(-(speed[:, np.newaxis] * u)))
        mean_e = float32.total(e, 1) / count
        apart_e = _where(known, e - mean_e[:, np.newaxis])
        squares = float32.total(apart_e * apart_e, 1)
        amplitude = float32.total(apart_e * apart, 1) / squares
        left: Values = apart - amplitude[:, np.newaxis] * apart_e
        if step == STEPS:
            break
        v = e * u
        mean_v = float32.total(v, 1) / count
        apart_v = _where(known, v - mean_v[:, np.newaxis])
        share = float32.total(apart_e * apart_v, 1) / squares
        across: Values = apart_v - share[:, np.newaxis] * apart_e
        faster = -(float32.total(across * left, 1) / float32.total(across * across, 1)) / amplitude
        faster = np.where(np.isfinite(faster), np.clip(faster, -(_HALF * speed), speed), _ZERO)
        speed = np.clip(speed + faster, SLOWEST, np.float32(rows - 1)).astype(np.float32)
    residual = np.sqrt(float32.total(left * left, 1) / count)
    found = np.stack([amplitude, duration / speed, mean - amplitude * mean_e, residual], axis=1)
    usable = (2 * number >= rows) & (np.minimum.reduce(counts) > 0) & np.isfinite(found).all(1) & (amplitude != 0)
    if clear > 0:
        usable &= (np.abs(amplitude) >= clear * residual) & (speed >= _ONE)
    return np.where(usable[:, np.newaxis], found, np.float32(np.nan)).astype(np.float32)


def _start(y: Values, u: Values, known: NDArray[np.bool_], means: list[Values]) -> Values:
    """(m,) time constants in the window to start from."""
    first, second, third = means
    ratio = (second - third) / (first - second)
    ratio = np.where(ratio > _LEAST_RATIO, np.where(ratio < _MOST_RATIO, ratio, _MOST_RATIO), _LEAST_RATIO)
    offset = (third - ratio * second) / (_ONE - ratio)
    side = np.where(first > offset, _ONE, -_ONE)
    beyond = np.where(known, side[:, np.newaxis] * (y - offset[:, np.newaxis]), _ZERO).astype(np.float32)
    share: Values = beyond / np.fmax(beyond.max(1), _ZERO)[:, np.newaxis]
    counts = known & (share > _NEAR) & np.isfinite(share)
    log = _where(counts, float32.log(np.where(counts, share, _ONE).astype(np.float32)))
    w = _where(counts, share * share)
    total = float32.total(w, 1)
    mean_u, mean_log = float32.total(w * u, 1) / total, float32.total(w * log, 1) / total
    apart = _where(counts, u - mean_u[:, np.newaxis])
    weighed: Values = w * apart
    slope = float32.total(weighed * (log - mean_log[:, np.newaxis]), 1) / float32.total(weighed * apart, 1)
    speed = np.where(-slope > SLOWEST, -slope, SLOWEST)
    return np.minimum(speed, np.float32(y.shape[1] - 1)).astype(np.float32)


def _where(counts: NDArray[np.bool_], values: NDArray[np.floating[Any]]) -> Values:
    return np.where(counts, values, _ZERO).astype(np.float32)


OP = Elementwise(
    Recovery,
    _result,
    _apply,
    "float32; times are row / (rows - 1); all sums in the order of rows, of rows that count; logarithm and exponential of "
    "`thermo_core.float32`; a step is held within half and twice the speed.",
)

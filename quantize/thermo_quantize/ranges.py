"""Which range of real values an activation's 256 steps cover: four calibrators, and what each clips.

Min-max; percentile; least squared error (Shin et al. 2016, arXiv:1512.01322); least relative entropy (Migacz 2017, "8-bit
inference with TensorRT"), the last two on histograms and for affine ranges.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.verify import verify_model
from thermo_quantize.choices import Calibrator
from thermo_quantize.runtimes import Kernels, Runner

BINS = 2048
LEVELS = 256
_SHRINK = np.linspace(1.0, 0.02, 50)
_TINY = 1e-12
_ZEROS = 1.0


@dataclass(frozen=True, slots=True)
class Observed:
    """An activation over the representative set.

    Attributes:
        index: of the tensor in the float model.
        name: of the tensor.
        low: least value.
        high: greatest value.
        counts: (BINS,) values in equal bins from low to high.
    """

    index: int
    name: str
    low: float
    high: float
    counts: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Range:
    """What was chosen for an activation; clipped is the share of values beyond it."""

    index: int
    name: str
    seen: tuple[float, float]
    chosen: tuple[float, float]
    clipped: float


def observe(float_model: bytes, inputs: Sequence[NDArray[np.float32]]) -> list[Observed]:
    """Histogram of every activation.

    Args:
        float_model: a float32 .tflite file.
        inputs: (n, ...) arrays in the model's order.

    Raises:
        ModelError: an activation is NaN or infinite; the sentence names its layer and the sample.
    """
    model = verify_model(float_model).model
    computed = (tensor for operator in model.operators for tensor in operator.outputs)
    tensors = [*model.inputs, *(tensor for tensor in computed if tensor.type is TensorType.FLOAT32)]
    runner = Runner(float_model, Kernels.REFERENCE, keep=True)
    lows = np.full(len(tensors), np.inf)
    highs = np.full(len(tensors), -np.inf)
    for row, sample in enumerate(zip(*inputs, strict=True)):
        runner.invoke(sample)
        for number, tensor in enumerate(tensors):
            values = runner.tensor(tensor.index)
            least, greatest = float(values.min()), float(values.max())
            if not (np.isfinite(least) and np.isfinite(greatest)):
                raise ModelError(
                    f"The model's {tensor.label} is not finite on sample {row}; check its weights and the data."
                )
            lows[number], highs[number] = min(lows[number], least), max(highs[number], greatest)
    counts = np.zeros((len(tensors), BINS))
    for sample in zip(*inputs, strict=True):
        runner.invoke(sample)
        for number, tensor in enumerate(tensors):
            span = max(highs[number] - lows[number], _TINY)
            bins = (runner.tensor(tensor.index).ravel() - lows[number]) * (BINS / span)
            counts[number] += np.bincount(np.clip(bins, 0, BINS - 1).astype(np.int64), minlength=BINS)
    return [
        Observed(tensor.index, tensor.name, float(lows[n]), float(highs[n]), counts[n])
        for n, tensor in enumerate(tensors)
    ]


def choose(observed: Sequence[Observed], calibrator: Calibrator, percentile: float = 99.99) -> list[Range]:
    """A range for each activation, always with zero inside, as the affine scheme needs it.

    Args:
        observed: histograms.
        calibrator: how.
        percentile: share of values that "percentile" covers, in percent.
    """
    pick = _CALIBRATORS[calibrator]
    ranges = []
    for one in observed:
        low, high = (one.low, one.high) if one.high - one.low <= _TINY else pick(one, percentile)
        low, high = min(low, 0.0), max(high, 0.0)
        centres = _centres(one)
        beyond = float(one.counts[(centres < low) | (centres > high)].sum() / one.counts.sum())
        if high - low <= _TINY:
            high = _ZEROS  # of a layer that gives zeros alone any scale does, but kernels want one in proportion
        ranges.append(Range(one.index, one.name, (one.low, one.high), (low, high), beyond))
    return ranges


def _centres(one: Observed) -> NDArray[np.float64]:
    return one.low + (np.arange(BINS) + 0.5) * (one.high - one.low) / BINS


def _minmax(one: Observed, _: float) -> tuple[float, float]:
    return one.low, one.high


def _percentile(one: Observed, percentile: float) -> tuple[float, float]:
    share = np.cumsum(one.counts) / one.counts.sum()
    tail = (1 - percentile / 100) / 2
    edges = np.linspace(one.low, one.high, BINS + 1)
    low = edges[int(np.searchsorted(share, tail, "right"))]
    high = edges[min(BINS, int(np.searchsorted(share, 1 - tail)) + 1)]
    return float(low), float(high)


def _candidates(one: Observed) -> list[tuple[float, float]]:
    """Ranges to try: both ends drawn in towards zero, each by itself."""
    low, high = min(one.low, 0.0), max(one.high, 0.0)
    if low == 0.0 or high == 0.0:
        return [(low * s, high * s) for s in _SHRINK]
    return [(low * a, high * b) for a in _SHRINK[::3] for b in _SHRINK[::3]]


def _best(
    one: Observed, cost: Callable[[NDArray[np.float64], NDArray[np.float64], float, float], float]
) -> tuple[float, float]:
    centres = _centres(one)
    return min(_candidates(one), key=lambda ends: cost(centres, one.counts, *ends))


def _mse(one: Observed, _: float) -> tuple[float, float]:
    return _best(one, _squared_error)


def _squared_error(centres: NDArray[np.float64], counts: NDArray[np.float64], low: float, high: float) -> float:
    step = max(high - low, _TINY) / (LEVELS - 1)
    stored = np.clip(np.rint(centres / step), np.rint(low / step), np.rint(high / step)) * step
    return float(counts @ (centres - stored) ** 2)


def _entropy(one: Observed, _: float) -> tuple[float, float]:
    # A rectifier's zeros are stored exactly whatever the range, and their number would drown all else.
    counts = one.counts.copy()
    counts[np.abs(_centres(one)) <= (one.high - one.low) / BINS] = 0
    if counts.sum() == 0:
        return one.low, one.high
    return _best(replace(one, counts=counts), _relative_entropy)


def _relative_entropy(centres: NDArray[np.float64], counts: NDArray[np.float64], low: float, high: float) -> float:
    inside = (centres >= low) & (centres <= high)
    if inside.sum() < 2:
        return np.inf
    kept = counts[inside].copy()
    kept[0] += counts[centres < low].sum()
    kept[-1] += counts[centres > high].sum()
    # Each level spreads what it holds evenly over the bins that are not empty.
    level = np.minimum(((centres[inside] - low) / max(high - low, _TINY) * LEVELS).astype(np.int64), LEVELS - 1)
    filled = kept > 0
    held = np.bincount(level, counts[inside] * filled, LEVELS)
    places = np.bincount(level, filled, LEVELS)
    spread = np.where(filled, held[level] / np.maximum(places[level], 1), 0.0)
    p, q = kept[filled] / kept.sum(), spread[filled] / max(spread.sum(), _TINY)
    return float(np.sum(p * np.log(p / np.maximum(q, _TINY))))


_CALIBRATORS: dict[Calibrator, Callable[[Observed, float], tuple[float, float]]] = {
    Calibrator.MINMAX: _minmax,
    Calibrator.PERCENTILE: _percentile,
    Calibrator.MSE: _mse,
    Calibrator.ENTROPY: _entropy,
}

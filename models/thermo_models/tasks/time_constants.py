"""Time constants and amplitudes of a Foster network from a cooling curve (after Strakowska & Strzelecki 2023).

Curves are synthetic: 600 samples at 1 Hz, one to three time constants of 2-400 s, noise of 0-2 % of the amplitude. A sample is
the curve averaged in bins that widen with time, its differences from bin to bin, and how much it bends. The network says how
many parts there are, and for each number the logarithms of the time constants and the shares of the amplitude.

Eight bits are coarse for this: a step of the output would be 2 to 3 % of tau. So numbers that need it are dithered: the input
holds curve and differences twice, half a step apart, and the network that is quantised says each logarithm four times, a
quarter of a step apart; their mean has the finer steps.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models import foster
from thermo_models.samples import Fold, Samples, Scaling
from thermo_models.settings import Settings
from thermo_models.tasks.task import Goal, Plan

BINS = 64
NOISES = (0.0, 0.005, 0.01, 0.02)
"""Noise levels measured at, as shares of the amplitude."""
TRAIN_SEED, TEST_SEED = 1_000, 900_000
LOG_CENTRE = float(np.mean(np.log(foster.TAU_S)))
LOG_SPREAD = float(np.ptp(np.log(foster.TAU_S)) / 2)
PLACES = {1: (0,), 2: (1, 2), 3: (3, 4, 5)}
"""Outputs that hold the logarithms of the time constants when there are 1, 2, 3 parts; the shares follow six further on."""
SHARES, NUMBER, OUTPUTS = 6, 12, 15
COPIES = 4
"""How often the quantised network says each logarithm."""
LEVEL_STEP, SLOPE_STEP = 1.03 / 255, 1.24 / 255
"""About one step of eight bits of the curve and of its differences."""
_IGNORED = 9.0
"""Stands in targets for outputs of another number of parts."""


class TimeConstants:
    """The task; see `tasks.task.Task`."""

    name = "time-constants"
    summary = "time constants of a cooling curve"
    ships = True
    needs_data = False
    variants = ("full",)
    outputs = OUTPUTS
    head = "linear"
    settings = Settings("time_constant_cnn", epochs=24, batch=512, rate=2e-3, dropout=0.0)

    @property
    def loss(self) -> Any:
        """Squared error of the outputs that belong to the true number of parts, and of the number."""
        import keras

        def error(truth: Any, said: Any) -> Any:
            counts = keras.ops.cast(truth < _IGNORED - 1, "float32")
            weights = np.array([6.0] * SHARES + [1.0] * SHARES + [0.5] * 3, np.float32)
            return keras.ops.mean(weights * counts * keras.ops.abs(truth - said), axis=-1)

        return error

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Medians over all numbers of parts."""
        return (Goal("tau_median_0", 0.01, False), Goal("tau_median_1", 0.05, False))

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Made curves: those to learn from with any noise, those to test on at each level."""
        count, tested = (6_000, 60) if quick else (100_000, 600)
        rng = np.random.default_rng(TRAIN_SEED)
        noise = np.where(rng.random(count) < 0.25, 0.0, rng.uniform(0, 0.02, count))
        sets = [(foster.make(count, noise, TRAIN_SEED), 0, -1.0)]
        for number, level in enumerate(NOISES):
            sets += [
                (foster.make(tested, level, TEST_SEED + 10 * number + k, k), 1, level)
                for k in range(1, foster.LARGEST_K + 1)
            ]
        features = np.concatenate([features_of(curves.values) for curves, _, _ in sets])
        targets = np.concatenate([targets_of(curves) for curves, _, _ in sets])
        side = np.concatenate([np.full(len(curves.parts), side) for curves, side, _ in sets])
        levels = np.concatenate([np.full(len(curves.parts), level) for curves, _, level in sets])
        extra = {
            "tau_s": np.concatenate([curves.tau_s for curves, _, _ in sets]),
            "parts": np.concatenate([curves.parts for curves, _, _ in sets]),
            "noise": levels,
        }
        # Every curve is its own: seeds keep the sides apart, and a curve is nobody else's.
        return Samples(features, targets, np.arange(len(side)), side.astype(np.int64), extra, "synthetic")

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """One split; a fiftieth of the curves to learn from watches over training."""
        learn = np.flatnonzero(samples.groups == 0)
        return [Fold("unseen curves", learn[50:], learn[:50], np.flatnonzero(samples.groups == 1))]

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Channels over their ranges, so that eight bits hold each; the quantised network says each logarithm four times."""
        flat = train.features.reshape(-1, train.features.shape[-1])
        low, high = np.quantile(flat, (0.0005, 0.9995), axis=0)
        scaling = Scaling(((low + high) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32), 1.0)
        return Plan(scaling, finish=_dithered)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> None:
        """None here: `bench/time_constants.py` prints multi-start least squares beside the network."""

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Median and 90th percentile of the relative error of tau by noise and number of parts, the number known and not."""
        figures: dict[str, Any] = {}
        outputs = undithered(outputs)
        said_parts = outputs[:, NUMBER:].argmax(1) + 1
        known = errors(outputs, samples.extra["parts"], samples.extra["tau_s"])
        guessed = errors(outputs, said_parts, samples.extra["tau_s"])
        table = []
        for level in NOISES:
            at = samples.extra["noise"] == level
            percent = f"{100 * level:g}"
            figures[f"tau_median_{percent}"] = float(np.nanmedian(guessed[at]))
            figures[f"parts_right_{percent}"] = float(np.mean(said_parts[at] == samples.extra["parts"][at]))
            for k in PLACES:
                of = at & (samples.extra["parts"] == k)
                rows = {name: e[of][np.isfinite(e[of])] for name, e in (("known", known), ("unknown", guessed))}
                table.append(
                    {"noise": level, "parts": k}
                    | {f"{name}_median": float(np.median(e)) for name, e in rows.items()}
                    | {f"{name}_p90": float(np.quantile(e, 0.9)) for name, e in rows.items()}
                )
        return {**figures, "table": table}


def _dithered(network: Any, inputs: NDArray[np.float32]) -> Any:
    """The network with `COPIES` of each logarithm at the end, apart by that share of an output step."""
    import keras

    said = network.predict(inputs, verbose=0, batch_size=1024)
    step = float(max(said.max(), 0.0) - min(said.min(), 0.0)) / 255
    last = network.layers[-1]
    kernel, bias = last.get_weights()
    moves = step * ((np.arange(COPIES) + 0.5) / COPIES - 0.5)
    kernels = np.concatenate([kernel, *[kernel[:, :SHARES]] * (COPIES - 1)], axis=1)
    biases = np.concatenate([bias, *(bias[:SHARES] + move for move in moves[1:])])
    biases[:SHARES] += moves[0]
    spread = keras.layers.Dense(len(biases))
    finished = keras.Model(network.input, spread(last.input), name=network.name)
    spread.set_weights([kernels, biases])
    return finished


def undithered(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, OUTPUTS) from what the quantised network says, each logarithm as the mean of its copies."""
    if outputs.shape[1] == OUTPUTS:
        return outputs
    copies = [outputs[:, :SHARES], *np.split(outputs[:, OUTPUTS:], COPIES - 1, axis=1)]
    return np.concatenate([np.mean(copies, axis=0), outputs[:, SHARES:OUTPUTS]], axis=1)


def features_of(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, SAMPLES) curves to (n, 1, BINS, 5): bin means, 4 x differences, their smoothed differences, the first two again."""
    edges = _edges()
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, 1)], 1)
    level = (sums[:, edges[1:]] - sums[:, edges[:-1]]) / np.diff(edges)
    slope = 4 * np.gradient(level, axis=1)
    smooth = np.apply_along_axis(np.convolve, 1, np.pad(slope, ((0, 0), (2, 2)), mode="edge"), np.ones(5) / 5, "valid")
    bend = 2 * np.gradient(smooth, axis=1)
    # The second copies lie half a step of eight bits higher within the ranges that `plan` scales by.
    copies = [level, slope, bend, level + 0.5 * LEVEL_STEP, slope + 0.5 * SLOPE_STEP]
    return np.asarray(np.stack(copies, axis=-1)[:, np.newaxis], np.float32)


def _edges() -> NDArray[np.int64]:
    """Bin borders: one sample each at first, then ever wider, `BINS` bins over all samples."""
    edges = [0]
    while len(edges) <= BINS:
        left = BINS + 1 - len(edges)
        ratio = (foster.SAMPLES / max(edges[-1], 1)) ** (1 / left)
        edges.append(max(edges[-1] + 1, round(max(edges[-1], 1) * ratio)))
    edges[-1] = foster.SAMPLES
    return np.array(edges)


def targets_of(curves: foster.Curves) -> NDArray[np.float32]:
    """(n, OUTPUTS): scaled logarithms of tau, shares, and which number of parts; `_IGNORED` where another number's place is."""
    targets = np.full((len(curves.parts), OUTPUTS), _IGNORED, np.float32)
    for k, places in PLACES.items():
        of = curves.parts == k
        for i, place in enumerate(places):
            targets[of, place] = (np.log(curves.tau_s[of, i]) - LOG_CENTRE) / LOG_SPREAD
            targets[of, SHARES + place] = 2 * curves.share[of, i] - 1
        targets[:, NUMBER + k - 1] = np.where(of, 1.0, -1.0)
    return targets


def tau_of(outputs: NDArray[np.float32], parts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, LARGEST_K) time constants in seconds, ascending, for these numbers of parts; NaN beyond."""
    tau = np.full((len(outputs), foster.LARGEST_K), np.nan)
    for k, places in PLACES.items():
        of = parts == k
        tau[of, :k] = np.exp(LOG_CENTRE + LOG_SPREAD * np.sort(outputs[of][:, places].astype(np.float64), axis=1))
    return tau


def errors(outputs: NDArray[np.float32], parts: NDArray[np.int64], truth_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, LARGEST_K) relative error of each true tau against the nearest one said; NaN beyond the true number."""
    said = tau_of(outputs, parts)
    apart = np.abs(said[:, None, :] - truth_s[:, :, None]) / truth_s[:, :, None]
    nearest = np.where(np.isnan(apart), np.inf, apart).min(2)
    return np.where(np.isnan(truth_s), np.nan, nearest)

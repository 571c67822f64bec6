"""Time constants and amplitudes of a Foster network from a cooling curve (after Strakowska & Strzelecki 2023).

Curves are synthetic: 600 samples at 1 Hz, one to three time constants of 2-400 s, noise of 0-2 % of the amplitude. A sample is
the curve's projections on the shapes such curves have (`projection.py`). The network says how many parts there are, and for each
number the logarithms of the time constants and the shares of the amplitude. Noise is drawn anew at each step of training.

Eight bits are coarse for this: a step of the output would be 2 to 3 % of tau, and rounding within the network as much again. So
training ends with that rounding simulated (`rounding.py`), and the network that is quantised says each logarithm several times,
a share of a step apart; their mean has the finer steps.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models import foster, projection, rounding
from thermo_models.features import network_inputs
from thermo_models.samples import Fold, Samples
from thermo_models.settings import Settings
from thermo_models.tasks import recovery_worlds
from thermo_models.tasks.task import Goal, Plan, Probe, Said
from thermo_models.tasks.time_constants_limits import limits

NOISES = (0.0, 0.005, 0.01, 0.02)
"""Noise levels measured at, as shares of the amplitude."""
TRAIN_SEED, TEST_SEED = 1_000, 900_000
LOG_CENTRE = float(np.mean(np.log(foster.TAU_S)))
LOG_SPREAD = float(np.ptp(np.log(foster.TAU_S)) / 2)
PLACES = {1: (0,), 2: (1, 2), 3: (3, 4, 5)}
"""Outputs that hold the logarithms of the time constants when there are 1, 2, 3 parts; the shares follow six further on."""
SHARES, NUMBER, OUTPUTS = 6, 12, 15
COPIES = 8
"""How often the quantised network says each logarithm."""
POOL = 20
"""Curves that are learnt from for each of the samples, which set ranges."""
TUNING_SHARE, TUNING_RATE = 0.5, 5e-4
"""Steps with simulated rounding as a share of those before, and their first learning rate."""
STARTS = 8
"""Of least squares."""
_IGNORED = 9.0
"""Stands in targets for outputs of another number of parts."""


class TimeConstants:
    """The task; see `tasks.task.Task`."""

    name = "time-constants"
    summary = "time constants of a cooling curve"
    source = "made by `thermo_models.foster`"
    whom = "curves"
    ships = True
    needs_data = False
    wearable = projection.WEARABLE
    entry = "means"
    variants = ("full",)
    outputs = OUTPUTS
    head = "linear"
    more_is_better = MappingProxyType({"tau_median_0": False, "tau_median_1": False})
    settings = Settings("time_constant_cnn", width=1.25, epochs=22, batch=512, rate=2e-3, dropout=0.0)

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
        count, tested = (1_000, 20) if quick else (20_000, 300)
        rng = np.random.default_rng(TRAIN_SEED)
        sets = [(foster.make(count, _noises(count, rng), TRAIN_SEED), 0, -1.0)]
        for number, level in enumerate(NOISES):
            sets += [
                (foster.make(tested, level, TEST_SEED + 10 * number + k, k), 1, level)
                for k in range(1, foster.LARGEST_K + 1)
            ]
        features = np.concatenate([projection.of_curves(curves.values) for curves, _, _ in sets])
        targets = np.concatenate([targets_of(curves) for curves, _, _ in sets])
        side = np.concatenate([np.full(len(curves.parts), side) for curves, side, _ in sets])
        extra = {
            "tau_s": np.concatenate([curves.tau_s for curves, _, _ in sets]),
            "parts": np.concatenate([curves.parts for curves, _, _ in sets]),
            "noise": np.concatenate([np.full(len(curves.parts), level) for curves, _, level in sets]),
            "values": np.concatenate([curves.values.astype(np.float32) for curves, _, _ in sets]),
        }
        # Every curve is its own: seeds keep the sides apart, and a curve is nobody else's.
        return Samples(features, targets, np.arange(len(side)), side.astype(np.int64), extra, "synthetic")

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """One split; some of the curves to learn from watch over training."""
        learn = np.flatnonzero(samples.groups == 0)
        return [Fold("unseen curves", learn[50:], learn[:50], np.flatnonzero(samples.groups == 1))]

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """What bins hold of curves, as it is."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Pieces and magnifications of the projections of further curves, with other noise at each step; tuned to eight bits."""
        rng = np.random.default_rng([TRAIN_SEED, seed, 0xF1])
        count = POOL * len(train)
        tau, share, parts = foster.draw(count, rng)
        pool = projection.project(projection.means(tau, share))
        targets = targets_of(foster.Curves(np.zeros((count, 0)), tau, share, parts))
        stages = projection.stages(pool)
        rounds = np.random.default_rng([TRAIN_SEED, seed, 0xF2])

        def augment(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            noisy = projection.noisy(batch.astype(np.float64), _noises(len(batch), rng), rng)
            return network_inputs(stages[1:], noisy.astype(np.float32))

        def batch() -> rounding.Batch:
            index = rounds.integers(0, count, settings.batch)
            return augment(pool[index], rounds), targets[index]

        def finish(network: Any, inputs: NDArray[np.float32]) -> Any:
            if rounding.is_chain(network):
                steps = int(TUNING_SHARE * settings.epochs * count / settings.batch)
                rounding.tune(network, self.loss, batch, inputs, steps, TUNING_RATE)
            return _dithered(network, inputs)

        return Plan(
            stages,
            augment,
            teach=lambda features, _: (pool, targets),
            finish=finish,
        )

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """Multi-start least squares on all samples of a curve, told its number of parts."""
        rng = np.random.default_rng(0)
        outputs = np.full((len(test), OUTPUTS), -1.0, np.float32)
        for i, (values, k) in enumerate(zip(test.extra["values"].astype(np.float64), test.extra["parts"], strict=True)):
            found = foster.least_squares_tau(values, int(k), STARTS, rng)
            outputs[i, PLACES[int(k)]] = (np.log(found) - LOG_CENTRE) / LOG_SPREAD
            outputs[i, NUMBER + k - 1] = 1.0
        return outputs

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
            for k in (*PLACES, "all"):
                of = at if k == "all" else at & (samples.extra["parts"] == k)
                rows = {name: e[of][np.isfinite(e[of])] for name, e in (("known", known), ("unknown", guessed))}
                table.append(
                    {"noise": level, "parts": k}
                    | {f"{name}_median": float(np.median(e)) for name, e in rows.items()}
                    | {f"{name}_p90": float(np.quantile(e, 0.9)) for name, e in rows.items()}
                )
        return {**figures, "table": table}

    def probe(self, profile: Profile, stages: tuple[Stage, ...], said: Said, quick: bool) -> Probe:
        """Refusals of curves that are not as they were taught, and of shapes that are no such curve."""
        return recovery_worlds.probe(profile, stages, said, 4 if quick else 60)

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `time_constants_limits`."""
        return limits(metrics)


def _dithered(network: Any, inputs: NDArray[np.float32]) -> Any:
    """The network with `COPIES` of each logarithm at the end, apart by that share of an output step."""
    import keras

    said = network.predict(inputs, verbose=0, batch_size=1024)
    step = float(max(said.max(), 0.0) - min(said.min(), 0.0)) / 255
    last = next(layer for layer in reversed(network.layers) if layer.get_weights())
    kernel, bias = last.get_weights()
    moves = step * ((np.arange(COPIES) + 0.5) / COPIES - 0.5)
    kernels = np.concatenate([kernel, *[kernel[..., :SHARES]] * (COPIES - 1)], axis=-1)
    biases = np.concatenate([bias, *(bias[:SHARES] + move for move in moves[1:])])
    biases[:SHARES] += moves[0]
    spread = keras.layers.Conv2D(len(biases), 1) if kernel.ndim == 4 else keras.layers.Dense(len(biases))
    outputs = spread(last.input)
    if kernel.ndim == 4:
        outputs = keras.layers.Flatten()(outputs)
    finished = keras.Model(network.input, outputs, name=network.name)
    spread.set_weights([kernels, biases])
    return finished


def undithered(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, OUTPUTS) from what the quantised network says, each logarithm as the mean of its copies."""
    if outputs.shape[1] == OUTPUTS:
        return outputs
    copies = [outputs[:, :SHARES], *np.split(outputs[:, OUTPUTS:], COPIES - 1, axis=1)]
    return np.concatenate([np.mean(copies, axis=0), outputs[:, SHARES:OUTPUTS]], axis=1)


def _noises(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count,) noise levels to learn with: none for a quarter of the curves."""
    return np.where(rng.random(count) < 0.25, 0.0, rng.uniform(0, NOISES[-1], count))


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

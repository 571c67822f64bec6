"""Networks of the registry beside one another and beside least squares, on the neuro band's numbers: same windows, people and seed.

    python bench/neuro_band.py
    python bench/neuro_band.py --windows 40000 --epochs 15 --networks time_constant_cnn,inception_1d

Each learns from the same windows of the world that the task teaches and is judged on windows of a world of its own, which is neither
taught nor tested on (`VALIDATION`), and on simulated people whom the task does not test on; each third of them slowed left or right by
1.6; "no steps" are windows of that world without changes of contact, "whole sides" such with them where healthy sides differ by one factor
of all time constants. Networks of time series see each node's curve as a signal of 32 bins, beside which stand the numbers that are none
of a curve. The ceiling is that of sides of healthy people, who differ; the paired fit is what the stage `paired_recovery` says by itself,
the size of its logarithm. It informs; no figure here is of a real person.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.tflite.interpreter import Int8Network
from thermo_models import networks
from thermo_models.features import network_inputs
from thermo_models.fit import fit
from thermo_models.metrics import auc
from thermo_models.samples import Samples
from thermo_models.settings import Settings
from thermo_models.tasks import neuro_band as task_of
from thermo_models.tasks import neuro_band_bodies as bodies
from thermo_models.tasks import neuro_band_curves as curves
from thermo_quantize.convert import to_int8

TASK = task_of.NeuroBand()
SEEDS = (20_000_000, 30_000_000, 40_000_000)
"""Of what is learnt from, of the other world and of people: none of the task's."""
SERIES = ("inception_1d", "densenet_1d", "series_cnn")
CALIBRATION = 256
FITTED = 500
"""Windows that least squares takes its threshold from."""
BINS = task_of.SHAPES.bins


def as_series(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 1, bins, signals): a signal for each node, and one that stands still for each number that is none of a curve."""
    flat = inputs.reshape(len(inputs), -1)
    shapes = flat[:, : curves.NODES * BINS].reshape(len(flat), curves.NODES, BINS).transpose(0, 2, 1)
    rest = np.repeat(flat[:, np.newaxis, curves.NODES * BINS :], BINS, axis=1)
    signals: NDArray[np.float32] = np.concatenate([shapes, rest], axis=2)[:, np.newaxis]
    return signals


def samples(seen: dict[str, NDArray[np.generic]]) -> Samples:
    """Of windows as the band sees them."""
    count = len(seen["classes"])
    extra = {name: value for name, value in seen.items() if name not in ("seen", "classes")}
    nobody = np.zeros(count, np.int64)
    return Samples(
        np.asarray(seen["seen"], np.float32), seen["classes"].astype(np.int64), np.arange(count), nobody, extra, "made"
    )


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default="time_constant_cnn,dense_residual,inception_1d,densenet_1d")
    parser.add_argument("--windows", type=int, default=8000, help="to learn from")
    parser.add_argument("--tested", type=int, default=1000, help="windows of the other world, and half as many people")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--width", type=float, default=TASK.settings.width)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    names = args.networks.split(",")
    if unknown := set(names) - networks.NETWORKS.keys():
        parser.exit(2, f"neuro_band: There is no network {min(unknown)!r}; choose of {', '.join(networks.NETWORKS)}.\n")
    if min(args.windows, args.tested // 2, args.epochs) < 10:
        parser.exit(2, "neuro_band: Give --windows and --epochs of 10 or more, and --tested of 20 or more.\n")
    learnt = samples(task_of.seen(curves.make(args.windows, SEEDS[0], curves.TAUGHT), fits=False))
    fitted = samples(task_of.seen(curves.make(FITTED, SEEDS[0], curves.TAUGHT)))
    sides = {
        "another world": samples(
            task_of.seen(curves.make(args.tested, SEEDS[1], curves.VALIDATION, task_of.SLOWING, True))
        ),
        "no steps": samples(
            task_of.seen(
                curves.make(args.tested, SEEDS[1] + 1, replace(curves.VALIDATION, steps=0.0), task_of.SLOWING, True)
            )
        ),
        "whole sides": samples(
            task_of.seen(curves.make(args.tested, SEEDS[1] + 2, curves.VALIDATION, task_of.SLOWING, True, 0.0))
        ),
        "people": samples(task_of.seen(bodies.make(args.tested // 2, SEEDS[2], bodies.STEPS, task_of.SLOWING))),
    }
    print(
        f"{'':20}{'parameters':>11}{'MACs':>10}" + "".join(f"{side:>16}{'int8':>8}" for side in sides) + f"{'CPU s':>8}"
    )
    for name in ("ceiling", "least squares", "paired fit"):
        print(f"{name:20}{'':21}" + "".join(f"{_simple(name, fitted, side):>16.3f}{'':8}" for side in sides.values()))
    for name in names:
        settings = Settings(name, width=args.width, dropout=0.1, epochs=args.epochs, batch=256, rate=2e-3, decay=2e-3)
        try:
            print(_row(name, settings, learnt, sides, args.seed), flush=True)
        except UsageError as error:
            print(f"{name:20} {error}")


def _simple(name: str, fitted: Samples, side: Samples) -> float:
    if name == "ceiling":
        score = np.abs(side.extra["log_ratio"])
    elif name == "paired fit":
        score = np.abs(side.extra["paired"])
    else:
        score = task_of.slowed_score(TASK.baseline(fitted, side, TASK.settings))
    return _auc(score, side)


def _auc(score: NDArray[np.float64], side: Samples) -> float:
    of = side.targets != curves.NO_CHALLENGE
    return auc(score[of], side.targets[of] >= curves.SLOWED_LEFT)


def _row(name: str, settings: Settings, learnt: Samples, sides: dict[str, Samples], seed: int) -> str:
    import keras

    began_s = time.process_time()
    plan = TASK.plan(learnt, settings, seed)
    assert plan.teach is not None
    inputs = network_inputs(plan.stages, learnt.features)
    taught, targets = plan.teach(inputs, learnt.targets)
    laid = as_series if name in SERIES else np.asarray
    keras.utils.set_random_seed(seed)
    network = networks.build(
        name,
        laid(inputs[:1]).shape[1:],
        TASK.outputs,
        width=settings.width,
        dropout=settings.dropout,
        head_kind=TASK.head,
    )
    fit(network, TASK.loss, (laid(taught), targets), None, settings, seed)
    int8 = Int8Network(to_int8(network, laid(inputs[:: max(1, len(inputs) // CALIBRATION)])))
    cells = ""
    for side in sides.values():
        asked = laid(network_inputs(plan.stages, side.features))
        both = network.predict(asked, verbose=0, batch_size=512), int8.predict([asked])
        cells += "".join(
            f"{_auc(task_of.slowed_score(said), side):>{width}.3f}" for said, width in zip(both, (16, 8), strict=True)
        )
    return f"{name:20}{network.count_params():>11,}{networks.macs(network):>10,}{cells}{time.process_time() - began_s:>8.0f}"


if __name__ == "__main__":
    main()

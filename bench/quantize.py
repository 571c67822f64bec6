"""What quantising costs each task: accuracy float -> int8 -> QAT, sizes, conversion time, latency by runtime, training time.

`python bench/quantize.py` trains one fold of every task whose data are at hand on a part of them; `--full` on all of them.
Figures of accuracy are of that fold's test side; those of every fold stand in the model cards. Compare latencies with one
another alone. `--shipped` trains nothing: it prints what int8 costs the goals of each wearable that comes with the product, as its
card has them.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.files import read_json
from thermo_core.wearable import library
from thermo_models.tasks import TASKS
from thermo_quantize import qat
from thermo_quantize.choices import Calibrator, Scheme
from thermo_quantize.pipeline import Settings, quantize
from thermo_quantize.runtimes import Runner
from thermo_quantize.samples import Samples
from thermo_quantize.source import Source, from_keras

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
DATA = {
    "fitness-band": "e4_exercise/e4_exercise_1hz.npz",
    "nagoya-actions": "nagoya_fir_16x16/clips_groups012.npz",
    "nagoya-stream": "nagoya_fir_16x16/recordings_groups012.npz",
    "core-temperature": "fda_face_oral/flir_group1.csv.gz",
    "wrist-stress": "stress_predict_e4/stress_predict_1hz_s01-25.npz",
    **dict.fromkeys(("clothing", "clothing-8"), "jos3_body/jos3_scenes.npz"),
}
RUNS = (
    (Scheme.FLOAT32, Calibrator.MINMAX),
    (Scheme.DYNAMIC, Calibrator.MINMAX),
    (Scheme.INT8, Calibrator.MINMAX),
    (Scheme.INT8, Calibrator.PERCENTILE),
    (Scheme.INT8, Calibrator.MSE),
    (Scheme.INT8, Calibrator.ENTROPY),
    (Scheme.INT8_PER_TENSOR, Calibrator.MINMAX),
    (Scheme.INT16X8, Calibrator.MINMAX),
    (Scheme.MIXED, Calibrator.MINMAX),
    (Scheme.QAT, Calibrator.MINMAX),
)
Metric = Callable[[NDArray[np.float32]], float]


@dataclasses.dataclass(frozen=True)
class Case:
    """A trained network, the inputs it is quantised with, those it is measured on, and the figure of merit."""

    task: str
    network: Any
    train_s: float
    representative: NDArray[np.float32]
    test: NDArray[np.float32]
    metric: str
    measure: Metric


def cases(names: list[str], full: bool, train_epochs: int) -> Iterator[Case]:
    """Every task asked for, trained."""
    from thermo_models.features import network_inputs
    from thermo_models.study import train_one

    for name in names:
        task = TASKS[name]
        path = DATASETS / DATA[name] if name in DATA else None
        if path is not None and not path.is_file():
            print(f"\n{name}: no data at hand")
            continue
        settings = task.settings
        samples = task.load(path, settings, not full)
        if not full:
            settings = dataclasses.replace(settings, epochs=min(settings.epochs, train_epochs))
        fold = task.folds(samples, settings)[0]
        train, test = samples.pick(fold.train), samples.pick(fold.test)
        began = time.process_time()
        trained = train_one(task, train, samples.pick(fold.validation), settings, 0)
        took = time.process_time() - began

        def prepared(side: Any, plan: Any = trained.plan, chosen: Any = task) -> NDArray[np.float32]:
            return network_inputs(plan.stages, chosen.prepare(side.features))

        key = "auc" if name == "breast-patch" else task.goals(settings)[0].metric

        def measure(outputs: Any, chosen: Any = task, side: Any = test, with_: Any = settings, key: str = key) -> float:
            return float(chosen.metrics(side, outputs, with_).get(key, float("nan")))

        yield Case(name, trained.network, took, prepared(train), prepared(test), key, measure)


def report(case: Case, epochs: int) -> None:
    """Print a task's table."""
    source: Source = from_keras(case.network)
    data = Samples({"x": case.representative}, name=case.task)
    print(
        f"\n{case.task}: trained in {case.train_s:.0f} s of processor time, {len(case.representative)} samples, tested on {len(case.test)}"
    )
    head = f"{'scheme':16} {'calibrator':11} {case.metric[:24]:>24} {'bytes':>9} {'s':>6} {'worst layer':>34} {'dB':>6}"
    print(head)
    latency: dict[str, dict[str, float]] = {}
    for scheme, calibrator in RUNS:
        settings = Settings(scheme=scheme, calibrator=calibrator, tuning=qat.Tuning(epochs=epochs))
        try:
            result = quantize(source, data, settings)
        except ModelError as error:
            print(f"{scheme:16} {calibrator:11} {error}")
            continue
        value = case.measure(Runner(result.model).predict([case.test])[0])
        worst = result.worst
        layer, db = (f"{worst.kind.lower()} {worst.layer}", f"{worst.own_db:.1f}") if worst else ("-", "-")
        print(
            f"{scheme:16} {calibrator:11} {value:24.4f} {len(result.model):9,} {result.seconds:6.1f} {layer[-34:]:>34} {db:>6}",
            flush=True,
        )
        if calibrator is Calibrator.MINMAX:
            latency[scheme] = result.latency_us
    print("\nmicroseconds an inference, one thread, one run")
    columns = list(next(iter(latency.values())))
    print(" " * 16 + "".join(f"{name.replace('default with ', ''):>26}" for name in columns))
    for name, found in latency.items():
        print(f"{name:16}" + "".join(f"{found[column]:26.1f}" for column in columns), flush=True)


def shipped() -> Iterator[str]:
    """Rows of a table: float and int8 figures of the goals of each wearable that ships, of unseen people."""
    yield from ("| wearable | figure | float | int8 | 95 % interval of int8 |", "|---|---|---|---|---|")
    for name in library.names():
        found = read_json(library.resolve(name).parent / "metrics.json", 64 << 20)
        if not isinstance(found, dict):
            continue
        for metric in dict.fromkeys(goal["metric"] for goal in found["goals"]):
            ends = found["intervals"]["int8"].get(metric)
            cells = [found.get(kind, {}).get(metric) for kind in ("float", "int8")]
            told = ["-" if cell is None else f"{cell:.4g}" for cell in cells]
            yield f"| {name} | {metric} | {told[0]} | {told[1]} | {'-' if ends is None else f'{ends[0]:.4g} to {ends[1]:.4g}'} |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TASKS)}; all of them by default")
    parser.add_argument("--full", action="store_true", help="all data and epochs")
    parser.add_argument("--train-epochs", type=int, default=10, help="most of training, without --full")
    parser.add_argument("--epochs", type=int, default=2, help="of quantisation-aware training")
    parser.add_argument("--shipped", action="store_true", help="of the wearables that ship; nothing is trained")
    options = parser.parse_args()
    if options.shipped:
        print("\n".join(shipped()))
        return
    if unknown := set(options.tasks) - set(TASKS):
        parser.error(f"no task {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    for case in cases(options.tasks or list(TASKS), options.full, options.train_epochs):
        report(case, options.epochs)


if __name__ == "__main__":
    main()

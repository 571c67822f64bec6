"""A run folder: what went in, what came out, and all that is needed to do it again or to run the model elsewhere."""

import dataclasses
import json
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.files import check_folder, make_folder, read_file, read_json, refuse_overwriting, write_files
from thermo_core.schema import to_readable
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.library import FILE_NAME
from thermo_models import plot, task_card
from thermo_models.evaluation import QUICK_RESAMPLES, TRAINING, alert_figures, check_data
from thermo_models.features import network_inputs
from thermo_models.identity import remember
from thermo_models.intervals import RESAMPLES, numbers
from thermo_models.labels import joined, measured_on, taught
from thermo_models.networks import NETWORKS
from thermo_models.probes import probed
from thermo_models.samples import Samples
from thermo_models.settings import Settings
from thermo_models.study import Epochs, Report, Trained, cross_validate, train_one
from thermo_models.tasks import find
from thermo_models.tasks.task import Alerting, Charted, Compared, Examined, Task
from thermo_models.templates import CONSTANTS, Learnt, filled

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "tflite-runtime")
MODEL = "model.tflite"
SHIPPED = (MODEL, TRAINING, "metrics.json", "CARD.md")
"""What is exported of every run; beside it its wearable and its charts."""


def run(
    task: Task,
    data: Path | None,
    groups: tuple[int, ...],
    settings: Settings,
    folder: Path,
    quick: bool,
    report: Report = lambda line: None,
    epochs: Epochs = lambda what, done, total, loss: None,
    seed: int = 0,
    labels: Path | None = None,
) -> dict[str, Any]:
    """Cross-validate, train the model that is kept on everybody, and write the folder.

    Args:
        task: of the registry.
        data: the task's file; where samples are made, None or a file to keep them in.
        groups: groups of the file to use; all for an empty tuple.
        settings: of training.
        folder: made if it is not there, found out before anything takes its time; files of an earlier run are replaced.
        quick: a part of the data and few epochs, to try the path.
        report: told a line a fold.
        epochs: told about each epoch.
        seed: the first of weights and shuffling.
        labels: file of `thermo-hub labels export` that is learnt from too.

    Returns:
        The metrics, as in metrics.json.

    Raises:
        UsageError: data, groups or settings do not fit the task.
        StorageError: data cannot be read or the folder not written.
    """
    check_names(task, settings)
    check_data(task, data)
    check_folder(folder)
    labelled = None if labels is None else taught(task, labels)
    resamples = RESAMPLES
    if quick:
        settings = dataclasses.replace(settings, epochs=min(settings.epochs, 2), seeds=1, folds=2)
        resamples = QUICK_RESAMPLES
    begun = time.monotonic()

    def load(settings: Settings) -> Samples:
        return task.load(data, settings, quick).of_groups(groups)

    samples = load(settings)
    report(f"{len(samples)} samples of {len(np.unique(samples.people))} {task.whom}")
    if labelled is not None:
        report(f"{len(labelled.learnt)} labelled moments to learn from, {len(labelled.truth)} to measure on")
    study = cross_validate(task, samples, settings, report, epochs, seed, resamples, labelled=labelled)
    everybody = samples if labelled is None else joined(samples, labelled)[0]
    kept, learnt = (
        (study.last, everybody) if not task.needs_data else _everybody(task, everybody, settings, seed, epochs)
    )
    metrics = {**study.metrics, "seed": seed, "quick": quick}
    if kept.scaling is not None:
        metrics["scaling"] = dataclasses.asdict(kept.scaling)
    if labelled is not None:
        metrics["labels"] = measured_on(task, labelled, kept.model, kept.plan)
    if isinstance(task, Examined):
        metrics["examined"] = task.examine(samples, settings)
    if isinstance(task, Compared) and settings.variant == task.settings.variant and not quick:
        for variant in task.compared_variants:
            report(f"variant {variant}, to compare with")
            other = settings.changed({"variant": variant})
            found = cross_validate(
                task, load(other), other, lambda line: None, epochs, seed, resamples, contrasted=False
            )
            metrics.setdefault("variants", {})[variant] = {
                "int8": numbers(found.metrics["int8"]), "intervals": found.metrics["intervals"]["int8"]
            }  # fmt: skip
    values: dict[str, Any] = {}
    if isinstance(task, Alerting):
        network, fold = Int8Network(kept.model), task.folds(samples, settings)[-1]

        def said(side: Samples) -> NDArray[np.float32]:
            return network.predict([network_inputs(kept.plan.stages, task.prepare(side.features))])

        test, validation = samples.pick(fold.test), samples.pick(fold.validation)
        threshold = task.threshold(said(validation), validation)
        values[".alerts[0].when"] = task.when(threshold)
        # Judged is what the wearable's file says, whose numbers are float32.
        threshold = task.threshold_of(task.when(threshold))
        metrics["alert"], metrics["intervals"]["alert"] = alert_figures(
            task, test, said(test), threshold, resamples, seed
        )
    if kept.plan.half_width is not None:
        values[".models[0].quantities[0].spread"] = kept.plan.half_width
    metrics["seconds"] = round(time.monotonic() - begun, 1)
    training = {
        "task": task.name,
        "settings": dataclasses.asdict(settings),
        "learnt_from": {
            "sha256": samples.digest,
            "groups": np.unique(learnt.groups).tolist() if task.needs_data else [],
            "quick": quick,
            **({} if labelled is None else {"labels": {"sha256": labelled.digest, **remember(labelled.learnt)}}),
            **(remember(learnt) if task.needs_data else {}),
        },
        **({"stages": to_readable(kept.plan.stages)} if task.wearable is None else {}),
    }
    files = {
        "config.toml": settings.to_toml().encode(),
        "environment.json": as_json(environment(data, samples.digest)),
        "curves.svg": plot.curves_svg(f"{task.name}: loss", study.curves).encode(),
        MODEL: kept.model,
        TRAINING: as_json(training),
        **(
            {}
            if task.wearable is None
            else filled(task.wearable, Learnt((*kept.plan.beside, *kept.plan.stages), values))
        ),
        **told(task, metrics),
    }
    make_folder(folder)
    write_files({folder / name: content for name, content in files.items()})
    # The model as a wearable has it is asked only when it is safe on disk.
    if beside := probed(task, folder, lambda: samples, settings, quick):
        metrics |= beside
        write_files({folder / name: content for name, content in told(task, metrics).items()})
    return metrics


def told(task: Task, metrics: dict[str, Any]) -> dict[str, bytes]:
    """The files that tell of figures: metrics, card and charts, by name."""
    charts = task.charts(metrics) if isinstance(task, Charted) else {}
    return {
        **{name: chart.encode() for name, chart in charts.items()},
        "CARD.md": task_card.card(task, metrics).encode(),
        "metrics.json": as_json(metrics),
    }


def check_names(task: Task, settings: Settings) -> None:
    """Raise UsageError where the task has no such variant, or nobody such a network, before data take their time."""
    if settings.network not in NETWORKS:
        raise UsageError(f"There is no network {settings.network!r}, so choose one of {', '.join(NETWORKS)}.")
    if settings.variant not in task.variants:
        raise UsageError(
            f"{task.name} has no variant {settings.variant!r}, so choose one of {', '.join(task.variants)}."
        )


def export(folder: Path, out: Path, force: bool = False) -> list[str]:
    """Copy what a wearable and its reader need from a run folder.

    Args:
        folder: of a run.
        out: where to.
        force: replace what is there.

    Returns:
        Names of the files.

    Raises:
        UsageError: the data's licence does not let the model be given away, this is no run folder, or files are there.
        StorageError: a file cannot be read or written.
    """
    described = read_json(folder / TRAINING)
    task = find(str(described.get("task")) if isinstance(described, dict) else "")
    if not task.ships:
        raise UsageError(f"The licence of the data of {task.name} forbids shipping its model, so use it where it is.")
    names = [*SHIPPED, *([] if task.wearable is None else [FILE_NAME])]
    if (folder / CONSTANTS).is_file():
        names.append(CONSTANTS)
    if isinstance(task, Charted):
        names += task.chart_files
    files = {name: read_file(folder / name) for name in names}
    refuse_overwriting({out / name: content for name, content in files.items()}, force)
    make_folder(out)
    write_files({out / name: content for name, content in files.items()})
    return list(files)


def environment(data: Path | None, digest: str) -> dict[str, Any]:
    """Versions, machine, commit, and the data's hash."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    try:
        here = Path(__file__).parent
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
        commit = asked.stdout.strip() or None
    except OSError:
        commit = None
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "packages": versions,
        "commit": commit,
        "data": {"file": data.name if data else None, "sha256": digest},
    }


def _everybody(task: Task, samples: Samples, settings: Settings, seed: int, epochs: Epochs) -> tuple[Trained, Samples]:
    """The network that is kept: from all people, but for every fifth where they must stop training."""
    everybody = np.unique(samples.people)
    stopping: NDArray[np.bool_] = np.isin(samples.people, everybody[::5] if settings.patience else [])

    def told(done: int, total: int, loss: float) -> None:
        epochs("the model that is kept", done, total, loss)

    return train_one(task, samples.pick(~stopping), samples.pick(stopping), settings, seed, told), samples


def as_json(content: object) -> bytes:
    """As a file of JSON."""
    return (json.dumps(content, indent=2) + "\n").encode()

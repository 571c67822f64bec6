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

from thermo_core.errors import StorageError, UsageError
from thermo_core.tflite.verify import verify_model
from thermo_models import plot, task_card
from thermo_models.networks import NETWORKS
from thermo_models.samples import Samples, Scaling
from thermo_models.settings import Settings
from thermo_models.study import Epochs, Report, Trained, cross_validate, train_one
from thermo_models.tasks import find
from thermo_models.tasks.task import Charted, KeepsSamples, Task, Wearable
from thermo_quantize.files import read_file, read_json, write_file
from thermo_quantize.reference import Reference

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "tflite-runtime")
PROFILE = "profile.json"
SHIPPED = ("model.tflite", "preprocessing.json", "contract.json", "metrics.json", "CARD.md")


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
) -> dict[str, Any]:
    """Cross-validate, train the model that is kept on everybody, and write the folder.

    Args:
        task: of the registry.
        data: the task's file; where samples are made, None or a file to keep them in.
        groups: groups of the file to use; all for an empty tuple.
        settings: of training.
        folder: made if it is not there; files of an earlier run are replaced.
        quick: a part of the data and few epochs, to try the path.
        report: told a line a fold.
        epochs: told about each epoch.
        seed: the first of weights and shuffling.

    Returns:
        The metrics, as in metrics.json.

    Raises:
        UsageError: data, groups or settings do not fit the task.
        StorageError: data cannot be read or the folder not written.
    """
    check_names(task, settings)
    check_data(task, data)
    if quick:
        settings = dataclasses.replace(settings, epochs=min(settings.epochs, 2), seeds=1, folds=2)
    begun = time.monotonic()
    samples = task.load(data, settings, quick).of_groups(groups)
    report(f"{len(samples)} samples of {len(np.unique(samples.people))} people or curves")
    study = cross_validate(task, samples, settings, report, epochs, seed)
    kept, learnt = (study.last, samples) if not task.needs_data else _everybody(task, samples, settings, seed, epochs)
    metrics = {**study.metrics, "seed": seed, "quick": quick}
    reference = Reference(kept.model)
    contract = {"input": reference.input.to_dict(), "output": reference.output.to_dict()}
    profile: dict[str, Any] | None = None
    if isinstance(task, Wearable):
        fold = task.folds(samples, settings)[-1]

        def score(side: Samples) -> NDArray[np.float32]:
            return reference.scores(kept.plan.scaling.apply(task.prepare(side.features)))

        chosen, metrics["alert"] = task.wearable(score, samples.pick(fold.validation), samples.pick(fold.test))
        profile = chosen.to_dict()
    else:
        contract["input"]["unit"] = "features scaled as preprocessing.json says"
    metrics["seconds"] = round(time.monotonic() - begun, 1)
    preprocessing = {
        "task": task.name,
        "settings": dataclasses.asdict(settings),
        "scaling": kept.plan.scaling.to_dict(),
        "half_width": kept.plan.half_width,
        **({"features": kept.plan.described} if kept.plan.described else {}),
        "learnt_from": {
            "sha256": samples.digest,
            "groups": np.unique(learnt.groups).tolist() if task.needs_data else [],
            "quick": quick,
        },
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made ({error.strerror}), so choose another --out.") from error
    write_file(folder / "config.toml", settings.to_toml().encode())
    write_file(folder / "environment.json", _json(environment(data, samples.digest)))
    write_file(folder / "curves.svg", plot.curves_svg(f"{task.name}: loss", study.curves).encode())
    write_file(folder / "model.tflite", kept.model)
    write_file(folder / "contract.json", _json(contract))
    write_file(folder / "preprocessing.json", _json(preprocessing))
    if profile is not None:
        write_file(folder / PROFILE, _json(profile))
    charts = task.charts(metrics) if isinstance(task, Charted) else {}
    for name, chart in charts.items():
        write_file(folder / name, chart.encode())
    write_file(folder / "CARD.md", task_card.card(task, metrics).encode())
    write_file(folder / "metrics.json", _json(metrics))
    return metrics


def check_names(task: Task, settings: Settings) -> None:
    """Raise UsageError where the task has no such variant, or nobody such a network, before data take their time."""
    if settings.network not in NETWORKS:
        raise UsageError(f"There is no network {settings.network!r}, so choose one of {', '.join(NETWORKS)}.")
    if settings.variant not in task.variants:
        raise UsageError(
            f"{task.name} has no variant {settings.variant!r}, so choose one of {', '.join(task.variants)}."
        )


def check_data(task: Task, data: Path | None) -> None:
    """Raise UsageError where a file is given to a task that makes its samples and keeps none."""
    if data is not None and not task.needs_data and not isinstance(task, KeepsSamples):
        raise UsageError(f"{task.name} makes its own samples, so leave --data {data} out.")


def evaluate(task: Task, model: Path, data: Path | None, groups: tuple[int, ...], quick: bool) -> dict[str, Any]:
    """Measure a trained int8 model on data.

    Args:
        task: of the registry.
        model: .tflite file with its preprocessing.json beside it.
        data: the task's file.
        groups: groups of the file to use; all for an empty tuple.
        quick: a part of the data.

    Returns:
        Metrics, and under "seen_in_training" whether data and groups are among those the model learnt from.

    Raises:
        UsageError: files do not belong together.
        StorageError: a file cannot be read.
    """
    check_data(task, data)
    content = read_file(model)
    verify_model(content)
    described = read_json(model.with_name("preprocessing.json"))
    try:
        assert isinstance(described, dict)
        settings = task.settings.changed(described["settings"])
        scaling, half_width = Scaling.from_dict(described["scaling"]), described["half_width"]
        learnt, owner = described["learnt_from"], described["task"]
    except (AssertionError, KeyError, TypeError) as error:
        raise UsageError(
            f"{model.with_name('preprocessing.json')} lacks something, so train the model anew."
        ) from error
    if owner != task.name:
        raise UsageError(f"{model} was trained for {owner}, so evaluate it on that task.")
    samples = task.load(data, settings, quick).of_groups(groups)
    seen = bool(samples.digest == learnt["sha256"] and set(samples.groups.tolist()) & set(learnt["groups"]))
    if not task.needs_data:
        samples = samples.pick(task.folds(samples, settings)[-1].test)
    if half_width is not None:
        samples = dataclasses.replace(samples, extra={**samples.extra, "half_width": np.full(len(samples), half_width)})
    outputs = Reference(content).scores(scaling.apply(task.prepare(samples.features)))
    return {
        "task": task.name,
        "samples": len(samples),
        "seen_in_training": seen,
        "int8": task.metrics(samples, outputs, settings),
    }


def export(folder: Path, out: Path) -> list[str]:
    """Copy what a wearable and its reader need from a run folder.

    Returns:
        Names of the files.

    Raises:
        UsageError: the data's licence does not let the model be given away, or this is no run folder.
        StorageError: a file cannot be read or written.
    """
    described = read_json(folder / "preprocessing.json")
    task = find(str(described.get("task")) if isinstance(described, dict) else "")
    if not task.ships:
        raise UsageError(f"The licence of the data of {task.name} forbids shipping its model, so use it where it is.")
    names = [*SHIPPED, *([PROFILE] if isinstance(task, Wearable) else [])]
    if isinstance(task, Charted):
        names += task.chart_files
    files = {name: read_file(folder / name) for name in names}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{out} cannot be made ({error.strerror}), so choose another folder.") from error
    for name, content in files.items():
        write_file(out / name, content)
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


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()

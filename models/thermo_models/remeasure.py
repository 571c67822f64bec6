"""Measures the model of a run folder or artefact again, with nothing trained, and writes its figures and card anew."""

from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.errors import UsageError
from thermo_core.files import read_json, write_files
from thermo_models.evaluation import alert_figures, check_data, measured, open_model
from thermo_models.intervals import RESAMPLES
from thermo_models.probes import probed
from thermo_models.refusals import refusals
from thermo_models.runs import told
from thermo_models.study import Report, goals_of
from thermo_models.tasks.task import Ablated, Alerting, Examined, Probed, Task


def remeasure(
    task: Task,
    folder: Path,
    data: Path | None,
    report: Report = lambda line: None,
    resamples: int = RESAMPLES,
    probe: bool = False,
) -> dict[str, Any]:
    """Figures of the int8 model with their intervals; those of the float network stay, where the data are the same.

    Figures of siblings of the model, which learnt from everybody, can be had by training alone; what `probes` tells can be had anew.

    Args:
        task: of the registry.
        folder: with model.tflite, training.json, metrics.json and, of a wearable, wearable.toml.
        data: the task's file.
        report: told a line a step.
        resamples: of the intervals.
        probe: leaves all figures as they are but those of `probes`.

    Returns:
        The metrics, as written.

    Raises:
        UsageError: the folder is of another task, its figures are of siblings of the model that it does not hold, or nothing can be told of
            it beside figures.
        StorageError: a file cannot be read or written.
    """
    check_data(task, data)
    opened = open_model(task, folder / "model.tflite")
    metrics = _figures(task, folder)
    quick = bool(metrics.get("quick"))
    siblings = len(metrics["folds"]) != 1 or task.needs_data
    if siblings and not probe:
        raise UsageError(
            f"The figures of {task.name} are of {len(metrics['folds'])} siblings of the model, which {folder} does not hold, so train it "
            "again to measure them; --probe measures what is told of the model itself."
        )
    if probe:
        if not isinstance(task, Probed | Ablated):
            raise UsageError(f"Nothing is told of {task.name} beside its figures; leave --probe out.")
        beside = probed(task, folder, lambda: task.load(data, opened.settings, quick), opened.settings, quick)
        # Read after the minutes that this takes, so that what else was measured meanwhile stays.
        metrics = _figures(task, folder) | beside
        write_files({folder / name: content for name, content in told(task, metrics).items()})
        return metrics
    samples = task.load(data, opened.settings, quick)
    metrics |= probed(task, folder, lambda: samples, opened.settings, quick)
    (fold,) = task.folds(samples, opened.settings)
    test, seed = samples.pick(fold.test), int(metrics.get("seed", 0))
    report(f"{len(test)} samples of {len(np.unique(test.people))}")
    if samples.digest != metrics["data_sha256"]:
        report(
            "the data are others than before: figures of the float network and of other methods beside the baseline are left out"
        )
        for stale in ("float", "others", "against"):
            metrics.pop(stale, None)
        simple = task.baseline(samples.pick(np.concatenate([fold.train, fold.validation])), test, opened.settings)
        if simple is not None:
            metrics["baseline"] = task.metrics(test, simple, opened.settings)
        metrics |= {"data_sha256": samples.digest, "samples": len(samples), "people": len(np.unique(samples.people))}
    found = measured(task, opened, test, resamples, seed)
    found["int8"]["parameters"] = metrics["parameters"]
    metrics["folds"] = [metrics["folds"][0] | {"test_samples": len(test), "int8": found["int8"]}]
    metrics |= found
    if shares := {name: float(flagged.mean()) for name, flagged in refusals(task, opened.stages, test).items()}:
        metrics["refused"] = shares
    metrics["goals"] = goals_of(task, opened.settings, metrics["int8"])
    if isinstance(task, Alerting) and opened.profile is not None and opened.profile.alerts:
        threshold = task.threshold_of(opened.profile.alerts[0].when)
        metrics["alert"], metrics["intervals"]["alert"] = alert_figures(
            task, test, opened.scores(task, test), threshold, resamples, seed
        )
    if isinstance(task, Examined):
        metrics["examined"] = task.examine(samples, opened.settings)
    write_files({folder / name: content for name, content in told(task, metrics).items()})
    return metrics


def _figures(task: Task, folder: Path) -> dict[str, Any]:
    found = read_json(folder / "metrics.json", 64 << 20)
    if not isinstance(found, dict) or found.get("task") != task.name or not isinstance(found.get("folds"), list):
        raise UsageError(f"{folder / 'metrics.json'} does not hold figures of {task.name}, so give its own run folder.")
    return found

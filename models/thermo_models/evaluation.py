"""Measures a trained int8 model: on data of which it is said whether the model has met them, with intervals."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import SchemaError, UsageError
from thermo_core.files import read_file, read_json
from thermo_core.schema import from_plain
from thermo_core.stages import AnyStage
from thermo_core.stages.stage import Stage
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_core.wearable.profile import Profile
from thermo_models.features import network_inputs
from thermo_models.identity import recognise
from thermo_models.intervals import RESAMPLES, bootstrap, described, numbers
from thermo_models.samples import Samples
from thermo_models.settings import Settings
from thermo_models.tasks.task import Alerting, KeepsSamples, Task
from thermo_models.templates import chain

QUICK_RESAMPLES = 50
TRAINING = "training.json"
"""How a model was trained and of whom, beside it."""


def check_data(task: Task, data: Path | None) -> None:
    """Raise UsageError where a file is given to a task that makes its samples and keeps none."""
    if data is not None and not task.needs_data and not isinstance(task, KeepsSamples):
        raise UsageError(f"{task.name} makes its own samples, so leave --data {data} out.")


def evaluate(task: Task, model: Path, data: Path | None, groups: tuple[int, ...], quick: bool) -> dict[str, Any]:
    """Measure a trained int8 model on data.

    Args:
        task: of the registry.
        model: .tflite file with its training.json and wearable.toml beside it.
        data: the task's file.
        groups: groups of the file to use; all for an empty tuple.
        quick: a part of the data.

    Returns:
        Metrics with their intervals; under "seen_in_training" whether the model learnt from any of these samples or of these
        people, under "seen" how many; and, where it has met some of the people, under "strangers" the metrics of the others.

    Raises:
        UsageError: files do not belong together.
        StorageError: a file cannot be read.
    """
    opened = open_model(task, model)
    check_data(task, data)
    samples = task.load(data, opened.settings, quick).of_groups(groups)
    if not task.needs_data:
        samples = samples.pick(task.folds(samples, opened.settings)[-1].test)
    resamples = QUICK_RESAMPLES if quick else RESAMPLES
    result: dict[str, Any] = {"task": task.name, "samples": len(samples), "people": len(np.unique(samples.people))}
    if not task.needs_data:
        return {**result, "seen_in_training": False, **measured(task, opened, samples, resamples)}
    known = recognise(opened.learnt, samples)
    result["seen_in_training"] = known.any
    result["seen"] = {
        "samples": int(known.samples.sum()),
        "people": len(np.unique(samples.people[known.samples | known.people])),
    }
    result |= measured(task, opened, samples, resamples)
    strangers = ~np.isin(samples.people, samples.people[~known.strangers])
    if known.any and strangers.any():
        others = samples.pick(strangers)
        result["strangers"] = {"samples": len(others), "people": len(np.unique(others.people))}
        result["strangers"] |= measured(task, opened, others, resamples)
    return result


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """A trained model with what the files beside it say.

    Attributes:
        network: runs it.
        settings: it was trained with.
        stages: that make its input of a task's prepared features.
        profile: of its wearable; None where the task has none.
        learnt: from whom, for `identity.recognise`.
    """

    network: Int8Network
    settings: Settings
    stages: tuple[Stage, ...]
    profile: Profile | None
    learnt: Any

    @property
    def half_width(self) -> float | None:
        """Of the interval around its one quantity; None where it has none."""
        quantities = (self.profile.models[0].quantities or ()) if self.profile is not None else ()
        return quantities[0].spread or None if len(quantities) == 1 else None

    def scores(self, task: Task, samples: Samples) -> NDArray[np.float32]:
        """Outputs (n, outputs)."""
        return self.network.predict([network_inputs(self.stages, task.prepare(samples.features))])


def open_model(task: Task, model: Path) -> Opened:
    """A model with its training.json and, where its task has a wearable, its wearable.toml.

    Raises:
        StorageError: a file cannot be read.
        ModelError: the model is damaged.
        UsageError: it is another task's, or the files do not belong together.
    """
    network = Int8Network(read_file(model))
    beside = model.with_name(TRAINING)
    described = read_json(beside)
    try:
        assert isinstance(described, dict)
        settings = task.settings.changed(described["settings"])
        learnt, owner = described["learnt_from"], described["task"]
    except (AssertionError, KeyError, TypeError) as error:
        raise UsageError(f"{beside} lacks something, so train the model anew.") from error
    if owner != task.name:
        raise UsageError(f"{model} was trained for {owner}, so evaluate it on that task.")
    if task.wearable is None:
        return Opened(network, settings, _stages_in(described, beside), None, learnt)
    profile = file.read(model.with_name(library.FILE_NAME)).profile
    return Opened(network, settings, chain(profile, task.entry), profile, learnt)


def _stages_in(described: dict[str, Any], path: Path) -> tuple[Stage, ...]:
    try:
        return from_plain(described.get("stages"), tuple[AnyStage, ...], "stages")
    except SchemaError as error:
        raise UsageError(f"{path}: {str(error).removesuffix('; correct it.')}, so train the model anew.") from error


def measured(task: Task, opened: Opened, samples: Samples, resamples: int, seed: int = 0) -> dict[str, Any]:
    """Metrics of a model on samples, and their intervals."""
    if opened.half_width is not None:
        widths = np.full(len(samples), opened.half_width)
        samples = dataclasses.replace(samples, extra={**samples.extra, "half_width": widths})
    outputs, lean = opened.scores(task, samples), samples.without_features()

    def figures(index: NDArray[np.int64], draw: NDArray[np.int64]) -> dict[str, float]:
        return numbers(task.metrics(lean.pick(index).of_people(draw), outputs[index], opened.settings))

    return {
        "int8": task.metrics(samples, outputs, opened.settings),
        "intervals": {
            **described(samples.people, resamples, seed),
            "int8": bootstrap(figures, samples.people, seed, resamples),
        },
    }


def alert_figures(
    task: Alerting, test: Samples, outputs: NDArray[np.float32], threshold: float, resamples: int, seed: int
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """What an alert at a threshold does on the test side, and the intervals of that."""
    lean = test.without_features()

    def figures(index: NDArray[np.int64], draw: NDArray[np.int64]) -> dict[str, float]:
        return task.alerted(lean.pick(index), outputs[index], threshold)

    found = {"threshold": threshold, **task.alerted(test, outputs, threshold)}
    return found, bootstrap(figures, test.people, seed, resamples)

"""Labels of recordings beside a task's own samples: what physicians said on the Review page, in the form the task learns from.

Labelled wearers are dealt to two sides by their pseudonym: most are learnt from, and where there are enough of them a part is only
measured on. Nobody is on both sides.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.labels import Labels, read_labels
from thermo_core.tflite.interpreter import Int8Network
from thermo_models.features import network_inputs
from thermo_models.identity import numbered
from thermo_models.samples import Fold, Samples, digest_of
from thermo_models.tasks.task import Labelled, Plan, Task

HELD_OUT = 4
"""Of so many labelled wearers one is only measured on; of fewer nobody is."""
SHARE = 0.25
"""Of what is learnt from that labelled samples make up at least; they are repeated to that, for they are few."""
MOST_REPEATS = 256


@dataclass(frozen=True, slots=True)
class Taught:
    """Labelled samples of a task.

    Attributes:
        learnt: to learn from, as the task's own samples.
        held: features (n, ...) that are only measured on.
        truth: (n,) int64 classes of these.
        facts: plain numbers, lists and maps, for the metrics and the card.
        digest: SHA-256 of the file, hexadecimal.
    """

    learnt: Samples
    held: NDArray[np.float32]
    truth: NDArray[np.int64]
    facts: dict[str, Any]
    digest: str


def taught(task: Task, path: Path) -> Taught:
    """Labelled samples out of a file of `thermo-hub labels export`.

    Args:
        task: that learns from them.
        path: of the file.

    Raises:
        StorageError: it cannot be read.
        UsageError: it is no such file, of another wearable, or of nothing the task can learn from.
    """
    labels = read_labels(path)
    values = _values(task, labels, path)
    inside = labels.within() & np.isfinite(values.reshape(len(values), -1)).any(1)
    if not inside.any():
        raise UsageError(f"{path} gives no moment a class, so there is nothing to learn; read more windows.")
    about = labels.about
    values, items = values[inside], labels.items[inside]
    truth = np.array([about.classes.index(str(about.items[item].opinion.label)) for item in items], np.int64)
    names = np.array([f"labelled {about.items[item].person}" for item in items])
    held = np.isin(names, _held_out(sorted(set(names.tolist()))))
    features, targets = _task(task).of_labels(values[~held], truth[~held])
    count = len(targets)
    learnt = Samples(features, targets, numbered(names[~held].tolist()), np.zeros(count, np.int64), names=names[~held])
    measured, _ = _task(task).of_labels(values[held], truth[held])
    return Taught(learnt, measured, truth[held], _facts(labels, names, held, truth), digest_of(path))


def joined(samples: Samples, taught_: Taught) -> tuple[Samples, NDArray[np.int64]]:
    """A task's own samples with labelled ones behind them, and where these are.

    Labelled samples are of people and of a group of their own; of what else the task knows of its samples they have NaN, 0 or "".
    """
    own = taught_.learnt
    learnable = max(1, len(samples))
    times = min(MOST_REPEATS, max(1, round(learnable * SHARE / (1 - SHARE) / len(own))))
    own = own.pick(np.tile(np.arange(len(own)), times))
    count = len(own)
    if own.features.shape[1:] != samples.features.shape[1:]:
        raise UsageError(
            f"Labelled samples are of shape {own.features.shape[1:]} and the task's of {samples.features.shape[1:]}; "
            "export labels of the wearable that the task is of."
        )
    extra = {name: np.concatenate([of, _unknown(of, count)]) for name, of in samples.extra.items()}
    first = int(samples.people.max(initial=-1)) + 1
    group = int(samples.groups.max(initial=-1)) + 1
    whole = dataclasses.replace(
        samples,
        features=np.concatenate([samples.features, own.features.astype(samples.features.dtype)]),
        targets=np.concatenate([samples.targets, own.targets.astype(samples.targets.dtype)]),
        people=np.concatenate([samples.people, own.people + first]),
        groups=np.concatenate([samples.groups, np.full(count, group, np.int64)]),
        extra=extra,
        names=None if samples.names is None or own.names is None else np.concatenate([samples.names, own.names]),
    )
    return whole, np.arange(len(samples), len(whole))


def with_labelled(folds: Sequence[Fold], places: NDArray[np.int64]) -> list[Fold]:
    """Folds that learn from labelled samples too."""
    return [dataclasses.replace(fold, train=np.concatenate([fold.train, places])) for fold in folds]


def measured_on(task: Task, taught_: Taught, model: bytes, plan: Plan) -> dict[str, Any]:
    """Facts of the labels, with what a trained int8 model says of the wearers that were held out."""
    found = dict(taught_.facts)
    if len(taught_.truth):
        outputs = Int8Network(model).predict([network_inputs(plan.stages, task.prepare(taught_.held))])
        said = _task(task).classes_said(outputs)
        found["held_out_correct"] = float(np.mean(said == taught_.truth))
    return found


def sentence(facts: dict[str, Any]) -> str:
    """What the card says of labels."""
    held = (
        f"{facts['held_out_people']} of them were not learnt from: {100 * facts['held_out_correct']:.0f} % of their moments are told as "
        "the readers did"
        if "held_out_correct" in facts
        else f"all were learnt from, because with fewer than {HELD_OUT} nobody is left to measure on"
    )
    return (
        f"It learnt from {facts['windows']} windows of {facts['people']} wearers that {len(facts['readers'])} physicians read, too, "
        f"{facts['decided']} of them agreed on by two or decided by a third; {held}."
    )


def _values(task: Task, labels: Labels, path: Path) -> NDArray[np.float32]:
    about = labels.about
    if task.wearable is None or not isinstance(task, Labelled):
        raise UsageError(f"{task.name} does not learn classes of a wearable, so leave --labels out.")
    profile = task.wearable.profile
    model = profile.models[0]
    if (about.profile, about.model) != (profile.name, model.name):
        raise UsageError(
            f"{path} has labels of {about.profile} {about.model}, and {task.name} is of {profile.name} {model.name}; "
            "export those."
        )
    if about.classes != model.scores:
        raise UsageError(
            f"{path} knows the classes {', '.join(about.classes)}, and {task.name} {', '.join(model.scores or ())}; export "
            "labels of windows that its present model was shown with."
        )
    if task.entry not in labels.signals:
        raise UsageError(
            f"{path} lacks the signal {task.entry}, which {task.name} learns from; export the labels anew."
        )
    shape = labels.signals[task.entry].shape[1:]
    wanted = next((stage for stage in profile.stages if stage.gives == task.entry), None)
    assert wanted is not None
    if not len(labels.items):
        raise UsageError(
            f"{path} holds no moment of {shape or 'numbers'}; read windows in which the model had its input."
        )
    return np.asarray(labels.signals[task.entry], np.float32)


def _task(task: Task) -> Labelled:
    assert isinstance(task, Labelled)
    return task


def _held_out(names: Sequence[str]) -> list[str]:
    """Every so many-th of the names in their order, which is that of pseudonyms and so says nothing of the people."""
    return [name for place, name in enumerate(names) if place % HELD_OUT == HELD_OUT - 1]


def _facts(
    labels: Labels, names: NDArray[np.str_], held: NDArray[np.bool_], truth: NDArray[np.int64]
) -> dict[str, Any]:
    items = labels.about.items
    return {
        "windows": len(items),
        "people": len(set(names.tolist())),
        "held_out_people": len(set(names[held].tolist())),
        "moments": len(names),
        "readers": sorted({step.by for one in items for step in one.readings}),
        "decided": sum(one.adjudicated for one in items),
        "cannot_tell": sum(one.opinion.label is None for one in items),
        "classes": {name: int((truth == at).sum()) for at, name in enumerate(labels.about.classes)},
    }


def _unknown(like: NDArray[Any], count: int) -> NDArray[Any]:
    """So many rows of what is not known."""
    fill: Any = np.nan if like.dtype.kind == "f" else "" if like.dtype.kind == "U" else 0
    return np.full((count, *like.shape[1:]), fill, like.dtype)

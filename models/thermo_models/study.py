"""Trains a task fold by fold, quantises each network to int8 and measures it on people it has not seen."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.tflite.interpreter import Int8Network
from thermo_models import contrast, networks
from thermo_models.features import network_inputs
from thermo_models.fit import Curves, fit
from thermo_models.intervals import RESAMPLES, Figures, bootstrap, described, numbers
from thermo_models.labels import Taught, joined, with_labelled
from thermo_models.networks.views import looking_around
from thermo_models.refusals import refusals
from thermo_models.samples import Fold, Samples
from thermo_models.scaling import Scaling, scaled
from thermo_models.settings import Settings
from thermo_models.tasks.task import Plan, Scaled, Task
from thermo_quantize.convert import to_int8

CALIBRATION_SAMPLES = 256
Report = Callable[[str], None]
Epochs = Callable[[str, int, int, float], None]
"""Called with what is trained, epochs done, epochs in all, loss."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One network.

    Attributes:
        network: the Keras model.
        model: its int8 .tflite file, scaled where its task is `Scaled`.
        plan: how features become its input.
        curves: loss by epoch.
        scaling: of the int8 model's scores against those of `network`; None where they are the same but for rounding.
    """

    network: Any
    model: bytes
    plan: Plan
    curves: Curves
    scaling: Scaling | None = None

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the int8 model would say but for rounding."""
        said: NDArray[np.float32] = self.network.predict(inputs, verbose=0, batch_size=1024)
        return said if self.scaling is None else self.scaling.of(said)


@dataclass(frozen=True, slots=True)
class Study:
    """What a cross-validation found.

    Attributes:
        metrics: figures ready for JSON.
        curves: loss by epoch of each fold of the first seed, by name.
        last: the network of the first seed's last fold.
    """

    metrics: dict[str, Any]
    curves: dict[str, Curves]
    last: Trained


def train_one(
    task: Task,
    train: Samples,
    validation: Samples | None,
    settings: Settings,
    seed: int,
    epochs: Callable[[int, int, float], None] = lambda done, total, loss: None,
) -> Trained:
    """Train one network and quantise it, its ranges set by a part of the training samples."""
    import keras

    plan = task.plan(train, settings, seed)
    inputs = network_inputs(plan.stages, task.prepare(train.features))
    keras.utils.set_random_seed(seed)
    network = networks.build(
        settings.network,
        inputs.shape[1:],
        task.outputs,
        width=settings.width,
        attention=settings.attention,
        dropout=settings.dropout,
        head_kind=task.head,
    )
    if plan.solve is not None:
        curves = plan.solve(network)
    else:
        features, targets = train.features if plan.augment is not None else inputs, train.targets
        if plan.teach is not None:
            features, targets = plan.teach(features, targets)
        checked = None
        if validation is not None and len(validation):
            checked = (network_inputs(plan.stages, task.prepare(validation.features)), validation.targets)
        curves = fit(network, task.loss, (features, targets), checked, settings, seed, plan.augment, epochs)
    calibration = inputs[:: max(1, len(inputs) // CALIBRATION_SAMPLES)]
    if plan.span is not None:
        calibration = np.concatenate([calibration, plan.span.reshape(-1, *calibration.shape[1:])])
    if plan.finish is not None:
        network = plan.finish(network, calibration)
    network = looking_around(network, settings.views)
    model, scaling = to_int8(network, calibration), None
    if isinstance(task, Scaled):
        model, scaling = scaled(model, *task.held_out((*plan.beside, *plan.stages), settings))
    return Trained(network, model, plan, curves, scaling)


def cross_validate(
    task: Task,
    samples: Samples,
    settings: Settings,
    report: Report = lambda line: None,
    epochs: Epochs = lambda what, done, total, loss: None,
    first_seed: int = 0,
    resamples: int = RESAMPLES,
    contrasted: bool = True,
    labelled: Taught | None = None,
) -> Study:
    """Train every fold with every seed; pool what the folds say of their test sides.

    Args:
        task: of the registry.
        samples: all of the task's samples.
        settings: of training.
        report: told a line a fold.
        epochs: told about each epoch.
        first_seed: of weights and shuffling; the settings say how many follow.
        resamples: of the intervals; 0 gives none.
        contrasted: whether simpler methods are measured beside it.
        labelled: samples that each fold learns from too.

    Raises:
        UsageError: a split puts one person on two sides or leaves a side empty.
    """
    folds = task.folds(samples, settings)
    if labelled is not None:
        samples, places = joined(samples, labelled)
        folds = with_labelled(folds, places)
    folds = [fold.checked(samples) for fold in folds]
    for note in (fold.note for fold in folds if fold.note):
        report(note)
    every = [
        _Seed.run(task, samples, folds, settings, first_seed + number, report, epochs, contrasted and number == 0)
        for number in range(settings.seeds)
    ]
    first = every[0]
    metrics: dict[str, Any] = {
        "task": task.name,
        "settings": dataclasses.asdict(settings),
        "samples": len(samples),
        "people": len(np.unique(samples.people)),
        "groups": np.unique(samples.groups).tolist(),
        "data_sha256": samples.digest,
        "parameters": first.parameters,
        "macs": first.macs,
        "bytes": first.bytes,
    }
    for kind in ("float", "int8"):
        figures = [one.pooled[kind] for one in every]
        metrics[kind] = _mean(figures)
        if settings.seeds > 1:
            metrics[f"{kind}_spread"] = _spread(figures)
    metrics["int8"]["parameters"] = first.parameters
    if resamples:
        report(f"intervals from {resamples} draws of people")
        sure = bootstrap(_mean_of(task, every, settings), first.tested.people, first_seed, resamples)
        own, differences = contrast.parted(sure)
        metrics["intervals"] = {**described(first.tested.people, resamples, first_seed), "int8": own}
        if differences:
            better = contrast.better_by(task.more_is_better, metrics["int8"], first.beside)
            metrics["against"] = contrast.described(better, differences)
    metrics["folds"] = [fold for one in every for fold in one.by_fold]
    others = dict(first.beside)
    if contrast.BASELINE in others:
        metrics["baseline"] = others.pop(contrast.BASELINE)
    if others:
        metrics["others"] = others
    if first.refused:
        metrics["refused"] = first.refused
    metrics["goals"] = goals_of(task, settings, metrics["int8"])
    return Study(metrics, first.curves, first.last)


def goals_of(task: Task, settings: Settings, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """The task's goals, and whether figures of the int8 model meet them."""
    return [
        {
            "metric": goal.metric,
            "goal": f"{'>=' if goal.at_least else '<='} {goal.value:g}",
            "reached": figures.get(goal.metric),
            "met": goal.met(figures),
        }
        for goal in task.goals(settings)
    ]


@dataclass(frozen=True, slots=True)
class _Seed:
    """All folds of one seed; those of the first one with simpler methods beside, which know of no seed."""

    pooled: dict[str, dict[str, Any]]
    by_fold: list[dict[str, Any]]
    simple: dict[str, NDArray[np.float32]]
    beside: dict[str, dict[str, Any]]
    curves: dict[str, Curves]
    last: Trained
    parameters: int
    macs: int
    bytes: int
    tested: Samples
    said: NDArray[np.float32]
    refused: dict[str, float]

    @classmethod
    def run(
        cls,
        task: Task,
        samples: Samples,
        folds: list[Fold],
        settings: Settings,
        seed: int,
        report: Report,
        epochs: Epochs,
        contrasted: bool,
    ) -> "_Seed":
        outputs: dict[str, NDArray[np.float32]] = {}
        half_width = np.full(len(samples), np.nan)
        by_fold: list[dict[str, Any]] = []
        curves: dict[str, Curves] = {}
        strange: dict[str, list[NDArray[np.bool_]]] = {}
        for fold in folds:
            train, test = samples.pick(fold.train), samples.pick(fold.test)
            trained = train_one(
                task, train, samples.pick(fold.validation), settings, seed,
                _told(epochs, fold.name),
            )  # fmt: skip
            last = trained
            inputs = network_inputs(trained.plan.stages, task.prepare(test.features))
            _place(outputs, "float", len(samples), fold, trained.predict(inputs))
            _place(outputs, "int8", len(samples), fold, Int8Network(trained.model).predict([inputs]))
            if trained.plan.half_width is not None:
                half_width[fold.test] = trained.plan.half_width
                test = _with(test, half_width[fold.test])
            if contrasted:
                others = samples.pick(np.concatenate([fold.train, fold.validation]))
                for name, said in contrast.simple_ones(task, others, test, settings).items():
                    _place(outputs, name, len(samples), fold, said)
            figures = task.metrics(test, outputs["int8"][fold.test], settings)
            by_fold.append(
                {"fold": fold.name, "seed": seed, "test_samples": len(test), "int8": figures}
                | ({"note": fold.note} if fold.note else {})
            )
            curves[fold.name] = trained.curves
            for name, flagged in refusals(task, trained.plan.stages, test).items():
                strange.setdefault(name, []).append(flagged)
            report(f"{fold.name}, seed {seed}: " + ", ".join(f"{k} {v:.4g}" for k, v in figures.items() if _real(v)))
        # A fold tests a part; where the folds do not cover all samples, the rest stays out.
        seen = np.isfinite(outputs["int8"]).all(1)
        tested = samples.pick(seen)
        if np.isfinite(half_width).any():
            tested = _with(tested, half_width[seen])
        pooled = {kind: task.metrics(tested, outputs[kind][seen], settings) for kind in ("float", "int8")}
        for name, more_is_better in task.more_is_better.items():
            values = [fold["int8"].get(name) for fold in by_fold]
            if len(folds) > 1 and all(_real(value) for value in values):
                pooled["int8"][f"worst_fold_{name}"] = float(min(values) if more_is_better else max(values))
        simple = {name: said[seen] for name, said in outputs.items() if name not in ("float", "int8")}
        return cls(
            pooled, by_fold, simple, contrast.figures_of(task, samples.pick(seen), simple, settings), curves, last,
            int(trained.network.count_params()), networks.macs(trained.network), len(trained.model),
            tested.without_features(), outputs["int8"][seen],
            {name: float(np.concatenate(of).mean()) for name, of in strange.items()},
        )  # fmt: skip


def _mean_of(task: Task, every: list[_Seed], settings: Settings) -> Figures:
    """Figures of some of the tested samples, as mean over the seeds."""

    def figures(index: NDArray[np.int64], draw: NDArray[np.int64]) -> dict[str, float]:
        found = [
            numbers(task.metrics(one.tested.pick(index).of_people(draw), one.said[index], settings)) for one in every
        ]
        own = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        tested = every[0].tested.pick(index).of_people(draw)
        simple = {name: said[index] for name, said in every[0].simple.items()}
        return own | contrast.better_by(task.more_is_better, own, contrast.figures_of(task, tested, simple, settings))

    return figures


def _place(
    outputs: dict[str, NDArray[np.float32]], kind: str, count: int, fold: Fold, found: NDArray[np.float32]
) -> None:
    """Put what a fold found at its places among all samples, NaN where no fold has been."""
    if kind not in outputs:
        outputs[kind] = np.full((count, found.shape[1]), np.nan, np.float32)
    outputs[kind][fold.test] = found


def _told(epochs: Epochs, name: str) -> Callable[[int, int, float], None]:
    return lambda done, total, loss: epochs(name, done, total, loss)


def _with(samples: Samples, half_width: NDArray[np.float64]) -> Samples:
    return dataclasses.replace(samples, extra={**samples.extra, "half_width": half_width})


def _real(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isfinite(value))


def _mean(figures: list[dict[str, Any]]) -> dict[str, Any]:
    return {k: float(np.mean([f[k] for f in figures])) if isinstance(v, float) else v for k, v in figures[0].items()}


def _spread(figures: list[dict[str, Any]]) -> dict[str, Any]:
    return {k: float(np.std([f[k] for f in figures], ddof=1)) for k, v in figures[0].items() if isinstance(v, float)}

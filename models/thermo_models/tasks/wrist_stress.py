"""Stress task or rest from a wristband's last two minutes (Stress-Predict Dataset, Empatica E4, 1 Hz, MIT licence).

A sample is the 120 s before a moment: 17 statistics of skin temperature, heart rate, skin conductance, its logarithm and motion, as
the wearable's graph makes them of a recording.
It counts when the last 60 s have one label; samples come every 30 s. Nothing reaches further back or ahead, and nothing is taken
relative to what a person was like before. All people followed the same order of tasks, so elapsed time alone tells the label: the
clock is measured beside the network, and so is the network on pairs of samples taken at about the same elapsed time. Two dozen
people are too few to learn hidden weights from: the hidden layer is drawn and the last one solved for (`random_features.py`).
Over a session, an alarm that stands while two minutes in a row sound like a task is judged as a stream (`streams`).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.stages.select import Select
from thermo_core.stages.stage import Stage
from thermo_core.stages.statistics import Statistics
from thermo_models import extra_trees, streams
from thermo_models.domain import domain
from thermo_models.features import moments, signal_over, standardise, through
from thermo_models.fit import Curves
from thermo_models.metrics import auc, auc_matched, expected_calibration_error
from thermo_models.networks.dense import UNITS
from thermo_models.networks.layers import channels
from thermo_models.random_features import Hidden, Prior, Solved
from thermo_models.samples import Fold, Samples, digest_of, open_npz
from thermo_models.settings import Settings
from thermo_models.tasks.parts import part_alone
from thermo_models.tasks.task import CHANCE, Classes, Goal, Plan
from thermo_models.tasks.wrist_stress_limits import first_lines, limits
from thermo_models.templates import template

ARRAYS = ("subject", "t_unix", "temp_c", "eda_us", "hr", "acc_sd_g", "label")
WEARABLE = template("wrist-stress")
SOURCES = {"temperature": "temp_c", "heart-rate": "hr", "conductance": "eda_us", "motion": "acc_sd_g"}
"""Arrays of the file by the sensors of the wearable they stand for."""
WINDOW_S = 60
"""Seconds at a sample's end that must have one label."""
MATCHED_S = 60.0
"""Most difference of elapsed time between the two samples of a matched pair."""
SIGNALS = ("temperature", "heart rate", "conductance", "log conductance", "log motion")
LEFT_OUT = {"full": (), "without-temperature": (0,), "temperature-only": (1, 2, 3, 4)}
"""Places in `SIGNALS` that a variant does without."""
LINEAR, SMOOTH = 2.5, 1.0
TREES = 40
"""That stand beside the network."""
PARTS = 8
"""Of the people, each of which is told from the others where signals are taken by themselves."""
RULE = streams.Rule(above=0.5, findings=4, below=0.5)
"""An alarm: two minutes in a row that are more likely than not a task."""


class WristStress(Classes):
    """The task; see `tasks.task.Task`."""

    name = "wrist-stress"
    summary = "stress task or rest from two minutes at the wrist"
    source = "italha-d/Stress-Predict-Dataset, commit f49d2ea, MIT"
    whom = "people"
    ships = True
    needs_data = True
    wearable = WEARABLE
    entry = "numbers"
    variants = ("full", "without-temperature", "temperature-only")
    outputs = 1
    head = "sigmoid"
    loss = "binary_crossentropy"
    more_is_better = MappingProxyType({"auc": True, "auc_time_matched": True})
    compared_variants = ("without-temperature", "temperature-only")
    settings = Settings("dense_residual", width=0.25, dropout=0.0, batch=256, balance=True, seeds=3)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Goals of the whole set of signals."""
        return (Goal("auc", 0.78, True), Goal("auc_time_matched", 0.72, True)) if settings.variant == "full" else ()

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Samples of a file; `quick` keeps six people."""
        if path is None:
            raise UsageError("wrist-stress needs --data, the .npz file of 1 Hz signals.")
        arrays = open_npz(path, ARRAYS)
        if len({len(arrays[name]) for name in ARRAYS}) != 1:
            raise UsageError(f"{path} holds signals of different lengths, so check that it is the data of this task.")
        everybody = np.unique(arrays["subject"])[: 6 if quick else None]
        parts = [_samples_of({name: arrays[name][arrays["subject"] == one] for name in ARRAYS}) for one in everybody]
        features, labels, elapsed, task, since_s = (np.concatenate(column) for column in zip(*parts, strict=True))
        people = np.repeat(everybody.astype(np.int64), [len(part[0]) for part in parts])
        targets = labels.astype(np.float32)[:, np.newaxis]
        # The data have no campaigns: a person is a group, so that --groups chooses people.
        names = np.array([f"subject {person}" for person in people])
        extra = {"elapsed_s": elapsed, "task": task, "since_s": since_s}
        return Samples(features, targets, people, people, extra, digest_of(path), names)

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """Leave one person out."""
        nobody = np.zeros(0, np.int64)
        return [
            Fold(f"person {person} out", np.flatnonzero(samples.people != person), nobody, np.flatnonzero(samples.people == person))
            for person in np.unique(samples.people)
        ]  # fmt: skip

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Each statistic standardised over the training people; how the network is solved for."""
        stages = stages_of(train, settings)
        if settings.network != "dense_residual":
            return Plan(stages)
        inputs = through(stages, train.features).reshape(len(train), -1).astype(np.float64)
        positive = train.targets[:, 0] > 0.5
        prior = Prior(((np.ones(inputs.shape[1]), 1.0),), SMOOTH, LINEAR, 0.0)
        hidden = Hidden.draw(prior, channels(UNITS, settings.width), seed)

        def solve(network: Any) -> Curves:
            solved = Solved.of_classes(hidden, prior, inputs, positive, settings.balance)
            solved.put_into(network)
            said = 1 / (1 + np.exp(-solved(inputs)))
            before, after = (float(np.mean(np.square(p - positive))) for p in (np.full(len(said), 0.5), said))
            return Curves((before, after), ())

        return Plan(stages, solve=solve)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """The clock: share of the training people under task at this elapsed time, smoothed over a minute."""
        apart = test.extra["elapsed_s"][:, None] - train.extra["elapsed_s"][None, :]
        weights = np.exp(-0.5 * np.square(apart / 30.0)) + 1e-12
        share = weights @ train.targets[:, 0] / weights.sum(1)
        return np.asarray(share[:, np.newaxis], np.float32)

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """AUC over all people's samples, within a person (mean), and over pairs of the same elapsed time."""
        scores, positive = outputs[:, 0], samples.targets[:, 0] > 0.5
        within = [
            auc(scores[of], positive[of])
            for of in (samples.people == person for person in np.unique(samples.people))
            if positive[of].any() and not positive[of].all()
        ]
        course = streams.Course(samples.people, *(samples.extra[name] for name in ("elapsed_s", "task", "since_s")))
        layout = course.laid_out()
        judged = streams.judged(course, layout, streams.raised(layout, scores, RULE))
        return {
            "auc": auc(scores, positive) if within else float("nan"),
            "auc_within_person": float(np.mean(within)) if within else float("nan"),
            "auc_time_matched": auc_matched(scores, positive, samples.extra["elapsed_s"], MATCHED_S),
            "ece": expected_calibration_error(np.clip(outputs, 0, 1), positive.astype(np.int64)),
            **{f"alarms_{name}": judged[name] for name in ("found", "false_an_hour", "delay_s", "hours")},
        }

    def others(self, train: Samples, test: Samples, settings: Settings) -> dict[str, NDArray[np.float32]]:
        """Extra trees on the same statistics; and one half for every moment."""
        seen, asked = (_kept(side.features, settings) for side in (train, test))
        trees = extra_trees.tell(seen, (train.targets[:, 0] > 0.5).astype(np.int64), asked, 2, TREES)
        return {"trees": trees[:, 1:], CHANCE: np.full((len(test), 1), 0.5, np.float32)}

    def strange(self, samples: Samples) -> dict[str, NDArray[np.float32]]:
        """A band on a table, a wrist in the cold, a run, signals that are of different people."""
        rng = np.random.default_rng(0)
        table, cold, run, mixed = (samples.features.copy() for _ in range(4))
        for signal, level in ((0, 22.0), (2, 0.0), (3, np.log(0.05)), (4, np.log(0.003))):
            table[:, signal] = _of_a_level(level)
        cold[:, 0, :2] -= 12.0
        run[:, 1, :2] += 70.0
        run[:, 4, :2] = np.log(0.8)
        for signal in range(mixed.shape[1]):
            mixed[:, signal] = rng.permuted(mixed[:, signal], axis=0)
        return {
            "a band on a table": table,
            "a wrist 12 K colder": cold,
            "a run, heart rate 70 bpm higher": run,
            "statistics of different people and moments": mixed,
        }

    def ablate(self, samples: Samples, settings: Settings, quick: bool) -> list[dict[str, Any]]:
        """Task or rest by each signal alone, by extra trees."""
        each = samples.features.shape[2]
        parts = {
            "all of it": range(len(SIGNALS)), "without temperature": range(1, len(SIGNALS)), "temperature alone": (0,),
            "heart rate alone": (1,), "conductance alone": (2, 3), "motion alone": (4,),
        }  # fmt: skip
        inputs = {
            name: samples.features[:, list(signals)].reshape(len(samples), each * len(signals))
            for name, signals in parts.items()
        } | {"the clock alone": samples.extra["elapsed_s"][:, np.newaxis].astype(np.float32)}

        def tell(train: Samples, test: Samples) -> NDArray[np.float32]:
            positive = (train.targets[:, 0] > 0.5).astype(np.int64)
            return extra_trees.tell(train.features, positive, test.features, 2, TREES)[:, 1:]

        return [
            part_alone(
                self, name, replace(samples, features=of), settings, PARTS, tell, ("auc_time_matched", "auc"), quick
            )
            for name, of in inputs.items()
        ]

    def first_lines(self, metrics: Mapping[str, Any]) -> str:
        """What skin temperature is worth here."""
        return first_lines(metrics)

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `wrist_stress_limits`."""
        return limits(metrics)


def stages_of(train: Samples, settings: Settings) -> tuple[Stage, ...]:
    """What a variant leaves out, where it does, then each number standardised over the training side."""
    if not LEFT_OUT[settings.variant]:
        return _known((standardise(train.features, 4.0, "numbers", "standard"),), train)
    kept = Select(of="numbers", gives="kept", places=_places(train.features, settings))
    return _known((kept, standardise(through((kept,), train.features), 4.0, "kept", "standard")), train)


def _places(features: NDArray[np.float32], settings: Settings) -> tuple[int, ...]:
    """Places of numbers that a variant goes by."""
    of, each = features.shape[1:]
    return tuple(place for place in range(of * each) if place // each not in LEFT_OUT[settings.variant])


def _kept(features: NDArray[np.float32], settings: Settings) -> NDArray[np.float32]:
    """(n, numbers) that a variant goes by."""
    return features.reshape(len(features), -1)[:, _places(features, settings)]


def _known(stages: tuple[Stage, ...], train: Samples) -> tuple[Stage, ...]:
    """These and what holds their result within what the training people have."""
    return (*stages, domain(through(stages, train.features), train.people, "standard", "known"))


def _of_a_level(level: float) -> NDArray[np.float32]:
    """Statistics of a signal that stays at a level: its mean twice, and no change."""
    statistics = next(stage for stage in WEARABLE.profile.stages if isinstance(stage, Statistics)).give
    return np.array(
        [level if text.startswith("mean") and "-" not in text.replace("[-", "[") else 0.0 for text in statistics],
        np.float32,
    )


def _samples_of(of: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    """Of one person's moments: features (n, signals, statistics), labels, elapsed seconds, number of the task and seconds since it began."""
    elapsed = of["t_unix"] - of["t_unix"][0]
    each = moments({sensor: of[name] for sensor, name in SOURCES.items()})
    times_us = np.rint(elapsed * 1e6).astype(np.int64)
    numbers = signal_over(
        WEARABLE.profile, {name: replace(series, times_us=times_us) for name, series in each.items()}, "numbers"
    )
    ends = np.searchsorted(times_us, numbers.times_us, side="right")
    recent = np.stack([of["label"][end - WINDOW_S : end] for end in ends]) if len(ends) else np.zeros((0, WINDOW_S))
    whole = (recent[:, 0] >= 0) & (recent == recent[:, :1]).all(1)
    last = ends[whole] - 1
    labels = of["label"].astype(np.int64)
    begins = np.flatnonzero((labels == 1) & (np.diff(labels, prepend=-1) != 0))
    task = np.where(labels[last] == 1, np.searchsorted(begins, last, side="right") - 1, streams.NO_EVENT)
    since_s = elapsed[last] - elapsed[begins[task]] if len(begins) else np.zeros(len(last))
    return numbers.values[whole], recent[whole, 0].astype(np.int64), elapsed[last], task, since_s

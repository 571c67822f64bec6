"""Stress task or rest from a wristband's last two minutes (Stress-Predict Dataset, Empatica E4, 1 Hz, MIT licence).

A sample is the 120 s before a moment, in 5 s steps: skin temperature, skin conductance, heart rate and motion. It counts when
the last 60 s have one label; samples come every 30 s. Nothing reaches further back or ahead. All people followed the same order
of tasks, so elapsed time alone tells the label: the clock is measured beside the network, and so is the network on pairs of
samples taken at about the same elapsed time.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models.metrics import auc, auc_matched
from thermo_models.samples import Fold, Samples, Scaling, digest_of, open_npz
from thermo_models.settings import Settings
from thermo_models.tasks.task import Goal, Plan

ARRAYS = ("subject", "t_unix", "temp_c", "eda_us", "hr", "acc_sd_g", "label")
MEMORY_S, WINDOW_S, EVERY_S, STEP_S = 120, 60, 30, 5
MATCHED_S = 60.0
"""Most difference of elapsed time between the two samples of a matched pair."""
SIGNALS = (
    "temperature",
    "temperature change",
    "heart rate",
    "heart rate change",
    "conductance",
    "conductance change",
    "motion",
)
TEMPERATURE = (0, 1)
"""Places of the signals that come from the thermometer."""


class WristStress:
    """The task; see `tasks.task.Task`."""

    name = "wrist-stress"
    summary = "stress task or rest from two minutes at the wrist"
    ships = True
    needs_data = True
    variants = ("full", "without-temperature", "temperature-only")
    outputs = 1
    head = "sigmoid"
    loss = "binary_crossentropy"
    settings = Settings(
        "series_cnn", epochs=30, batch=256, rate=5e-3, decay=1e-2, dropout=0.3, patience=8, balance=True, folds=25
    )

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Goals of the whole set of signals."""
        return (Goal("auc", 0.78, True), Goal("auc_time_matched", 0.72, True)) if settings.variant == "full" else ()

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Samples of a file; `quick` keeps six people."""
        if path is None:
            raise UsageError("wrist-stress needs --data, the .npz file of 1 Hz signals.")
        arrays = open_npz(path, ARRAYS)
        parts = []
        for person in np.unique(arrays["subject"])[: 6 if quick else None]:
            of = {name: arrays[name][arrays["subject"] == person] for name in ARRAYS}
            parts.append((int(person), *_samples_of(of)))
        features = np.concatenate([part[1] for part in parts])
        people = np.concatenate([np.full(len(part[1]), part[0]) for part in parts])
        targets = np.concatenate([part[2] for part in parts]).astype(np.float32)[:, np.newaxis]
        elapsed = np.concatenate([part[3] for part in parts])
        if settings.variant == "without-temperature":
            features = np.delete(features, TEMPERATURE, axis=3)
        elif settings.variant == "temperature-only":
            features = features[..., TEMPERATURE]
        # The data have no campaigns: a person is a group, so that --groups chooses people.
        return Samples(features, targets, people, people, {"elapsed_s": elapsed}, digest_of(path))

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """Leave one person out; a fifth of the others, chosen by number, stop training."""
        everybody = np.unique(samples.people)
        folds = []
        for number, person in enumerate(everybody):
            others = everybody[everybody != person]
            validating = others[number % 5 :: 5]
            test, validation = samples.people == person, np.isin(samples.people, validating)
            sides = (~test & ~validation, validation, test)
            folds.append(Fold(f"person {person} out", *(np.flatnonzero(side) for side in sides)))
        return folds

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Each signal standardised over the training people and time."""
        flat = train.features.reshape(-1, train.features.shape[-1])
        scaling = Scaling.fit(flat, 4.0)

        def augment(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            each = rng.normal(0.0, 0.2, (len(batch), 1, 1, batch.shape[-1])).astype(np.float32)
            noise = 0.1 * rng.standard_normal(batch.shape, np.float32)
            return batch + each + noise

        return Plan(scaling, augment)

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
        return {
            "auc": auc(scores, positive) if within else float("nan"),
            "auc_within_person": float(np.mean(within)) if within else float("nan"),
            "auc_time_matched": auc_matched(scores, positive, samples.extra["elapsed_s"], MATCHED_S),
        }


def _samples_of(of: dict[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Features, labels and elapsed seconds of one person's moments."""
    signals = np.stack(
        [
            of["temp_c"],
            of["temp_c"],
            of["hr"],
            of["hr"],
            np.log(of["eda_us"] + 0.05),
            np.log(of["eda_us"] + 0.05),
            np.log(of["acc_sd_g"] + 0.003),
        ],
        axis=1,
    ).astype(np.float32)
    elapsed = of["t_unix"] - of["t_unix"][0]
    features, labels, times = [], [], []
    for end in range(MEMORY_S, len(signals) + 1, EVERY_S):
        recent = of["label"][end - WINDOW_S : end]
        whole = elapsed[end - 1] - elapsed[end - MEMORY_S] < MEMORY_S + STEP_S
        if recent[0] >= 0 and (recent == recent[0]).all() and whole:
            steps = signals[end - MEMORY_S : end].reshape(MEMORY_S // STEP_S, STEP_S, -1).mean(1)
            steps[:, [1, 3, 5]] -= steps[:, [1, 3, 5]].mean(0)
            features.append(steps[np.newaxis])
            labels.append(int(recent[0]))
            times.append(elapsed[end - 1])
    shape = (0, 1, MEMORY_S // STEP_S, len(SIGNALS))
    stacked = np.stack(features).astype(np.float32) if features else np.zeros(shape, np.float32)
    return stacked, np.array(labels, np.int64), np.array(times, np.float64)

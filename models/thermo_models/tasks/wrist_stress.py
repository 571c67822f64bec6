"""Stress task or rest from a wristband's last two minutes (Stress-Predict Dataset, Empatica E4, 1 Hz, MIT licence).

A sample is the 120 s before a moment: 17 statistics of skin temperature, heart rate, skin conductance, its logarithm and motion.
It counts when the last 60 s have one label; samples come every 30 s. Nothing reaches further back or ahead, and nothing is taken
relative to what a person was like before. All people followed the same order of tasks, so elapsed time alone tells the label: the
clock is measured beside the network, and so is the network on pairs of samples taken at about the same elapsed time. Two dozen
people are too few to learn hidden weights from: the hidden layer is drawn and the last one solved for (`random_features.py`).
"""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models.fit import Curves
from thermo_models.metrics import auc, auc_matched
from thermo_models.networks.dense import UNITS
from thermo_models.networks.layers import channels
from thermo_models.random_features import Hidden, Prior, Solved
from thermo_models.samples import Fold, Samples, Scaling, digest_of, open_npz
from thermo_models.settings import Settings
from thermo_models.tasks.task import Goal, Plan

ARRAYS = ("subject", "t_unix", "temp_c", "eda_us", "hr", "acc_sd_g", "label")
MEMORY_S, WINDOW_S, EVERY_S = 120, 60, 30
MATCHED_S = 60.0
"""Most difference of elapsed time between the two samples of a matched pair."""
SIGNALS = ("temperature", "heart rate", "conductance", "log conductance", "log motion")
STATISTICS = (
    "mean of 120 s",
    "mean of the last 60 s",
    "mean of the last 60 s minus that of the first",
    "mean of the last 20 s minus that of 120 s",
    "slope over 120 s",
    "slope over the last 60 s",
    "standard deviation over 120 s",
    "standard deviation over the last 60 s",
    "mean magnitude of the change in 1 s, last 60 s",
    "mean magnitude of the change in 1 s",
    "maximum minus mean",
    "minimum minus mean",
    "range of the last 60 s",
    "mean magnitude of the change in 5 s",
    "mean magnitude of the change in 20 s",
    "largest rise in 1 s",
    "largest fall in 1 s",
)
LEFT_OUT = {"full": (), "without-temperature": (0,), "temperature-only": (1, 2, 3, 4)}
"""Places in `SIGNALS` that a variant does without."""
LINEAR, SMOOTH = 2.5, 1.0


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
        parts = []
        for person in np.unique(arrays["subject"])[: 6 if quick else None]:
            of = {name: arrays[name][arrays["subject"] == person] for name in ARRAYS}
            parts.append((int(person), *_samples_of(of)))
        features = np.concatenate([part[1] for part in parts])
        people = np.concatenate([np.full(len(part[1]), part[0]) for part in parts])
        targets = np.concatenate([part[2] for part in parts]).astype(np.float32)[:, np.newaxis]
        elapsed = np.concatenate([part[3] for part in parts])
        features = np.delete(features, LEFT_OUT[settings.variant], axis=1).reshape(len(features), 1, 1, -1)
        # The data have no campaigns: a person is a group, so that --groups chooses people.
        names = np.array([f"subject {person}" for person in people])
        return Samples(features, targets, people, people, {"elapsed_s": elapsed}, digest_of(path), names)

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
        scaling = Scaling.fit(train.features, 4.0)
        kept = [name for place, name in enumerate(SIGNALS) if place not in LEFT_OUT[settings.variant]]
        described = {"memory_s": MEMORY_S, "signals": kept, "statistics": list(STATISTICS), "order": "by signal"}
        if settings.network != "dense_residual":
            return Plan(scaling, described=described)
        inputs = scaling.apply(train.features).reshape(len(train), -1).astype(np.float64)
        positive = train.targets[:, 0] > 0.5
        prior = Prior(((np.ones(inputs.shape[1]), 1.0),), SMOOTH, LINEAR, 0.0)
        hidden = Hidden.draw(prior, channels(UNITS, settings.width), seed)

        def solve(network: Any) -> Curves:
            solved = Solved.of_classes(hidden, prior, inputs, positive)
            solved.put_into(network)
            said = 1 / (1 + np.exp(-solved(inputs)))
            before, after = (float(np.mean(np.square(p - positive))) for p in (np.full(len(said), 0.5), said))
            return Curves((before, after), ())

        return Plan(scaling, solve=solve, described=described)

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
    """Features (n, signals, statistics), labels and elapsed seconds of one person's moments."""
    signals = np.stack(
        [
            of["temp_c"],
            of["hr"],
            of["eda_us"],
            np.log(of["eda_us"] + 0.05),
            np.log(of["acc_sd_g"] + 0.003),
        ]
    ).astype(np.float64)
    elapsed = of["t_unix"] - of["t_unix"][0]
    windows, labels, times = [], [], []
    for end in range(MEMORY_S, signals.shape[1] + 1, EVERY_S):
        recent = of["label"][end - WINDOW_S : end]
        whole = elapsed[end - 1] - elapsed[end - MEMORY_S] < MEMORY_S + 5
        if recent[0] >= 0 and (recent == recent[0]).all() and whole:
            windows.append(signals[:, end - MEMORY_S : end])
            labels.append(int(recent[0]))
            times.append(elapsed[end - 1])
    stacked = np.stack(windows) if windows else np.zeros((0, len(SIGNALS), MEMORY_S))
    return statistics_of(stacked).astype(np.float32), np.array(labels, np.int64), np.array(times, np.float64)


def statistics_of(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., STATISTICS) of windows (..., MEMORY_S) at 1 Hz, as `STATISTICS` names them."""
    half = windows[..., MEMORY_S // 2 :]
    mean, late = windows.mean(-1), half.mean(-1)
    change = np.diff(windows)

    def apart(seconds: int) -> NDArray[np.float64]:
        moved: NDArray[np.float64] = np.abs(windows[..., seconds:] - windows[..., :-seconds]).mean(-1)
        return moved

    return np.stack(
        [
            mean,
            late,
            late - windows[..., : MEMORY_S // 2].mean(-1),
            windows[..., -20:].mean(-1) - mean,
            _slope(windows),
            _slope(half),
            windows.std(-1),
            half.std(-1),
            np.abs(np.diff(half)).mean(-1),
            apart(1),
            windows.max(-1) - mean,
            windows.min(-1) - mean,
            np.ptp(half, axis=-1),
            apart(5),
            apart(20),
            change.max(-1),
            change.min(-1),
        ],
        axis=-1,
    )


def _slope(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Change a second by least squares."""
    t = np.arange(windows.shape[-1]) - (windows.shape[-1] - 1) / 2
    slope: NDArray[np.float64] = windows @ t / (t @ t)
    return slope

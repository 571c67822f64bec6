"""Sitting, aerobic exercise or sprints from heart rate and motion at the wrist (PhysioNet wearable-device-dataset, Empatica E4, 1 Hz).

A sample is a moment of a session, every 30 s from its first minute on: statistics of the last 60 s of heart rate and motion, and low,
middle and high level of each within about the last ten minutes, as the wearable's graph makes them. Levels begin with the session. The
class is the session's: rest and mental stress in a chair, one steady ride, or a ride with sprints, whose pauses are part of it, so
that a minute of pedalling can belong to either ride.

Boosted trees tell the classes, as a stage: with two dozen people they do better than networks of any kind that were tried, the best of
which stands in the card. The int8 network behind them carries their scores on, for findings are what networks say, and the
wearable reads the mean of these over about five minutes.

People come in two protocols, S (men, stages of 3 minutes) and f (women, later, longer): these are the groups. A person is in all three
kinds of session and on one side of a split. Skin temperature above 45 degC is a sensor fault; its session is without temperature.
Heart rate is the band's own, which locks to something else in sprints; what this wearable makes of its own pulse is told by
`bench/heart_rate.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models import extra_trees, streams
from thermo_models.fit import Curves
from thermo_models.metrics import accuracy, expected_calibration_error, f1
from thermo_models.samples import Fold, Samples, digest_of, open_npz
from thermo_models.settings import Settings
from thermo_models.tasks.fitness_band_cases import examined
from thermo_models.tasks.fitness_band_features import (
    CLASSES,
    COLUMNS,
    SPAN,
    WEARABLE,
    carry,
    columns,
    lately,
    samples_of,
    stages_of,
)
from thermo_models.tasks.fitness_band_limits import limits
from thermo_models.tasks.task import Classes, Goal, Plan

ARRAYS = ("session", "length", "temp_centi", "hr_x50", "acc_sd_g", "enmo_g")
KINDS = ("STRESS", "AEROBIC", "ANAEROBIC")
ALARMS = MappingProxyType({"exercise": [1, 2], "sprints": [2]})
"""Classes that are called together, over whole sessions."""
RULE = streams.Rule(above=0.5, findings=4, below=0.5)
"""Two minutes in a row that are more likely than not of them."""


class FitnessBand(Classes):
    """The task; see `tasks.task.Task`."""

    name = "fitness-band"
    summary = "sitting, aerobic exercise or sprints from heart rate and motion at the wrist; skin temperature adds nothing to that and is not used"
    source = (
        "wearable-device-dataset 1.0.1, PhysioNet, ODC-BY 1.0 (Hongn, Bosch, Prado & Bonomini 2025, doi 10.1038/s41597-025-04845-9), "
        "1 Hz"
    )
    whom = "people"
    ships = True
    needs_data = True
    wearable = WEARABLE
    entry = "facts"
    variants = ("full",)
    outputs = len(CLASSES)
    head = "linear"
    loss = "mse"
    more_is_better = MappingProxyType({"macro_f1": True, "accuracy": True})
    settings = Settings("dense_residual", width=0.05, dropout=0.0, batch=256, balance=True)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """One."""
        return (Goal("macro_f1", 0.80, True),)

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Samples of a file; `quick` keeps six people."""
        if path is None:
            raise UsageError("fitness-band needs --data, the .npz file of 1 Hz signals.")
        arrays = open_npz(path, ARRAYS)
        ends = np.cumsum(arrays["length"])
        if len({len(arrays[name]) for name in ARRAYS[2:]}) != 1 or not len(ends) or ends[-1] != len(arrays["hr_x50"]):
            raise UsageError(
                f"{path} holds signals of other lengths than its sessions, so check that it is the data of this task."
            )
        names = [str(session) for session in arrays["session"]]
        kinds, people = zip(*(_parted(path, name) for name in names), strict=True)
        everybody = sorted(set(people))[:: 4 if quick else 1]
        parts = []
        for name, kind, person, end, length in zip(names, kinds, people, ends, arrays["length"], strict=True):
            if person in everybody:
                of = {field: arrays[field][end - length : end] for field in ARRAYS[2:]}
                parts.append((kind, person, *samples_of(name, of)))
        counts = [len(part[2]) for part in parts]
        if not sum(counts):
            raise UsageError(f"{path} holds no session of a minute, so give longer recordings.")
        named = np.repeat([part[1] for part in parts], counts)
        groups = np.array([1 if one.startswith("S") else 2 for one in named])
        return Samples(
            np.concatenate([part[2] for part in parts]),
            np.repeat([part[0] for part in parts], counts).astype(np.int64),
            np.unique(named, return_inverse=True)[1].astype(np.int64),
            groups.astype(np.int64),
            {name: np.concatenate([part[3][name] for part in parts]) for name in parts[0][3]},
            digest_of(path),
            named,
        )

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """Leave one person out."""
        assert samples.names is not None
        nobody = np.zeros(0, np.int64)
        return [
            Fold(f"{name} out", np.flatnonzero(samples.names != name), nobody, np.flatnonzero(samples.names == name))
            for name in np.unique(samples.names)
        ]  # fmt: skip

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Numbers standardised over the training people, and the trees that tell classes; the network carries on what these say."""

        def solve(network: Any) -> Curves:
            carry(network)
            return Curves((1.0, 1.0), ())

        return Plan(stages_of(train.features, train.people, train.targets), solve=solve, span=SPAN)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """Extra trees on the same numbers."""
        return extra_trees.tell(train.features, train.targets, test.features, len(CLASSES))

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Macro F1, F1 of each class, and accuracy, of scores as they are read."""
        scores, truth = lately(outputs, samples.extra["elapsed_s"]), samples.targets
        said = scores.argmax(-1)
        each = {name: f1(said == k, truth == k) for k, name in enumerate(CLASSES)}
        return {
            "macro_f1": float(np.mean(list(each.values()))),
            **{f"f1_{name}": value for name, value in each.items()},
            "accuracy": accuracy(said, truth),
            "ece": expected_calibration_error(scores / np.maximum(scores.sum(1, keepdims=True), 1e-9), truth),
            **_alarms(scores, truth, samples.extra["elapsed_s"]),
        }

    def strange(self, samples: Samples) -> dict[str, NDArray[np.float32]]:
        """A run, an arm that is shaken in a chair, numbers that are of different people and moments."""
        seconds = len(COLUMNS) - 1
        rate, motion = (columns(seconds, (used,)) for used in ("rate", "motion"))
        run, shaken = samples.features.copy(), samples.features[samples.targets == 0].copy()
        run[:, rate] *= 1.3
        run[:, motion] *= 6.0
        shaken[:, motion] *= 20.0
        mixed = np.random.default_rng(0).permuted(samples.features, axis=0)
        found = {"six times the motion, a heart a third faster, as in a run": run}
        if len(shaken):
            found["an arm that is shaken in a chair"] = shaken
        return found | {"numbers of different people and moments": mixed}

    def examine(self, samples: Samples, settings: Settings) -> dict[str, Any]:
        """What one protocol teaches of the other; and what trees tell from each part of the numbers, one person left out."""
        return examined(self, samples, settings)

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `fitness_band_limits`."""
        return limits(metrics)


def _alarms(
    scores: NDArray[np.float64], truth: NDArray[np.int64], elapsed_s: NDArray[np.floating[Any]]
) -> dict[str, float]:
    """Over whole sessions, how exercise of any kind is called, and sprints: which sessions of it, and how often for nothing."""
    session = np.cumsum(np.diff(elapsed_s, prepend=np.inf) <= 0, dtype=np.int64)
    found: dict[str, float] = {}
    for name, classes in ALARMS.items():
        event = np.where(np.isin(truth, classes), 0, streams.NO_EVENT)
        course = streams.Course(session, elapsed_s.astype(np.float64), event, elapsed_s.astype(np.float64))
        layout = course.laid_out()
        judged = streams.judged(course, layout, streams.raised(layout, scores[:, classes].sum(1), RULE))
        found |= {f"{name}_{figure}": judged[figure] for figure in ("found", "false_an_hour", "delay_s")}
    return found


def _parted(path: Path, session: str) -> tuple[int, str]:
    """Class and person of a session."""
    kind, slash, person = session.partition("/")
    if kind not in KINDS or not slash or not person:
        raise UsageError(
            f"{path} has a session {session!r}, so name sessions KIND/person with a kind of {', '.join(KINDS)}."
        )
    return KINDS.index(kind), person.partition("_")[0]

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

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.stages.concatenate import Concatenate
from thermo_core.stages.hold import Hold
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models import extra_trees
from thermo_models.boosting import Boosting
from thermo_models.domain import domain
from thermo_models.features import moments, signal_from, standardise, through
from thermo_models.fit import Curves
from thermo_models.metrics import accuracy, f1
from thermo_models.samples import Fold, Samples, digest_of, open_npz
from thermo_models.settings import Settings
from thermo_models.tasks.fitness_band_limits import limits
from thermo_models.tasks.task import Goal, Plan
from thermo_models.templates import stage_of, template

ARRAYS = ("session", "length", "temp_centi", "hr_x50", "acc_sd_g", "enmo_g")
KINDS = ("STRESS", "AEROBIC", "ANAEROBIC")
CLASSES = ("sitting", "aerobic", "sprints")
WEARABLE = template("fitness-band")
DOUBLED = {"STRESS/S02": 1549}
"""Second from which a session says what it said before."""
NOT_WORN = frozenset({"STRESS/f07"})
"""Sessions with a cap on the band: neither heart rate nor temperature."""
HOTTEST_CELSIUS = 45.0
COLUMNS = ("rate", "motion", "motion", "temperature")
"""What each column of the graph's seconds is of, with the last one that is put there to measure what it adds."""
LEVELS = 3
"""Levels of each column."""
LIMIT = 4.0
"""Standard deviations."""
TREES = Boosting()
"""Its sizes were chosen on S people alone, each left out in turn, and of equal ones the smaller."""
EVERY_S, MEMORY_S = 30.0, stage_of(WEARABLE.profile, "activity-lately").memory_s


class FitnessBand:
    """The task; see `tasks.task.Task`."""

    name = "fitness-band"
    summary = (
        "sitting, aerobic exercise or sprints from heart rate and motion at the wrist; skin temperature adds nothing to that, and the "
        "network does not see it"
    )
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
                parts.append((kind, person, *_samples_of(name, of)))
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

        return Plan(stages_of(train.features, train.people, train.targets), solve=solve)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """Extra trees on the same numbers."""
        return extra_trees.tell(train.features, train.targets, test.features, len(CLASSES))

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Macro F1, F1 of each class, and accuracy, of scores as they are read."""
        said, truth = lately(outputs, samples.extra["elapsed_s"]).argmax(-1), samples.targets
        each = {name: f1(said == k, truth == k) for k, name in enumerate(CLASSES)}
        return {
            "macro_f1": float(np.mean(list(each.values()))),
            **{f"f1_{name}": value for name, value in each.items()},
            "accuracy": accuracy(said, truth),
        }

    def examine(self, samples: Samples, settings: Settings) -> dict[str, Any]:
        """What one protocol teaches of the other; and what trees tell from each part of the numbers, one person left out."""
        from thermo_models.tasks.fitness_band_cases import examined

        return examined(self, samples, settings)

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `fitness_band_limits`."""
        return limits(metrics)


def columns(seconds: int, used: Sequence[str]) -> list[int]:
    """Places of the numbers of what is used: of columns by statistics, then of levels by columns."""
    each = len(stage_of(WEARABLE.profile, "numbers").give)
    of_numbers = [place for place in range(seconds * each) if COLUMNS[place // each] in used]
    of_levels = [place for place in range(seconds * LEVELS) if COLUMNS[place % seconds] in used]
    return of_numbers + [seconds * each + place for place in of_levels]


def standard_of(features: NDArray[np.float32], people: NDArray[np.int64]) -> tuple[Stage, ...]:
    """Each number standardised over the training side, and held within what that shows."""
    standard = standardise(features, LIMIT, "facts", "standard")
    return (standard, domain(through((standard,), features), people, "standard", "known"))


def stages_of(
    features: NDArray[np.float32], people: NDArray[np.int64], targets: NDArray[np.int64]
) -> tuple[Stage, ...]:
    """The same, and the trees."""
    before = standard_of(features, people)
    return (*before, TREES.learn(through(before, features), targets, len(CLASSES), "known", "told"))


def carry(network: Any) -> None:
    """Let a `dense_residual` give what it takes: scores of trees become a finding that way."""
    first, last = (layer for layer in network.layers if layer.get_weights())
    first.set_weights([np.zeros_like(weights) for weights in first.get_weights()])
    kernel, bias = last.get_weights()
    kernel[:] = np.eye(*kernel.shape)
    last.set_weights([kernel, np.zeros_like(bias)])


def lately(outputs: NDArray[np.float32], elapsed_s: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scores as the wearable reads them: their mean over the session so far, later over about its `MEMORY_S`.

    Args:
        outputs: (n, classes), session after session.
        elapsed_s: (n,) seconds of the session, which begins anew where they do not rise.
    """
    begins = np.flatnonzero(np.diff(elapsed_s, prepend=np.inf) <= 0)
    number = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(outputs)))
    place = np.arange(len(outputs)) - begins[number]
    table = np.zeros((len(begins), int(place.max(initial=0)) + 1, outputs.shape[1]))
    table[number, place] = outputs
    for step in range(1, table.shape[1]):
        share = EVERY_S / min(EVERY_S * (step + 1), MEMORY_S)
        table[:, step] = table[:, step - 1] + share * (table[:, step] - table[:, step - 1])
    read: NDArray[np.float64] = table[number, place]
    return read


def with_temperature(profile: Profile) -> Profile:
    """The graph with skin temperature among its seconds, to measure what it adds."""
    held = Hold(of="skin", on="moved", gives="skin-each-second", oldest_s=10.0)
    stages = [
        replace(stage, of=(*stage.of, held.gives))
        if isinstance(stage, Concatenate) and stage.gives == "each-second"
        else stage
        for stage in profile.stages
    ]
    return replace(profile, stages=(*stages, held))


def _parted(path: Path, session: str) -> tuple[int, str]:
    """Class and person of a session."""
    kind, slash, person = session.partition("/")
    if kind not in KINDS or not slash or not person:
        raise UsageError(
            f"{path} has a session {session!r}, so name sessions KIND/person with a kind of {', '.join(KINDS)}."
        )
    return KINDS.index(kind), person.partition("_")[0]


def _samples_of(session: str, of: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Features (n, numbers) of a session's moments; its seconds till then, and the numbers of skin temperature."""
    cut = DOUBLED.get(session)
    rate = np.where(of["hr_x50"] < 0, np.nan, of["hr_x50"] / 50.0).astype(np.float32)[:cut]
    celsius = (of["temp_centi"] / 100.0).astype(np.float32)[:cut]
    if session in NOT_WORN:
        rate = np.full_like(rate, np.nan)
    if session in NOT_WORN or (celsius > HOTTEST_CELSIUS).any():
        celsius = np.full_like(celsius, np.nan)
    motion = np.stack([of["enmo_g"], of["acc_sd_g"]], axis=1).astype(np.float32)[:cut]
    given = moments({"beating": rate[:, np.newaxis], "moved": motion, "skin": celsius})
    facts = signal_from(with_temperature(WEARABLE.profile), given, dict.fromkeys(given, 1.0), "facts")
    own, warm = (columns(len(COLUMNS), used) for used in (("rate", "motion"), ("temperature",)))
    return facts.values[:, own], {"elapsed_s": facts.times_us / 1e6, "temperature": facts.values[:, warm]}

"""Oral temperature from a face's infrared temperatures (PhysioNet face-oral-temp-data 1.0.0, CC0).

A sample is one row of the file, a person before a camera; people are known by their SubjectID, the same for both cameras of the
data set. What the wearable is told of one: each region's mean over rounds 1-3, each region in round 4 (mouth open), ambient
temperature, humidity, distance, hour, sex and the middle of the age band; its graph makes the features of that.
A network of one hidden layer is drawn and its last layer solved for (`random_features.py`): 544 people are too few to learn
hidden weights from. It learns from each person several times, with the room and the distance moved at random, so that it leans on
them lightly, and the camera by a little: another campaign's are others. The 90 % interval comes from its errors on days of the training
side it has not seen, left out by date, warmth and humidity, since these are the nearest to another campaign that one campaign holds; it is a
second output, wider far from what was learnt (`face.half_width_of`). Nothing of the camera but its temperatures is used.
"""

import csv
import datetime
import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import StorageError, UsageError
from thermo_core.files import check_readable
from thermo_core.stages.select import Select
from thermo_core.stages.stage import Stage
from thermo_models import extra_trees
from thermo_models.face import (
    CONTEXT,
    COVERAGE,
    LEFT_OUT,
    LIMIT,
    REGIONS,
    WEARABLE,
    Taught,
    half_width_of,
    inputs_of,
    prior_of,
    solved_for,
    stages_of,
)
from thermo_models.features import moments, signal_over, standardise, through
from thermo_models.fit import Curves
from thermo_models.identity import numbered
from thermo_models.metrics import auc, rmse
from thermo_models.networks.dense import UNITS
from thermo_models.networks.layers import channels
from thermo_models.random_features import Hidden, put_together
from thermo_models.samples import Fold, Samples, digest_of, groups_left_out, people_folds
from thermo_models.settings import Settings
from thermo_models.tasks import core_temperature_cases as core_cases
from thermo_models.tasks.core_temperature_limits import limits
from thermo_models.tasks.parts import part_alone
from thermo_models.tasks.task import CHANCE, Goal, Plan

CENTRE_CELSIUS = (WEARABLE.profile.models[0].quantities or ())[0].offset
"""What the network's output 0 means."""
FEVER_CELSIUS = 37.5
YOUNG = 25
"""Years; of an age band, its middle."""
ROUNDS = 4
RIDGE = 10.0
WIDEST = 0.2
"""Share of people whose intervals are the widest."""


def temperature_and_width(true: Any, said: Any) -> Any:
    """Square of what temperature is off by, and what a half-width that nine in ten errors are within loses (pinball loss of its quantile)."""
    from keras import ops

    error = said[:, :1] - true[:, :1]
    beyond = ops.abs(ops.stop_gradient(error)) - said[:, 1:]
    return ops.mean(ops.square(error) + ops.maximum(COVERAGE * beyond, (COVERAGE - 1) * beyond), axis=-1)


class CoreTemperature:
    """The task; see `tasks.task.Task`."""

    name = "core-temperature"
    summary = "oral temperature from infrared temperatures of the face"
    source = "PhysioNet face-oral-temp-data 1.0.0 (doi 10.13026/3bhc-9065), CC0"
    whom = "people"
    ships = True
    needs_data = True
    wearable = WEARABLE
    entry = "facts"
    variants = tuple(LEFT_OUT)
    outputs = 2
    head = "linear"
    loss = staticmethod(temperature_and_width)
    more_is_better = MappingProxyType({"rmse": False, "mae": False, "auc_fever": True})
    compared_variants = ("without-mouth", "without-face-maximum")
    settings = Settings("dense_residual", width=2.0, dropout=0.0, batch=512, seeds=3, folds=10)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Goals of a variant."""
        if settings.variant != "full":
            return (Goal("rmse", 0.265, False),)
        return (
            Goal("rmse", 0.245, False),
            Goal("mae", 0.19, False),
            Goal("auc_fever", 0.975, True),
            Goal("coverage", 0.87, True),
            Goal("coverage", 0.93, False),
            Goal("half_width", 0.42, False),
        )

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """People of a .csv.gz file; `quick` keeps every sixth."""
        if path is None:
            raise UsageError("core-temperature needs --data, the .csv.gz file of facial and oral temperatures.")
        rows = _rows(path)[:: 6 if quick else 1]
        try:
            by_round = np.array([[_column(rows, region, k) for region in REGIONS] for k in range(1, ROUNDS + 1)])
            oral = np.array([_number(row["aveOralM"]) for row in rows])
            told = {
                "air": [_number(row["T_atm"]) for row in rows],
                "humidity": [_number(row["Humidity"]) for row in rows],
                "distance": [_number(row["Distance"]) for row in rows],
                "hour": [_hour(row["Time"]) for row in rows],
                "person.sex": [float(row["Gender"] == "Male") for row in rows],
                "person.age_years": [_age(row.get("Age", "")) for row in rows],
            }
            groups = np.array([int(float(row["group"])) for row in rows])
            oral_fast = np.array([_number(row["aveOralF"]) for row in rows])
            names = [row["SubjectID"].strip() for row in rows]
        except (KeyError, ValueError) as error:
            raise UsageError(f"{path} lacks a column or holds no number where one is due ({error}).") from error
        if "" in names:
            raise UsageError(f"{path} has no SubjectID in row {names.index('') + 2}, so nobody could tell whose it is.")
        known = np.isfinite(oral) & np.isfinite(by_round).any((0, 1))
        if not known.any():
            raise UsageError(
                f"{path} holds nobody with facial and oral temperatures, so check that it is the right file."
            )
        first, last = by_round[: ROUNDS - 1], by_round[-1]
        present = np.isfinite(first)
        mean = np.where(present, first, 0).sum(0) / np.where(present.any(0), present.sum(0), np.nan)
        sources = {
            "face": np.stack([mean, last]).transpose(2, 0, 1),
            **{name: np.array(of) for name, of in told.items()},
        }
        each = moments({name: values[known].astype(np.float32) for name, values in sources.items()})
        features = signal_over(WEARABLE.profile, each, self.entry).values
        targets = (oral[known] - CENTRE_CELSIUS).astype(np.float32)[:, np.newaxis]
        extra = {
            "day": np.array([_day(row.get("Date", "")) for row in rows])[known],
            "modes_apart": (oral - oral_fast)[known],
            "camera": np.array([row["camera"].strip() for row in rows])[known],
        }
        of = np.array(names)[known]
        return Samples(features, targets, numbered(of), groups[known], extra, digest_of(path), of)

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """One campaign against the others where the file holds several, else people dealt to folds."""
        if len(np.unique(samples.groups)) > 1:
            return groups_left_out(samples)
        return list(people_folds(samples.people, settings.folds, 0, validation=False))

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Standardised features; how what is said and the interval around it are solved for."""
        stages = stages_of(train, settings)
        if settings.network != "dense_residual":
            return Plan(stages)
        prior, taught = prior_of(settings), Taught.of(stages, train)
        hidden = Hidden.draw(prior, channels(UNITS, settings.width), seed)

        def solve(network: Any) -> Curves:
            known = solved_for(hidden, prior, taught)
            put_together(network, (known.solved, half_width_of(hidden, prior, taught, known)))
            error = known.solved(taught.inputs) - taught.targets
            return Curves((float(np.var(taught.targets)), float(np.mean(np.square(error)))), ())

        return Plan(stages, solve=solve)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """Ridge regression on the same standardised features."""
        return _ridge(stages_of(train, settings), train, test)

    def others(self, train: Samples, test: Samples, settings: Settings) -> dict[str, NDArray[np.float32]]:
        """Extra trees on the same features; and 37 degC for everybody, which tells nobody from another."""
        left = [place for place, name in enumerate((*REGIONS, *REGIONS)) if name in LEFT_OUT[settings.variant]]
        seen, asked = (np.delete(side.features, left, axis=1) for side in (train, test))
        trees = extra_trees.tell_numbers(seen, train.targets, asked, core_cases.TREES)
        return {"trees": trees, CHANCE: np.zeros((len(test), 1), np.float32)}

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Errors in K, AUC for 37.5 degC and above, coverage and half-width of the 90 % interval: of all, and of its widest fifth."""
        error = outputs[:, 0].astype(np.float64) - samples.targets[:, 0]
        fever = samples.targets[:, 0] >= FEVER_CELSIUS - CENTRE_CELSIUS - 1e-6
        figures = {
            "rmse": rmse(error),
            "mae": float(np.abs(error).mean()),
            "bias": float(error.mean()),
            "auc_fever": auc(outputs[:, 0], fever) if fever.any() and not fever.all() else float("nan"),
        }
        if outputs.shape[1] > 1:
            half_width = outputs[:, 1].astype(np.float64)
            held = np.abs(error) <= half_width
            widest = half_width >= np.quantile(half_width, 1 - WIDEST)
            figures |= {
                "coverage": float(held.mean()),
                "coverage_widest": float(held[widest].mean()),
                "half_width": float(half_width.mean()),
                "half_width_widest": float(half_width[widest].mean()),
            }
        return figures

    def strange(self, samples: Samples) -> dict[str, NDArray[np.float32]]:
        """No face, no room like it, another thermograph, regions that are not where they are said to be."""
        faces = 2 * len(REGIONS)
        air, rng = samples.features[:, -CONTEXT, np.newaxis], np.random.default_rng(0)
        wall, hot, low, mixed = (samples.features.copy() for _ in range(4))
        wall[:, :faces] = air + rng.normal(0, 0.1, wall[:, :faces].shape)
        hot[:, -CONTEXT] = 35.0
        low[:, :faces] -= 4.0
        mixed[:, :faces] = rng.permuted(mixed[:, :faces], axis=1)
        return {
            "a wall at the room's temperature": wall,
            "the same faces in a room of 35 degC": hot,
            "faces through a thermograph that reads 4 K less": low,
            "faces whose regions are exchanged": mixed,
        }

    def ablate(self, samples: Samples, settings: Settings, quick: bool) -> list[dict[str, Any]]:
        """Oral temperature by parts of the facts, by ridge regression."""
        context, faces = samples.features.shape[1] - CONTEXT, tuple(range(2 * len(REGIONS)))
        parts = {
            "all of it": tuple(range(samples.features.shape[1])),
            "the face alone": faces,
            "without the face: room, distance, hour, sex and age": tuple(range(context, context + CONTEXT)),
            "room and distance alone": (context, context + 1, context + 2),
            "the clock alone": (context + 3,),
            "sex and age alone": (context + 4, context + 5),
        }
        rows = []
        for name, places in parts.items():

            def tell(train: Samples, test: Samples, places: tuple[int, ...] = places) -> NDArray[np.float32]:
                kept = Select(of=self.entry, gives="kept", places=places)
                stages = (kept, standardise(through((kept,), train.features), LIMIT, "kept", "standard"))
                return _ridge(stages, train, test)

            rows.append(part_alone(self, name, samples, settings, settings.folds, tell, ("rmse", "auc_fever"), quick))
        return rows

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `core_temperature_limits`."""
        return limits(metrics)

    def examine(self, samples: Samples, settings: Settings) -> dict[str, Any]:
        """Who the data hold, and how the float network fares on months, cameras and rounds unlike those it learnt from."""
        _, _, distance, _, _, log_age = samples.features[:, -CONTEXT:].T
        data = {
            "cameras": sorted(np.unique(samples.extra["camera"]).tolist()),
            "young_share": float(np.mean(np.exp(log_age[np.isfinite(log_age)]) <= YOUNG)),
            "fever": int(np.sum(samples.targets[:, 0] >= FEVER_CELSIUS - CENTRE_CELSIUS - 1e-6)),
            "distance_m": [round(float(edge(distance)), 2) for edge in (np.nanmin, np.nanmax)],
            "modes_apart_k": float(np.nanstd(samples.extra["modes_apart"])),
        }
        measured = core_cases.measure(core_cases.cases(self, samples, settings), self, samples, settings)
        return {"data": data, "cases": measured}


def _ridge(stages: tuple[Stage, ...], train: Samples, test: Samples) -> NDArray[np.float32]:
    """(n, 1) by a regression on what stages make; what has no value counts as usual."""
    inputs, tested = (np.nan_to_num(inputs_of(stages, side)) for side in (train, test))
    mean = train.targets.mean(0)
    weights = np.linalg.solve(
        inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1]), inputs.T @ (train.targets.astype(np.float64) - mean)
    )
    return np.asarray(tested @ weights + mean, np.float32)


def _rows(path: Path) -> list[dict[str, str]]:
    check_readable(path)
    try:
        with gzip.open(path, "rt", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error}), so check --data.") from error
    except (EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise UsageError(f"{path} is no .csv.gz file that can be read ({error}), so fetch it again.") from error
    if not rows or None in rows[-1] or None in rows[-1].values():
        raise UsageError(f"{path} is empty or its last row is cut short, so fetch it again.")
    return rows


def _column(rows: list[dict[str, str]], region: str, k: int) -> list[float]:
    """One region in round k; the file writes them `T_RC1`, `Max1R13_1` and once `T_LC14` for `T_LC4`."""
    for name in (f"{region}{k}", f"{region}_{k}", f"{region}1{k}"):
        if name in rows[0]:
            return [_number(row[name]) for row in rows]
    raise KeyError(f"{region} of round {k}")


def _number(text: str) -> float:
    return float(text) if text.strip() else float("nan")


def _hour(text: str) -> float:
    hours, minutes = text.split(":")[:2]
    return int(hours) + int(minutes) / 60


def _age(band: str) -> float:
    """The middle of a band such as `18-20` or `>60`, years; NaN where it says nothing."""
    years = [float(number) for number in re.findall(r"\d+", band)]
    return float(np.mean(years)) if years and min(years) > 0 else float("nan")


def _day(text: str) -> float:
    """Number of the day `yy-mm-dd`; NaN where there is no such date."""
    try:
        return float(datetime.datetime.strptime(text.strip(), "%y-%m-%d").toordinal())
    except ValueError:
        return float("nan")

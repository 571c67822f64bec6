"""Core temperature and state of a wearer from heart, skin, air and movement, of simulated bodies (`monitor_bodies`).

One network says five shares: core temperature from 35.5 to 41 degC, and each of the four states. It sees what the heart, skin and
movement are, what they are by the last ten minutes, the last hour and the wearer's own days, and what ECTemp makes of the heart.
Beside it stand ECTemp alone, the constant 37.0 degC, and a logistic regression on eight numbers.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.schema import Floats
from thermo_core.stages.select import Select
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models.domain import domain
from thermo_models.features import standardise, through
from thermo_models.metrics import auc, rmse
from thermo_models.samples import Fold, Samples, people_folds
from thermo_models.settings import Settings
from thermo_models.tasks.monitor_bodies import ENTRY, STATES, WEARABLE, Wearing, wearers
from thermo_models.tasks.monitor_limits import limits
from thermo_models.tasks.monitor_unseen import probe
from thermo_models.tasks.parts import part_alone
from thermo_models.tasks.task import Goal, Plan, Probe, Said
from thermo_models.templates import stage_of

LOW_CELSIUS, SPAN_K = 35.5, 5.5
"""What the share 0 of core temperature means, and how far 1 is from it."""
PEOPLE, QUICK_PEOPLE = (*range(1000, 1360), *range(2000, 2360)), range(1000, 1006)
"""Their seeds."""
FIFTH = 5
"""Of the people one in so many is enough for a regression; odd, since every other one has a fever."""
EVERY = 30
"""Of the moments of a course one in so many is learnt from: each ten minutes."""
CORE_WEIGHT = 30.0
COVERAGE = 0.87
"""Of the errors of a regression, which errs somewhat more than the network, so that nine in ten of the network's are within."""
RIDGE = 300.0
AXES = 5
"""Of what was learnt from, along which a moment may lie too far. With them, the facts that tell it (`VITAL`) were chosen on people that neither
training nor card has; a microcontroller has no room for all 35."""
LIMIT = 4.0
PARTS = 4
"""Of the people, each of which is told from the others for the interval."""
EIGHT = (0, 1, 2, 3, 6, 7, 21, 28)
"""Of the facts, what the logistic regression takes: heart rate, its quality, movement, skin, air, ECTemp, heart rate by the last hour,
skin by the wearer's days."""
_HEART, _MOVEMENT, _SKIN, _AIR = (
    frozenset({0, 1, 7, 8, 9, 10, 16, 21, 26}), frozenset({2, 11, 17, 22, 27}),
    frozenset({3, 4, 5, 12, 13, 14, 18, 19, 23, 24, 28, 29}), frozenset({6, 15}),
)  # fmt: skip
_HOURS, _WHO = frozenset({20, 25, 30}), frozenset({31, 32, 33, 34})
_ALL = _HEART | _MOVEMENT | _SKIN | _AIR | _HOURS | _WHO
PARTS_ALONE: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "all of it": tuple(sorted(_ALL)),
        "without skin and air": tuple(sorted(_ALL - _SKIN - _AIR)),
        "skin alone": tuple(sorted(_SKIN)),
        "air alone": tuple(sorted(_AIR)),
        "heart alone": tuple(sorted(_HEART)),
        "movement alone": tuple(sorted(_MOVEMENT)),
        "the hours it was worn alone": tuple(sorted(_HOURS)),
        "age, weight, height and sex alone": tuple(sorted(_WHO)),
    }
)
"""Facts by what they are of."""
LEFT_OUT: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        "full": frozenset(),
        "without-temperature": _SKIN | _AIR,
        "temperature-only": _ALL - _SKIN - _AIR - _HOURS,
        "without-heart": _HEART,
        "without-movement": _MOVEMENT,
        "without-who": _WHO,
        "clock-alone": _ALL - _HOURS,
    }
)
"""Facts that a variant does without."""
VITAL: Select = stage_of(WEARABLE.profile, "vital")


def core_and_state(true: Any, said: Any) -> Any:
    """Cross-entropy of all shares, and the square of what core temperature is off by, `CORE_WEIGHT` times."""
    from keras import ops

    bounded = ops.clip(said, 1e-6, 1 - 1e-6)
    entropy = -(true * ops.log(bounded) + (1 - true) * ops.log(1 - bounded))
    return ops.mean(entropy, axis=-1) + CORE_WEIGHT * ops.square(true[:, 0] - said[:, 0])


class Monitor:
    """The task; see `tasks.task.Task`."""

    name = "monitor"
    summary = "core temperature and state of a wearer from heart, skin, air and movement"
    source = (
        "simulated bodies of JOS-3 0.5.0 (MIT), by `thermo_sim.people`; their table ships, no measured person is in it"
    )
    whom = "simulated people"
    ships = True
    needs_data = False
    wearable = WEARABLE
    entry = ENTRY
    variants = tuple(LEFT_OUT)
    outputs = 1 + len(STATES)
    head = "sigmoid"
    loss = staticmethod(core_and_state)
    more_is_better = MappingProxyType({"core_rmse": False, "auc_fever": True, "macro_f1": True})
    compared_variants = ("without-temperature", "temperature-only", "without-heart", "clock-alone")
    settings = Settings("dense_residual", width=0.5, dropout=0.0, epochs=24, batch=256, rate=3e-3, decay=0.6, folds=3)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Goals of all that the wearable senses."""
        if settings.variant != "full":
            return ()
        return (
            Goal("core_rmse", 0.28, False),
            Goal("auc_fever", 0.97, True),
            Goal("coverage", 0.87, True),
            Goal("coverage", 0.93, False),
        )

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Made of seeds; `quick` makes few people."""
        parts = _everybody(QUICK_PEOPLE if quick else PEOPLE)
        features = np.concatenate([one.facts for _, one in parts])
        core = np.concatenate([one.core_celsius for _, one in parts])
        state = np.concatenate([one.state for _, one in parts])
        shares = np.clip((core - LOW_CELSIUS) / SPAN_K, 0, 1)
        targets = np.column_stack([shares, np.eye(len(STATES))[state]]).astype(np.float32)
        people = np.concatenate([np.full(len(one.facts), seed) for seed, one in parts])
        extra = {
            "core": core,
            "state": state,
            "ectemp": np.concatenate([one.ectemp_celsius for _, one in parts]),
            "script": np.concatenate([np.full(len(one.facts), one.script) for _, one in parts]),
        }
        return Samples(features, targets, people, people, extra)

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """People dealt to folds."""
        return list(people_folds(samples.people, settings.folds, 0, validation=False))

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Standardised facts; the interval's half-width from a regression's errors on people it has not seen.

        The regression takes the products of facts too, and errs about as much as the network.
        """
        stages = stages_of(train, settings)
        inputs = _with_products(through(stages, train.features).reshape(len(train), -1).astype(np.float64))
        core = train.extra["core"]
        errors = np.zeros(len(train))
        for part in np.array_split(np.unique(train.people), PARTS):
            out = np.isin(train.people, part)
            errors[out] = np.abs(_ridge(inputs[~out], core[~out], inputs[out]) - core[out])
        worn = train.extra["state"] < STATES.index("sensor off")
        return Plan(stages, half_width=float(np.quantile(errors[worn], COVERAGE)), beside=_known(train, settings))

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """ECTemp alone, and a logistic regression on eight numbers for the state."""
        share = (test.extra["ectemp"] - LOW_CELSIUS) / SPAN_K
        places = Select(of=ENTRY, gives="eight", places=EIGHT)
        eight = through((places,), train.features)
        stages = (places, standardise(eight, 4.0, "eight", "standard"))
        inputs, asked = (
            np.column_stack([through(stages, side.features).reshape(len(side), -1), np.ones(len(side))]).astype(float)
            for side in (train, test)
        )
        scores = [_logistic(inputs, train.extra["state"] == number, asked) for number in range(len(STATES))]
        return np.column_stack([share, *scores]).astype(np.float32)

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Of core temperature where the monitor is worn, over all and by script; of the states."""
        core, state = samples.extra["core"], samples.extra["state"]
        worn = state < STATES.index("sensor off")
        said = LOW_CELSIUS + SPAN_K * outputs[:, 0].astype(np.float64)
        error = (said - core)[worn]
        scripts = samples.extra["script"][worn]
        found = {
            "core_rmse": rmse(error),
            "core_rmse_healthy": rmse(error[scripts != "fever"]),
            "core_mae": float(np.mean(np.abs(error))),
            "core_bias": float(np.mean(error)),
            "core_rmse_constant_37": rmse(37.0 - core[worn]),
            **{f"core_rmse_{name}": rmse(error[scripts == name]) for name in np.unique(scripts).tolist()},
        }
        best = outputs[:, 1:].argmax(1)
        f1 = [_f1(best == number, state == number) for number in range(len(STATES)) if np.any(state == number)]
        ill, strained = state == STATES.index("fever-like"), state == STATES.index("heat strain")
        if "half_width" in samples.extra:
            width = samples.extra["half_width"][worn]
            found |= {"coverage": float(np.mean(np.abs(error) <= width)), "half_width": float(np.mean(width))}
        return {
            **found,
            "macro_f1": float(np.mean(f1)),
            "accuracy": float(np.mean(best == state)),
            "auc_fever": auc(outputs[worn, 2], ill[worn]) if ill.any() else float("nan"),
            "auc_strain": auc(outputs[worn, 3], strained[worn]) if strained.any() else float("nan"),
            "off_found": float(np.mean(best[~worn] == STATES.index("sensor off"))) if (~worn).any() else float("nan"),
            "off_said_of_worn": float(np.mean(best[worn] == STATES.index("sensor off"))),
        }

    def probe(self, profile: Profile, stages: tuple[Stage, ...], said: Said, quick: bool) -> Probe:
        """Calibration of the states on people that no training has met, and what is refused of them, and of what no body gives."""
        return probe(
            stages, (*stages, stage_of(profile, "vital"), stage_of(profile, "known")), said, 3 if quick else 60
        )

    def ablate(self, samples: Samples, settings: Settings, quick: bool) -> list[dict[str, Any]]:
        """Core temperature by each kind of fact alone, by the regression on facts and their products that sets the interval."""
        rows = []
        some = samples.pick(np.isin(samples.people, np.unique(samples.people)[:: 1 if quick else FIFTH]))
        for name, places in PARTS_ALONE.items():

            def tell(train: Samples, test: Samples, places: tuple[int, ...] = places) -> NDArray[np.float32]:
                kept = Select(of=ENTRY, gives="kept", places=places)
                stages = (kept, standardise(through((kept,), train.features), 4.0, "kept", "standard"))
                seen, asked = (
                    _with_products(through(stages, side.features).reshape(len(side), -1).astype(np.float64))
                    for side in (train, test)
                )
                share = (_ridge(seen, train.extra["core"], asked) - LOW_CELSIUS) / SPAN_K
                return np.column_stack([share, np.zeros((len(test), len(STATES)))]).astype(np.float32)

            rows.append(part_alone(self, name, some, settings, settings.folds, tell, ("core_rmse",), quick))
        return rows

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `monitor_limits`."""
        return limits(metrics)


@cache
def _everybody(people: Sequence[int]) -> tuple[tuple[int, Wearing], ...]:
    """Every `EVERY`th moment of all that people wear the monitor through, with their numbers."""
    return tuple((seed, one.thinned(EVERY)) for seed in people for one in wearers(seed))


def stages_of(train: Samples, settings: Settings) -> tuple[Stage, ...]:
    """What a variant leaves out, where it does, then each fact standardised over the training side."""
    left = LEFT_OUT[settings.variant]
    if not left:
        return (standardise(train.features, LIMIT, ENTRY, "standard"),)
    kept = Select(of=ENTRY, gives="kept", places=tuple(place for place in range(len(_ALL)) if place not in left))
    return (kept, standardise(through((kept,), train.features), LIMIT, "kept", "standard"))


def _known(train: Samples, settings: Settings) -> tuple[Stage, ...]:
    """What tells moments unlike all that was learnt from, by those of `VITAL` that a variant has; by all of its facts where it has none of them."""
    have = [place for place in range(len(_ALL)) if place not in LEFT_OUT[settings.variant]]
    places = [have.index(place) for place in VITAL.places if place in have] or range(len(have))
    vital = replace(VITAL, places=tuple(places))
    numbers = through((*stages_of(train, settings), vital), train.features)
    known = domain(numbers, train.people, VITAL.gives, "known", AXES)
    return vital, replace(known, low=Floats(np.array([-LIMIT])), high=Floats(np.array([LIMIT])))


def _with_products(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = np.triu_indices(inputs.shape[1])
    return np.concatenate([inputs, inputs[:, first] * inputs[:, second]], axis=1)


def _ridge(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    mean = targets.mean()
    weights = np.linalg.solve(inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1]), inputs.T @ (targets - mean))
    said: NDArray[np.float64] = asked @ weights + mean
    return said


def _logistic(
    inputs: NDArray[np.float64], positive: NDArray[np.bool_], asked: NDArray[np.float64], steps: int = 12
) -> NDArray[np.float64]:
    """Probability by a logistic regression with a little ridge, by Newton's method."""
    found = np.zeros(inputs.shape[1])
    for _ in range(steps):
        probability = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        gradient = inputs.T @ (probability - positive) + found
        curvature = np.maximum(probability * (1 - probability), 1e-6)
        found -= np.linalg.solve((inputs.T * curvature) @ inputs + np.eye(len(found)), gradient)
    scores: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(asked @ found, -30, 30)))
    return scores


def _f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    both = float(np.sum(said & true))
    return 2 * both / max(float(said.sum() + true.sum()), 1.0)

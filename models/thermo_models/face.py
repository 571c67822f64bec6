"""What is told of a face: its regions, what is believed of their weights beforehand, and how what is learnt of them is solved for.

The interval around what is said is a second function on the same hidden layer. A person's error on days that were not learnt from, over how unsure the
first function is of itself there, has a 90th percentile; times that uncertainty it is the half-width (normalised conformal prediction,
Papadopoulos et al. 2011), which is learnt at people and at points far from all of them.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.select import Select
from thermo_core.stages.stage import Stage
from thermo_models.domain import domain
from thermo_models.features import standardise, through
from thermo_models.random_features import Hidden, Posterior, Prior, Solved
from thermo_models.samples import Samples
from thermo_models.settings import Settings
from thermo_models.templates import template

WEARABLE = template("core-temperature")
REGIONS = [
    name.removesuffix(" closed")
    for sensor in WEARABLE.profile.sensors
    if isinstance(sensor, ExternalSettings) and sensor.name == "face"
    for name in sensor.given
    if name.endswith(" closed")
]
CONTEXT, ROOM = 6, 3
"""Features that are no facial temperature; those of them that tell of the room and the distance, which come first."""
COPIES, MOVED = 3, 1.5
"""Copies of a person with the room and the distance moved at random, by so many standard deviations of the training side."""
CAMERA_K = 0.1
"""Standard deviation of what a copy's camera reads more or less, as another campaign's does."""
LEFT_OUT = {"full": (), "without-mouth": ("T_OR", "T_OR_Max"), "without-face-maximum": ("T_OR", "T_OR_Max", "T_Max")}
"""Regions a variant does without. The face's maximum is often the open mouth, so one variant drops it too."""
MOUTH = ("T_OR", "T_OR_Max", "T_Max")
"""Regions that an opened mouth changes: nothing can be taken from one round for another."""
LIMIT = 4.0
"""Standard deviations beyond which nothing counts."""
SMOOTH, LINEAR, NOISE = 0.7, 0.02, 0.2
LENGTHS, FOREHEADS = (0.5, 1.0, 3.0), (0.25, 1.0)
"""Lengths and weights of the forehead in the prior's views: sweat and air move the forehead most."""
COVERAGE = 0.9
PERIODS = 4
"""Of the training side's days, left out one after another to set the interval."""
LEAST_VARIANCE = 0.01
"""Of a target around what is said, beside what the function is unsure of, K^2: a little is always unknown."""
FAR, WIDTH_NOISE = 2.5, 0.003
"""How far from people the half-width is learnt too, times their distance from the mean; variance that is smoothed away of it."""
MOUTH_WEIGHT, CONTEXT_WEIGHT = 2.0, 1.5
"""Weights of the open mouth, which is nearest to what is asked for, and of ambient temperature, humidity ... age."""


def stages_of(train: Samples, settings: Settings) -> tuple[Stage, ...]:
    """What a variant leaves out, where it does, then the facts standardised over the training side."""
    if not LEFT_OUT[settings.variant]:
        return _known((standardise(train.features, LIMIT, "facts", "standard"),), train)
    names = [*REGIONS, *REGIONS, *[""] * CONTEXT]
    kept = Select(
        of="facts",
        gives="kept",
        places=tuple(place for place, name in enumerate(names) if name not in LEFT_OUT[settings.variant]),
    )
    return _known((kept, standardise(through((kept,), train.features), LIMIT, "kept", "standard")), train)


def _known(stages: tuple[Stage, ...], train: Samples) -> tuple[Stage, ...]:
    """These and what holds their result within what the training side has."""
    return (*stages, domain(through(stages, train.features), train.people, "standard", "known"))


def inputs_of(stages: tuple[Stage, ...], samples: Samples) -> NDArray[np.float64]:
    """(n, d) what the network sees."""
    return through(stages, samples.features).astype(np.float64)


def prior_of(settings: Settings) -> Prior:
    """What is believed of the weights of the standardised features of a variant."""
    kept = [region for region in REGIONS if region not in LEFT_OUT[settings.variant]]
    views = []
    for length, forehead in itertools.product(LENGTHS, FOREHEADS):
        regions = np.array([forehead if "FH" in region else 1.0 for region in kept])
        opened = np.where([region in MOUTH for region in kept], MOUTH_WEIGHT, regions)
        views.append((np.concatenate([regions, opened, np.full(CONTEXT, CONTEXT_WEIGHT)]), length))
    return Prior(tuple(views), SMOOTH, LINEAR, NOISE)


@dataclass(frozen=True, slots=True)
class Taught:
    """A training side as it is learnt from.

    Attributes:
        inputs: (n, d) what the network sees.
        targets: (n,).
        orders: what people differ by from day to day, (n,) each: quarters of each are left out to set the interval.
        camera: (d,) what a kelvin more of a camera adds to the inputs.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    orders: tuple[NDArray[np.float64], ...]
    camera: NDArray[np.float64]

    @classmethod
    def of(cls, stages: tuple[Stage, ...], train: Samples) -> "Taught":
        """Days by their date, the room's warmth and its humidity."""
        standard = next(stage for stage in stages if isinstance(stage, Normalise))
        camera = 1 / standard.spread.array.astype(np.float64)
        camera[-CONTEXT:] = 0.0
        air, humidity = train.features[:, -CONTEXT:].T[:2].astype(np.float64)
        orders = (train.extra["day"].astype(np.float64), air, humidity)
        return cls(inputs_of(stages, train), train.targets[:, 0].astype(np.float64), orders, camera)

    def pick(self, index: NDArray[np.int64]) -> "Taught":
        """Some people of it."""
        return Taught(self.inputs[index], self.targets[index], tuple(one[index] for one in self.orders), self.camera)


def solved_for(hidden: Hidden, prior: Prior, taught: Taught) -> Posterior:
    """The function, each person learnt from several times, with the room, the distance and the camera moved at random."""
    rng = np.random.default_rng(0)
    moved = [taught.inputs]
    for _ in range(COPIES):
        copy = taught.inputs + rng.normal(0, CAMERA_K, (len(taught.inputs), 1)) * taught.camera
        copy[:, -CONTEXT : -CONTEXT + ROOM] += rng.normal(0, MOVED, (len(copy), ROOM))
        moved.append(np.clip(copy, -LIMIT, LIMIT))
    return Posterior.of(hidden, prior, np.concatenate(moved), np.tile(taught.targets, COPIES + 1), COPIES + 1)


def half_width_of(hidden: Hidden, prior: Prior, taught: Taught, whole: Posterior) -> Solved:
    """The half-width of an interval that holds nine in ten people of unseen days, as a function of what the network sees.

    Args:
        hidden: layer that it shares.
        prior: of the function that the interval is around.
        taught: what that was learnt from.
        whole: that function.
    """
    error, variance = _unseen(hidden, prior, taught)
    rank = min(1.0, COVERAGE * (1 + 1 / len(taught.inputs)))
    unsure = np.sqrt(variance + LEAST_VARIANCE)
    ratio = float(np.quantile(np.abs(error) / unsure, rank, method="higher"))
    rng = np.random.default_rng(1)
    far = np.clip(taught.inputs * rng.uniform(1, FAR, (len(taught.inputs), 1)), -LIMIT, LIMIT)
    mixed = np.clip(taught.inputs + rng.normal(0, 0.5, taught.inputs.shape), -LIMIT, LIMIT)
    beyond = np.concatenate([far, mixed])
    points = np.concatenate([taught.inputs, beyond])
    wide = np.concatenate([unsure.mean(0), np.sqrt(whole.variance(beyond) + LEAST_VARIANCE)])
    smooth = Solved.of(hidden, Prior(prior.views, prior.smooth, prior.linear, WIDTH_NOISE), points, ratio * wide)
    # What is smoothed holds another share of people than what it is of.
    held = float(np.quantile(np.abs(error) / np.maximum(smooth(taught.inputs), 1e-3), rank, method="higher"))
    return smooth.times(held)


def _unseen(hidden: Hidden, prior: Prior, taught: Taught) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(orders, n) errors and variances for each person of functions learnt on other days alone."""
    shape = (len(taught.orders), len(taught.targets))
    error, variance = np.zeros(shape), np.zeros(shape)
    for place, order in enumerate(taught.orders):
        for part in np.array_split(np.argsort(order, kind="stable"), PERIODS):
            others = np.setdiff1d(np.arange(len(order)), part)
            known = solved_for(hidden, prior, taught.pick(others))
            error[place, part] = known.solved(taught.inputs[part]) - taught.targets[part]
            variance[place, part] = known.variance(taught.inputs[part])
    return error, variance

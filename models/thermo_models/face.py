"""What is told of a face: its regions, what a variant does without, and what is believed of their weights beforehand."""

import itertools

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.stages.select import Select
from thermo_core.stages.stage import Stage
from thermo_models.domain import domain
from thermo_models.features import standardise, through
from thermo_models.random_features import Hidden, Prior, Solved
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
LEFT_OUT = {"full": (), "without-mouth": ("T_OR", "T_OR_Max"), "without-face-maximum": ("T_OR", "T_OR_Max", "T_Max")}
"""Regions a variant does without. The face's maximum is often the open mouth, so one variant drops it too."""
MOUTH = ("T_OR", "T_OR_Max", "T_Max")
"""Regions that an opened mouth changes: nothing can be taken from one round for another."""
LIMIT = 4.0
"""Standard deviations beyond which nothing counts."""
SMOOTH, LINEAR, NOISE = 0.7, 0.02, 0.1
LENGTHS, FOREHEADS = (0.5, 1.0, 3.0), (0.25, 1.0)
"""Lengths and weights of the forehead in the prior's views: sweat and air move the forehead most."""
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


def solved_for(hidden: Hidden, prior: Prior, inputs: NDArray[np.float64], targets: NDArray[np.float64]) -> Solved:
    """The network of inputs (n, d) and targets (n,), each learnt from several times, with the room and the distance moved at random."""
    rng = np.random.default_rng(0)
    moved = [inputs]
    for _ in range(COPIES):
        copy = inputs.copy()
        room = copy[:, -CONTEXT : -CONTEXT + ROOM]
        copy[:, -CONTEXT : -CONTEXT + ROOM] = np.clip(room + rng.normal(0, MOVED, room.shape), -LIMIT, LIMIT)
        moved.append(copy)
    return Solved.of(hidden, prior, np.concatenate(moved), np.tile(targets, COPIES + 1), COPIES + 1)

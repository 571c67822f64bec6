"""What `breast-patch` cannot tell of: pictures unlike those it learnt from, by their texture and by their coarse shape."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Series
from thermo_core.stages.domain_gate import DomainGate
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models.augment import Augmentation
from thermo_models.domain import REFUSED, domain
from thermo_models.features import moments, signal_from, standardise, through
from thermo_models.templates import stage_of

PICTURES = (4, 8, 16, 32, 64)
"""Numbers of averaged pictures: a sensor's noise differs with its temperature and age, and is no reason to refuse."""
LIMIT = 8.0
"""Standard deviations beyond which a number counts as so far and no farther."""
AXES = 16
DOMAINS = ("texture", "coarse")
"""Each refuses its part of `REFUSED`."""


def known(profile: Profile, pictures: NDArray[np.float32], people: NDArray[np.int64]) -> tuple[Stage, ...]:
    """The stages that tell what is like pictures that were learnt from, with what they learn of these.

    Args:
        profile: of the wearable.
        pictures: (n, 24, 32) averaged.
        people: (n,) whose each is.
    """
    found: list[Stage] = []
    for name in DOMAINS:
        numbers = _signal(profile, pictures, name).values.reshape(len(pictures), -1)
        standard = standardise(numbers, LIMIT, name, f"{name}-standard")
        inputs = through((standard,), numbers)
        found += [standard, domain(inputs, people, standard.gives, f"{name}-known", AXES, REFUSED / len(DOMAINS))]
    return tuple(found)


def learnt_from(parts: NDArray[np.float32], flips: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, 24, 32) pictures as the device sees them, of bodies, lesions and noise (n, 24, 32, 3), some of them mirrored."""
    count = rng.choice(PICTURES, (len(parts), 1, 1)).astype(np.float32)
    pictures = parts[..., 0] + parts[..., 1] + parts[..., 2] / np.sqrt(count)
    return flips.apply(pictures[..., np.newaxis].astype(np.float32), rng)[..., 0]


def taught(profile: Profile, stages: Sequence[Stage]) -> Profile:
    """The wearable with stages in place of those that give the same signals."""
    learnt = {stage.gives: stage for stage in stages}
    return replace(profile, stages=tuple(learnt.get(stage.gives, stage) for stage in profile.stages))


def refused(profile: Profile, pictures: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) whether the wearable flags averaged pictures (n, 24, 32) in degC as ones of which it cannot tell.

    The flag of a sensor that is not calibrated, which is refused whatever it shows, is not among them.
    """
    gate: DomainGate = stage_of(profile, "told")
    unlike = (_signal(profile, pictures, "known").flags & np.uint16(Quality.OUT_OF_DOMAIN)) != 0
    halves = _signal(profile, pictures, gate.by).values
    return np.asarray(unlike | ~((halves >= gate.low) & (halves <= gate.high)).all(1))


def _signal(profile: Profile, pictures: NDArray[np.float32], name: str) -> Series:
    at_once = replace(stage_of(profile, "calm"), pictures=1)
    return signal_from(taught(profile, (at_once,)), moments({at_once.of: pictures}), {}, name)

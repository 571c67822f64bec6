"""Breast-patch pictures against a wearer's own reference of a week, from simulated wearers through the whole sensor chain.

A wearer has a skin that changes from hour to hour, puts the patch on anew each day, a fraction of a pixel off, and lives in rooms that
change (`thermo_sim.worn_patch`). For a week the wearable's stage learns; then the wearer is looked at with and without a lesion, and with
each kind of disturbance. The reference learns of none of these looks, so that they can be compared.

A look is the mean of as many pictures as the wearable averages: a picture without noise and the noise of one over the root of their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_core.signals import Signal
from thermo_core.stages import OPS
from thermo_core.stages.stage import Moments, Recursive, Stage
from thermo_models.features import through
from thermo_models.patch import Calibrated, Size, for_each_sensor
from thermo_sim.bioheat import Tissue, Tumour, surface_rise
from thermo_sim.disturbances import KINDS, Disturbance, Event
from thermo_sim.scenes import WHOLE, Map
from thermo_sim.surroundings import Conditions
from thermo_sim.worn_patch import DAY_S, HARSH, HOUR_S, MILD, Days, Habits, Lump, rise_of, seen_celsius

REFERENCE_DAYS = 7
REFERENCE_EVERY_S = 4 * HOUR_S
PICTURES_A_LOOK = 16
"""Whole pictures in two seconds at 16 subpages a second."""
CONTRAST_K = (0.15, 1.6)
"""Rise of the skin above a lesion's middle, at usual skin."""
LEAST_DISTURBANCE_K = 0.6
"""Of the farthest pixel from a disturbance's own median; weaker ones are drawn anew."""
NONE, LESION, DISTURBED = range(3)
KIND_NAMES = tuple(KINDS)
TUMOURS = 400


@dataclass(frozen=True, slots=True)
class Looks:
    """What is seen of wearers after their week.

    Attributes:
        difference: (n, 24, 32) float32, K against the reference, as the wearable's stage gives it: NaN where it has no value.
        above: (n, 24, 32) float32, K of the picture above its median.
        rise: (n, 24, 32) float32, K that a lesion would add, or that is in it.
        disturbance: (n, 24, 32) float32, K that a disturbance would add, or that is in it.
        what: (n,) int64: `NONE`, `LESION` or `DISTURBED` is in it.
        kind: (n,) int64, place in `KIND_NAMES` of the disturbance.
        contrast_k, depth_mm: (n,) float64 of the lesion.
        flags: (n,) uint16 of the reference's stage.
        wearers: (n,) int64, seed of the wearer.
    """

    difference: NDArray[np.float32]
    above: NDArray[np.float32]
    rise: NDArray[np.float32]
    disturbance: NDArray[np.float32]
    what: NDArray[np.int64]
    kind: NDArray[np.int64]
    contrast_k: NDArray[np.float64]
    depth_mm: NDArray[np.float64]
    flags: NDArray[np.uint16]
    wearers: NDArray[np.int64]


class Watched:
    """A wearer and the patch's camera, calibrated once.

    Args:
        seed: of wearer and camera.
        skin: generator of the skin.
        habits: how much changes.
        rng: of the camera's surroundings and of noise.
    """

    def __init__(self, seed: int, skin: str, habits: Habits, rng: np.random.Generator) -> None:
        self.days = Days(seed, skin, habits, rng.uniform(32.8, 34.2))
        self._sensor, self._rng = Calibrated(seed, rng), rng
        self._quiet = self._sensor.quiet()
        self._noise_k: NDArray[np.float32] | None = None

    def look(
        self, time_s: float, lump: Lump | None = None, added: Map | float = 0.0, off: tuple[float, float] = (0, 0)
    ) -> Any:
        """(24, 32) float32 degC, at a time; `added` K, the patch `off` by rows and columns beside where it sits that day."""
        moment = self.days.at(time_s)
        seen = WHOLE if off == (0, 0) else (WHOLE[0] + off[0], WHOLE[1] + off[1])
        truth = seen_celsius(self.days.skin, moment, seen, lump, time_s) + added
        self._quiet.move(Conditions(moment.room_celsius + 8, 3.3, moment.room_celsius, 0.98))
        clean = self._quiet.picture(truth)
        if self._noise_k is None:
            self._noise_k = np.std(self._sensor.still(truth, 24), axis=0)
        noise = self._noise_k * self._rng.standard_normal((ROWS, COLUMNS)).astype(np.float32)
        return clean + noise / np.float32(np.sqrt(PICTURES_A_LOOK))


class Learner:
    """The wearable's own reference, fed with pictures.

    Args:
        centre: the stage before it.
        reference: the stage; it gives the difference alone.
        every_s: seconds from picture to picture.
    """

    def __init__(self, centre: Stage, reference: Stage, every_s: float) -> None:
        op = OPS[reference.op]
        assert isinstance(op, Recursive)
        self._centre = centre
        signal = Signal("above", (ROWS, COLUMNS), "K", 1 / every_s, "skin")
        self._state = op.start(reference, (signal,))

    def push(
        self,
        times_s: Sequence[float] | NDArray[np.float64],
        pictures: NDArray[np.float32],
        doubtful: bool | NDArray[np.bool_] = False,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint16]]:
        """Differences, pictures above their medians, and flags; what is `doubtful`, all or each, teaches nothing."""
        above = through((self._centre,), pictures)
        flags = np.where(np.broadcast_to(doubtful, len(above)), np.uint16(Quality.MOVING), np.uint16(0)).astype(
            np.uint16
        )
        times_us = np.rint(np.asarray(times_s) * 1e6).astype(np.int64)
        difference, said = self._state.run(Moments(times_us, (above,), flags))
        return difference.reshape(above.shape), above, said


def looks(first_seed: int, size: Size, skin: str, stages: tuple[Stage, Stage], alone: bool) -> Looks:
    """Simulate wearers; the same arguments give the same looks.

    Args:
        first_seed: of the wearers, from which they count up.
        size: how many wearers, and looks of each: of none, of lesions and of disturbances in turn.
        skin: generator of their skin.
        stages: centre and reference of the wearable.
        alone: whether lesions and disturbances are given by themselves, for training to add, instead of within the picture; then habits
            are anywhere from mild to harsh, else those of every other wearer are mild.
    """
    found = for_each_sensor(partial(_looks_of, size.bodies, skin, stages, alone), first_seed, size)
    names = [one.name for one in fields(Looks)][:-1]
    parts: dict[str, NDArray[Any]] = {
        name: np.concatenate(arrays) for name, arrays in zip(names, zip(*found, strict=True), strict=True)
    }
    return Looks(**parts, wearers=np.repeat(np.arange(first_seed, first_seed + size.sensors), size.bodies))


def habits_between(rng: np.random.Generator) -> Habits:
    """Somewhere from a mild life to a harsh one."""
    share = rng.uniform()
    return Habits(
        *(getattr(MILD, name) * (1 - share) + getattr(HARSH, name) * share for name in Habits.__struct_fields__)
    )


def _looks_of(count: int, skin: str, stages: tuple[Stage, Stage], alone: bool, seed: int) -> tuple[NDArray[Any], ...]:
    rng = np.random.default_rng([seed, 0x3EEC])
    between = habits_between(rng)
    watched = Watched(seed, skin, between if alone else (MILD, HARSH)[seed % 2], rng)
    learner = Learner(*stages, REFERENCE_EVERY_S)
    times = np.arange(0, REFERENCE_DAYS * DAY_S, REFERENCE_EVERY_S)
    learner.push(times, np.stack([watched.look(time) for time in times]))
    rows: list[tuple[Any, ...]] = []
    for place in range(count):
        time_s = rng.uniform(REFERENCE_DAYS, REFERENCE_DAYS + 3) * DAY_S
        what = place % 3
        lump, contrast = draw_lump(rng)
        kind = int(rng.integers(len(KINDS)))
        disturbed = draw_disturbance(kind, rng)
        if alone:
            picture = watched.look(time_s)
        else:
            picture = watched.look(
                time_s,
                lump if what == LESION or (what == DISTURBED and place % 2) else None,
                disturbed if what == DISTURBED else 0.0,
            )
        (difference,), (above,), (flags,) = learner.push(
            [time_s + REFERENCE_EVERY_S], picture[np.newaxis], doubtful=True
        )
        moment = watched.days.at(time_s)
        rise = moment.contrast * rise_of(lump, moment.grid(WHOLE))
        rows.append(
            (
                difference,
                above,
                rise,
                disturbed,
                what,
                kind,
                contrast,
                lump.tumour.depth_mm,
                flags & ~np.uint16(Quality.MOVING),
            )
        )
    kinds = (np.float32, np.float32, np.float32, np.float32, np.int64, np.int64, np.float64, np.float64, np.uint16)
    return tuple(np.array(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=True))


def draw_lump(rng: np.random.Generator) -> tuple[Lump, float]:
    """A lesion anywhere in the picture, faint ones more often than clear ones; and its contrast, K."""
    low, high = CONTRAST_K
    return lump_near(low + (high - low) * rng.uniform() ** 1.5, rng)


def lump_near(contrast_k: float, rng: np.random.Generator) -> tuple[Lump, float]:
    """One of the six lesions whose contrast is nearest to that, anywhere in the picture; and its contrast, K."""
    tumours, peaks = _tumours()
    near = np.argsort(np.abs(peaks - contrast_k))[:6]
    chosen = int(rng.choice(near))
    return Lump(rng.uniform(3, 20), rng.uniform(3, 28), tumours[chosen]), float(peaks[chosen])


@cache
def _tumours() -> tuple[list[Tumour], NDArray[np.float64]]:
    """Tumours of 6 to 20 mm depth whose contrast is within `CONTRAST_K`."""
    rng = np.random.default_rng(0x7D0)
    found: list[Tumour] = []
    peaks: list[float] = []
    while len(found) < TUMOURS:
        depth = rng.uniform(6, 20)
        one = Tumour(depth, rng.uniform(3, min(10, depth - 1.5)), rng.uniform(0.003, 0.01), rng.uniform(500, 6000))
        peak = float(surface_rise(one, Tissue(), np.zeros(1))[0])
        if CONTRAST_K[0] <= peak <= CONTRAST_K[1]:
            found.append(one)
            peaks.append(peak)
    return found, np.array(peaks)


def draw_disturbance(kind: int, rng: np.random.Generator) -> Map:
    """K that a disturbance of this kind adds, at a moment at which it is strong enough to be one."""
    while True:
        event = Event(Disturbance(KIND_NAMES[kind], seed=int(rng.integers(1 << 30))))
        rise = rng.uniform(0.4, 1.0) * event.rise(WHOLE)
        if np.abs(rise - np.median(rise)).max() >= LEAST_DISTURBANCE_K:
            return rise

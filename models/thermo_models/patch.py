"""Breast-patch pictures from simulated scenes through the whole sensor chain, each made from a seed.

What is measured is what the device would feed the network: true temperatures -> counts with noise -> decoder -> the sensor's
own two-point correction -> running mean of the wearable's graph. What is learnt from comes in parts that add up to that, so that
training can combine them anew each time: a healthy body seen by a sensor without noise, what a lesion adds, and the noise of
one picture.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages import average
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.chips.mlx90640.radiometry import Noise
from thermo_sim.scenes import Lesion, blackbody, breast_patch
from thermo_sim.surroundings import Conditions

EMISSIVITY = 0.98
CONTRAST_K = (0.3, 2.0)
CALIBRATION_CELSIUS = (30.0, 38.0)
CALIBRATION_PICTURES = 96
"""Pictures averaged a set-point, as `thermo-host calibrate` does by default."""
PROCESSES = 2
SENSORS_WORTH_A_PROCESS = 8


@dataclass(frozen=True, slots=True)
class Size:
    """How many simulated sensors a split has and how many bodies each sees."""

    sensors: int
    bodies: int


@dataclass(frozen=True, slots=True)
class Parts:
    """What pictures to learn from are put together of.

    Attributes:
        healthy: (n, 24, 32) float16, K above the median: a body without a lesion, with the errors calibration left in the
            pixels, without noise.
        rise: (n, 24, 32) float16, K that a lesion adds; zero in every other sample.
        noise: (n, 24, 32) float16, K of one picture's noise.
        sensors: (n,) int64, seed of the sensor.
    """

    healthy: NDArray[np.float16]
    rise: NDArray[np.float16]
    noise: NDArray[np.float16]
    sensors: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Measured:
    """Pictures as a device sees them.

    Attributes:
        pictures: (n, averages, 24, 32) float32, degC: means of so many pictures of one body.
        has_lesion: (n,) bool; every other body has one.
        lesions: (n, 4) float64, row, column, radius and contrast in K of the lesion a body has or could have had.
        sensors: (n,) int64, seed of the sensor.
    """

    pictures: NDArray[np.float32]
    has_lesion: NDArray[np.bool_]
    lesions: NDArray[np.float64]
    sensors: NDArray[np.int64]


class Calibrated:
    """One sensor in its surroundings, corrected by two blackbodies with the noise a real calibration has."""

    def __init__(self, seed: int, rng: np.random.Generator) -> None:
        self._seed = seed
        self._conditions = Conditions(
            ta=rng.uniform(24, 40), vdd=rng.normal(3.3, 0.02), reflected=rng.uniform(16, 32), emissivity=EMISSIVITY
        )
        self._source = PictureSource(seed, conditions=self._conditions)
        cold, hot = (
            self._source.still(blackbody(at).celsius(0.0), CALIBRATION_PICTURES).mean(axis=0)
            for at in CALIBRATION_CELSIUS
        )
        self._gain = (CALIBRATION_CELSIUS[1] - CALIBRATION_CELSIUS[0]) / (hot - cold)
        self._offset = CALIBRATION_CELSIUS[0] - self._gain * cold

    def move(self, conditions: Conditions) -> None:
        """Measure in other conditions than it was calibrated in from here on."""
        self._source.move(conditions)

    def picture(self, celsius: NDArray[np.float64]) -> NDArray[np.float32]:
        """One picture (24, 32), degC."""
        return np.asarray(self._offset + self._gain * self._source.picture(celsius), np.float32)

    def still(self, celsius: NDArray[np.float64], count: int) -> NDArray[np.float32]:
        """As many pictures (count, 24, 32) of what stays as it is, degC."""
        return np.asarray(self._offset + self._gain * self._source.still(celsius, count), np.float32)

    def quiet(self) -> "Calibrated":
        """The same sensor in a world without noise; its counts are still whole numbers."""
        other = copy(self)
        other._source = PictureSource(self._seed, conditions=self._conditions, noise=Noise.none())
        return other


def parts(first_seed: int, size: Size) -> Parts:
    """Simulate what is learnt from; the same arguments give the same parts.

    Args:
        first_seed: of the sensors, from which they count up.
        size: of the split.
    """
    found = for_each_sensor(partial(_parts_of, size.bodies), first_seed, size)
    healthy, rise, noise = (np.concatenate(arrays).astype(np.float16) for arrays in zip(*found, strict=True))
    return Parts(healthy, rise, noise, _sensors(first_seed, size))


def measure(first_seed: int, size: Size, averages: tuple[int, ...]) -> Measured:
    """Simulate what is measured on; the same arguments give the same pictures.

    Args:
        first_seed: of the sensors, from which they count up.
        size: of the split.
        averages: numbers of pictures, ascending; a body's smaller means are of the first pictures of its larger ones.
    """
    found = for_each_sensor(partial(_measured_by, size.bodies, averages), first_seed, size)
    pictures, has, lesions = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return Measured(pictures, has, lesions, _sensors(first_seed, size))


def _parts_of(bodies: int, seed: int) -> tuple[NDArray[Any], ...]:
    rng = np.random.default_rng([seed, 0xB9])
    sensor = Calibrated(seed, rng)
    quiet = sensor.quiet()
    healthy, rises, noises = [], [], []
    for body in range(bodies):
        lesion = _lesion(rng)
        scene = _scene(seed, body, None, rng)
        clean = quiet.picture(scene)
        healthy.append(clean - np.median(clean))
        rises.append(lesion.rise() if body % 2 else np.zeros(clean.shape))
        noises.append(sensor.picture(scene) - clean)
    return np.stack(healthy), np.stack(rises), np.stack(noises)


def _measured_by(bodies: int, averages: tuple[int, ...], seed: int) -> tuple[NDArray[Any], ...]:
    rng = np.random.default_rng([seed, 0xB9])
    sensor = Calibrated(seed, rng)
    pictures, has, lesions = [], [], []
    for body in range(bodies):
        lesion, there = _lesion(rng), bool(body % 2)
        scene = _scene(seed, body, lesion if there else None, rng)
        seen = sensor.still(scene, averages[-1])
        pictures.append(np.stack([averaged(seen[:count]) for count in averages]))
        has.append(there)
        lesions.append((lesion.row, lesion.column, lesion.radius, lesion.contrast_k))
    return np.stack(pictures), np.array(has), np.array(lesions)


def averaged(pictures: Values) -> Values:
    """The running mean (24, 32) after pictures (n, 24, 32), as the stage of that length gives it."""
    stage = average.Average(of="skin", gives="calm", pictures=len(pictures))
    memory = average.OP.start(stage, Signal("skin", pictures.shape[1:], "degC", 0.0, "skin"))
    mean: Values = memory.run(pictures)[1][0]
    return mean


def for_each_sensor(work: Callable[[int], tuple[NDArray[Any], ...]], first_seed: int, size: Size) -> list[Any]:
    """What `work` gives for each seed, in their order, on two processors where it is worth their start."""
    seeds = range(first_seed, first_seed + size.sensors)
    processes = min(PROCESSES, os.cpu_count() or 1)
    if processes == 1 or size.sensors < SENSORS_WORTH_A_PROCESS * processes:
        return [work(seed) for seed in seeds]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, seeds))


def _sensors(first_seed: int, size: Size) -> NDArray[np.int64]:
    return np.repeat(np.arange(first_seed, first_seed + size.sensors), size.bodies)


def _scene(seed: int, body: int, lesion: Lesion | None, rng: np.random.Generator) -> NDArray[np.float64]:
    return breast_patch(seed * 1_000 + body, lesion, mean_celsius=rng.uniform(31.0, 35.0)).celsius(0.0)


def _lesion(rng: np.random.Generator) -> Lesion:
    return Lesion(
        row=rng.uniform(3, 20),
        column=rng.uniform(3, 28),
        radius=rng.uniform(1.5, 4.0),
        contrast_k=rng.uniform(*CONTRAST_K),
    )

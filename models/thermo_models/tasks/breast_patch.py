"""Lesion or no lesion under a breast patch, from simulated scenes through the whole sensor chain.

A sample is what the device would feed the network: true temperatures -> counts with noise -> decoder -> the sensor's own
two-point correction -> running mean -> median taken away. Train, validation and test use different sensors (EEPROM,
response errors), different bodies and different lesions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.features import FEATURE_SHAPE, FeatureExtractor
from thermo_core.profile import Alert, Preprocessing, Profile
from thermo_sim.dataset import PictureSource
from thermo_sim.radiometry import Conditions
from thermo_sim.scenes import Lesion, blackbody, breast_patch

NAME = "breast-patch"
LABELS = ("no lesion", "lesion")
EMISSIVITY = 0.98
PREPROCESSING = Preprocessing(average_pictures=16, centre="median", scale=1.0)
CALIBRATION_CELSIUS = (30.0, 38.0)
CALIBRATION_PICTURES = 96
"""Pictures averaged a set-point, as `thermo-host calibrate` does by default."""
FIRST_SEED = {"train": 1_000, "validation": 200_000, "test": 400_000}
"""Seeds of sensors and bodies count up from here, so that no split shares one with another."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Features and what is true of them.

    Attributes:
        features: (n, 24, 32, 1) float32, K above the median.
        labels: (n,) int64, index into `LABELS`.
        contrast_k: (n,) float64, peak contrast of the lesion; 0 without one.
        sensors: (n,) int64, seed of the sensor.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    contrast_k: NDArray[np.float64]
    sensors: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Size:
    """How many simulated sensors a split has and how many bodies each sees."""

    sensors: int
    bodies: int


FULL = {"train": Size(128, 120), "validation": Size(24, 80), "test": Size(24, 80)}
QUICK = {"train": Size(3, 24), "validation": Size(2, 16), "test": Size(2, 16)}


def profile(threshold: float) -> Profile:
    """The wearable this task makes a model for."""
    return Profile(
        name=NAME,
        version="1.0.0",
        preprocessing=PREPROCESSING,
        labels=LABELS,
        alert=Alert(label=1, threshold=threshold, consecutive=8),
    )


def make(first_seed: int, size: Size, progress: Callable[[int, int], None] = lambda done, total: None) -> Samples:
    """Simulate one split; the same arguments give the same samples.

    Args:
        first_seed: of the sensors, from which they count up.
        size: of the split.
        progress: called with sensors done and in all.
    """
    features, labels, contrasts, sensors = [], [], [], []
    for number in range(size.sensors):
        seed = first_seed + number
        rng = np.random.default_rng([seed, 0xB9])
        conditions = Conditions(
            ta=rng.uniform(24, 40), vdd=rng.normal(3.3, 0.02), reflected=rng.uniform(16, 32), emissivity=EMISSIVITY
        )
        source = PictureSource(seed, conditions=conditions)
        gain, offset = _two_point_correction(source)
        for body in range(size.bodies):
            lesion = _lesion(rng) if body % 2 else None
            scene = breast_patch(seed * 1_000 + body, lesion, mean_celsius=rng.uniform(31.0, 35.0)).celsius(0.0)
            extractor = FeatureExtractor(PREPROCESSING)
            sample = None
            for _ in range(PREPROCESSING.average_pictures):
                sample = extractor.push((offset + gain * source.picture(scene)).astype(np.float32))
            if sample is not None:
                features.append(sample)
            labels.append(int(lesion is not None))
            contrasts.append(lesion.contrast_k if lesion else 0.0)
            sensors.append(seed)
        progress(number + 1, size.sensors)
    stacked = np.stack(features).reshape(-1, *FEATURE_SHAPE)
    return Samples(stacked, np.array(labels), np.array(contrasts), np.array(sensors))


def _two_point_correction(source: PictureSource) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset of each pixel from two blackbodies, with the noise a real calibration has."""
    cold, hot = (
        np.mean([source.picture(blackbody(celsius).celsius(0.0)) for _ in range(CALIBRATION_PICTURES)], axis=0)
        for celsius in CALIBRATION_CELSIUS
    )
    gain = (CALIBRATION_CELSIUS[1] - CALIBRATION_CELSIUS[0]) / (hot - cold)
    return gain, CALIBRATION_CELSIUS[0] - gain * cold


def _lesion(rng: np.random.Generator) -> Lesion:
    return Lesion(
        row=rng.uniform(3, 20),
        column=rng.uniform(3, 28),
        radius=rng.uniform(1.5, 4.0),
        contrast_k=rng.uniform(0.3, 2.0),
    )

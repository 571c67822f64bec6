"""Pictures as an MLX90640 gives them of skin, to try a wearable's preprocessing and network on where no sensor is at hand.

Levels and contrasts are those of skin (32-35 degC, a few tenths of a kelvin from place to place, a warm spot of some kelvin)
and of a person before a room; noise is the sensor's at 16 Hz (data sheet: NETD some tenths of a kelvin). They are plausible, and
no measurement of anybody.
"""

import numpy as np

from thermo_core.features import FeatureExtractor, Features
from thermo_core.frames import COLUMNS, ROWS, Celsius
from thermo_core.profile import Preprocessing

NOISE_K = 0.3
_SEED = 640


def typical_pictures() -> dict[str, Celsius]:
    """Scenes without noise by name: (24, 32) float32, degC."""
    row, column = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float64)

    def spot(at: tuple[float, float], radius: float) -> Celsius:
        square = np.square(row - at[0]) + np.square(column - at[1])
        risen: Celsius = np.exp(-square / (2 * radius**2)).astype(np.float32)
        return risen

    skin = 33.5 + 0.4 * np.sin(row / 7 + 0.5) * np.cos(column / 9) + 0.3 * (column / (COLUMNS - 1) - 0.5)
    person = 23.0 + 10.0 * spot((14, 16), 6)
    found = {"skin": skin, "skin with a warm spot": skin + 1.5 * spot((9, 20), 3), "a person in a room": person}
    return {name: picture.astype(np.float32) for name, picture in found.items()}


def typical_features(preprocessing: Preprocessing) -> dict[str, Features]:
    """What a profile's preprocessing makes of each scene with noise: (24, 32, 1) float32, the same each time."""
    generator = np.random.default_rng(_SEED)
    found = {}
    for name, picture in typical_pictures().items():
        extractor = FeatureExtractor(preprocessing)
        features = None
        while features is None:
            features = extractor.push((picture + generator.normal(0, NOISE_K, picture.shape)).astype(np.float32))
        found[name] = features
    return found

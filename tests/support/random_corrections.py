"""Corrections of cameras with random numbers in them."""

import numpy as np

from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.mlx90640.correction import PixelCorrection


def pixel_correction(stamp: Stamp, seed: int = 0, bad: int = 3) -> PixelCorrection:
    """A correction as large as real ones, and so many bad pixels."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(768, np.bool_)
    mask[rng.choice(768, bad, replace=False)] = True
    return PixelCorrection(
        offset=rng.normal(0, 1, (24, 32)).astype(np.float32),
        gain=rng.normal(1, 0.02, (24, 32)).astype(np.float32),
        ta_slope=rng.normal(0, 0.01, (24, 32)).astype(np.float32),
        bad=mask.reshape(24, 32),
        stamp=stamp,
    )

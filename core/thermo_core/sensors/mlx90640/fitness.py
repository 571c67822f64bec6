"""Whether a picture is one that a finding may rest on: enough of it measured, by a sensor within its own range."""

import numpy as np

from thermo_core.quality import Quality
from thermo_core.sensors.mlx90640.frames import PIXELS, Mask
from thermo_core.sensors.mlx90640.limits import DIE_CELSIUS, outside

LEAST_VALID = PIXELS * 7 // 8
"""Pixels that must have been measured; the others are filled in from them, and a network sees no difference."""


_FILLED, _MISSING, _OUT_OF_RANGE = int(Quality.FILLED), int(Quality.MISSING), int(Quality.OUT_OF_RANGE)


def unfitness(valid: Mask, ta: float) -> int:
    """Flags of a picture: FILLED where a pixel is, MISSING where too few were measured, OUT_OF_RANGE for the die.

    Args:
        valid: (24, 32) bool, pixels that were measured and are not called bad by a correction.
        ta: die temperature, degC.
    """
    flags = _OUT_OF_RANGE if outside(ta, DIE_CELSIUS) else 0
    count = int(np.count_nonzero(valid))
    if count < LEAST_VALID:
        flags |= _MISSING
    return flags if count == valid.size else flags | _FILLED

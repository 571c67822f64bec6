"""Whether a picture is one that a finding may rest on: enough of it measured, by a sensor within its own range."""

from enum import Enum

import numpy as np

from thermo_core.frames import PIXELS, Mask
from thermo_core.mlx90640.limits import DIE_CELSIUS, outside

LEAST_VALID = PIXELS * 7 // 8
"""Pixels that must have been measured; the others are filled in from them, and a network sees no difference."""


class Unfit(Enum):
    """Why a picture can carry no finding; the value is the name of its counter on the device."""

    INCOMPLETE = "picture_incomplete"
    DIE_OUT_OF_RANGE = "die_out_of_range"


def unfit(valid: Mask, ta: float) -> Unfit | None:
    """Why no finding may rest on a picture; None where one may.

    Args:
        valid: (24, 32) bool, pixels that were measured and are not called bad by a calibration.
        ta: die temperature, degC.
    """
    if outside(ta, DIE_CELSIUS):
        return Unfit.DIE_OUT_OF_RANGE
    return Unfit.INCOMPLETE if np.count_nonzero(valid) < LEAST_VALID else None

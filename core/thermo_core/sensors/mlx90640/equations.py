"""The parts of the MLX90640's equations that the ways of decoding share."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_core.units import KELVIN

Array = NDArray[np.float64]

Number = TypeVar("Number", float, Array)

OPEN_AIR_K = 8.0
"""How far the surroundings are below the die where the sensor looks out into open air (the vendor's default)."""


def background_terms(constants: Constants, chess: bool) -> Array:
    """What a pixel reads without an object, as a sum of what a frame says times what the EEPROM says.

    Returns:
        (4, 24, 32): to be multiplied with 1, Ta - 25, Vdd - 3.3 and the product of the last two, then subtracted
        from the counts times gain. Where the sensor was calibrated in the other reading pattern, the first term
        includes the correction for that.
    """
    c = constants
    correction = np.zeros((ROWS, COLUMNS))
    if chess != c.chess_calibrated:
        row_sign = np.where(np.arange(ROWS) % 2, 1.0, -1.0)[:, np.newaxis]
        conversion = np.array([0.0, 1.0, 0.0, -1.0])[np.arange(COLUMNS) % 4] * row_sign
        correction = c.il_chess_c[2] * row_sign - c.il_chess_c[1] * conversion
    return np.stack((c.offset - correction, c.offset * c.kta, c.offset * c.kv, c.offset * c.kta * c.kv))


def surroundings(ta: float, reflected: Number, emissivity: Number) -> Number:
    """TaTr, K^4: what a pixel sees besides the object's own radiance, over the emissivity; temperatures in degC."""
    tr4 = (reflected + KELVIN) ** 4
    return tr4 - (tr4 - (ta + KELVIN) ** 4) / emissivity


def temperatures(x: Array, tatr: Array, constants: Constants) -> Array:
    """To in degC, in the datasheet's three passes (section 11.2.2.9), NaN where no temperature gives such a signal.

    Args:
        x: signal over what alpha, emissivity and ambient temperature make of it, K^4.
        tatr: of `surroundings`; of a shape that spreads to that of x.
        constants: of the sensor.
    """
    slope, gain, corner = np.array(constants.ks_to), np.array(constants.range_gain), np.array(constants.ct)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        to = np.sqrt(np.sqrt(x + tatr)) - KELVIN
        to = np.sqrt(np.sqrt(x / (1 + slope[1] * to) + tatr)) - KELVIN
        part = np.searchsorted(corner[1:], to, side="right")
        last: Array = np.sqrt(np.sqrt(x / (gain[part] * (1 + slope[part] * (to - corner[part]))) + tatr)) - KELVIN
    return last

"""Whether a correction can be one of the camera at hand: what it changes of the EEPROM's own temperatures is bounded.

A sensor in order measures skin to a few kelvin by its EEPROM alone (datasheet, accuracy). A correction that moves temperatures
further was made of another sensor, of a wrong reading, or to deceive.
"""

import numpy as np

from thermo_core.sensors.mlx90640.correction import REFERENCE_TA, PixelCorrection
from thermo_core.sensors.mlx90640.fitness import LEAST_VALID
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, Mask

LARGEST_MEAN_K = 4.0
"""How far a picture's mean may move."""
LARGEST_PIXEL_K = 10.0
"""How far a good pixel may move."""
CORNERS = tuple((celsius, ta) for celsius in (20.0, 45.0) for ta in (15.0, 40.0))
"""Object and die temperatures at which it is looked at, degC."""
GAINS = (0.5, 2.0)
LARGEST_SLOPE = 0.5
"""K per K of die temperature."""
LARGEST_RESIDUAL_K = 5.0


def objection(correction: PixelCorrection) -> str:
    """Why no sensor in order can need this correction, a sentence with the figure; "" where one can.

    Args:
        correction: structurally sound.
    """
    good = ~correction.bad
    count = int(good.sum())
    if count < LEAST_VALID:
        return (
            f"The correction calls {PIXELS - count} of {PIXELS} pixels bad, and a picture needs {LEAST_VALID} good ones "
            "to be judged; check that the blackbody fills the field of view and calibrate again."
        )
    if correction.stamp.residual_rms > LARGEST_RESIDUAL_K:
        return (
            f"The correction leaves {correction.stamp.residual_rms:.2f} K at its hold-out points, "
            f"and {LARGEST_RESIDUAL_K:g} K is plausible; calibrate again."
        )
    for name, values, (low, high) in (
        ("gain", correction.gain, GAINS),
        ("slope with die temperature", correction.ta_slope, (-LARGEST_SLOPE, LARGEST_SLOPE)),
    ):
        wrong = np.flatnonzero(good & ((values < low) | (values > high)))
        if wrong.size:
            return (
                f"The correction gives {_pixel(int(wrong[0]))} a {name} of {values.flat[wrong[0]]:.3g}, outside the "
                f"{low:g} to {high:g} of a pixel in order; calibrate again."
            )
    return _moved(correction, good)


def _moved(correction: PixelCorrection, good: Mask) -> str:
    for celsius, ta in CORNERS:
        moved = correction.offset + (correction.gain - 1) * np.float32(celsius)
        moved = moved + correction.ta_slope * np.float32(ta - REFERENCE_TA)
        mean = float(moved[good].mean(dtype=np.float64))
        where = f"at {celsius:g} degC (die at {ta:g} degC)"
        if not abs(mean) <= LARGEST_MEAN_K:
            return (
                f"The correction moves a picture {where} by {mean:+.2f} K on average, and a sensor in order is within "
                f"{LARGEST_MEAN_K:g} K by its EEPROM; check the reference and calibrate again."
            )
        worst = int(np.where(good, np.abs(moved), 0).argmax())
        if not abs(moved.flat[worst]) <= LARGEST_PIXEL_K:
            return (
                f"The correction moves {_pixel(worst)} {where} by {moved.flat[worst]:+.2f} K, and a pixel in order is "
                f"within {LARGEST_PIXEL_K:g} K by the EEPROM; call it bad, or calibrate again."
            )
    return ""


def _pixel(index: int) -> str:
    return f"the pixel in row {index // COLUMNS}, column {index % COLUMNS}"

"""Whether a calibration can be one of the sensor at hand: what it changes of the EEPROM's own temperatures is bounded.

A sensor in order measures skin to a few kelvin by its EEPROM alone (datasheet, accuracy), and an NTC by its data sheet. A
calibration that moves temperatures further was made of another sensor, of a wrong reading, or to deceive.
"""

from collections.abc import Sequence

import numpy as np

from thermo_core.correction import REFERENCE_TA, Correction
from thermo_core.frames import COLUMNS, PIXELS, Mask
from thermo_core.mlx90640.fitness import LEAST_VALID
from thermo_core.profile import ThermistorSettings
from thermo_core.thermistor import ThermistorChannel

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
LARGEST_THERMISTOR_K = 5.0
SHARES = (0.5, 1.0, 2.0)
"""Resistances, of the divider's, at which curves are compared: about 42, 25 and 9 degC of a usual NTC."""


def objection(correction: Correction, thermistors: Sequence[ThermistorSettings] = ()) -> str:
    """Why no sensor in order can need this calibration, a sentence with the figure; "" where one can.

    Args:
        correction: structurally sound.
        thermistors: of the wearable's profile, to hold calibrated curves to.

    Raises:
        ThermistorError: the profile's constants are no NTC's.
    """
    good = ~correction.bad
    count = int(good.sum())
    if count < LEAST_VALID:
        return (
            f"The calibration calls {PIXELS - count} of {PIXELS} pixels bad, and a picture needs {LEAST_VALID} good ones "
            "to be judged; check that the blackbody fills the field of view and calibrate again."
        )
    if correction.residual_rms_k > LARGEST_RESIDUAL_K:
        return (
            f"The calibration leaves {correction.residual_rms_k:.2f} K at its hold-out points, "
            f"and {LARGEST_RESIDUAL_K:g} K is plausible; calibrate again."
        )
    for name, values, (low, high) in (
        ("gain", correction.gain, GAINS),
        ("slope with die temperature", correction.ta_slope, (-LARGEST_SLOPE, LARGEST_SLOPE)),
    ):
        wrong = np.flatnonzero(good & ((values < low) | (values > high)))
        if wrong.size:
            return (
                f"The calibration gives {_pixel(int(wrong[0]))} a {name} of {values.flat[wrong[0]]:.3g}, outside the "
                f"{low:g} to {high:g} of a pixel in order; calibrate again."
            )
    return _moved(correction, good) or _thermistors(correction, thermistors)


def _moved(correction: Correction, good: Mask) -> str:
    for celsius, ta in CORNERS:
        moved = correction.offset + (correction.gain - 1) * np.float32(celsius)
        moved = moved + correction.ta_slope * np.float32(ta - REFERENCE_TA)
        mean = float(moved[good].mean(dtype=np.float64))
        where = f"at {celsius:g} degC (die at {ta:g} degC)"
        if not abs(mean) <= LARGEST_MEAN_K:
            return (
                f"The calibration moves a picture {where} by {mean:+.2f} K on average, and a sensor in order is within "
                f"{LARGEST_MEAN_K:g} K by its EEPROM; check the reference and calibrate again."
            )
        worst = int(np.where(good, np.abs(moved), 0).argmax())
        if not abs(moved.flat[worst]) <= LARGEST_PIXEL_K:
            return (
                f"The calibration moves {_pixel(worst)} {where} by {moved.flat[worst]:+.2f} K, and a pixel in order is "
                f"within {LARGEST_PIXEL_K:g} K by the EEPROM; call it bad, or calibrate again."
            )
    return ""


def _thermistors(correction: Correction, thermistors: Sequence[ThermistorSettings]) -> str:
    for settings, calibrated in zip(thermistors, correction.thermistors, strict=False):
        if calibrated is None:
            continue
        ohm = settings.series_ohm * np.array(SHARES)
        expected, found = ThermistorChannel.from_settings(settings).curve.celsius(ohm), calibrated.celsius(ohm)
        worst = int(np.abs(found - expected).argmax())
        if not abs(found[worst] - expected[worst]) <= LARGEST_THERMISTOR_K:
            return (
                f"The calibration moves thermistor {settings.name!r} at {expected[worst]:.1f} degC by "
                f"{found[worst] - expected[worst]:+.2f} K, and its data sheet is right to {LARGEST_THERMISTOR_K:g} K; "
                "check its place and circuit, and calibrate again."
            )
    return ""


def _pixel(index: int) -> str:
    return f"the pixel in row {index // COLUMNS}, column {index % COLUMNS}"

"""Whether a correction can be one of the thermistors at hand: an NTC is right to a few kelvin by its data sheet."""

import numpy as np

from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.ads1115_ntc.thermistor import ThermistorChannel

LARGEST_K = 5.0
SHARES = (0.5, 1.0, 2.0)
"""Resistances, of the divider's, at which curves are compared: about 42, 25 and 9 degC of a usual NTC."""


def objection(settings: Ads1115NtcSettings, correction: CurveCorrection) -> str:
    """Why no thermistors in order can need this correction, a sentence with the figure; "" where they can.

    Args:
        settings: of the sensor, whose curves the corrected ones are held to.
        correction: structurally sound.

    Raises:
        ThermistorError: the profile's constants are no NTC's.
    """
    if len(correction.curves) != len(settings.channels):
        return (
            f"The correction has curves of {len(correction.curves)} thermistors, and {settings.name} has "
            f"{len(settings.channels)}; calibrate this wearable."
        )
    for thermistor, corrected in zip(settings.channels, correction.curves, strict=True):
        if corrected is None:
            continue
        ohm = thermistor.series_ohm * np.array(SHARES)
        expected, found = ThermistorChannel.from_settings(thermistor).curve.celsius(ohm), corrected.celsius(ohm)
        worst = int(np.abs(found - expected).argmax())
        if not abs(found[worst] - expected[worst]) <= LARGEST_K:
            return (
                f"The correction moves thermistor {thermistor.name!r} at {expected[worst]:.1f} degC by "
                f"{found[worst] - expected[worst]:+.2f} K, and its data sheet is right to {LARGEST_K:g} K; "
                "check its place and circuit, and calibrate again."
            )
    return ""

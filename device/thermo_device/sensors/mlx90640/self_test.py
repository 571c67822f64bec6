"""What a camera can find out about itself."""

import numpy as np

from thermo_core.errors import ThermoError
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.sensors.mlx90640.limits import DIE_CELSIUS, SUPPLY_V, outside
from thermo_core.wire.management import SelfTestResult
from thermo_device.sensors.mlx90640.acquisition import PictureSensor


def check(name: str, sensor: PictureSensor, subpage: Subpage | None, warning: str = "") -> list[SelfTestResult]:
    """Checks of one camera.

    Args:
        name: of the sensor.
        sensor: after it had the chance to run.
        subpage: its newest one, or None where none came.
        warning: why its temperatures are in doubt.
    """
    results = [_eeprom(sensor), ("answers", sensor.running, sensor.fault or "It is set up and answers.")]
    constants = sensor.constants
    if constants is not None:
        bad = f"{len(constants.bad)} bad pixels by the EEPROM, filled in from their neighbours."
        results += [_constants(warning), ("bad pixels", True, bad), _rate(sensor, subpage)]
        if subpage is not None:
            results += _conditions(Decoder(constants), subpage)
    return [SelfTestResult(name=f"{name}: {part}", passed=passed, detail=detail) for part, passed, detail in results]


_Result = tuple[str, bool, str]


def _eeprom(sensor: PictureSensor) -> _Result:
    if sensor.eeprom is None:
        return "EEPROM", False, "It could not be read, because the sensor has never answered."
    try:
        verified = sensor.verify_eeprom()
    except ThermoError as error:
        return "EEPROM", False, str(error)
    if not verified:
        sentence = "It held something else than the constants in use, which were taken from it anew; repeat the test."
        return "EEPROM", False, sentence
    return "EEPROM", True, "Two reads agree with each other and with the constants in use."


def _constants(warning: str) -> _Result:
    if not warning:
        return "constants", True, "They are as first seen or calibrated, and nothing in them is strange."
    advice = "Restore the EEPROM or replace the sensor, or calibrate it, which holds it to a reference as it is."
    return "constants", False, f"{warning} {advice}"


def _rate(sensor: PictureSensor, subpage: Subpage | None) -> _Result:
    if subpage is None:
        return "rate", False, "No subpage came."
    return "rate", sensor.in_time, f"{sensor.measured_rate_hz:.2f} subpages/s of {sensor.rate_hz:g}."


def _conditions(decoder: Decoder, subpage: Subpage) -> list[_Result]:
    try:
        decoded = decoder.decode(subpage.words)
    except ThermoError as error:
        return [("page decodes", False, str(error))]
    finite = bool(np.isfinite(decoded.celsius).all())
    return [
        ("page decodes", finite, f"{int(decoded.valid.sum())} valid pixels in the newest subpage."),
        _within("supply", decoded.vdd, SUPPLY_V, "V"),
        _within("ambient", decoded.ta, DIE_CELSIUS, "degC"),
    ]


def _within(part: str, value: float, limits: tuple[float, float], unit: str) -> _Result:
    low, high = limits
    return part, not outside(value, limits), f"{value:.2f} {unit}; {low:g} to {high:g} is in order."

"""What a wearable can find out about itself: each check is a name, whether it passed, and a sentence."""

from collections.abc import Sequence

import numpy as np
from thermo_core.profile import Profile
from thermo_core.typical import typical_pictures

from thermo_core.errors import ModelError, ThermoError
from thermo_core.sensors.ads1115_ntc.thermistor import ChannelState
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Celsius, Subpage
from thermo_core.sensors.mlx90640.limits import DIE_CELSIUS, SUPPLY_V, outside
from thermo_core.wire.management import SelfTestResult
from thermo_device.acquisition import PictureSensor
from thermo_device.inference import Classifier
from thermo_device.thermistors import ThermistorReading
from thermo_device.verdicts import rehearse

RATE_TOLERANCE = 0.1


def check_sensor(sensor: PictureSensor, subpage: Subpage | None, warning: str = "") -> list[SelfTestResult]:
    """Checks of the picture sensor.

    Args:
        sensor: after it had the chance to run.
        subpage: its newest one, or None where none came.
        warning: why its temperatures are in doubt.
    """
    results = [
        _eeprom(sensor),
        SelfTestResult("sensor answers", sensor.running, sensor.fault or "The picture sensor is set up and answers."),
    ]
    calibration = sensor.calibration
    if calibration is None:
        return results
    results.append(_constants(warning))
    results.append(
        SelfTestResult(
            "bad pixels", True, f"{len(calibration.bad)} bad pixels by the EEPROM, filled in from their neighbours."
        )
    )
    nominal, measured = sensor.rate_hz, sensor.measured_rate_hz
    flows = subpage is not None and abs(measured / nominal - 1) <= RATE_TOLERANCE
    detail = f"{measured:.2f} subpages/s of {nominal:g}." if subpage is not None else "No subpage came."
    results.append(SelfTestResult("refresh rate", flows, detail))
    if subpage is not None:
        results += _conditions(Decoder(calibration), subpage)
    return results


def check_thermistors(names: Sequence[str], reading: ThermistorReading) -> list[SelfTestResult]:
    """Checks of the thermistors: one result a channel."""
    results = []
    for name, channel in zip(names, reading.channels, strict=True):
        state = ChannelState(channel.state)
        detail = (
            f"{channel.celsius:.2f} degC." if channel.celsius is not None else f"The channel is {state.name.lower()}."
        )
        results.append(SelfTestResult(f"thermistor {name}", state is ChannelState.OK, detail))
    return results


def check_model(classifier: Classifier, profile: Profile, celsius: Celsius | None) -> SelfTestResult:
    """Check of the network with a fixed input, and with a picture the whole way to the record of a verdict.

    Args:
        classifier: the network.
        profile: its wearable.
        celsius: (24, 32) degC, the sensor's newest picture; None takes a typical one.
    """
    where, picture = ("the sensor", celsius) if celsius is not None else ("skin", typical_pictures()["skin"])
    try:
        problem = classifier.self_test()
        verdict = "" if problem else rehearse(profile, classifier, picture)
    except ModelError as error:
        problem = str(error)
    detail = problem or f"A fixed input gives the result it gave at the start, a picture of {where} gives {verdict}."
    return SelfTestResult("model", not problem, detail)


def _eeprom(sensor: PictureSensor) -> SelfTestResult:
    if sensor.constants is None:
        return SelfTestResult("EEPROM", False, "It could not be read, because the picture sensor has never answered.")
    try:
        verified = sensor.verify_eeprom()
    except ThermoError as error:
        return SelfTestResult("EEPROM", False, str(error))
    if not verified:
        sentence = "It held something else than the constants in use, which were taken from it anew; repeat the test."
        return SelfTestResult("EEPROM", False, sentence)
    return SelfTestResult("EEPROM", True, "Two reads agree with each other and with the constants in use.")


def _constants(warning: str) -> SelfTestResult:
    if not warning:
        return SelfTestResult(
            "constants", True, "They are as first seen or calibrated, and nothing in them is strange."
        )
    advice = "Restore the EEPROM or replace the sensor, or calibrate it, which holds it to a reference as it is."
    return SelfTestResult("constants", False, f"{warning} {advice}")


def _conditions(decoder: Decoder, subpage: Subpage) -> list[SelfTestResult]:
    try:
        decoded = decoder.decode(subpage.words)
    except ThermoError as error:
        return [SelfTestResult("page decodes", False, str(error))]
    finite = bool(np.isfinite(decoded.celsius).all())
    return [
        SelfTestResult("page decodes", finite, f"{int(decoded.valid.sum())} valid pixels in the newest subpage."),
        _within("supply", decoded.vdd, SUPPLY_V, "V"),
        _within("ambient", decoded.ta, DIE_CELSIUS, "degC"),
    ]


def _within(name: str, value: float, limits: tuple[float, float], unit: str) -> SelfTestResult:
    low, high = limits
    return SelfTestResult(name, not outside(value, limits), f"{value:.2f} {unit}; {low:g} to {high:g} is in order.")

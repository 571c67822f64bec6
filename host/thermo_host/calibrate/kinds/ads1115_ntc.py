"""Thermistors in a bath: a Steinhart-Hart curve for each channel that follows the set-points.

Three points or more that span SPAN_FOR_THREE_K determine all three constants. Two points, or close ones, determine two:
a and b are fitted, and c stays that of the profile's curve; between points a few kelvin apart it matters by millikelvins.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thermo_core.errors import ThermistorError
from thermo_core.sensors.ads1115_ntc import codec
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.ads1115_ntc.thermistor import (
    Beta,
    ChannelState,
    Curve,
    SteinhartHart,
    ThermistorChannel,
    fit_steinhart_hart,
)
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block, Moment
from thermo_core.units import KELVIN
from thermo_host.calibrate.procedures import Constants, Floats, LeftAlone, Procedure

SPAN_FOR_THREE_K = 10.0


def _numbers(settings: Ads1115NtcSettings) -> tuple[str, ...]:
    return tuple(channel.name for channel in settings.channels)


def _raw(settings: Ads1115NtcSettings, block: Block, moments: Sequence[Moment]) -> list[Constants]:
    """Counts: their mean is what a curve is fitted to."""
    counts = codec.decode(block.data, len(settings.channels)).tolist()
    found = []
    for thermistor, count in zip(settings.channels, counts, strict=True):
        state = codec.state(count)
        if state is ChannelState.OK:
            state = ChannelState(int(ThermistorChannel.from_settings(thermistor).ohm(count)[1]))
        found.append(float(count) if state is ChannelState.OK else float("nan"))
    return [tuple(found)]


def _shown(settings: Ads1115NtcSettings, constants: Sequence[Constants | None], raw: Floats) -> Floats:
    found = np.full((len(raw), len(settings.channels)), np.nan)
    for place, (thermistor, curve) in enumerate(zip(settings.channels, constants, strict=True)):
        channel = ThermistorChannel.from_settings(thermistor)
        if curve is not None:
            channel = replace(channel, curve=SteinhartHart(*curve))
        there = np.isfinite(raw[:, place])
        celsius, state = channel.celsius(raw[there, place])
        found[there, place] = np.where(state == ChannelState.OK, celsius, np.nan)
    return found


def _solve(settings: Ads1115NtcSettings, number: int, raw: Floats, truth: Floats) -> tuple[Constants, str]:
    channel = ThermistorChannel.from_settings(settings.channels[number])
    ohm, state = channel.ohm(raw[:, number])
    if (state != ChannelState.OK).any():
        raise LeftAlone("open or shorted")
    bead = truth + channel.self_heating_k_per_mw * channel.divider.milliwatt(ohm)
    try:
        curve, how = _curve(channel.curve, ohm, bead)
    except ThermistorError as error:
        raise LeftAlone(str(error)) from error
    return (curve.a, curve.b, curve.c), how


def _curve(profile: Curve, ohm: Floats, bead: Floats) -> tuple[SteinhartHart, str]:
    distinct = np.unique(np.round(bead, 1))
    if distinct.size >= 3 and np.ptp(distinct) >= SPAN_FOR_THREE_K:
        try:
            return fit_steinhart_hart(ohm, bead), f"a, b and c from {distinct.size} temperatures"
        except ThermistorError:
            # noise can turn the smallest constant's sign where the points say little about it
            pass
    start = profile.steinhart_hart() if isinstance(profile, Beta) else profile
    log = np.log(ohm)
    b, a = np.polyfit(log, 1 / (bead + KELVIN) - start.c * log**3, 1)
    return SteinhartHart(float(a), float(b), start.c), f"a and b from {distinct.size} temperatures, c as in the profile"


def _make(settings: Ads1115NtcSettings, constants: Sequence[Constants | None], stamp: Stamp) -> CurveCorrection:
    return CurveCorrection(tuple(None if one is None else SteinhartHart(*one) for one in constants), stamp)


def _constants(correction: CurveCorrection) -> tuple[Constants | None, ...]:
    return tuple(None if curve is None else (curve.a, curve.b, curve.c) for curve in correction.curves)


PROCEDURE = Procedure(
    apparatus="bath", numbers=_numbers, raw=_raw, shown=_shown, solve=_solve, make=_make, constants=_constants
)

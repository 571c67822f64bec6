"""From an MLX90632's words to temperatures (data sheet 3901090632, sections 11.1 and 11.2).

Everything takes and gives scalars or arrays, in the number format that the constants were rounded to: float64, or float32 in the
order of operations of `device/firmware/sensors/mlx90632_decode.c`, with which it shares every bit.
"""

from typing import Any

import numpy as np

from thermo_core.sensors.mlx90632.constants import Constants
from thermo_core.units import KELVIN

ITERATIONS = 5
"""The sensitivity depends a little on the object's temperature: each turn takes that of the turn before."""
LARGEST_OBJECT = 27_000
"""Counts beyond which the medical range is over."""

Number = Any
"""A NumPy scalar or array of the constants' format."""


def ambient_signal(constants: Constants, ambient: Number, reference: Number) -> Number:
    """AMB of the ambient channel (0x4005) and the reference channel (0x4008), counts."""
    twelfth = ambient / _same(ambient, 12)
    return twelfth / (reference + constants.gb * twelfth) * _same(ambient, 524_288)


def object_signal(constants: Constants, objects: Number, ambient: Number, reference: Number) -> Number:
    """S of the mean of both measurements' object channels, counts."""
    twelfth = ambient / _same(ambient, 12)
    return objects / _same(ambient, 12) / (reference + constants.ka * twelfth) * _same(ambient, 524_288)


def ambient_celsius(constants: Constants, amb: Number) -> Number:
    """Temperature of the sensor, degC, to be shown."""
    above = amb - constants.p_r
    return constants.p_o + above / constants.p_g + constants.p_t * (above * above)


def sensor_celsius(constants: Constants, amb: Number) -> Number:
    """Temperature of the sensor, degC, as the object's formula takes it."""
    return (amb - constants.eb) / constants.ea + _same(amb, 25)


def object_celsius(
    constants: Constants, signal: Number, ta: Number, emissivity: Number, reflected: Number | None = None
) -> Number:
    """Temperature of the object, degC; NaN where no temperature gives such a signal.

    Args:
        constants: of the chip.
        signal: of `object_signal`.
        ta: of `sensor_celsius`.
        emissivity: of the object, 0 to 1.
        reflected: temperature of what the object reflects, degC; None for the sensor's own.
    """
    kelvin, celsius_25 = _same(ta, KELVIN), _same(ta, 25)
    background = _fourth_power(ta + kelvin)
    if reflected is not None:
        tr4 = _fourth_power(reflected + kelvin)
        background = tr4 - (tr4 - background) / emissivity
    sensitivity = emissivity * constants.fa * constants.ha
    by_ta = _same(ta, 1) + constants.fb * (ta - celsius_25)
    to = celsius_25
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for _ in range(ITERATIONS):
            radiance = signal / (sensitivity * (by_ta + constants.ga * (to - celsius_25))) + background
            to = np.sqrt(np.sqrt(radiance)) - kelvin - constants.hb
    return to


def _fourth_power(value: Number) -> Number:
    square = value * value
    return square * square


def _same(like: Number, value: float) -> Number:
    """A number in the format of another one."""
    return like.dtype.type(value)

"""What an MLX90640 measures and what it can be told: beyond these ranges a number is no temperature.

Ranges of the sensor are those of its datasheet (3901090640, tables 4 and 5).
"""

from typing import Final

from thermo_core.units import KELVIN

OBJECT_CELSIUS: Final = (-40.0, 300.0)
"""Temperatures of an object that the sensor measures; a pixel outside is not valid."""
DIE_CELSIUS: Final = (-40.0, 85.0)
"""Temperatures of the die at which it works to its datasheet."""
SUPPLY_V: Final = (3.0, 3.6)
EMISSIVITY: Final = (0.05, 1.0)
REFLECTED_CELSIUS: Final = (-100.0, 200.0)
"""Temperatures of what an object mirrors, from the clear sky to an oven. A room's in kelvin lies beyond."""


def outside(value: float, limits: tuple[float, float]) -> bool:
    """Whether a value lies outside a range; NaN does."""
    return not limits[0] <= value <= limits[1]


def hint_of_unit(celsius: float, limits: tuple[float, float] = REFLECTED_CELSIUS) -> str:
    """What to add to the refusal of a temperature that would be in range had it been meant in kelvin."""
    meant = celsius - KELVIN
    return "" if outside(meant, limits) or not outside(celsius, limits) else f" ({celsius:g} K are {meant:g} degC)"

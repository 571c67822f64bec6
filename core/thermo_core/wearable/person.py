"""What a wearable may have to know of its wearer, as numbers with ranges."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One number.

    Attributes:
        low, high: what can be.
        unit: in words.
        about: what a person is asked.
    """

    low: float
    high: float
    unit: str
    about: str


FIELDS: Mapping[str, Field] = {
    "age_years": Field(1, 120, "years", "age"),
    "weight_kg": Field(2, 400, "kg", "weight"),
    "height_m": Field(0.4, 2.6, "m", "height"),
    "sex": Field(0, 1, "", "sex, 0 female, 1 male, as formulas of physiology ask for it"),
}
"""By the name a profile asks for them with; their signals are "person.NAME"."""


def problem(name: str, value: float) -> str:
    """What is wrong with a value, as a sentence; "" where nothing is."""
    field = FIELDS.get(name)
    if field is None:
        return f'There is no "{name}" of a person; known are {", ".join(FIELDS)}.'
    if not field.low <= value <= field.high:
        unit = f" {field.unit}" if field.unit else ""
        return f"{name} is {value:g} and can be {field.low:g} to {field.high:g}{unit}; correct it."
    return ""

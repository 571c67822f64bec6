"""Conditions of alerts: "lesion.lesion >= 0.8", "pulse > 130", "feet[1] < 15 degC"."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from thermo_core.errors import SchemaError

COMPARISONS: Mapping[str, Callable[[np.float32, np.float32], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_CONDITION = re.compile(
    r"^\s*(?P<name>[a-z][a-z0-9_-]*)(\.(?P<part>[a-z0-9][a-z0-9_-]*))?(\[(?P<element>\d+)\])?\s*"
    r"(?P<comparison>>=|<=|>|<)\s*(?P<number>[-+]?\d+(\.\d+)?([eE][-+]?\d+)?)"
    r"(\s*(?P<unit>[^\s\d.][^\s]{0,15}))?\s*$"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison with a number.

    Attributes:
        name: of a model or a signal.
        part: output of the model, or part of the signal; "" for none.
        element: of a signal of several numbers; None for one of a single number.
        comparison: one of `COMPARISONS`.
        number: compared with, as float32.
        unit: of that number, where it is said.
    """

    name: str
    part: str
    element: int | None
    comparison: str
    number: float
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Whether it does, in float32."""
        return bool(COMPARISONS[self.comparison](np.float32(value), np.float32(self.number)))


def parse(text: str) -> Condition:
    """A condition as a profile has it.

    Raises:
        SchemaError: it is none.
    """
    found = _CONDITION.match(text)
    if found is None:
        raise SchemaError(f'"{text}" is no condition; write one like "lesion.lesion >= 0.8" or "feet[1] < 15 degC"')
    number = float(np.float32(found["number"]))
    if not np.isfinite(number):
        raise SchemaError(f'"{text}" compares with a number that is too large')
    element = None if found["element"] is None else int(found["element"])
    return Condition(found["name"], found["part"] or "", element, found["comparison"], number, found["unit"] or "")


def slug(label: str) -> str:
    """A label as a condition names it: lower-case letters and digits, everything else a dash."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")

"""What a model says of one moment, out of the numbers its findings are read from."""

from dataclasses import dataclass

import numpy as np

from thermo_core.quality import Quality
from thermo_core.signals import Sample, Values
from thermo_core.wearable.profile import Model

SCORE_STEPS = 65535
"""A score travels as a whole number of steps from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a model said once.

    Attributes:
        model: its number within the profile.
        time_us: of the moment it is about, device clock, microseconds.
        flags: `Quality`.
        values: a score (0 to 1, in whole steps of 1 / 65535) or a quantity for each output; empty where there is no value.
    """

    model: int
    time_us: int
    flags: int
    values: tuple[float, ...]

    @property
    def winner(self) -> int | None:
        """Place of the greatest value, the first of equals; None where there is none."""
        return max(range(len(self.values)), key=lambda place: self.values[place]) if self.values else None


def finding(model: Model, number: int, reading: Sample) -> Finding:
    """A finding of one moment.

    Args:
        model: of the profile.
        number: its number there.
        reading: sample of the signal that its findings are read from.
    """
    said = np.asarray(reading.values, np.float32).ravel()
    if model.scores is not None:
        if np.isnan(said).any():
            return Finding(number, reading.time_us, reading.flags | Quality.MISSING, ())
        return Finding(number, reading.time_us, reading.flags, _scores(said, len(model.scores)))
    flags, values = reading.flags, []
    for quantity, x in zip(model.quantities or (), said, strict=True):
        with np.errstate(over="ignore"):
            value = np.float32(quantity.offset) + np.float32(quantity.factor) * x
        values.append(float(value))
        if not np.isnan(value) and not np.float32(quantity.low) <= value <= np.float32(quantity.high):
            flags |= Quality.OUT_OF_RANGE
    if np.isnan(values).all():
        return Finding(number, reading.time_us, flags | Quality.MISSING, ())
    return Finding(number, reading.time_us, flags, tuple(values))


def _scores(said: Values, labels: int) -> tuple[float, ...]:
    """With one label more than outputs, the first says that none of the others holds: its score is one less the greatest."""
    steps = np.rint(np.clip(said, np.float32(0), np.float32(1)) * np.float32(SCORE_STEPS)).astype(np.int64).tolist()
    if len(steps) + 1 == labels:
        steps = [SCORE_STEPS - max(steps), *steps]
    return tuple(step / SCORE_STEPS for step in steps)

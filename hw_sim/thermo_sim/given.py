"""What a world gives to sensors of kind "external": a level with waves, decays and noise, or the rows of a table, sample by sample."""

import csv
from collections.abc import Callable
from typing import Annotated

import numpy as np
from msgspec import Meta, field

from thermo_core.errors import UsageError
from thermo_core.schema import Record, Text
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.signals import Values

LONGEST_TABLE = 100_000
"""Rows."""

Seconds = Annotated[float, Meta(gt=0, le=1e6)]
Numbers = float | tuple[float, ...]


class Wave(Record, frozen=True):
    """A sine that begins at its middle.

    Attributes:
        size: half of it from top to bottom.
        period_s: of it.
    """

    size: float
    period_s: Seconds


class Decay(Record, frozen=True):
    """An exponential that goes to nothing.

    Attributes:
        size: at the beginning.
        tau_s: time constant.
    """

    size: float
    tau_s: Seconds


class Given(Record, frozen=True):
    """What comes from outside to one sensor.

    Attributes:
        constant: its level: one number, or one for each of a sample's; `nan` where there is none.
        waves, decays: what comes upon the level.
        noise: standard deviation of what comes upon it by chance, each sample anew.
        table: .csv beside the world with a row for each sample, after an optional heading; instead of a level.
        rows: the same, written here.
        every_s: from one sample to the next; by the sensor's rate where left out.
        lasts_s: after so long it begins anew; a table does after its last row.
    """

    constant: Numbers = 0.0
    waves: tuple[Wave, ...] = ()
    decays: tuple[Decay, ...] = ()
    noise: Annotated[float, Meta(ge=0)] = 0.0
    table: Text | None = None
    rows: tuple[tuple[float, ...], ...] = field(default=())
    every_s: Seconds | None = None
    lasts_s: Seconds | None = None


class Course:
    """The samples that one sensor is given.

    Args:
        given: as the world has it, its table read into rows.
        settings: of the sensor.
        seed: of chance.

    Attributes:
        period_s: from one sample to the next.

    Raises:
        UsageError: samples have other numbers than the sensor takes, or come at no rate.
    """

    def __init__(self, given: Given, settings: ExternalSettings, seed: int) -> None:
        (signal,) = settings.signals
        name, elements = settings.name, signal.elements
        self._given, self._settings, self._elements, self._seed = given, settings, elements, seed
        if not settings.rate_hz and given.every_s is None:
            raise UsageError(f"The world gives {name}, which has no rate of its own; say every_s.")
        self.period_s = given.every_s if given.every_s is not None else 1 / settings.rate_hz
        if given.rows and (given.constant != 0.0 or given.waves or given.decays or given.noise):
            raise UsageError(f"The world gives {name} as a table and as a level; leave one of them out.")
        constant = given.constant if isinstance(given.constant, tuple) else (given.constant,) * elements
        for row in given.rows or (constant,):
            if len(row) != elements:
                raise UsageError(f"The world gives {name} {len(row)} numbers; a sample of it has {elements}.")
            wrong = [value for value in row if value < settings.low or value > settings.high]
            if wrong and not (given.waves or given.decays):
                raise UsageError(
                    f"The world gives {name} {wrong[0]:g}; it can be {settings.low:g} to {settings.high:g}."
                )
        self._rows = np.array(given.rows or (constant,), np.float64)
        lasts_s = given.lasts_s
        if given.rows:
            lasts_s = min(lasts_s or np.inf, len(given.rows) * self.period_s)
        self._lasts = max(1, round(lasts_s / self.period_s)) if lasts_s is not None else None

    def at(self, number: int) -> Values:
        """The n-th sample from 0, (elements,) float32, kept within what the sensor takes."""
        given = self._given
        place = number % self._lasts if self._lasts else number
        time_s = place * self.period_s
        values = self._rows[place if given.rows else 0].copy()
        values += sum(wave.size * np.sin(2 * np.pi * time_s / wave.period_s) for wave in given.waves)
        values += sum(decay.size * np.exp(-time_s / decay.tau_s) for decay in given.decays)
        if given.noise:
            values += given.noise * np.random.default_rng([self._seed, 0x61, number]).standard_normal(self._elements)
        low, high = np.float32(self._settings.low), np.float32(self._settings.high)
        within: Values = np.clip(values.astype(np.float32), low, high)
        return within


def table_rows(text: str, name: str) -> tuple[tuple[float, ...], ...]:
    """Rows of a table.

    Raises:
        UsageError: something in it is no number, or it is empty or too long.
    """
    rows: list[tuple[float, ...]] = []
    for line, fields in enumerate(csv.reader(text.splitlines()), start=1):
        if not any(map(str.strip, fields)):
            continue
        try:
            rows.append(tuple(float(one.strip() or "nan") for one in fields))
        except ValueError:
            if line == 1:
                continue
            raise UsageError(
                f"{name}, line {line}: {','.join(fields)!r:.40} is no row of numbers; correct it."
            ) from None
        if len(rows) > LONGEST_TABLE:
            raise UsageError(f"{name} has more than {LONGEST_TABLE} rows; give a part of them.")
    if not rows:
        raise UsageError(f"{name} has no rows of numbers; write one for each sample.")
    return tuple(rows)


Take = Callable[[str, Values], None]
"""(sensor's name, sample): takes a sample."""


class Giver:
    """Gives samples to the sensors of a wearable when it is their time, for as long as somebody listens; then it begins anew.

    It has no time of its own: whoever drives it asks when it is due.

    Args:
        courses: by the names of sensors, in the order in which samples of the same time are given.
        pace: how many times faster than by their own time samples are given.
    """

    LOOK_US = 50_000
    """Between two looks whether somebody listens."""

    def __init__(self, courses: dict[str, Course], pace: float = 1.0) -> None:
        self._courses = courses
        self._us_per_s = 1e6 / pace
        self._numbers = dict.fromkeys(courses, 0)
        self._began_us: float | None = None
        self._look_us = 0
        self._slack_us = self._us_per_s * min((course.period_s for course in courses.values()), default=0.0) / 2

    @property
    def names(self) -> tuple[str, ...]:
        """Of the sensors that are given something."""
        return tuple(self._courses)

    @property
    def given(self) -> dict[str, int]:
        """Samples given since somebody began to listen, by sensor."""
        return dict(self._numbers)

    def due_us(self) -> int | None:
        """When `give` wants to be called, on the clock it is called with; None where nothing is given."""
        if not self._courses:
            return None
        return self._look_us if self._began_us is None else round(self._began_us + self._next_s() * self._us_per_s)

    def give(self, now_us: int, listening: bool, take: Take) -> None:
        """Give what is due by now."""
        if not listening:
            self._began_us, self._look_us = None, now_us + self.LOOK_US
            return
        if self._began_us is None:
            self._began_us = float(now_us)
            self._numbers = dict.fromkeys(self._courses, 0)
        next_s = self._next_s()
        late_us = now_us - (self._began_us + next_s * self._us_per_s)
        if late_us < -0.5:
            return
        if late_us > self._slack_us:  # what follows is later too, so that samples never come in a heap
            self._began_us += late_us
        for name, course in self._courses.items():
            if self._numbers[name] * course.period_s <= next_s + 1e-9:
                take(name, course.at(self._numbers[name]))
                self._numbers[name] += 1

    def _next_s(self) -> float:
        return min(self._numbers[name] * course.period_s for name, course in self._courses.items())

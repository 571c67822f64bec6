"""What an export consists of: samples of signals, rows of tables, and what holds for both."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Sample, Signal

SMALLEST_PICTURE = 8
"""Rows and columns of what is shown as a picture."""
MOST_TRACES = 32
"""Numbers of a sample that are drawn as a line each."""
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Track:
    """A signal in an export.

    Attributes:
        key: how files and arrays call it; the signal's name, unless an earlier one of another shape has that.
        signal: what it is.
        labels: names of the numbers of a sample in words, in order; "" for a single number.
        facts: repeated beside its samples, so that a row by itself says what it came from.
        foreign: whether somebody else gave it, by a clock of his own.
        array: what a file of arrays calls its samples, and what lies beside them by its plain name; the key where empty.
    """

    key: str
    signal: Signal
    labels: tuple[str, ...]
    facts: Mapping[str, Any]
    array: str = ""
    foreign: bool = False

    @property
    def is_picture(self) -> bool:
        """Whether a sample is a picture."""
        return is_picture(self.signal)

    @property
    def has_traces(self) -> bool:
        """Whether it can be drawn as a few lines over time."""
        signal = self.signal
        return signal.rate_hz > 0 and not signal.spacing_s and len(signal.shape) <= 1 and signal.elements <= MOST_TRACES


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A moment of a signal.

    Attributes:
        track: which.
        utc_ns: nanoseconds since 1970 UTC; 0 where that is unknown.
        sample: it.
        measured: of the sample's shape, False where a number was filled in from its neighbours; None where none ever is.
    """

    track: Track
    utc_ns: int
    sample: Sample
    measured: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: of it.
        kind: "float", "int", "text" or "time", which is nanoseconds since 1970 UTC.
        unit: of its numbers; "" for none.
    """

    name: str
    kind: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What is no signal: findings of a model, steps of alerts, events, markers, gaps.

    Attributes:
        key: how files and arrays call it.
        columns: in order, "utc" first.
    """

    key: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    Attributes:
        table: which.
        values: in the order of its columns; None for a number that is not there.
        words: what a person reads where rows of all tables lie in one place.
    """

    table: Table
    values: tuple[Any, ...]
    words: str = ""

    @property
    def utc_ns(self) -> int:
        """When, nanoseconds since 1970 UTC."""
        return int(self.values[0])


@dataclass(frozen=True, slots=True)
class SessionRow:
    """What holds for the rows that follow, where it is not what held before.

    Attributes:
        facts: whose they are and how they came about.
        constants: of each sensor that has any, by "SENSOR.constants.NUMBER".
    """

    facts: Mapping[str, Any]
    constants: Mapping[str, bytes]


Row = SampleRow | TableRow | SessionRow
Known = Mapping[str, Track | Table]
"""Tracks and tables by their keys, as far as they are known."""


def is_picture(signal: Signal) -> bool:
    """Whether a sample of a signal is a picture."""
    return len(signal.shape) == 2 and min(signal.shape) >= SMALLEST_PICTURE and not signal.spacing_s


def beside(path: Path, ending: str) -> Path:
    """A file whose name begins as `path` does."""
    return path.with_name(f"{path.stem}-{file_part(ending)}")


def file_part(key: str) -> str:
    """A key as a part of a file's name, which leads nowhere."""
    return _NOT_IN_NAMES.sub("_", key)


def element_names(track: Track) -> list[str]:
    """Names of the numbers of a sample, each its own: "value", labels, or places such as r03c17."""
    signal = track.signal
    if not signal.shape:
        return ["value"]
    if track.labels and len(set(track.labels)) == signal.elements:
        return list(track.labels)
    if len(signal.shape) == 2:
        rows, columns = signal.shape
        return [f"r{row:02d}c{column:02d}" for row in range(rows) for column in range(columns)]
    return [f"n{place:02d}" for place in range(signal.elements)]

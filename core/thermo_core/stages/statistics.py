"""statistics: numbers that describe a window of time or a whole sample."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import difference_unit
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_TERM = re.compile(r"^(?P<what>[a-z]+)(?P<number>\d+)?(\[(?P<first>-?\d+)?:(?P<last>-?\d+)?\])?$")
_NAMES = ("mean", "sd", "slope", "min", "max", "range", "first", "last", "change", "rise", "fall", "median", "p")
_LAGGED = ("change", "rise", "fall")
_NUMBERED = (*_LAGGED, "p")


class Statistics(OneInput, frozen=True, tag="statistics"):
    """Statistics along time (the first axis of a window, of each column) or over all elements of a sample.

    Each is a word, or one less another as in "mean[-60:] - mean[:60]": mean, sd (of all, not of a sample), slope (a second along
    time, an element over all), min, max, range, first, last, median; change5, the mean magnitude of the change over 5 rows; rise1
    and fall1, the largest rise and fall over one row; p95, the 95th percentile (the nearest element below). [a:b] takes rows as
    Python does.

    Attributes:
        give: the statistics, in order.
        over: "time" or "all".
    """

    give: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=48)], ...], Meta(min_length=1, max_length=64)]
    over: Literal["time", "all"] = "time"


def square_of_times(count: int) -> np.float32:
    """Sum of the squares of times -(n - 1) / 2 to (n - 1) / 2: n (n^2 - 1) / 12."""
    return np.float32(count * (count * count - 1) / 12)


class _Term:
    """One statistic of rows.

    Args:
        text: as in `Statistics.give`, without a difference.

    Raises:
        ValueError: why it is none.
    """

    def __init__(self, text: str) -> None:
        found = _TERM.match(text)
        if found is None or found["what"] not in _NAMES:
            raise ValueError(f'"{text}" is no statistic; they are {", ".join(_NAMES[:-1])}, p95')
        self.what = found["what"]
        if (self.what in _NUMBERED) != (found["number"] is not None):
            raise ValueError(f'"{text}" {"needs a" if self.what in _NUMBERED else "takes no"} number behind its name')
        self.number = int(found["number"] or 0)
        if self.what in _LAGGED and not self.number:
            raise ValueError(f'"{text}" is over no rows; say {self.what}1 or more')
        if self.what == "p" and not 0 <= self.number <= 100:
            raise ValueError(f'"{text}" is no percentile; they are p0 to p100')
        self.rows = slice(*(None if found[end] is None else int(found[end]) for end in ("first", "last")))

    def length(self, rows: int) -> int:
        """Rows it looks at, of so many; raises ValueError where they are too few."""
        count = len(range(*self.rows.indices(rows)))
        least = self.number + 1 if self.what in _LAGGED else 2 if self.what == "slope" else 1
        if count < least:
            raise ValueError(f"{self.what}{self.number or ''} needs {least} rows or more and has {count} of {rows}")
        return count

    def of(self, columns: Values, spacing_s: np.float32) -> Values:
        """(n, k) of (n, rows, k)."""
        x = columns[:, self.rows]
        if self.what == "mean":
            return float32.mean(x, 1)
        if self.what == "sd":
            apart: Values = x - float32.mean(x, 1)[:, np.newaxis]
            return np.asarray(np.sqrt(float32.mean(apart * apart, 1)), np.float32)
        if self.what == "slope":
            count = x.shape[1]
            t = (np.arange(count, dtype=np.float32) - np.float32((count - 1) / 2))[np.newaxis, :, np.newaxis]
            return np.asarray(float32.total(x * t, 1) / square_of_times(count) / spacing_s, np.float32)
        if self.what in _LAGGED:
            moved: Values = x[:, self.number :] - x[:, : -self.number]
            if self.what == "change":
                return float32.mean(np.abs(moved), 1)
            return _unsigned_zero(moved.max(1) if self.what == "rise" else moved.min(1))
        if self.what == "range":
            return _unsigned_zero(x.max(1)) - _unsigned_zero(x.min(1))
        if self.what in ("min", "max"):
            return _unsigned_zero(x.min(1) if self.what == "min" else x.max(1))
        if self.what in ("first", "last"):
            return np.asarray(x[:, 0 if self.what == "first" else -1], np.float32)
        ordered = np.sort(x, axis=1)
        count = x.shape[1]
        if self.what == "median":
            middle = (ordered[:, (count - 1) // 2] + ordered[:, count // 2]) * np.float32(0.5)
        else:
            middle = ordered[:, (count - 1) * self.number // 100]
        missing = np.isnan(x).any(1)
        return np.where(missing, np.float32(np.nan), _unsigned_zero(middle)).astype(np.float32)


def _unsigned_zero(x: Values) -> Values:
    """Which of equal zeros a search finds is not told: adding zero leaves no negative one."""
    return np.asarray(x + np.float32(0), np.float32)


@lru_cache(1024)
def terms(text: str) -> tuple[_Term, ...]:
    """One term, or two whose difference it is; raises ValueError."""
    parts = text.split(" - ")
    if len(parts) > 2:
        raise ValueError(f'"{text}" takes away more than once')
    return tuple(_Term(part.strip()) for part in parts)


_LEVELS = ("mean", "min", "max", "first", "last", "median", "p")


def _unit(parts: Sequence[_Term], unit: str, along_time: bool) -> str:
    """Of a statistic, or of one less another."""
    slopes = {term.what == "slope" for term in parts}
    if slopes != {False}:
        return f"{difference_unit(unit)}/s" if unit and along_time and slopes == {True} else ""
    first_is_level, *other = (term.what in _LEVELS for term in parts)
    if other and other[0] and not first_is_level:
        return ""
    return unit if first_is_level and other in ([], [False]) else difference_unit(unit)


def _result(stage: Statistics, inputs: Signals) -> Signal:
    """Over all, or over a window of one number: a number a statistic; over a window of several: elements x statistics.

    The unit of all statistics where they share one: that of the input for a mean, K for a range of degC, K/s for a slope of a window.
    """
    (signal,) = inputs
    if stage.over == "time" and (not signal.spacing_s or len(signal.shape) > 2):
        raise stage.fail(
            f'is over time and "{signal.name}" has no axis of time, so put a window before it or say over = "all"'
        )
    rows = signal.shape[0] if stage.over == "time" else signal.elements
    for text in stage.give:
        try:
            for term in terms(text):
                term.length(rows)
        except ValueError as error:
            raise stage.fail(f"has {error}") from None
    columns = signal.elements // rows
    shape = (len(stage.give),) if stage.over == "all" or len(signal.shape) == 1 else (columns, len(stage.give))
    units = {_unit(terms(text), signal.unit, stage.over == "time") for text in stage.give}
    return Signal(stage.gives, shape, units.pop() if len(units) == 1 else "", signal.rate_hz, signal.clock)


def _apply(stage: Statistics, inputs: Signals, values: Arrays) -> Values:
    signal, x = inputs[0], values[0]
    along_time = stage.over == "time"
    columns = x.reshape(len(x), signal.shape[0] if along_time else signal.elements, -1)
    spacing_s = np.float32(signal.spacing_s if along_time else 1.0)
    found = []
    for text in stage.give:
        first, *second = (term.of(columns, spacing_s) for term in terms(text))
        found.append(first - second[0] if second else first)
    stacked: Values = np.stack(found, axis=-1)
    flat = not along_time or len(signal.shape) == 1
    return stacked.reshape(len(x), -1) if flat else stacked


OP = Elementwise(
    Statistics,
    _result,
    _apply,
    "float32; sums in the order of rows; sd in two passes; slope: sum of x t with t from -(n-1)/2, over float32(n (n^2-1) / 12), "
    "over the spacing; a row without a value makes the statistic one without.",
)

"""Signals: named arrays over time, with shape, unit, rate and clock; what flows between sensors, stages and models."""

import math
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

Values = NDArray[np.float32]

Ref = Annotated[str, Meta(min_length=1, max_length=97, pattern=r"^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)?$")]
"""Name of a signal: "skin", or a part of what a sensor or model gives: "skin.ta"."""
Unit = Annotated[str, Meta(max_length=16, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]

DEPTHS = 8

GAP_PERIODS = 4
"""What has a memory starts anew after a time of more than so many periods without a sample."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a signal is.

    Attributes:
        name: see `Ref`.
        shape: of one sample; () is a single number.
        unit: of its values, "degC", "K", "bpm"; "" for pure numbers.
        rate_hz: samples a second; 0 where they come when something happens.
        clock: signals of the same clock have their samples at the same moments.
        spacing_s: seconds from row to row, where the first axis is time; 0 where it is not.
        depth: stages with a clock of their own between a sensor and it.
    """

    name: str
    shape: tuple[int, ...]
    unit: str
    rate_hz: float
    clock: str
    spacing_s: float = 0.0
    depth: int = 0

    @property
    def elements(self) -> int:
        """Numbers in a sample."""
        return math.prod(self.shape)

    @property
    def gap_us(self) -> int:
        """Longest time between two samples that is no gap, microseconds; 0 where there is no such thing."""
        return round(GAP_PERIODS * 1e6 / self.rate_hz) if self.rate_hz else 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment of a signal.

    Attributes:
        time_us: device's monotonic clock, microseconds.
        values: of the signal's shape, float32; NaN where there is no value.
        flags: `Quality`.
        fresh: what came before belongs to something else (another sensor, other constants): memories start anew.
        order: `DEPTHS` times the number of the block it rests on, counting all blocks of a wearable as they came, plus the number of
            clocks of their own that stages have given it since: moments come in the order of this, then of their times.
    """

    time_us: int
    values: Values
    flags: int = 0
    fresh: bool = False
    order: int = 0


@dataclass(frozen=True)
class Series:
    """Many moments of a signal, as they came.

    Attributes:
        times_us: (n,) int64.
        values: (n, *shape) float32.
        flags: (n,) uint16.
        fresh: (n,) bool.
        order: (n,) int64.
    """

    times_us: NDArray[np.int64]
    values: Values
    flags: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, np.uint16))
    fresh: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        count = len(self.times_us)
        for name, kind in (("flags", np.uint16), ("fresh", np.bool_), ("order", np.int64)):
            if count and not len(getattr(self, name)):
                filled = np.arange(count, dtype=kind) if name == "order" else np.zeros(count, kind)
                object.__setattr__(self, name, filled)

    def __len__(self) -> int:
        return len(self.times_us)

    @classmethod
    def of(cls, samples: list[Sample], shape: tuple[int, ...]) -> "Series":
        """Samples of a signal of that shape, in their order."""
        values = np.array([sample.values for sample in samples], np.float32).reshape(len(samples), *shape)
        return cls(
            np.array([sample.time_us for sample in samples], np.int64),
            values,
            np.array([sample.flags for sample in samples], np.uint16),
            np.array([sample.fresh for sample in samples], np.bool_),
            np.array([sample.order for sample in samples], np.int64),
        )

    def sample(self, index: int) -> Sample:
        """One of them."""
        return Sample(
            int(self.times_us[index]),
            self.values[index],
            int(self.flags[index]),
            bool(self.fresh[index]),
            int(self.order[index]),
        )

    def pick(self, index: NDArray[np.int64] | slice) -> "Series":
        """Some of them."""
        return Series(self.times_us[index], self.values[index], self.flags[index], self.fresh[index], self.order[index])

    def with_values(self, values: Values) -> "Series":
        """The same moments with other values."""
        return replace(self, values=values)

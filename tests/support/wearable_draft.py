"""A wearable in the making, of choices that Hypothesis or a generator makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

from thermo_core import schema
from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan, plan
from thermo_core.wearable.profile import Profile

Sensors = Mapping[str, tuple[tuple[int, ...], float]]
"""Shape and rate of each sensor's signal; what happens now and then has no rate."""

SENSORS: Sensors = {"fast": ((3,), 10.0), "slow": ((), 2.0), "event": ((2,), 0.0)}

Option = TypeVar("Option")


class Choices(Protocol):
    """Where a random wearable's choices come from."""

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""

    def one(self, options: Sequence[Option]) -> Option:
        """One of them."""


@dataclass(frozen=True)
class Drawn:
    """Hypothesis, which finds the smallest wearable that fails."""

    draw: st.DrawFn

    def whole(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def one(self, options: Sequence[Option]) -> Option:
        return self.draw(st.sampled_from(options))


@dataclass(frozen=True)
class Seeded:
    """A generator, which makes many large wearables, all unlike."""

    rng: np.random.Generator

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def one(self, options: Sequence[Option]) -> Option:
        return options[self.whole(0, len(options) - 1)]


class Unfit(Exception):
    """The choices make no wearable."""


@dataclass
class Kind:
    """What a stage must know of a signal to be put on it: clock by name and depth, whether rows are moments, whether it has a rate."""

    shape: tuple[int, ...]
    clock: tuple[str, int]
    timed: bool
    rated: bool

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=int))


@dataclass
class Draft:
    """A wearable in the making."""

    choices: Choices
    sensors: Sensors
    kinds: dict[str, Kind] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)

    def alike(self, of: str, same_shape: bool = False) -> list[str]:
        """Signals of the clock of another."""
        one = self.kinds[of]
        return [n for n, k in self.kinds.items() if k.clock == one.clock and (not same_shape or k.shape == one.shape)]

    def some(self, options: Sequence[Option], least: int, most: int) -> list[Option]:
        """`least` to `most` of them, some perhaps more than once."""
        return [self.choices.one(options) for _ in range(self.choices.whole(least, most))]

    def floats(self, count: int, low: float, high: float) -> list[float]:
        """Constants that depend on one choice."""
        rng = np.random.default_rng(self.choices.whole(0, 2**32 - 1))
        return [float(x) for x in rng.uniform(low, high, count).astype(np.float32)]

    def rate_hz(self, of: str) -> float:
        """Samples a second of a signal."""
        return finished(self).signals[of].rate_hz


Made = tuple[dict[str, Any], Kind] | None
"""Fields of a stage beside op, of and gives, and what it gives; None where it cannot be put there."""


def same(kind: Kind, **fields: Any) -> Made:
    """Something of the same shape and clock."""
    return fields, Kind(kind.shape, kind.clock, kind.timed, kind.rated)


def untimed(kind: Kind) -> Kind:
    """What has the shape of a window but whose rows are no moments."""
    return Kind(kind.shape, kind.clock, False, kind.rated)


def begun(choices: Choices, sensors: Sensors = SENSORS) -> Draft:
    """A wearable that has sensors alone."""
    kinds = {name: Kind(shape, (name, 0), False, rate > 0) for name, (shape, rate) in sensors.items()}
    return Draft(choices, sensors, kinds)


def finished(draft: Draft, unit: str = "") -> Plan:
    """The wearable, checked; what its sensors say is in `unit`."""
    sensors = [
        {"kind": "external", "name": name, "shape": list(shape), "rate_hz": rate_hz, "unit": unit}
        for name, (shape, rate_hz) in draft.sensors.items()
    ]
    parts = {"name": "test", "version": "1", "sensors": sensors, "stages": draft.stages, "models": draft.models}
    try:
        return plan(schema.from_plain(parts, Profile, "profile"))
    except ProfileError as error:
        # A mean of what a window thinned out; contrasts of what is not a temperature.
        if "faster" in str(error) or "needs kelvin" in str(error):
            raise Unfit from error
        raise

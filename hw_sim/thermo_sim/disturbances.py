"""What happens to a patch on skin that is no lesion, each with a switch, as K that it adds to what a camera sees.

Sizes, strengths and times are drawn from ranges for each event; `strength` multiplies them. Cold fingers leave prints that go with 2 to
4 minutes (after immersion in cold water nine of ten people have recovered at least partly after 4); the rest are assumptions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.errors import UsageError
from thermo_core.schema import Record, Text
from thermo_sim.scenes import STRAIGHT, WHOLE, Grid, Map, Scene, View, smooth_field

ROWS, COLUMNS = WHOLE[0].shape
MINUTE, HOUR = 60.0, 3600.0
Draw = Callable[[np.random.Generator], Callable[[Grid], Map]]


class Disturbance(Record, frozen=True):
    """One event.

    Attributes:
        kind: a key of `KINDS`.
        from_s: when it begins.
        lasts_s: for how long; as its kind draws it where left out.
        strength: factor of what it adds.
        seed: of its place, size and strength.
    """

    kind: Text
    from_s: float = 0.0
    lasts_s: Annotated[float, Meta(gt=0)] | None = None
    strength: Annotated[float, Meta(gt=0, le=10)] = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of event does.

    Attributes:
        about: it, in words.
        draw: (rng) -> K above what was there, at its height, of any grid.
        lasts_s: shortest and longest.
        rises_s: time constant with which it comes.
        falls_s: with which it goes once it is over.
    """

    about: str
    draw: Draw
    lasts_s: tuple[float, float]
    rises_s: float
    falls_s: float


class Event:
    """A `Disturbance` with all that is drawn of it.

    Args:
        told: the event.

    Raises:
        UsageError: there is no such kind.
    """

    def __init__(self, told: Disturbance) -> None:
        if told.kind not in KINDS:
            raise UsageError(f"There is no disturbance '{told.kind}'; use one of {', '.join(KINDS)}.")
        self.told = told
        self._kind = KINDS[told.kind]
        rng = np.random.default_rng([told.seed, 0xD15, *told.kind.encode()])
        low, high = self._kind.lasts_s
        self.lasts_s = float(np.exp(rng.uniform(np.log(low), np.log(high)))) if told.lasts_s is None else told.lasts_s
        self._map = self._kind.draw(rng)

    def share(self, time_s: float) -> float:
        """How much of it is there at a time, 0 to 1."""
        since = time_s - self.told.from_s
        if since < 0:
            return 0.0
        risen = 1 - np.exp(-min(since, self.lasts_s) / self._kind.rises_s)
        return float(risen * np.exp(-max(0.0, since - self.lasts_s) / self._kind.falls_s))

    def rise(self, grid: Grid) -> Map:
        """K that it adds at its height."""
        return self.told.strength * self._map(grid)


class Disturbed:
    """A scene to which something happens.

    Args:
        scene: it.
        event: what happens, by the scene's own time.
    """

    def __init__(self, scene: Scene, event: Disturbance) -> None:
        self._scene, self._event = scene, Event(event)

    def celsius(self, time_s: float, view: View = STRAIGHT) -> Map:
        """The scene with what the event adds to it."""
        seen, share = self._scene.celsius(time_s, view), self._event.share(time_s)
        return seen if share <= 0 else seen + share * self._event.rise(view.grid())


def _place(rng: np.random.Generator) -> tuple[float, float]:
    return rng.uniform(2, ROWS - 3), rng.uniform(2, COLUMNS - 3)


def _fingers(rng: np.random.Generator) -> Callable[[Grid], Map]:
    row, column = _place(rng)
    angle, count, apart = rng.uniform(0, 2 * np.pi), int(rng.integers(1, 5)), rng.uniform(7.5, 10)
    size, long, wide = -rng.uniform(1.0, 4.0), rng.uniform(3, 5), rng.uniform(2.2, 3.2)

    def of(grid: Grid) -> Map:
        along = np.sin(angle) * (grid[0] - row) + np.cos(angle) * (grid[1] - column)
        across = np.cos(angle) * (grid[0] - row) - np.sin(angle) * (grid[1] - column)
        found = np.zeros_like(grid[0])
        for finger in range(count):
            found += np.exp(
                -(np.square(along / long) + np.square((across - apart * (finger - (count - 1) / 2)) / wide))
            )
        return size * found

    return of


def _bottle(rng: np.random.Generator) -> Callable[[Grid], Map]:
    row, column = _place(rng)
    size, reach, soft = rng.uniform(1.5, 5.0), rng.uniform(8, 25), rng.uniform(2, 5)
    return lambda grid: size / (1 + np.exp((np.hypot(grid[0] - row, grid[1] - column) - reach) / soft))


def _pad(rng: np.random.Generator) -> Callable[[Grid], Map]:
    row, column = _place(rng)
    size, high, wide, soft = rng.uniform(0.8, 3.0), rng.uniform(4, 12), rng.uniform(4, 14), rng.uniform(1, 2.5)

    def of(grid: Grid) -> Map:
        inside = np.minimum(high - np.abs(grid[0] - row), wide - np.abs(grid[1] - column))
        warm: Map = size / (1 + np.exp(-inside / soft))
        return warm

    return of


def _lifted(rng: np.random.Generator) -> Callable[[Grid], Map]:
    angle, size, reach = rng.uniform(0, 2 * np.pi), -rng.uniform(1.5, 7.0), rng.uniform(2, 7)
    edge = 12.0 * abs(np.sin(angle)) + 16.0 * abs(np.cos(angle))
    return lambda grid: (
        size
        * np.exp(np.minimum(0.0, np.sin(angle) * (grid[0] - 11.5) + np.cos(angle) * (grid[1] - 15.5) - edge) / reach)
    )


def _sweat(rng: np.random.Generator) -> Callable[[Grid], Map]:
    seed, length = int(rng.integers(1 << 30)), rng.uniform(4, 9)
    size, level = -rng.uniform(0.5, 1.6), rng.uniform(0.0, 0.8)
    return lambda grid: size / (1 + np.exp(-5 * (smooth_field(np.random.default_rng(seed), length, grid) - level)))


def _line(rng: np.random.Generator) -> Callable[[Grid], Map]:
    angle, place, wide = rng.uniform(0, 2 * np.pi), rng.uniform(-8, 8), rng.uniform(1.2, 3.0)
    size = rng.choice((-1.0, 1.0)) * rng.uniform(0.4, 1.0)

    def of(grid: Grid) -> Map:
        across = np.sin(angle) * (grid[0] - 11.5) + np.cos(angle) * (grid[1] - 15.5) - place
        line: Map = size * np.exp(-np.power(across / wide, 4))
        return line

    return of


def _tilted(rng: np.random.Generator) -> Callable[[Grid], Map]:
    angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 2.5)
    return lambda grid: size * (np.sin(angle) * (grid[0] - 11.5) / 24 + np.cos(angle) * (grid[1] - 15.5) / 32)


def _pattern(rng: np.random.Generator) -> Callable[[Grid], Map]:
    size, noise = rng.uniform(0.25, 0.6), rng.standard_normal((ROWS, COLUMNS))
    return lambda grid: (
        size
        * noise[
            np.clip(np.rint(grid[0]).astype(int), 0, ROWS - 1), np.clip(np.rint(grid[1]).astype(int), 0, COLUMNS - 1)
        ]
    )


KINDS: Mapping[str, Kind] = {
    "cold-fingers": Kind("one to four cold fingers press on it", _fingers, (10, 60), 8, 3 * MINUTE),
    "hot-water-bottle": Kind(
        "a hot-water bottle lies on it", _bottle, (15 * MINUTE, 90 * MINUTE), 4 * MINUTE, 12 * MINUTE
    ),
    "heat-pad": Kind("a small heat pad sticks beside or on it", _pad, (1 * HOUR, 8 * HOUR), 5 * MINUTE, 12 * MINUTE),
    "lifted-edge": Kind("an edge of the patch has come off", _lifted, (5 * MINUTE, 6 * HOUR), 1 * MINUTE, 2 * MINUTE),
    "sweat": Kind("a part of the skin is wet and cools", _sweat, (10 * MINUTE, 90 * MINUTE), 3 * MINUTE, 8 * MINUTE),
    "bra-line": Kind("a strap presses along a line", _line, (1 * HOUR, 14 * HOUR), 10 * MINUTE, 20 * MINUTE),
    "tilt": Kind(
        "one side is warmed more than the other, as lying on it does",
        _tilted,
        (20 * MINUTE, 7 * HOUR),
        8 * MINUTE,
        8 * MINUTE,
    ),
    "uncalibrated": Kind("the pixels' corrections are gone", _pattern, (1 * HOUR, 24 * HOUR), 0.1, 0.1),
}
"""By the names that worlds and the laboratory call them."""

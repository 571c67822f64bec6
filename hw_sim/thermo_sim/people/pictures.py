"""What a camera sees of a person: a face, a palm, or skin; each follows the temperatures of its parts, before a wall as warm as the air.

Glasses, hair, a hand, sun and a strap come between as happenings. Pictures exercise the product; they are no model of anybody's face.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thermo_core.errors import UsageError
from thermo_sim.people.course import Course
from thermo_sim.people.places import place
from thermo_sim.people.relaxation import Ripple
from thermo_sim.scenes import STRAIGHT, WHOLE, Grid, Map, View, skin

ROWS, COLUMNS = WHOLE[0].shape
CourseAt = Callable[[float], tuple[Course, float, frozenset[str]]]
"""Who is seen, the time of its course, and names by which a happening may mean cameras that look; at a time."""


class Portrait:
    """A scene with somebody in it.

    Args:
        what: a key of `PORTRAITS`.
        who: is seen.
        seed: of how it moves and of its vessels.
        on: the place whose skin is seen, where `what` is "skin".

    Raises:
        UsageError: there is no such place.
    """

    def __init__(self, what: str, who: CourseAt, seed: int, on: str = "LWrist") -> None:
        self._draw, self._who = PORTRAITS[what], who
        self._seed, self._on = seed, place(on).name
        self._sways = Ripple(np.random.default_rng([seed, 0x5A1]), 2, 60.0, 3.0)

    def celsius(self, time_s: float, view: View = STRAIGHT) -> Map:
        """True temperatures, (24, 32) degC."""
        course, course_s, labels = self._who(time_s)
        times = np.array([course_s])

        def at(name: str) -> float:
            return float(course.skin_at(name, times)[0])

        air = float(course.air(times)[0])
        sway_row, sway_column = 0.6 * self._sways.at(np.array([time_s]))[0]
        row, column = view.grid()
        grid = (row - sway_row, column - sway_column) if self._draw is not _skin else (row, column)
        picture = self._draw(grid, at, air, self._seed, self._on)
        for one in course.happenings:
            cover = COVERS.get(one.effect.covers)
            if cover is None or not one.strikes(labels):
                continue
            amount = float(one.amount(times)[0])
            if amount > 0:
                picture = cover(picture, grid, at, air, amount)
        return picture


At = Callable[[str], float]
"""Temperature of skin at a place, degC."""


def _disc(grid: Grid, row: float, column: float, rows: float, columns: float, edge: float = 2.5) -> Map:
    """1 in an ellipse, 0 outside, with an edge of about a pixel; (24, 32)."""
    distance = np.hypot((grid[0] - row) / rows, (grid[1] - column) / columns) - 1
    inside: Map = 1 / (1 + np.exp(np.clip(edge * min(rows, columns) * distance, -60, 60)))
    return inside


def _spot(grid: Grid, row: float, column: float, size: float) -> Map:
    spot: Map = np.exp(-(np.square(grid[0] - row) + np.square(grid[1] - column)) / (2 * size**2))
    return spot


def _face(grid: Grid, at: At, air: float, seed: int, on: str) -> Map:
    """A head that fills most of the picture's height."""
    head, neck = _disc(grid, 11.0, 15.5, 10.0, 7.5), _disc(grid, 24.0, 15.5, 6.0, 4.0)
    skin_map = np.full(grid[0].shape, at("Cheek"))
    for name, row, column, size in (
        ("Forehead", 4.5, 15.5, 3.0), ("LForehead", 5.0, 12.0, 2.0), ("RForehead", 5.0, 19.0, 2.0),
        ("LCanthus", 9.5, 13.8, 0.9), ("RCanthus", 9.5, 17.2, 0.9), ("Nose", 12.5, 15.5, 1.3),
    ):  # fmt: skip
        share = _spot(grid, row, column, size)
        skin_map = (1 - share) * skin_map + share * at(name)
    picture = air + neck * (at("Neck") - air)
    seen: Map = (1 - head) * picture + head * skin_map
    return seen


def _palm(grid: Grid, at: At, air: float, seed: int, on: str) -> Map:
    """An open left hand, fingers up."""
    palm = _disc(grid, 15.5, 15.5, 6.0, 5.5)
    picture: Map = air + palm * (at("LPalm") - air)
    for number in range(5):
        angle = 0.3 * (number - 2)
        along = np.clip(-(grid[0] - 12) * np.cos(angle) + (grid[1] - 15.5) * np.sin(angle), 0, 10.5)
        apart = np.hypot(grid[0] - 12 + along * np.cos(angle), grid[1] - 15.5 - along * np.sin(angle))
        finger = (1 - palm) / (1 + np.exp(np.clip(3 * (apart - 1.1), -60, 60)))
        warm = at("LPalm") + (at("LFinger") - at("LPalm")) * np.clip(along / 8, 0, 1)
        picture = picture + finger * (warm - picture)
    return picture


def _skin(grid: Grid, at: At, air: float, seed: int, on: str) -> Map:
    """Bare skin that fills the picture, with its vessels."""
    picture: Map = skin(seed, at(on), grid=grid)
    return picture


def _glasses(picture: Map, grid: Grid, at: At, air: float, amount: float) -> Map:
    """Glass is opaque to the camera and between air and face."""
    lenses = np.maximum(_disc(grid, 9.5, 12.7, 1.9, 2.6), _disc(grid, 9.5, 18.3, 1.9, 2.6))
    covered: Map = picture + amount * lenses * (air + 0.55 * (at("Head") - air) - picture)
    return covered


def _hair(picture: Map, grid: Grid, at: At, air: float, amount: float) -> Map:
    fringe = _disc(grid, 2.5, 15.5, 4.5, 8.0)
    covered: Map = picture + amount * fringe * (air + 0.5 * (at("Head") - air) - picture)
    return covered


def _hand(picture: Map, grid: Grid, at: At, air: float, amount: float) -> Map:
    hand = _disc(grid, 13.0, 19.0, 7.0, 6.0)
    covered: Map = picture + amount * hand * (at("RPalm") - picture)
    return covered


def _sun(picture: Map, grid: Grid, at: At, air: float, amount: float) -> Map:
    """Skin in the sun is warmer on the side it shines from; the skin's own warming is in the body."""
    body = np.clip((picture - air) / max(at("Head") - air, 1.0), 0, 1)
    lit: Map = picture + 0.5 * amount * body * np.clip((grid[1] - COLUMNS / 2) / (COLUMNS / 4), 0, 1)
    return lit


def _strap(picture: Map, grid: Grid, at: At, air: float, amount: float) -> Map:
    band = 1 / (1 + np.exp(np.clip(2.5 * (np.abs(grid[0] - 0.75 * ROWS) - 2.0), -60, 60)))
    covered: Map = picture + amount * band * (air + 0.35 * (picture - air) - picture)
    return covered


Draw = Callable[[Grid, At, float, int, str], Map]
Cover = Callable[[Map, Grid, At, float, float], Map]
PORTRAITS: Mapping[str, Draw] = {"face": _face, "palm": _palm, "body-skin": _skin}
"""Scenes of a world that has a body, by the name that the world gives them."""
COVERS: Mapping[str, Cover] = {"glasses": _glasses, "hair": _hair, "hand": _hand, "sun": _sun, "strap": _strap}
"""What comes between, by `Effect.covers`."""


def make_portrait(name: str, who: CourseAt, seed: int, options: Mapping[str, Any]) -> Portrait:
    """A portrait with its options.

    Raises:
        UsageError: it has no such option, or there is no such place.
    """
    try:
        return Portrait(name, who, seed, **options)
    except TypeError as error:
        raise UsageError(f"The scene '{name}' does not take these options ({error}); correct them.") from error

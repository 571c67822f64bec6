"""A patch worn for weeks: one person's skin by time, with what changes from hour to hour and day to day, a lump, and disturbances.

All of it is a function of time that may be asked in any order. What wanders is a sum of waves of 2 to 72 hours with random phases. A
colder skin has more contrast, since blood that comes to it is as warm as ever.
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.schema import Record, Text
from thermo_sim.bioheat import Tissue, Tumour, surface_rise
from thermo_sim.disturbances import Disturbance, Event
from thermo_sim.scenes import STRAIGHT, Grid, Map, View
from thermo_sim.skins import PITCH_MM, SKINS, WANDERS, Skin

HOUR_S, DAY_S = 3600.0, 86_400.0
USUAL_CELSIUS, USUAL_ROOM = 33.5, 24.0
SKIN_BY_ROOM = 0.15
"""K of skin under a patch for each kelvin of the room."""
_WAVES = 8


class Habits(Record, frozen=True):
    """How much changes.

    Attributes:
        vessels: SD of each vessel's warmth, as a share of it.
        shift_px: farthest that a day's patch sits from the first one's place, in rows and in columns.
        turn_deg: SD of the patch's angle from day to day.
        wander_k: SD of each smooth field that comes and goes.
        room_k: SD of the room's temperature.
        tilt_k: SD of a slope over the picture.
    """

    vessels: Annotated[float, Meta(ge=0, le=1)] = 0.2
    shift_px: Annotated[float, Meta(ge=0, le=6)] = 0.5
    turn_deg: Annotated[float, Meta(ge=0, le=30)] = 0.5
    wander_k: Annotated[float, Meta(ge=0, le=2)] = 0.04
    room_k: Annotated[float, Meta(ge=0, le=15)] = 1.5
    tilt_k: Annotated[float, Meta(ge=0, le=3)] = 0.1


MILD = Habits()
HARSH = Habits(vessels=0.3, shift_px=1.0, turn_deg=1.0, wander_k=0.06, room_k=4.0, tilt_k=0.2)


class Lump(Record, frozen=True):
    """A tumour that may grow.

    Attributes:
        row, column: above its middle, pixels.
        tumour: as it is at the end of its growth.
        from_s: when it begins to grow, out of nothing.
        grows_s: how long it grows; 0: it is there at once. Its radius goes with the cube root of time.
    """

    row: float = 11.5
    column: float = 15.5
    tumour: Tumour = Tumour()
    from_s: float = 0.0
    grows_s: Annotated[float, Meta(ge=0)] = 0.0


@dataclass(frozen=True, slots=True)
class Moment:
    """How a patch sits and what the skin is like at one time.

    Attributes:
        room_celsius: temperature of the room.
        skin_celsius: level of the skin.
        contrast: factor of all contrasts.
        vessels: (v,) factor of each vessel.
        wander: (WANDERS,) K of each smooth field.
        shift: pixels down and to the right that the patch sits off.
        turn_deg: by which it is turned.
        slope: K over the picture, down and to the right.
    """

    room_celsius: float
    skin_celsius: float
    contrast: float
    vessels: NDArray[np.float64]
    wander: NDArray[np.float64]
    shift: tuple[float, float]
    turn_deg: float
    slope: tuple[float, float]

    def grid(self, grid: Grid) -> Grid:
        """Where on the first day's skin a grid of this patch looks."""
        down, right = grid[0] - 11.5, grid[1] - 15.5
        sine, cosine = np.sin(np.radians(self.turn_deg)), np.cos(np.radians(self.turn_deg))
        return (
            cosine * down + sine * right + 11.5 + self.shift[0],
            cosine * right - sine * down + 15.5 + self.shift[1],
        )


class Days:
    """The days of one person.

    Args:
        seed: of the skin and of all that changes.
        skin: name of its generator.
        habits: how much changes.
        level_celsius: of the skin, usually.

    Attributes:
        skin: its layers.

    Raises:
        UsageError: there is no such generator.
    """

    def __init__(self, seed: int, skin: str, habits: Habits = MILD, level_celsius: float = USUAL_CELSIUS) -> None:
        if skin not in SKINS:
            raise UsageError(f"There is no skin '{skin}'; use one of {', '.join(SKINS)}.")
        self.skin: Skin = SKINS[skin](seed)
        self._seed, self._habits, self._level = seed, habits, level_celsius
        rng = np.random.default_rng([seed, 0xDA75])
        count = len(self.skin.vessels) + WANDERS + 3
        self._rate = 2 * np.pi / np.exp(rng.uniform(np.log(2 * HOUR_S), np.log(3 * DAY_S), (count, _WAVES)))
        self._phase = rng.uniform(0, 2 * np.pi, (count, _WAVES))
        self._at_night = rng.uniform(0, 1)

    def at(self, time_s: float) -> Moment:
        """How things are at a time."""
        habits, vessels = self._habits, len(self.skin.vessels)
        waves = np.sqrt(2 / _WAVES) * np.cos(self._rate * time_s + self._phase).sum(1)
        day = 0.7 * waves[0] + np.sin(2 * np.pi * (time_s / DAY_S - 0.4 + 0.1 * self._at_night))
        room = USUAL_ROOM + habits.room_k * day
        skin = self._level + SKIN_BY_ROOM * (room - USUAL_ROOM)
        tissue = Tissue()
        contrast = (tissue.blood_celsius - skin) / (tissue.blood_celsius - USUAL_CELSIUS)
        daily = np.random.default_rng([self._seed, 0xDA, int(time_s // DAY_S)])
        down, right = daily.uniform(-habits.shift_px, habits.shift_px, 2)
        return Moment(
            room,
            skin,
            contrast,
            np.maximum(0.0, 1 + habits.vessels * waves[3 : 3 + vessels]),
            habits.wander_k * waves[3 + vessels :],
            (float(down), float(right)),
            float(daily.normal(0, habits.turn_deg)) if habits.turn_deg else 0.0,
            (habits.tilt_k * waves[1], habits.tilt_k * waves[2]),
        )


@cache
def _rise_table(tumour: Tumour) -> tuple[Map, Map]:
    distance = np.linspace(0.0, 90.0, 361)
    return distance, surface_rise(tumour, Tissue(), distance)


def rise_of(lump: Lump, grid: Grid, time_s: float = np.inf) -> Map:
    """K that a lump adds to skin of the usual level where a grid of the scene looks."""
    if time_s < lump.from_s:
        return np.zeros_like(grid[0])
    tumour = lump.tumour
    if lump.grows_s and time_s < lump.from_s + lump.grows_s:
        share = np.cbrt((time_s - lump.from_s) / lump.grows_s)
        radius = round(tumour.radius_mm * float(share), 1)
        if radius < 0.5:
            return np.zeros_like(grid[0])
        tumour = Tumour(tumour.depth_mm, radius, tumour.perfusion, tumour.metabolism)
    distance, rise = _rise_table(tumour)
    return np.interp(PITCH_MM * np.hypot(grid[0] - lump.row, grid[1] - lump.column), distance, rise)


class WornPatch:
    """What a camera of a patch sees by time; a scene.

    Args:
        days: of its wearer.
        lump: beneath the skin, or None.
        disturbances: what happens to it.
        day: of the wearer's that time 0 is the beginning of.
        pace: seconds of the wearer's life a second.
    """

    def __init__(
        self,
        days: Days,
        lump: Lump | None = None,
        disturbances: tuple[Disturbance, ...] = (),
        day: float = 0.0,
        pace: float = 1.0,
    ) -> None:
        self._days, self._lump, self._day, self._pace = days, lump, day, pace
        self._events = [Event(told) for told in disturbances]

    def celsius(self, time_s: float, view: View = STRAIGHT) -> Map:
        """Skin as it is then; disturbances go by the scene's own seconds, whatever the pace."""
        life_s = self._day * DAY_S + time_s * self._pace
        moment = self._days.at(life_s)
        seen = view.grid()
        return seen_celsius(self._days.skin, moment, seen, self._lump, life_s) + sum(
            share * event.rise(seen) for event in self._events if (share := event.share(time_s)) > 0
        )


def seen_celsius(skin: Skin, moment: Moment, seen: Grid, lump: Lump | None, time_s: float = np.inf) -> Map:
    """Temperatures that a patch sees where a grid of its own looks, degC."""
    grid = moment.grid(seen)
    picture = moment.skin_celsius + skin.seen(grid, moment.contrast, moment.vessels, moment.wander)
    picture += moment.slope[0] * (seen[0] - 11.5) / 24 + moment.slope[1] * (seen[1] - 15.5) / 32
    if lump is not None:
        picture += moment.contrast * rise_of(lump, grid, time_s)
    return picture


class WornOptions(Record, frozen=True):
    """What a world says of it.

    Attributes:
        skin: name of the generator, a key of `skins.SKINS`.
        habits: how much changes.
        lump: beneath the skin; none where left out.
        disturbances: what happens.
        day: of the wearer's that the world begins with.
        pace: seconds of the wearer's life a second.
        level_celsius: of the skin, usually.
    """

    skin: Text = "branches"
    habits: Habits = MILD
    lump: Lump | None = None
    disturbances: tuple[Disturbance, ...] = ()
    day: Annotated[float, Meta(ge=0, le=10_000)] = 0.0
    pace: Annotated[float, Meta(gt=0, le=100_000)] = 1.0
    level_celsius: Annotated[float, Meta(ge=20, le=40)] = USUAL_CELSIUS


def worn_patch(seed: int, options: WornOptions) -> WornPatch:
    """The scene of a world's options."""
    days = Days(seed, options.skin, options.habits, options.level_celsius)
    return WornPatch(days, options.lump, options.disturbances, options.day, options.pace)

"""Scripts of a day: what a person does, where and in what, one spell after the other, with chance from a seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_sim.people.activities import ACTIVITIES
from thermo_sim.people.happenings import Happening, happening
from thermo_sim.people.person import Person
from thermo_sim.people.table import OUTFITS

Array = NDArray[np.float64]
MINUTE = 60.0
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which nothing of this changes.

    Attributes:
        start_s: when it begins.
        activity: a name of `ACTIVITIES`.
        par: metabolic rate by basal metabolic rate.
        air_celsius, humidity, wind_m_s: around the body.
        worn: shares of `OUTFITS`, their sum is 1.
        pace: of the steps, by the activity's own.
    """

    start_s: float
    activity: str
    par: float
    air_celsius: float
    humidity: float
    wind_m_s: float
    worn: tuple[float, ...]
    pace: float = 1.0


def outfit(first: str, second: str = "", share: float = 0.0) -> tuple[float, ...]:
    """Shares of what is worn: all of one, or a share of another."""
    names = tuple(OUTFITS)
    shares = [0.0] * len(names)
    shares[names.index(first)] += 1 - share
    if second:
        shares[names.index(second)] += share
    return tuple(shares)


@dataclass
class _Pen:
    """Writes spells one after the other.

    Attributes:
        rng: of chance.
        at_s: where the next one begins.
        air, humidity, worn: that hold until another is given.
    """

    rng: np.random.Generator
    air: float
    humidity: float = 45.0
    worn: tuple[float, ...] = outfit("indoor")
    at_s: float = 0.0
    spells: list[Spell] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)

    def do(self, activity: str, minutes: float, par: float = 1.0, wind: float | None = None, pace: float = 1.0) -> None:
        """Something for so long; `par` by the activity's own."""
        kind = ACTIVITIES[activity]
        self.spells.append(
            Spell(
                self.at_s,
                activity,
                max(1.0, kind.par * par),
                self.air,
                self.humidity,
                max(kind.wind_m_s, wind or 0.0),
                self.worn,
                pace,
            )
        )
        self.at_s += minutes * MINUTE

    def go(self, air: float, humidity: float | None = None, worn: tuple[float, ...] | None = None) -> None:
        """Elsewhere, or into something else."""
        self.air = air
        self.humidity = self.humidity if humidity is None else humidity
        self.worn = self.worn if worn is None else worn

    def near(self, middle: float, share: float = 0.2) -> float:
        """A number near another."""
        return float(middle * self.rng.uniform(1 - share, 1 + share))

    def happens(self, kind: str, lasts_s: float | None = None, at: str = "", size: float | None = None) -> None:
        """From here on."""
        self.happenings.append(happening(kind, self.at_s, lasts_s, at, size))


def _rest(pen: _Pen, hours: float) -> None:
    pen.do("rest", 60 * hours)


def _night(pen: _Pen, hours: float) -> None:
    pen.do("rest", pen.near(25))
    pen.do("chores", pen.near(8))
    pen.go(pen.air - pen.rng.uniform(1, 4))
    _sleep(pen, hours * HOUR - 12 * MINUTE)
    pen.go(pen.air + 1.5, worn=outfit("indoor"))
    pen.do("chores", 6)
    pen.do("rest", 60)


def _sleep(pen: _Pen, until_s: float) -> None:
    """In bed until a time; covers move, and once or so one gets up."""
    cover = float(pen.rng.uniform(0.75, 1.0))
    pen.go(pen.air, worn=outfit("indoor", "bed", cover))
    pen.do("lie", min(pen.near(18, 0.5), max(1.0, (until_s - pen.at_s) / MINUTE)))
    while pen.at_s < until_s:
        pen.go(pen.air, worn=outfit("indoor", "bed", float(np.clip(cover + pen.rng.normal(0, 0.12), 0.4, 1.0))))
        pen.do("sleep", min(pen.near(85, 0.4), (until_s - pen.at_s) / MINUTE))
        if pen.rng.random() < 0.2 and pen.at_s + 5 * MINUTE < until_s:
            pen.go(pen.air, worn=outfit("indoor"))
            pen.do("stroll", 3)
        elif pen.rng.random() < 0.25 and pen.at_s + MINUTE < until_s:
            pen.happens("lies-on-arm", pen.near(1800, 0.5), str(pen.rng.choice(["L", "R"])), pen.near(1.0, 0.4))


def _workout(pen: _Pen, hours: float) -> None:
    pen.go(pen.near(21, 0.08), worn=outfit("sport"))
    pen.do("rest", 10)
    pen.do("walk", pen.near(5))
    left = max(12.0, 60 * hours - 40)
    kinds = list(pen.rng.permutation(["run", "cycle", "sprint"]))
    for kind in kinds:
        if kind == "sprint":
            for _ in range(max(2, round(left / 3 / 2))):
                pen.do("sprint", 0.5, pen.near(1.0, 0.1))
                pen.do("cycle", 1.5, 0.55, pace=0.7)
        else:
            pen.do(kind, left / 3 * 0.8, pen.near(0.95, 0.12), pace=pen.near(1.0, 0.04))
            pen.do("walk", left / 3 * 0.2, 0.8)
    pen.do("stroll", 6)
    pen.do("rest", 600)


def _outdoors(pen: _Pen, hours: float) -> None:
    home, cold = pen.air, float(pen.rng.uniform(-3, 9))
    pen.do("rest", 12)
    pen.go(home, worn=outfit("winter") if cold < 4 else outfit("jacket", "winter", 0.4))
    pen.do("stand", 3)
    pen.go(cold, float(pen.rng.uniform(55, 85)))
    left = max(20.0, 60 * hours - 45)
    pen.do("walk", left * 0.5, pen.near(1.0, 0.1), wind=2.0)
    pen.happens("jacket-open", pen.near(600, 0.3), size=pen.near(0.7, 0.3))
    pen.do("stand", left * 0.2, wind=1.0)
    pen.do("walk", left * 0.3, pen.near(1.0, 0.1), wind=2.0)
    pen.go(home, 40.0, outfit("indoor"))
    pen.do("rest", 600)


def _fever(pen: _Pen, hours: float) -> None:
    pen.do("rest", 45)
    size = float(pen.rng.uniform(1.1, 2.6))
    pen.happens("fever", max(0.5, hours * 0.65) * HOUR, size=size)
    while pen.at_s < hours * HOUR:
        pen.go(pen.air, worn=outfit("indoor", "bed", 0.8))
        pen.do("lie", pen.near(100, 0.4))
        pen.go(pen.air, worn=outfit("indoor"))
        pen.do("rest", pen.near(35, 0.4))
        pen.do("stroll", 4)


def _challenge(pen: _Pen, hours: float) -> None:
    pen.do("hold", 10)
    size = float(pen.rng.uniform(9, 18)) if pen.rng.random() < 0.75 else -float(pen.rng.uniform(3.5, 6.5))
    pen.happens("challenge", 60.0, size=size)
    pen.do("hold", 600)


def _day(pen: _Pen, hours: float) -> None:
    days = max(1, int(np.ceil(hours / 24)))
    home = pen.air
    for day in range(days):
        begun_s = day * 24 * HOUR
        outside = float(pen.rng.uniform(2, 27))
        coat = (
            outfit("indoor") if outside > 19 else outfit("jacket", "winter", float(np.clip((12 - outside) / 10, 0, 1)))
        )
        pen.go(home - 2.0)
        _sleep(pen, begun_s + pen.near(7, 0.08) * HOUR)
        pen.go(home, 45.0, outfit("indoor"))
        pen.do("chores", pen.near(25))
        pen.do("eat", pen.near(15))
        pen.go(outside, float(pen.rng.uniform(40, 80)), coat)
        pen.do("walk", pen.near(12, 0.5), wind=1.8)
        office = float(pen.rng.uniform(20.5, 24.5))
        pen.go(office, float(pen.rng.uniform(30, 55)), outfit("indoor"))
        while pen.at_s < begun_s + 12 * HOUR:
            pen.do("desk", pen.near(50, 0.4))
            pen.do(str(pen.rng.choice(["stand", "stroll", "stroll", "rest"])), pen.near(6, 0.5))
            if pen.rng.random() < 0.3:
                pen.happens("warm-cup", pen.near(240, 0.4), str(pen.rng.choice(["LHand", "RHand"])), pen.near(4, 0.4))
        pen.do("stroll", 6)
        pen.do("eat", pen.near(25))
        while pen.at_s < begun_s + 17 * HOUR:
            pen.do("desk", pen.near(55, 0.4))
            if pen.rng.random() < 0.15:
                pen.happens("stress", pen.near(700, 0.4), size=pen.near(15, 0.4))
            pen.do(str(pen.rng.choice(["stand", "stroll", "rest"])), pen.near(6, 0.5))
        pen.go(outside, float(pen.rng.uniform(40, 80)), coat)
        pen.do("walk", pen.near(14, 0.5), wind=1.8)
        pen.go(home, 45.0, outfit("indoor"))
        pen.do("chores", pen.near(35))
        if pen.rng.random() < 0.4:
            pen.go(pen.near(20, 0.1), worn=outfit("sport"))
            pen.do(
                str(pen.rng.choice(["run", "cycle"])), pen.near(32, 0.4), pen.near(0.95, 0.15), pace=pen.near(1, 0.04)
            )
            pen.do("stroll", 5)
            pen.go(home, worn=outfit("indoor"))
        pen.do("eat", pen.near(30))
        pen.do("rest", max(5.0, (begun_s + pen.near(22.4, 0.02) * HOUR - pen.at_s) / MINUTE))
        pen.do("chores", 6)
        pen.go(home - 2.0)
        _sleep(pen, begun_s + 24 * HOUR)


@dataclass(frozen=True, slots=True)
class Script:
    """One row.

    Attributes:
        write: writes the spells.
        about: it, in words.
        hours: it takes where nothing else is said; then its last activity goes on.
        clock_h: hour of the day at which it begins.
    """

    write: Callable[[_Pen, float], None]
    about: str
    hours: float
    clock_h: float


SCRIPTS: Mapping[str, Script] = {
    "rest": Script(_rest, "sitting in a room", 1.0, 10.0),
    "night": Script(_night, "an evening, a night in bed, a morning", 8.5, 22.5),
    "workout": Script(_workout, "rest, then running, cycling and sprints, then rest", 1.5, 18.0),
    "outdoors": Script(_outdoors, "out of a warm room into the cold, a jacket opened, and back again", 2.0, 14.0),
    "fever": Script(_fever, "at home, and fever that comes and goes", 12.0, 9.0),
    "challenge": Script(_challenge, "still, hands a minute in water, and their recovery", 0.5, 10.0),
    "day": Script(
        _day, "a day and night of somebody healthy, from midnight on; as many as there are hours for", 24.0, 0.0
    ),
}
"""Scripts by name."""


def written(
    name: str, seed: int, person: Person, hours: float | None = None
) -> tuple[tuple[Spell, ...], tuple[Happening, ...], float]:
    """Spells, what happens, and the hours of a script.

    Raises:
        UsageError: there is no such script, or the hours are none.
    """
    if name not in SCRIPTS:
        raise UsageError(f"There is no script {name!r}; use one of {', '.join(SCRIPTS)}.")
    script = SCRIPTS[name]
    lasts_h = script.hours if hours is None else hours
    if not 0 < lasts_h <= 24 * 60:
        raise UsageError(f"The script {name} is wanted for {lasts_h:g} hours; give more than 0 and at most {24 * 60}.")
    rng = np.random.default_rng([seed, person.seed, 0x5C21, list(SCRIPTS).index(name)])
    pen = _Pen(rng, float(rng.uniform(21, 24.5)), float(rng.uniform(35, 55)))
    script.write(pen, lasts_h)
    return tuple(pen.spells), tuple(pen.happenings), lasts_h


def spells_of(values: Sequence[Spell], field_name: str) -> Array:
    """One field of all spells, (p,) or (p, k)."""
    return np.array([getattr(spell, field_name) for spell in values], float)

"""Days of `thermo_sim.people` as scenes: bare hands and bedclothes, runs and coats, which the file's scenes have not.

A day is cut into scenes of an hour and a half; in some of them something happens, of the kinds that the file's scenes have. What a person
puts on or takes off by itself is no event, and no scene to learn events from.
"""

from collections.abc import Mapping

import numpy as np

from thermo_models.tasks.clothing_scenes import EVENTS, UNKNOWN, Scenes
from thermo_sim.people import Happening, Person, course, happening
from thermo_sim.people.course import Course
from thermo_sim.people.table import OUTFITS

SCRIPTS = {"rest": 3.0, "night": None, "workout": None, "outdoors": 3.0, "fever": None, "day": None}
"""By name, and for how many hours where not as usual."""
MINUTES = 90
FIRST, LAST = 25, 63
"""Minutes of a scene between which something happens, as in the file's."""
LASTS_S = 3600.0
KINDS = {
    "jacket_open": "jacket-open",
    "heat_one_side": "warm-side",
    "cool_one_side": "cool-side",
    "warm_spot_trunk": "warm-spot",
}
LIMBS, TRUNK = ("Hand", "Arm", "Thigh", "Leg"), ("Chest", "Back", "Pelvis")
SIZES = {
    "jacket_open": (0.6, 1.0),
    "heat_one_side": (0.4, 2.5),
    "cool_one_side": (0.4, 2.5),
    "warm_spot_trunk": (0.3, 1.2),
}
"""Kelvin; of a jacket, the share that is opened."""
COATS = [list(OUTFITS).index(name) for name in ("jacket", "winter")]
SEED = 70_000
"""Of the first person; others have other seeds."""


def days(people: Mapping[str, int], minutes: int = MINUTES, first: int = SEED) -> Scenes:
    """Scenes of days.

    Args:
        people: how many of each script.
        minutes: of a scene.
        first: seed of the first person.
    """
    starts = {script: first + 1000 * at for at, script in enumerate(SCRIPTS)}
    parts = [_cut(script, starts[script] + number, minutes) for script in SCRIPTS for number in range(people[script])]
    return Scenes.joined(parts)


def _cut(script: str, seed: int, minutes: int) -> Scenes:
    rng, person = np.random.default_rng([seed, 0xDA1]), Person.drawn(seed)
    plain = course(script, seed, person, SCRIPTS[script])
    count = int(60 * plain.hours // minutes)
    event, begun = np.zeros(count, np.int64), np.full(count, -1)
    happenings: list[Happening] = []
    for scene in range(count):
        if _changes(plain, 60.0 * minutes * scene, 60.0 * minutes * (scene + 1)):
            event[scene] = UNKNOWN
        elif (kind := str(rng.choice(EVENTS))) != EVENTS[0]:
            minute = int(rng.integers(FIRST, LAST))
            start_s = 60.0 * (minutes * scene + minute)
            if kind == "jacket_open" and _coat(plain, start_s) < 0.5:
                continue
            place = {"jacket_open": "", "warm_spot_trunk": str(rng.choice(TRUNK))}.get(
                kind, str(rng.choice(["L", "R"])) + str(rng.choice(LIMBS))
            )
            # Until the scene ends, so that nothing is left of it in the next one but its fading.
            lasts_s = min(LASTS_S, 60.0 * (minutes * (scene + 1)) - start_s)
            happenings.append(happening(KINDS[kind], start_s, lasts_s, place, float(rng.uniform(*SIZES[kind]))))
            event[scene], begun[scene] = EVENTS.index(kind), minute
    went = course(script, seed, person, SCRIPTS[script], happenings) if happenings else plain
    truth = went.at(60.0 * np.arange(count * minutes))
    return Scenes(
        truth.skin_celsius.reshape(count, minutes, -1),
        event,
        begun,
        truth.air_celsius.reshape(count, minutes),
        (truth.metabolic_w / truth.metabolic_w.min()).reshape(count, minutes),
        np.ones(count, np.bool_),
    )


def _coat(went: Course, time_s: float) -> float:
    """Share of coats among what is worn."""
    spell = [one for one in went.spells if one.start_s <= time_s][-1]
    return sum(spell.worn[at] for at in COATS)


def _changes(went: Course, start_s: float, end_s: float) -> bool:
    """Whether other clothes are put on within a scene, or in the half hour before."""
    worn = [one.worn for one in went.spells if one.start_s <= start_s - 1800][-1:]
    worn += [one.worn for one in went.spells if start_s - 1800 < one.start_s < end_s]
    return any(one != worn[0] for one in worn)

"""Windows of a neuro band on simulated people, whose skin, vessels and recovery are `thermo_sim.people`'s and not this task's own."""

from dataclasses import replace

import numpy as np

from thermo_models.tasks.neuro_band_curves import ALIKE, BEFORE_S, LATEST_S, NODES, ROWS, Windows
from thermo_sim.people.course import course
from thermo_sim.people.happenings import happening
from thermo_sim.people.person import Person

SITES = ("LForearm", "RForearm", "LWrist", "RWrist", "LHand", "RHand", "LFinger", "RFinger")
STEPS = 0.5
"""Mean number of changes of contact of a node in a window."""
CONTACT = (0.03, 0.25)
"""Share of contact that a node loses at one."""
NOISE_K = (0.01, 0.05)


def make(count: int, seed: int, steps: float, slowing: float) -> Windows:
    """The first window after each of so many people's challenge; a third slowed left, a third right.

    Args:
        count: how many people.
        seed: of the first of them; they count up from here.
        steps: mean number of changes of contact of a node.
        slowing: factor of a slowed side.
    """
    values, before = np.empty((count, ROWS, NODES), np.float32), np.empty((count, NODES), np.float32)
    log_ratio, amplitude = np.empty(count), np.empty(count)
    for number in range(count):
        person, side = Person.drawn(seed + number), number % 3
        person = replace(person, slow_left=slowing if side == 1 else 1.0, slow_right=slowing if side == 2 else 1.0)
        went = course("challenge", seed + number, person)
        (known,) = went.recoveries
        rng = np.random.default_rng([seed + number, 0xBA2E])
        times = known.end_s + rng.uniform(0, LATEST_S) + np.arange(ROWS)
        went = went.with_happenings(
            happening(
                "contact-step", times[0] + rng.uniform(0, ROWS),
                float(rng.exponential(90.0)) if rng.random() < 0.5 else ROWS, site, float(rng.uniform(*CONTACT)),
            )
            for site in SITES
            for _ in range(rng.poisson(steps))
        )  # fmt: skip
        noise = np.exp(rng.uniform(*np.log(NOISE_K))) * rng.standard_normal((ROWS, NODES))
        values[number] = np.stack([went.felt(site, times) for site in SITES], axis=1) + noise
        minutes = times[0] - np.linspace(*BEFORE_S, 3)
        before[number] = np.mean([went.felt(site, minutes) for site in SITES], axis=1)
        log_ratio[number], amplitude[number] = known.log_ratio, abs(known.distance_k)
    side_of = np.arange(count) % 3
    nothing = np.full((count, 2, 1), np.nan)
    slowed = np.where(side_of > 0, slowing, 1.0)
    return Windows(values, before, ALIKE + side_of, log_ratio, slowed, nothing, np.ones((count, 1)), amplitude)

"""A person's heart and breath: cardiac output over the person's own stroke volume, and a heat term of its own.

No equation with which a wearable estimates core temperature of the heart's rate is in it, or such an estimate would judge itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people.activities import ACTIVITIES
from thermo_sim.people.happenings import Happening
from thermo_sim.people.person import Person
from thermo_sim.people.relaxation import Relaxation, Ripple, lagged
from thermo_sim.people.scripts import Spell, spells_of

Array = NDArray[np.float64]
OverTimes = Callable[[Array], Array]
"""(n,) at (n,) times."""

HEART_TAU_S = 45.0
"""With which the heart follows what a person does beside work."""
SD_BPM = 2.2
"""Of what nerves do at rest."""


@dataclass(frozen=True)
class Heart:
    """One.

    Attributes:
        person: whose.
        seed: of what nerves do.
        spells, happenings: what the person does and what befalls it.
        ends_s: until when beats are counted second by second.
        cardiac: output, l/h.
        resting_l_h: the same at rest.
        core: degC.
    """

    person: Person
    seed: int
    spells: tuple[Spell, ...]
    happenings: tuple[Happening, ...]
    ends_s: float
    cardiac: OverTimes
    resting_l_h: float
    core: OverTimes

    def bpm(self, times_s: Array) -> Array:
        """Beats a minute, (n,)."""
        person = self.person
        flow = self.cardiac(times_s) / self.resting_l_h
        more = np.maximum(flow - 1, 0.0)
        bpm = person.resting_bpm * flow / (1 + person.stroke_gain * more / (more + 0.4))
        bpm *= self._rate_share.at(times_s)[:, 0]
        warm = self.core(times_s) - 37.0 - person.core_k
        bpm += person.heat_bpm_k * np.where(warm > 0, warm, 0.5 * warm)
        for one in self.happenings:
            if one.effect.heart_bpm:
                bpm += one.effect.heart_bpm * one.amount(times_s)
            if one.effect.holds_heart:
                amount = one.effect.holds_heart * one.amount(times_s)
                bpm -= amount * (bpm - person.resting_bpm) + 0.4 * amount * person.resting_bpm
        bpm += SD_BPM * self._nerves.at(times_s)[:, 0] / (1 + more)
        # Tanaka et al. 2001.
        most = 208 - 0.7 * person.age_years
        within: Array = np.maximum(-5 * np.logaddexp(-bpm / 5, -most / 5), 32.0)
        return within

    def beats(self, times_s: Array) -> Array:
        """Since the beginning, (n,)."""
        return self._counted(times_s, 0)

    def breaths(self, times_s: Array) -> Array:
        """Since the beginning, (n,)."""
        return self._counted(times_s, 1)

    def _counted(self, times_s: Array, column: int) -> Array:
        grid, counts, rates = self._counts
        inside = np.clip(times_s, grid[0], grid[-1])
        beyond = (times_s - inside) * np.interp(inside, grid, rates[column])
        counted: Array = np.interp(inside, grid, counts[column]) + beyond
        return counted

    @cached_property
    def _counts(self) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
        """A second's grid, and on it beats and breaths, and both a second."""
        grid = np.arange(0.0, self.ends_s + 1.5)
        beats = self.bpm(grid) / 60
        more = np.maximum(self.cardiac(grid) / self.resting_l_h - 1, 0.0)
        breaths = np.minimum(self.person.breaths_per_minute * (1 + 0.9 * more), 45.0) / 60

        def summed(rate: Array) -> Array:
            # Of what has been, never of what comes: a happening does not reach back.
            return np.concatenate([[0.0], np.cumsum(rate[:-1])])

        return grid, (summed(beats), summed(breaths)), (beats, breaths)

    @cached_property
    def _rate_share(self) -> Relaxation:
        share = np.array([[ACTIVITIES[spell.activity].still_rate] for spell in self.spells])
        return lagged(spells_of(self.spells, "start_s"), share, HEART_TAU_S)

    @cached_property
    def _nerves(self) -> Ripple:
        return Ripple(np.random.default_rng([self.seed, self.person.seed, 0x4EA7]), 1, 1800.0, 25.0)

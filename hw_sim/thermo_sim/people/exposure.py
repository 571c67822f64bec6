"""What surrounds a body by its spells, and what becomes of a body of that size: by the table, before all that is a person's own."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people import table
from thermo_sim.people.happenings import Happening
from thermo_sim.people.person import Person
from thermo_sim.people.relaxation import Relaxation, lagged, merged, pieces_at
from thermo_sim.people.scripts import Spell, spells_of

Array = NDArray[np.float64]

AIR_TAU_S = 45.0
BLOOD_TO_SKIN_K = 0.1
CLOTH_TAU_S = 150.0
BARE_DROP = 0.41
"""Share of the way from skin to air at which air beside bare skin is: wrist skin 32.7, air beside it 29.1 degC in rooms."""
CLOTH_DROP = 1.2
"""How much nearer to skin it is, for each clo."""


@dataclass(frozen=True)
class Exposure:
    """A body in its surroundings.

    Attributes:
        person: whose size it has.
        spells: what it does and where.
        happenings: of which those count that change what surrounds it.
    """

    person: Person
    spells: tuple[Spell, ...]
    happenings: tuple[Happening, ...]

    def skin(self, times_s: Array) -> Array:
        """degC by segment, (n, 17)."""
        known = self._body.at(times_s, slice(0, 35))
        head = known[:, 34]
        skin = table.shipped().corrected(known[:, :17], head)
        # Blood makes no skin warmer than itself, which a table between and beyond its nodes may.
        most = head[:, np.newaxis] - BLOOD_TO_SKIN_K
        within: Array = most - 0.3 * np.logaddexp(0, (most - skin) / 0.3)
        return within

    def core(self, times_s: Array) -> Array:
        """degC of the pelvis, (n,)."""
        return self._body.at(times_s, slice(35, 36))[:, 0]

    def cardiac(self, times_s: Array) -> Array:
        """l/h, (n,)."""
        return self._body.at(times_s, table.OUTPUTS["cardiac"])[:, 0]

    def metabolic(self, times_s: Array) -> Array:
        """W, (n,)."""
        return self._body.at(times_s, table.OUTPUTS["metabolic"])[:, 0]

    def sweat(self, times_s: Array) -> Array:
        """Water lost, g/h; (n,)."""
        lost: Array = np.maximum(self._body.at(times_s, table.OUTPUTS["sweat"])[:, 0], 0.0)
        return lost

    def wet(self, times_s: Array) -> Array:
        """Skin wettedness by segment, 0 to 1; (n, 17)."""
        wet: Array = np.clip(self._body.at(times_s, table.OUTPUTS["wet"]), 0.06, 1.0)
        return wet

    def air(self, times_s: Array) -> Array:
        """degC of the place, (n,)."""
        return self._place.at(times_s, slice(0, 1))[:, 0]

    def humidity(self, times_s: Array) -> Array:
        """Relative, of the place, %; (n,)."""
        return self._place.at(times_s, slice(1, 2))[:, 0]

    def microclimate(self, times_s: Array, skin: Array, wetter: Array | None = None) -> tuple[Array, Array]:
        """Air beside skin, under what is worn: degC and relative humidity, %; (n, 17) each.

        Vapour goes from wet skin to air on the way that heat goes.

        Args:
            times_s: (n,)
            skin: (n, 17) degC.
            wetter: (n,) wettedness that there is at least.
        """
        air, drop = self.air(times_s)[:, np.newaxis], self._drop.at(times_s)
        celsius = skin - drop * (skin - air)
        wet = self.wet(times_s)
        if wetter is not None:
            wet = np.maximum(wet, wetter[:, np.newaxis])
        around = self.humidity(times_s)[:, np.newaxis] / 100 * saturation(air)
        vapour = around + (1 - drop) * (wet * saturation(skin) - around * wet)
        return celsius, np.clip(100 * vapour / saturation(celsius), 1.0, 100.0)

    @cached_property
    def resting_l_h(self) -> float:
        """Cardiac output while the person sits in a room."""
        known, one = table.shipped(), np.ones(1)
        worn = np.array([[0.0, 1.0, 0.0, 0.0, 0.0]])
        rest = known.targets(self._features, 23.5 * one, 1.2 * one, worn, 45 * one, 0.1 * one).sum(axis=1) + known.mean
        return float(rest[0, table.OUTPUTS["cardiac"]][0])

    @cached_property
    def _starts_s(self) -> Array:
        """From when on something around the body is other."""
        changes = [
            bound
            for one in self.happenings
            if one.effect.opens or one.effect.air
            for bound in (one.start_s, one.end_s)
            if np.isfinite(bound)
        ]
        return merged(spells_of(self.spells, "start_s"), np.array(changes))

    @cached_property
    def _around(self) -> tuple[Array, Array, Array, Array, Array]:
        """Air, activity ratio, what is worn, humidity, wind from each of `_starts_s` on."""
        starts = self._starts_s
        here = pieces_at(spells_of(self.spells, "start_s"), starts)
        air, par, humidity, wind, worn = (
            spells_of(self.spells, name)[here] for name in ("air_celsius", "par", "humidity", "wind_m_s", "worn")
        )
        names = list(table.OUTFITS)
        coats, indoor = np.array([names.index("jacket"), names.index("winter")]), names.index("indoor")
        for one in self.happenings:
            on = (starts >= one.start_s) & (starts < one.end_s)
            if one.effect.air:
                air[on] += one.effect.air * one.size
            if one.effect.opens:
                opened = one.size * on[:, np.newaxis] * worn[:, coats]
                worn[:, coats] -= opened
                worn[:, indoor] += opened.sum(axis=1)
                wind += 0.5 * one.size * (opened.sum(axis=1) > 0)
        return air, par, worn, humidity, wind

    @cached_property
    def _features(self) -> Array:
        person = self.person
        return table.features(
            float(person.sex == "male"), person.height_m, person.weight_kg, person.age_years, person.fat_percent
        )

    @cached_property
    def _body(self) -> Relaxation:
        known = table.shipped()
        targets = known.targets(self._features, *self._around)
        targets[:, -1] += known.mean
        return Relaxation(self._starts_s, targets, table.TAUS_S)

    @cached_property
    def _place(self) -> Relaxation:
        air, _, _, humidity, _ = self._around
        return lagged(self._starts_s, np.stack([air, humidity], axis=1), AIR_TAU_S)

    @cached_property
    def _drop(self) -> Relaxation:
        clo = self._around[2] @ np.array(list(table.OUTFITS.values()))
        return lagged(self._starts_s, BARE_DROP / (1 + CLOTH_DROP * clo), CLOTH_TAU_S)


def saturation(celsius: Array) -> Array:
    """Pressure of water vapour over water by Magnus' formula, hPa."""
    return 6.112 * np.exp(17.62 * celsius / (243.12 + celsius))

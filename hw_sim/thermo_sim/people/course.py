"""The course of one person through a script: what is true at any time of skin, core, heart, sweat, air and motion.

Skin, core, cardiac output, metabolic rate and sweat come from a table fitted to JOS-3 (`table`); upon it come what is the person's own
(level and sides, changes of vessels, the daily swing) and what happens (`happenings`). The heart's rate is cardiac output by the
person's own stroke volume, with a term of its own for heat; no equation that a wearable estimates core temperature with is in it.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people import table
from thermo_sim.people.activities import ACTIVITIES, NAMES
from thermo_sim.people.challenge import SIDES, Recovery, recovery
from thermo_sim.people.happenings import Happening, parse_happenings
from thermo_sim.people.person import Person
from thermo_sim.people.places import Place, place
from thermo_sim.people.posture import turns
from thermo_sim.people.relaxation import Relaxation, Ripple, lagged, merged, pieces_at
from thermo_sim.people.scripts import HOUR, SCRIPTS, Spell, spells_of, written

Array = NDArray[np.float64]

HEART_TAU_S = 45.0
"""With which the heart follows what a person does beside work."""
AIR_TAU_S = 45.0
BLOOD_TO_SKIN_K = 0.1
CLOTH_TAU_S = 150.0
BARE_DROP = 0.41
"""Share of the way from skin to air at which air beside bare skin is: wrist skin 32.7, air beside it 29.1 degC in rooms."""
CLOTH_DROP = 1.2
"""How much nearer to skin it is, for each clo."""
NOWHERE: frozenset[str] = frozenset()
_DISTAL = np.array([name[1:] in ("Hand", "Foot") for name in table.SEGMENTS], float)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true at (n,) times.

    Attributes:
        course: of which.
        times_s: (n,) from its beginning.
        skin_celsius: (n, 17) by segment, in the order of `table.SEGMENTS`.
        core_celsius: (n,) of the pelvis.
        cardiac_l_h: (n,) cardiac output.
        heart_bpm: (n,)
        beats, strides: (n,) beats of the heart and steps since the beginning.
        metabolic_w: (n,)
        activity: (n,) number of a name in `activities.NAMES`.
        air_celsius, humidity: (n,) of the place; %.
        sweat_g_h: (n,) water lost.
        wet: (n, 17) skin wettedness.
        microclimate_celsius, microclimate_humidity: (n, 17) of the air beside skin, under cloth; %.
        steps_hz, steps_g: (n,) steps a second and the size of a step at the wrist.
        contact: (n,) share of contact that a sensor has, of all that nothing is said of alone.
        perfusion: (n,) size of the pulse by the person's usual one.
    """

    course: "Course"
    times_s: Array
    skin_celsius: Array
    core_celsius: Array
    cardiac_l_h: Array
    heart_bpm: Array
    beats: Array
    strides: Array
    metabolic_w: Array
    activity: NDArray[np.int64]
    air_celsius: Array
    humidity: Array
    sweat_g_h: Array
    wet: Array
    microclimate_celsius: Array
    microclimate_humidity: Array
    steps_hz: Array
    steps_g: Array
    contact: Array
    perfusion: Array

    @property
    def mean_skin_celsius(self) -> Array:
        """By area, (n,)."""
        mean: Array = self.skin_celsius @ table.AREA
        return mean


@dataclass(frozen=True)
class Course:
    """What a person does and what becomes of it.

    Attributes:
        script, seed, person, hours: it was made of.
        spells: what the person does.
        happenings: what befalls it.
        clock_h: hour of the day at its beginning.
    """

    script: str
    seed: int
    person: Person
    hours: float
    spells: tuple[Spell, ...]
    happenings: tuple[Happening, ...]
    clock_h: float

    def at(self, times_s: Array | Sequence[float]) -> Truth:
        """All of it at (n,) times in any order; before the beginning it has been so for long, after the end it goes on."""
        times = np.atleast_1d(np.asarray(times_s, np.float64))
        skin = self.skin(times)
        celsius, humidity = self._microclimate(times, skin)
        steps_hz, steps_g = self.steps(times)
        return Truth(
            course=self,
            times_s=times,
            skin_celsius=skin,
            core_celsius=self.core(times),
            cardiac_l_h=self.cardiac(times),
            heart_bpm=self.heart_bpm(times),
            beats=self.beats(times),
            strides=self.strides(times),
            metabolic_w=self._body.at(times, table.OUTPUTS["metabolic"])[:, 0],
            activity=self.activity(times),
            air_celsius=self.air(times),
            humidity=self.humidity(times),
            sweat_g_h=np.maximum(self._body.at(times, table.OUTPUTS["sweat"])[:, 0], 0.0),
            wet=self.wet(times),
            microclimate_celsius=celsius,
            microclimate_humidity=humidity,
            steps_hz=steps_hz,
            steps_g=steps_g,
            contact=self.contact(times),
            perfusion=self.perfusion(times),
        )

    def with_happenings(self, more: Iterable[Happening]) -> "Course":
        """The same, and more happens; what was true before it begins stays true."""
        return replace(self, happenings=(*self.happenings, *more))

    @property
    def recoveries(self) -> tuple[Recovery, ...]:
        """What is true of each challenge."""
        return tuple(recovery(one, self.person) for one in self.happenings if one.effect.bath)

    def happens(self, kind: str, times_s: Array) -> NDArray[np.bool_]:
        """Whether something of a kind goes on, (n,)."""
        on = np.zeros(len(times_s), bool)
        for one in self.happenings:
            if one.kind == kind:
                on |= (times_s >= one.start_s) & (times_s < one.end_s)
        return on

    def activity(self, times_s: Array) -> NDArray[np.int64]:
        """Number in `activities.NAMES`, (n,)."""
        numbers = np.array([NAMES.index(spell.activity) for spell in self.spells])
        return numbers[pieces_at(self.spell_starts, times_s)]

    def hour(self, times_s: Array) -> Array:
        """Of the day, (n,)."""
        return (self.clock_h + times_s / HOUR) % 24

    def skin(self, times_s: Array) -> Array:
        """degC by segment, (n, 17)."""
        person = self.person
        skin = self._usual_skin(times_s)
        # Vessels that are wide open leave no room for differences between people.
        room = np.clip((36.4 - skin) / 3, 0.05, 1.0)
        evening = 0.5 * np.cos(2 * np.pi * (self.hour(times_s) - 1.5) / 24)
        skin = skin + room * (
            np.asarray(person.skin_k)
            + np.asarray(person.vasomotion_k) * self._vessels.at(times_s)
            + evening[:, np.newaxis] * _DISTAL
        )
        for one in self.happenings:
            effect = one.effect
            if effect.bath:
                skin += self._bath(one, times_s)
            elif effect.parts:
                skin += one.amount(times_s)[:, np.newaxis] * one.pattern(effect.parts)
            if effect.chill:
                behind = one.amount(times_s, 300, 900) - one.amount(times_s)
                skin += behind[:, np.newaxis] * one.pattern(effect.chill)
        within: Array = np.clip(skin, -10.0, 46.0)
        return within

    def _usual_skin(self, times_s: Array) -> Array:
        """degC by segment of a body of that size, before all that is the person's own; (n, 17)."""
        known = self._body.at(times_s, slice(0, 35))
        head = known[:, 34]
        skin = table.shipped().corrected(known[:, :17], head)
        # Blood makes no skin warmer than itself, which a table between and beyond its nodes may.
        most = head[:, np.newaxis] - BLOOD_TO_SKIN_K
        within: Array = most - 0.3 * np.logaddexp(0, (most - skin) / 0.3)
        return within

    def skin_at(self, where: Place | str, times_s: Array) -> Array:
        """degC at a place, (n,), with what is the person's own there."""
        spot = place(where) if isinstance(where, str) else where
        rng = np.random.default_rng([self.person.seed, zlib.crc32(spot.name.encode())])
        return self.skin(times_s) @ spot.share + spot.offset_k + float(rng.normal(0, spot.spread_k))

    def felt(self, where: Place | str, times_s: Array, labels: frozenset[str] = NOWHERE) -> Array:
        """degC that a contact thermometer at a place feels, (n,): skin, or what it feels instead.

        Args:
            where: it sits.
            times_s: (n,)
            labels: names by which a happening may mean it; its place and segment are among them anyhow.
        """
        spot = place(where) if isinstance(where, str) else where
        called = labels | {spot.name, table.SEGMENTS[spot.segment]}
        concerned = [one for one in self.happenings if one.strikes(called) and (one.effect.lost or one.effect.felt)]
        skin = self.skin_at(spot, times_s)
        if not concerned:
            return skin
        air = self.air(times_s)
        celsius, _ = self.beside(spot, times_s, called)
        media = {"air": air, "inside": celsius, "outside": air + 0.22 * (skin - air)}
        felt = skin.copy()
        for one in concerned:
            amount = one.amount(times_s)
            felt += one.effect.felt * amount
            if one.effect.lost:
                felt += np.clip(amount, 0, 1) * (media[one.effect.reads] - felt)
        return felt

    def contact(self, times_s: Array, labels: frozenset[str] = NOWHERE) -> Array:
        """Share of contact that a sensor of these names has, (n,)."""
        left = np.ones(len(times_s))
        for one in self.happenings:
            if one.effect.lost and one.strikes(labels):
                left *= 1 - np.clip(one.effect.lost * one.amount(times_s), 0, 1)
        return left

    def perfusion(self, times_s: Array, labels: frozenset[str] = NOWHERE) -> Array:
        """Size of the pulse by the person's usual one, (n,)."""
        hands = self._usual_skin(times_s)[:, table.SEGMENTS.index("LHand")]
        size = np.clip((hands - 18) / 12, 0.15, 1.1)
        for one in self.happenings:
            if one.effect.blood and (one.effect.parts or one.strikes(labels)):
                usual = max(one.effect.size, 1e-9) if one.effect.high > 1 else 1.0
                size = size * (1 - np.clip(one.effect.blood * one.amount(times_s) / usual, 0, 1))
        return size

    def core(self, times_s: Array) -> Array:
        """degC of the pelvis, (n,)."""
        person = self.person
        swing = person.circadian_k * np.cos(2 * np.pi * (self.hour(times_s) - 17.5) / 24)
        core: Array = self._body.at(times_s, slice(35, 36))[:, 0] + person.core_k + swing
        for one in self.happenings:
            if one.effect.core:
                core += one.effect.core * one.amount(times_s)
        return core

    def cardiac(self, times_s: Array) -> Array:
        """l/h, (n,)."""
        return self._body.at(times_s, table.OUTPUTS["cardiac"])[:, 0]

    def heart_bpm(self, times_s: Array) -> Array:
        """Beats a minute, (n,)."""
        person = self.person
        flow = self.cardiac(times_s) / self._resting_l_h
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
        bpm += 2.2 * self._nerves.at(times_s)[:, 0] / (1 + more)
        most = 208 - 0.7 * person.age_years
        return np.maximum(-5 * np.logaddexp(-bpm / 5, -most / 5), 32.0)

    def beats(self, times_s: Array) -> Array:
        """Beats of the heart since the beginning, (n,)."""
        return self._counted(times_s, 0)

    def breaths(self, times_s: Array) -> Array:
        """Breaths since the beginning, (n,)."""
        return self._counted(times_s, 1)

    def steps(self, times_s: Array) -> tuple[Array, Array]:
        """Steps a second and the size of a step at the wrist, g; (n,) each."""
        here = pieces_at(self.spell_starts, times_s)
        return self._cadence[here], self._bounce[here]

    def strides(self, times_s: Array) -> Array:
        """Steps since the beginning, (n,)."""
        here = pieces_at(self.spell_starts, times_s)
        since = np.maximum(times_s - self.spell_starts[here], 0.0)
        strides: Array = self._stepped[here] + self._cadence[here] * since
        return strides

    def air(self, times_s: Array) -> Array:
        """degC of the place, (n,)."""
        return self._place.at(times_s, slice(0, 1))[:, 0]

    def humidity(self, times_s: Array) -> Array:
        """Relative, of the place, %; (n,)."""
        return self._place.at(times_s, slice(1, 2))[:, 0]

    def wet(self, times_s: Array) -> Array:
        """Skin wettedness by segment, 0 to 1; (n, 17)."""
        wet: Array = np.clip(self._body.at(times_s, table.OUTPUTS["wet"]), 0.06, 1.0)
        return wet

    def beside(self, where: Place | str, times_s: Array, labels: frozenset[str] = NOWHERE) -> tuple[Array, Array]:
        """degC and relative humidity (%) of the air beside skin at a place, under what is worn there; (n,) each."""
        spot = place(where) if isinstance(where, str) else where
        called = labels | {spot.name, table.SEGMENTS[spot.segment]}
        wet = np.zeros(len(times_s))
        for one in self.happenings:
            if one.effect.wet and one.strikes(called):
                wet = np.maximum(wet, np.clip(one.effect.wet * one.amount(times_s) / one.effect.size, 0, 1))
        celsius, humidity = self._microclimate(times_s, self.skin(times_s), wet)
        return celsius[:, spot.segment], humidity[:, spot.segment]

    def _microclimate(self, times_s: Array, skin: Array, wetter: Array | None = None) -> tuple[Array, Array]:
        """degC and relative humidity, %; (n, 17) each. Vapour goes from wet skin to air on the way that heat goes."""
        air, drop = self.air(times_s)[:, np.newaxis], self._drop.at(times_s)
        celsius = skin - drop * (skin - air)
        wet = self.wet(times_s)
        if wetter is not None:
            wet = np.maximum(wet, wetter[:, np.newaxis])
        around = self.humidity(times_s)[:, np.newaxis] / 100 * saturation(air)
        vapour = around + (1 - drop) * (wet * saturation(skin) - around * wet)
        humidity = np.clip(100 * vapour / saturation(celsius), 1.0, 100.0)
        return celsius, humidity

    def _bath(self, one: Happening, times_s: Array) -> Array:
        """Kelvin by segment, (n, 17)."""
        change = np.zeros((len(times_s), 17))
        known, effect = recovery(one, self.person), one.effect
        going = one.amount(times_s, off_s=0.0)
        for side in SIDES:
            amount = going - known.distance_k * known.left(side, times_s)
            sided = Happening(one.kind, one.start_s, one.end_s, side, one.size)
            if not one.at or side in one.at:
                change += amount[:, np.newaxis] * sided.pattern(effect.parts)
        return change

    def _counted(self, times_s: Array, column: int) -> Array:
        grid, counts, rates = self._counts
        inside = np.clip(times_s, grid[0], grid[-1])
        beyond = (times_s - inside) * np.interp(inside, grid, rates[column])
        counted: Array = np.interp(inside, grid, counts[column]) + beyond
        return counted

    @cached_property
    def spell_starts(self) -> Array:
        """From when on each spell goes, s; (p,)."""
        return spells_of(self.spells, "start_s")

    @cached_property
    def held(self) -> tuple[Array, Array]:
        """When the wrist is held otherwise, ascending from long before the beginning, and what is up then; (k,), (k, 3)."""
        rng = np.random.default_rng([self.seed, self.person.seed, 0x7E55])
        return turns(self.spells, max(self.hours * HOUR, self.spells[-1].start_s + 60), rng)

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
        return merged(self.spell_starts, np.array(changes))

    @cached_property
    def _around(self) -> tuple[Array, Array, Array, Array, Array]:
        """Air, activity ratio, what is worn, humidity, wind from each of `_starts_s` on."""
        starts = self._starts_s
        here = pieces_at(self.spell_starts, starts)
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
        return Relaxation(self._starts_s, self._targets, table.TAUS_S)

    @cached_property
    def _targets(self) -> Array:
        known = table.shipped()
        targets = known.targets(self._features, *self._around)
        targets[:, -1] += known.mean
        return targets

    @cached_property
    def _resting_l_h(self) -> float:
        """Cardiac output while the person sits in a room."""
        known, one = table.shipped(), np.ones(1)
        worn = np.array([[0.0, 1.0, 0.0, 0.0, 0.0]])
        rest = known.targets(self._features, 23.5 * one, 1.2 * one, worn, 45 * one, 0.1 * one).sum(axis=1) + known.mean
        return float(rest[0, table.OUTPUTS["cardiac"]][0])

    @cached_property
    def _place(self) -> Relaxation:
        air, _, _, humidity, _ = self._around
        return lagged(self._starts_s, np.stack([air, humidity], axis=1), AIR_TAU_S)

    @cached_property
    def _drop(self) -> Relaxation:
        clo = self._around[2] @ np.array(list(table.OUTFITS.values()))
        return lagged(self._starts_s, BARE_DROP / (1 + CLOTH_DROP * clo), CLOTH_TAU_S)

    @cached_property
    def _rate_share(self) -> Relaxation:
        share = np.array([[ACTIVITIES[spell.activity].still_rate] for spell in self.spells])
        return lagged(self.spell_starts, share, HEART_TAU_S)

    @cached_property
    def _vessels(self) -> Ripple:
        return Ripple(np.random.default_rng([self.seed, self.person.seed, 0x7A50]), 17, 7200.0, 90.0)

    @cached_property
    def _nerves(self) -> Ripple:
        return Ripple(np.random.default_rng([self.seed, self.person.seed, 0x4EA7]), 1, 1800.0, 25.0)

    @cached_property
    def _cadence(self) -> Array:
        return np.array([ACTIVITIES[spell.activity].steps_hz * spell.pace for spell in self.spells])

    @cached_property
    def _bounce(self) -> Array:
        return np.array([ACTIVITIES[spell.activity].bounce_g * spell.pace for spell in self.spells])

    @cached_property
    def _stepped(self) -> Array:
        return np.concatenate([[0.0], np.cumsum(self._cadence[:-1] * np.diff(self.spell_starts))])

    @cached_property
    def _counts(self) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
        """A second's grid, and on it beats and breaths, and both a second."""
        grid = np.arange(0.0, self.hours * HOUR + 1.5)
        beats = self.heart_bpm(grid) / 60
        more = np.maximum(self.cardiac(grid) / self._resting_l_h - 1, 0.0)
        breaths = np.minimum(self.person.breaths_per_minute * (1 + 0.9 * more), 45.0) / 60

        def summed(rate: Array) -> Array:
            # Of what has been, never of what comes: a happening does not reach back.
            return np.concatenate([[0.0], np.cumsum(rate[:-1])])

        return grid, (summed(beats), summed(breaths)), (beats, breaths)


def saturation(celsius: Array) -> Array:
    """Pressure of water vapour over water by Magnus' formula, hPa."""
    return 6.112 * np.exp(17.62 * celsius / (243.12 + celsius))


def course(
    script: str,
    seed: int,
    person: Person | None = None,
    hours: float | None = None,
    happenings: Iterable[Happening] | str = (),
) -> Course:
    """One person through one script.

    Args:
        script: a name of `scripts.SCRIPTS`.
        seed: of what chance brings.
        person: who it is; drawn from the seed where left out.
        hours: how long; as the script has it where left out.
        happenings: what else happens, or a list as `happenings.parse_happenings` reads it.

    Raises:
        UsageError: there is no such script or happening, or a number does not fit.
    """
    who = Person.drawn(seed) if person is None else person
    spells, its_own, lasts_h = written(script, seed, who, hours)
    more = parse_happenings(happenings) if isinstance(happenings, str) else tuple(happenings)
    return Course(script, seed, who, lasts_h, spells, (*its_own, *more), SCRIPTS[script].clock_h)

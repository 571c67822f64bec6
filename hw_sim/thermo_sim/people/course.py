"""The course of one person through a script: what is true at any time of skin, core, heart, sweat, air and motion.

What surrounds the body makes skin, core, cardiac output, metabolic rate and sweat of a body of that size (`exposure`); upon it come what is
the person's own (level and sides, changes of vessels, the daily swing), the heart, and what happens.
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
from thermo_sim.people.exposure import Exposure
from thermo_sim.people.happenings import Happening, parse_happenings
from thermo_sim.people.heart import Heart
from thermo_sim.people.person import Person
from thermo_sim.people.places import Place, place
from thermo_sim.people.posture import turns
from thermo_sim.people.relaxation import Ripple, pieces_at
from thermo_sim.people.scripts import HOUR, SCRIPTS, Spell, spells_of, written

Array = NDArray[np.float64]

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
        step_s: seconds between which skin goes straight, so that many sensors may ask for it often; 0 works it out at each time.
    """

    script: str
    seed: int
    person: Person
    hours: float
    spells: tuple[Spell, ...]
    happenings: tuple[Happening, ...]
    clock_h: float
    step_s: float = 0.0

    def at(self, times_s: Array | Sequence[float]) -> Truth:
        """All of it at (n,) times in any order; before the beginning it has been so for long, after the end it goes on."""
        times = np.atleast_1d(np.asarray(times_s, np.float64))
        skin = self.skin(times)
        celsius, humidity = self._exposure.microclimate(times, skin)
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
            metabolic_w=self._exposure.metabolic(times),
            activity=self.activity(times),
            air_celsius=self.air(times),
            humidity=self.humidity(times),
            sweat_g_h=self._exposure.sweat(times),
            wet=self._exposure.wet(times),
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
        if self.step_s:
            return self._straight(times_s, self._skins[1])
        return self._skin(times_s)

    def _skin(self, times_s: Array) -> Array:
        person = self.person
        skin = self._exposure.skin(times_s)
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

    def skin_at(self, where: Place | str, times_s: Array) -> Array:
        """degC at a place, (n,), with what is the person's own there."""
        spot = place(where) if isinstance(where, str) else where
        rng = np.random.default_rng([self.person.seed, zlib.crc32(spot.name.encode())])
        if self.step_s:
            mean = self._straight(times_s, self._skins[1] @ spot.share[:, np.newaxis])[:, 0]
        else:
            mean = self._skin(times_s) @ spot.share
        return mean + spot.offset_k + float(rng.normal(0, spot.spread_k))

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
        hand = table.SEGMENTS.index("LHand")
        if self.step_s:
            hands = self._straight(times_s, self._skins[0][:, [hand]])[:, 0]
        else:
            hands = self._exposure.skin(times_s)[:, hand]
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
        core: Array = self._exposure.core(times_s) + person.core_k + swing
        for one in self.happenings:
            if one.effect.core:
                core += one.effect.core * one.amount(times_s)
        return core

    def cardiac(self, times_s: Array) -> Array:
        """l/h, (n,)."""
        return self._exposure.cardiac(times_s)

    def heart_bpm(self, times_s: Array) -> Array:
        """Beats a minute, (n,)."""
        return self._heart.bpm(times_s)

    def beats(self, times_s: Array) -> Array:
        """Beats of the heart since the beginning, (n,)."""
        return self._heart.beats(times_s)

    def breaths(self, times_s: Array) -> Array:
        """Breaths since the beginning, (n,)."""
        return self._heart.breaths(times_s)

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
        return self._exposure.air(times_s)

    def humidity(self, times_s: Array) -> Array:
        """Relative, of the place, %; (n,)."""
        return self._exposure.humidity(times_s)

    def beside(self, where: Place | str, times_s: Array, labels: frozenset[str] = NOWHERE) -> tuple[Array, Array]:
        """degC and relative humidity (%) of the air beside skin at a place, under what is worn there; (n,) each."""
        spot = place(where) if isinstance(where, str) else where
        called = labels | {spot.name, table.SEGMENTS[spot.segment]}
        wet = np.zeros(len(times_s))
        for one in self.happenings:
            if one.effect.wet and one.strikes(called):
                wet = np.maximum(wet, np.clip(one.effect.wet * one.amount(times_s) / one.effect.size, 0, 1))
        celsius, humidity = self._exposure.microclimate(times_s, self.skin(times_s), wet)
        return celsius[:, spot.segment], humidity[:, spot.segment]

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

    @cached_property
    def _grid_s(self) -> Array:
        return np.arange(0.0, self.hours * HOUR + 2 * self.step_s, self.step_s)

    @cached_property
    def _skins(self) -> tuple[Array, Array]:
        """Of a body of that size, and with what is the person's own, each `step_s`; (k, 17) each."""
        return self._exposure.skin(self._grid_s), self._skin(self._grid_s)

    def _straight(self, times_s: Array, known: Array) -> Array:
        """(n, columns) between (k, columns) each `step_s`."""
        place = np.clip(times_s / self.step_s, 0, len(known) - 1.001)
        left = place.astype(np.int64)
        found: Array = known[left] + (place - left)[:, np.newaxis] * (known[left + 1] - known[left])
        return found

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
    def _exposure(self) -> Exposure:
        return Exposure(self.person, self.spells, self.happenings)

    @cached_property
    def _heart(self) -> Heart:
        around = self._exposure
        return Heart(
            self.person,
            self.seed,
            self.spells,
            self.happenings,
            self.hours * HOUR,
            around.cardiac,
            around.resting_l_h,
            self.core,
        )

    @cached_property
    def _vessels(self) -> Ripple:
        return Ripple(np.random.default_rng([self.seed, self.person.seed, 0x7A50]), 17, 7200.0, 90.0)

    @cached_property
    def _cadence(self) -> Array:
        return np.array([ACTIVITIES[spell.activity].steps_hz * spell.pace for spell in self.spells])

    @cached_property
    def _bounce(self) -> Array:
        return np.array([ACTIVITIES[spell.activity].bounce_g * spell.pace for spell in self.spells])

    @cached_property
    def _stepped(self) -> Array:
        return np.concatenate([[0.0], np.cumsum(self._cadence[:-1] * np.diff(self.spell_starts))])


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

"""What a light sensor and an accelerometer at a wrist feel of a course: pulse with breath, wander, motion and lost contact; and motion."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_sim.people.activities import ACTIVITIES
from thermo_sim.people.beat import blood
from thermo_sim.people.course import NOWHERE, Course, Truth
from thermo_sim.people.relaxation import Ripple, pieces_at

Array = NDArray[np.float64]

LEDS = ("red", "infrared", "green")
_MOVED = np.array([0.018, 0.024, 0.018])
"""Share of the light that a step of 1 g moves, by LED, where the strap is tight."""
_LOOSE = 4.0
"""How much more where contact is lost."""
_WANDER = 0.006
_TURN_S = 0.6


def light(course: Course, times_s: Array, labels: frozenset[str] = NOWHERE) -> Array:
    """Photocurrent of skin for each mA through the red, infrared and green LED, nA; (n, 3) at (n,) times.

    Args:
        course: of whom.
        times_s: (n,)
        labels: names by which a happening may mean the sensor.
    """
    person = course.person
    contact = course.contact(times_s, labels)[:, np.newaxis]
    size = course.perfusion(times_s, labels)[:, np.newaxis]
    breathing = 2 * np.pi * course.breaths(times_s)
    beats = _beaten(course, times_s, breathing)
    pulse = blood(beats % 1.0) + 0.1 * np.cos(breathing)
    moved, shaken = _jolt(course, times_s)
    motion = (1 + _LOOSE * (1 - contact)) * (moved + shaken)[:, np.newaxis] * _MOVED
    wander = _WANDER * _ripple(course, 0x1164, 600.0, 4.0).at(times_s)
    level, depth = np.asarray(person.light_na), np.asarray(person.depth)
    found: Array = level * contact * (1 - depth * size * pulse[:, np.newaxis] + motion + wander)
    return found.clip(min=0.0)


def acceleration(course: Course, times_s: Array) -> Array:
    """Along x, y and z of the wrist, g; (n, 3) at (n,) times: how it is held, steps, the arm's swing, what it does, tremor."""
    starts, held = course.held
    here = pieces_at(starts, times_s)
    since = times_s - starts[here]
    share = np.clip(since / _TURN_S, 0, 1)[:, np.newaxis]
    share = share * share * (3 - 2 * share)
    up: Array = (1 - share) * held[np.maximum(here - 1, 0)] + share * held[here]
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-6)
    phase = 2 * np.pi * course.strides(times_s)
    spell = pieces_at(course.spell_starts, times_s)
    swing, stir = (
        np.array([getattr(ACTIVITIES[one.activity], name) for one in course.spells])[spell]
        for name in ("swing", "stir_g")
    )
    _, bounce = course.steps(times_s)
    along = bounce * (0.8 * np.sin(phase) + 0.35 * np.sin(2 * phase + 0.7))
    felt: Array = up * (1 + along[:, np.newaxis])
    forward = course.person.swing_g * swing * np.sin(phase / 2)
    felt[:, 0] += forward
    felt[:, 1] += 0.35 * bounce * np.sin(phase / 2 + 1.1)
    # A turn is a movement, and between turns the hand is not quite still.
    turn = np.exp(-np.square(since / _TURN_S - 0.5) * 4)[:, np.newaxis]
    rough = _ripple(course, 0xACC1, 2.0, 0.12, 3).at(times_s)
    felt += stir[:, np.newaxis] * (0.5 + 2 * turn) * rough
    felt += course.person.tremor_g * _ripple(course, 0xACC2, 0.6, 0.12, 3).at(times_s)
    for one in course.happenings:
        if one.effect.shakes_g:
            felt += one.amount(times_s)[:, np.newaxis] * rough
    return felt


def pulse_wave(truth: Truth, hz: float, seed: int = 0, led: str = "green", labels: frozenset[str] = NOWHERE) -> Array:
    """Photocurrent for each mA through a LED, nA, (m,), at `hz` from the first of the truth's times to the last.

    Raises:
        UsageError: there is no such LED, or no time passes.
    """
    if led not in LEDS:
        raise UsageError(f"There is no LED {led!r}; use one of {', '.join(LEDS)}.")
    wave = light(truth.course, _regular(truth, hz), labels)[:, LEDS.index(led)]
    noise = np.random.default_rng([seed, 0x9157]).standard_normal(len(wave))
    noisy: Array = wave + 2e-4 * truth.course.person.light_na[LEDS.index(led)] * noise
    return noisy.clip(min=0.0)


def motion(truth: Truth, hz: float, seed: int = 0) -> Array:
    """Acceleration along x, y and z, g, (m, 3), at `hz` from the first of the truth's times to the last.

    Raises:
        UsageError: no time passes.
    """
    felt = acceleration(truth.course, _regular(truth, hz))
    felt += 0.002 * np.random.default_rng([seed, 0x9158]).standard_normal(felt.shape)
    return felt


def _regular(truth: Truth, hz: float) -> Array:
    span = float(truth.times_s[-1] - truth.times_s[0]) if len(truth.times_s) else 0.0
    if not hz > 0 or not span > 0:
        raise UsageError(
            f"A wave at {hz:g} Hz over {span:g} s has no samples; give a rate, and times from first to last."
        )
    times: Array = truth.times_s[0] + np.arange(int(span * hz) + 1) / hz
    return times


def _beaten(course: Course, times_s: Array, breathing: Array) -> Array:
    """Beats with what breath and an irregular heart do to them."""
    person = course.person
    beats: Array = course.beats(times_s)
    calm = np.exp(-np.maximum(course.heart_bpm(times_s) - person.resting_bpm, 0) / 25)
    slower = person.resting_bpm / person.breaths_per_minute / (2 * np.pi)
    beats = beats + person.variability * slower * calm * np.sin(breathing)
    irregular = sum(one.amount(times_s) for one in course.happenings if one.effect.irregular)
    if np.any(irregular):
        rng = np.random.default_rng([course.seed, person.seed, 0xAF1B])
        early = rng.uniform(-1, 1, 4096)
        beats = beats + irregular * np.interp(beats % 4095, np.arange(4096), early)
    return beats


def _jolt(course: Course, times_s: Array) -> tuple[Array, Array]:
    """What steps and shaking do to light, as of 1 g each."""
    phase = 2 * np.pi * course.strides(times_s)
    _, bounce = course.steps(times_s)
    stepped = bounce * (0.75 * np.sin(phase + 0.4) + 0.35 * np.sin(2 * phase) + 0.25 * np.sin(phase / 2))
    spell = pieces_at(course.spell_starts, times_s)
    stir = np.array([ACTIVITIES[one.activity].stir_g for one in course.spells])[spell]
    for one in course.happenings:
        if one.effect.shakes_g:
            stir = stir + one.amount(times_s)
    return stepped, stir * _ripple(course, 0x1165, 3.0, 0.25).at(times_s)[:, 0]


def _ripple(course: Course, name: int, slowest_s: float, quickest_s: float, columns: int = 1) -> Ripple:
    return Ripple(np.random.default_rng([course.seed, course.person.seed, name]), columns, slowest_s, quickest_s, 12)

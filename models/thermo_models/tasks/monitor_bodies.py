"""Simulated wearers of the monitor: what its sensors say of bodies of JOS-3, and what is true of them.

Heart rate, skin, air and movement come from a body's course (`thermo_sim.people`), whose heart follows cardiac output and never the
equation that ECTemp estimates with. What a window of pulse makes of the heart is drawn here as the wearable's own stages were found
to make it of simulated light (`python bench/monitor.py front`); everything after that is done by those stages.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from thermo_core.graph.series import order_of_blocks
from thermo_core.quality import Quality
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.signals import Series
from thermo_core.wearable.profile import Profile
from thermo_models.features import behind, signal_over
from thermo_models.templates import template
from thermo_sim.people import Course, Happening, Person, course, happening
from thermo_sim.people.waves import acceleration

WEARABLE = template("monitor")
ENTRY, NOW = "facts", "now"
TICK_S = 20
STATES = ("normal", "fever-like", "heat strain", "sensor off")
SITE = "Sternum"
FEVERISH_CELSIUS = 38.0
"""Core temperature from which fever or strain is said."""
SLOWEST_S = 60.0
"""Truth is taken so often, and runs straight in between."""
BURSTS = 10
"""Moments of a minute at which movement is felt."""
MIX: tuple[tuple[str, float], ...] = (("day", 24.0), ("workout", 1.75), ("outdoors", 2.0), ("rest", 1.0))
"""Scripts and hours of everybody; half of them have a fever on another day."""
ILL_HOURS = 20.0
_FRONT = ("heart", "contact", "picture", "room")


@dataclass(frozen=True, slots=True)
class Wearing:
    """One person through one script.

    Attributes:
        facts: (n, facts) what the wearable's stages make of it, every `TICK_S`.
        core_celsius: (n,) true.
        state: (n,) number in `STATES`.
        script: its name.
        ectemp_celsius: (n,) ECTemp's estimate.
    """

    facts: NDArray[np.float32]
    core_celsius: NDArray[np.float64]
    state: NDArray[np.int64]
    script: str
    ectemp_celsius: NDArray[np.float64]

    def thinned(self, every: int) -> "Wearing":
        """One moment in so many."""
        return Wearing(
            self.facts[::every].copy(),
            self.core_celsius[::every].copy(),
            self.state[::every].copy(),
            self.script,
            self.ectemp_celsius[::every].copy(),
        )


def later_stages() -> Profile:
    """The wearable from what its sensors say every 20 s on, as a profile whose only sensor is that."""
    source = ExternalSettings(name=NOW, shape=(7,), rate_hz=1 / TICK_S)
    stages = behind(WEARABLE.profile, (ENTRY,), {NOW})
    return msgspec.structs.replace(WEARABLE.profile, sensors=(source,), stages=stages, models=(), alerts=())


def wearers(seed: int) -> list[Wearing]:
    """What one person wears the monitor through: scripts of `MIX`, and a fever for every other seed."""
    person = Person.drawn(seed)
    rng = np.random.default_rng([seed, 0x3077])
    scripts = [(script, hours) for script, hours in MIX]
    found = []
    for number, (script, hours) in enumerate(scripts):
        found.append(worn(course(script, seed, person, hours=hours), np.random.default_rng([seed, number])))
    if seed % 2:
        size, start_s = float(rng.uniform(1.0, 2.6)), float(rng.uniform(4, 9)) * 3600
        ill = course("day", seed + (1 << 30), person, hours=ILL_HOURS)
        fever = happening("fever", start_s, None, "", size)
        found.append(worn(ill.with_happenings([fever]), np.random.default_rng([seed, 99]), "fever"))
    return found


def worn(one: Course, rng: np.random.Generator, name: str = "") -> Wearing:
    """What the monitor makes of a course, with sensors of their own errors, taken off now and then."""
    off = _taken_off(one, rng)
    one = one.with_happenings(off)
    slow_s = np.arange(0.0, one.hours * 3600 + SLOWEST_S, SLOWEST_S)
    times_s = np.arange(TICK_S, one.hours * 3600, TICK_S, dtype=np.float64)

    def between(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(times_s, slow_s, values)

    contact = one.contact(times_s)
    on = contact > 0.5
    stir = _stir(one, slow_s)
    moved = stir[np.minimum((times_s // SLOWEST_S).astype(int), len(stir) - 1)] * np.exp(
        rng.normal(0, 0.15, len(times_s))
    )
    bpm, quality = _heart(between(one.heart_bpm(slow_s)), moved, on, rng)
    skin = between(one.skin_at(SITE, slow_s))
    air = between(one.air(slow_s))
    spot = skin + (1 - contact) * (0.9 * air + 0.1 * skin - skin)
    spot += rng.normal(0, 0.1) + rng.normal(0, 0.03, len(times_s))
    view = (
        skin
        + (1 - contact) * (0.75 * air + 0.25 * skin - skin)
        + rng.normal(0, 0.3)
        + rng.normal(0, 0.08, len(times_s))
    )
    values = np.column_stack(
        [bpm, quality, moved, spot, view, view + np.abs(rng.normal(0.35, 0.1, len(times_s))), air + rng.normal(0, 0.2)]
    ).astype(np.float32)
    flags = np.where(on, 0, int(Quality.OFF_SKIN)).astype(np.uint16)
    moments = Series(np.rint(times_s * 1e6).astype(np.int64), values, flags=flags, order=order_of_blocks(len(values)))
    person = one.person
    told = {
        "age_years": person.age_years,
        "weight_kg": person.weight_kg,
        "height_m": person.height_m,
        "sex": float(person.sex == "male"),
    }
    known = {
        f"person.{name}": Series(np.zeros(1, np.int64), np.array([value], np.float32), order=np.zeros(1, np.int64))
        for name, value in told.items()
    }
    facts = signal_over(later_stages(), {NOW: moments, **known}, ENTRY)
    whole = np.isin(facts.times_us, moments.times_us)
    at = np.searchsorted(moments.times_us, facts.times_us[whole])
    core = between(one.core(slow_s))[at]
    ill = sum(
        (happened.amount(times_s) for happened in one.happenings if happened.kind == "fever"), np.zeros(len(times_s))
    )
    state = np.where(core < FEVERISH_CELSIUS, 0, np.where(ill[at] > 0.5, 1, 2))
    state = np.where(on[at], state, 3)
    made = facts.values[whole]
    return Wearing(made, core, state, name or one.script, np.nan_to_num(made[:, 7].astype(np.float64), nan=37.0))


def _taken_off(one: Course, rng: np.random.Generator) -> list[Happening]:
    """The monitor comes off the skin about three times a day, for some minutes."""
    times = rng.poisson(max(0.5, one.hours / 8))
    return [
        happening("sensor-off", float(rng.uniform(300, one.hours * 3600)), float(rng.uniform(60, 900)))
        for _ in range(times)
    ]


def _stir(one: Course, slow_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the acceleration's norm above 1 g in each minute."""
    at = (slow_s[:, np.newaxis] + np.linspace(0, 0.97 * SLOWEST_S, BURSTS)).ravel()
    norm = np.linalg.norm(acceleration(one, at), axis=1)
    mean: NDArray[np.float64] = np.maximum(norm - 1, 0).reshape(-1, BURSTS).mean(1)
    return mean


def _heart(
    true: NDArray[np.float64], moved: NDArray[np.float64], on: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rate and quality as `spectrum_peak` gives them; none off the skin, and less often while somebody runs."""
    error = np.select([moved < 0.01, moved < 0.03, moved < 0.2], [0.5, 1.3, 3.5], 5.0)
    lost = np.select([moved < 0.03, moved < 0.2], [0.005, 0.08], float(rng.choice([0.05, 0.5])))
    quality = np.clip(rng.normal(0.82, 0.08, len(true)), 0.5, 1.0)
    have = on & (rng.random(len(true)) >= lost)
    bpm = np.where(have, true + error * rng.standard_normal(len(true)), np.nan)
    return bpm, np.where(have, quality, np.where(on, 0.3, 0.0))

"""A person: what of a body differs from the next one, drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from thermo_sim.people.table import MIRROR, SEGMENTS

SEXES = ("female", "male")
_SIDE_K = {"Shoulder": 0.15, "Arm": 0.20, "Hand": 0.30, "Thigh": 0.20, "Leg": 0.27, "Foot": 0.38}
"""Standard deviation of left minus right in healthy people (leg and foot: Uematsu 1988; the others between these)."""
_SHARED_K = {"Arm": 0.9, "Hand": 1.5, "Leg": 0.7, "Foot": 1.5}
"""Standard deviation between people of both sides together: how warm hands and feet are, people differ most in."""
_ELSEWHERE_K = 0.45
_DRIFT_K = {"Arm": 0.15, "Hand": 0.35, "Leg": 0.12, "Foot": 0.30}
"""Standard deviation of slow changes of vessels by themselves; `_CALM_K` elsewhere."""
_CALM_K = 0.08


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody.

    Attributes:
        seed: of it.
        sex: "female" or "male".
        age_years, weight_kg, height_m, fat_percent: of the body.
        resting_bpm: beats a minute, awake, sitting in a room.
        stroke_gain: share by which a beat gives more blood at hard work.
        heat_bpm_k: beats a minute for each kelvin of core temperature above 37 degC.
        variability: share of a beat's length by which breathing changes it.
        breaths_per_minute: at rest.
        core_k: own core temperature less that of others.
        circadian_k: half of the daily swing of the core.
        skin_k: own temperature of each segment less that of others.
        vasomotion_k: standard deviation of slow changes of each segment.
        light_na: photocurrent for each mA through the red, infrared and green LED, nA.
        depth: share of it that a beat takes away, for each of them.
        recovery_s: time constants with which hands come back from cold or warm water, ascending: those of a Foster network.
        recovery_share: of each, their sum is 1.
        side_log: logarithm of the right hand's time constants over the left's.
        slow_left, slow_right: by what these are longer still; 1 in health.
        stride_m: length of a step at a walk.
        swing_g: size of the arm's swing at a walk, g.
        tremor_g: RMS of small movements, g.
    """

    seed: int = 0
    sex: str = "female"
    age_years: float = 40.0
    weight_kg: float = 72.0
    height_m: float = 1.7
    fat_percent: float = 22.0
    resting_bpm: float = 66.0
    stroke_gain: float = 0.12
    heat_bpm_k: float = 9.0
    variability: float = 0.04
    breaths_per_minute: float = 14.0
    core_k: float = 0.0
    circadian_k: float = 0.3
    skin_k: tuple[float, ...] = (0.0,) * 17
    vasomotion_k: tuple[float, ...] = (0.1,) * 17
    light_na: tuple[float, float, float] = (150.0, 150.0, 150.0)
    depth: tuple[float, float, float] = (0.005, 0.01, 0.03)
    recovery_s: tuple[float, ...] = (45.0, 240.0)
    recovery_share: tuple[float, ...] = (0.45, 0.55)
    side_log: float = 0.0
    slow_left: float = 1.0
    slow_right: float = 1.0
    stride_m: float = 0.72
    swing_g: float = 0.25
    tremor_g: float = 0.004

    @classmethod
    def drawn(cls, seed: int) -> "Person":
        """Somebody grown up by chance.

        Body-mass index, and fat by Deurenberg's formula (1991); resting heart rates of adults; sides as `_SIDE_K`; how cold hands recover
        is spread by factors, sides of healthy people by a logarithm of standard deviation 0.12.
        """
        rng = np.random.default_rng([seed, 0x9E05])
        male = bool(rng.integers(2))
        age = float(rng.uniform(19, 76))
        height = float(np.clip(rng.normal(1.765 if male else 1.63, 0.068), 1.48, 2.0))
        index = float(np.clip(rng.normal(24.8, 3.4), 18.5, 36))
        fat = float(np.clip(1.2 * index + 0.23 * age - 10.8 * male - 5.4 + rng.normal(0, 2.5), 7, 46))
        fit = float(rng.normal())
        light = 150 * np.exp(rng.normal(0, 0.3, 3))
        depth = np.array([0.005, 0.010, 0.028]) * np.exp(rng.normal(0, 0.35))
        recovery_s, recovery_share = _recovery(rng)
        return cls(
            seed=seed,
            sex=SEXES[male],
            age_years=round(age, 1),
            weight_kg=round(index * height**2, 1),
            height_m=round(height, 3),
            fat_percent=round(fat, 1),
            resting_bpm=float(np.clip(67 - 6 * fit + 2 * (not male) + rng.normal(0, 4), 44, 92)),
            stroke_gain=float(np.clip(0.12 + 0.04 * fit + rng.normal(0, 0.03), 0, 0.3)),
            heat_bpm_k=float(np.clip(rng.normal(9, 2), 4, 14)),
            variability=float(np.clip(0.055 * np.exp(rng.normal(-0.012 * (age - 35), 0.4)), 0.005, 0.15)),
            breaths_per_minute=float(np.clip(rng.normal(14, 2), 9, 20)),
            core_k=float(np.clip(rng.normal(0, 0.18), -0.4, 0.4)),
            circadian_k=float(np.clip(rng.normal(0.3, 0.07), 0.12, 0.5)),
            skin_k=_own_skin(rng),
            vasomotion_k=tuple(_by_part(_DRIFT_K, _CALM_K) * np.exp(rng.normal(0, 0.3))),
            light_na=_three(light),
            depth=_three(depth),
            recovery_s=recovery_s,
            recovery_share=recovery_share,
            side_log=float(rng.normal(0, 0.12)),
            stride_m=float(0.42 * height * np.exp(rng.normal(0, 0.06))),
            swing_g=float(np.clip(rng.normal(0.28, 0.08), 0.1, 0.6)),
            tremor_g=float(np.clip(0.004 * np.exp(rng.normal(0, 0.4)), 0.001, 0.02)),
        )

    def told(self) -> dict[str, float]:
        """What a wearable may have to know of its wearer, by the names of `thermo_core.wearable.person`."""
        return {
            "age_years": self.age_years,
            "weight_kg": self.weight_kg,
            "height_m": self.height_m,
            "sex": float(SEXES.index(self.sex)),
        }


def _recovery(rng: np.random.Generator) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """One to three time constants of 12 to 400 s, each more than three times the one before, and their shares."""
    count = int(rng.choice([1, 2, 3], p=[0.2, 0.5, 0.3]))
    if count == 1:
        return (float(rng.uniform(50, 250)),), (1.0,)
    first = float(rng.uniform(12, 60 if count == 2 else 30))
    ratio = rng.uniform(3.1, min(8.0, (400 / first) ** (1 / (count - 1))), count - 1)
    taus = first * np.concatenate([[1.0], np.cumprod(ratio)])
    shares = rng.dirichlet(np.full(count, 6.0))
    return tuple(taus.tolist()), tuple(shares.tolist())


def _own_skin(rng: np.random.Generator) -> tuple[float, ...]:
    sides, shared = _by_part(_SIDE_K, 0.0), _by_part(_SHARED_K, _ELSEWHERE_K)
    both, half = rng.normal(0, 1, 17), rng.normal(0, 1, 17) / 2
    # Who has cold hands has cold feet and cool arms.
    distal = rng.normal()
    own = np.zeros(17)
    for place, other in enumerate(MIRROR):
        first = min(place, other)
        common = 0.8 * distal + 0.6 * both[first] if SEGMENTS[place][1:] in _SHARED_K else both[first]
        side = 0.0 if place == other else (half[first] if place == first else -half[first])
        own[place] = np.clip(shared[place] * common, -3.5, 2.0) + sides[place] * side
    return tuple(own)


def _by_part(values: dict[str, float], elsewhere: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([values.get(name[1:], elsewhere) for name in SEGMENTS])


def _three(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third

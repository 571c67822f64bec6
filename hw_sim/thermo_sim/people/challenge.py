"""Hands in water and their recovery, of each side by its own: a Foster network (sums of exponentials)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people.happenings import Happening
from thermo_sim.people.person import Person

Array = NDArray[np.float64]
SIDES = ("L", "R")


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is true of one challenge: after it a hand is `distance_k` from where it was, times the sum of `share * exp(-t / tau)`.

    Attributes:
        start_s, end_s: when hands are in the water.
        distance_k: of a hand when it comes out of the water; below 0 after cold.
        share: of each time constant, (k,).
        left_s, right_s: time constants of the hands, (k,).
    """

    start_s: float
    end_s: float
    distance_k: float
    share: tuple[float, ...]
    left_s: tuple[float, ...]
    right_s: tuple[float, ...]

    @property
    def log_ratio(self) -> float:
        """Natural logarithm of the right side's time constants over the left's."""
        return float(np.log(self.right_s[0] / self.left_s[0]))

    def left(self, side: str, times_s: Array) -> Array:
        """Share of the distance that a side has yet to go, (n,); 0 before the end."""
        taus = self.left_s if side == "L" else self.right_s
        since = np.maximum(times_s - self.end_s, 0.0)
        sums = sum(share * np.exp(-since / tau) for share, tau in zip(self.share, taus, strict=True))
        return np.where(times_s >= self.end_s, sums, 0.0)


def recovery(happening: Happening, person: Person) -> Recovery:
    """How a person's hands recover from a challenge."""
    taus = np.array(person.recovery_s)
    within = 1 - np.exp(-(happening.end_s - happening.start_s) / happening.effect.on_s)
    return Recovery(
        happening.start_s,
        happening.end_s,
        float(-happening.size * within),
        person.recovery_share,
        tuple((taus * np.exp(-person.side_log / 2) * person.slow_left).tolist()),
        tuple((taus * np.exp(person.side_log / 2) * person.slow_right).tolist()),
    )

"""What chips measure, as functions of time, and what befalls it on a body: drift, contact lost, another ambient.

Times are seconds of simulated time. A thermometer is given what it touches or looks at and the air around; faults change either
from the moment they strike, without the functions knowing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_sim.faults import Fault, FaultKind

CelsiusAt = Callable[[float], float]
"""A temperature, degC, at a time."""
WavesAt = Callable[[NDArray[np.float64]], NDArray[np.floating[Any]]]
"""(n, channels) values at (n,) times."""


def steady(value: float) -> CelsiusAt:
    """A temperature, or a humidity, that never changes."""
    return lambda _time_s: value


ROOM = steady(23.0)
"""A room's air, degC."""


@dataclass(slots=True)
class _Change:
    """Something that comes on exponentially and may go again."""

    amount: float
    tau_s: float
    start_s: float
    end_s: float

    def at(self, time_s: float) -> float:
        """How much of it there is."""
        return self.amount * (self._share(time_s - self.start_s) - self._share(time_s - self.end_s))

    def _share(self, since_s: float) -> float:
        if since_s < 0:
            return 0.0
        return 1 - math.exp(-since_s / self.tau_s) if self.tau_s > 0 else 1.0


class Surface:
    """What a thermometer touches or looks at.

    Args:
        celsius: of it.
        air: around it.
    """

    def __init__(self, celsius: CelsiusAt, air: CelsiusAt) -> None:
        self._celsius, self._air = celsius, air
        self._drifts: list[_Change] = []
        self._airs: list[_Change] = []
        self._lost: list[_Change] = []

    def take(self, fault: Fault, time_us: int) -> bool:
        """Take a fault; whether it is one that happens here."""
        now_s = time_us / 1e6
        end_s = math.inf if fault.duration_us is None else now_s + fault.duration_us / 1e6
        if fault.kind is FaultKind.DRIFT:
            self._drifts.append(_Change(fault.by, 0, now_s, math.inf))
        elif fault.kind is FaultKind.AMBIENT:
            self._airs.append(_Change(fault.by, fault.tau_s, now_s, end_s))
        elif fault.kind is FaultKind.CONTACT:
            self._lost.append(_Change(1, fault.tau_s, now_s, end_s))
        else:
            return False
        return True

    def air(self, time_s: float) -> float:
        """Of the air, degC."""
        return self._air(time_s) + self.air_change(time_s)

    def air_change(self, time_s: float) -> float:
        """How far faults have changed the air, and what is as warm as the air, K."""
        return sum(change.at(time_s) for change in self._airs)

    def contact(self, time_s: float) -> float:
        """Share of skin in what the thermometer feels, 0 to 1."""
        return min(1.0, max(0.0, 1 - sum(change.at(time_s) for change in self._lost)))

    def celsius(self, time_s: float) -> float:
        """What the thermometer feels, degC."""
        share = self.contact(time_s)
        celsius = self._celsius(time_s)
        if share < 1:
            celsius = share * celsius + (1 - share) * self.air(time_s)
        return celsius + self.drift(time_s)

    def drift(self, time_s: float) -> float:
        """How far it has drifted, K."""
        return sum(change.at(time_s) * (time_s - change.start_s) / 3600 for change in self._drifts)

"""Faults that any chip may have, as its model asks for them."""

import math

import numpy as np

from thermo_sim.faults import Fault, FaultKind, FaultPlan


class ChipFaults:
    """What is wrong with a chip at the moment."""

    def __init__(self) -> None:
        self._frozen_until_us = self._stuck_until_us = -math.inf
        self._checksums: list[int] = []
        self._torn = 0

    def take(self, fault: Fault, plan: FaultPlan, time_us: int) -> bool:
        """Take a fault; whether it is one of these."""
        until_us = math.inf if fault.duration_us is None else time_us + fault.duration_us
        if fault.kind is FaultKind.FREEZE:
            self._frozen_until_us = until_us
        elif fault.kind is FaultKind.INTERRUPT:
            self._stuck_until_us = until_us
        elif fault.kind is FaultKind.CHECKSUM:
            self._checksums.append(1 << int(plan.rng.integers(8)))
        elif fault.kind is FaultKind.TORN:
            self._torn += 1
        else:
            return False
        return True

    def frozen(self, time_us: int) -> bool:
        """Whether readings keep their value."""
        return time_us < self._frozen_until_us

    def interrupt_stuck(self, time_us: int) -> bool:
        """Whether the interrupt line stays at active."""
        return time_us < self._stuck_until_us

    def check_byte(self, right: int) -> int:
        """A check byte as it is sent."""
        return right ^ self._checksums.pop(0) if self._checksums else right

    def torn(self) -> bool:
        """Whether the sample that is read now has bytes of two; once for each such fault."""
        self._torn, torn = max(0, self._torn - 1), self._torn > 0
        return torn


def generator(seed: int, kind: int, address: int) -> np.random.Generator:
    """Randomness of one chip: of its noise and of how it differs from others of its kind."""
    return np.random.default_rng([seed, kind, address])

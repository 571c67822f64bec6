"""What the simulator knows of a kind of sensor: how its chip is made, of what a real one may be given, what a laboratory does to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_sim.around import Around
from thermo_sim.i2c import Chip

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Site:
    """What a chip is made with beside its settings.

    Attributes:
        around: what surrounds it.
        seed: of it, its errors and its noise.
        part: what is given of it instead of being made from the seed, by the names of the row's `part`.
    """

    around: Around
    seed: int
    part: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Worn:
    """What a sensor on somebody is given, where it says things without a bus.

    Attributes:
        around: whom it is on.
        sensor: its name.
        times_s: (n,) ends of its measurements.
        own: chance of how it differs from others of its kind.
        rng: chance of noise.
        errors: share of how it differs that it has.
    """

    around: Around
    sensor: str
    times_s: Array
    own: np.random.Generator
    rng: np.random.Generator
    errors: float

    def felt(self, channel: int = 0) -> Array:
        """Temperature of what it touches or looks at, degC; (n,)."""
        return self.around.felt(self.sensor, channel, self.times_s)

    def noise(self, size: float, *shape: int) -> Array:
        """Of a standard deviation, (n, *shape)."""
        return size * self.rng.standard_normal((len(self.times_s), *shape))


Change = Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]
"""(chip, fields of a request) -> fields of the answer; raises UsageError."""


@dataclass(frozen=True, slots=True)
class ChipKind:
    """One kind.

    Attributes:
        make: (settings, site) -> the chip; raises UsageError.
        says: (settings, worn) -> (n, *shape) values of each of its signals, as its reader has them, without a bus.
        part: names of what may be given of a chip.
        real: (EEPROM, frames) -> what may be given, read from files of a real one; None where no such files are known. Raises
            StorageError, EepromError.
        changes: what a laboratory does to a chip of this kind, by command.
    """

    make: Callable[[Any, Site], Chip]
    says: Callable[[Any, Worn], Sequence[NDArray[Any]]]
    part: frozenset[str] = frozenset()
    real: Callable[[Path | None, Path | None], Mapping[str, Any]] | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)

"""What the simulator knows of a kind of sensor: how its chip is made, of what a real one may be given, what a laboratory does to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thermo_sim.around import Around
from thermo_sim.i2c import Chip


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


Change = Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]
"""(chip, fields of a request) -> fields of the answer; raises UsageError."""


@dataclass(frozen=True, slots=True)
class ChipKind:
    """One kind.

    Attributes:
        make: (settings, site) -> the chip; raises UsageError.
        part: names of what may be given of a chip.
        real: (EEPROM, frames) -> what may be given, read from files of a real one; None where no such files are known. Raises
            StorageError, EepromError.
        changes: what a laboratory does to a chip of this kind, by command.
    """

    make: Callable[[Any, Site], Chip]
    part: frozenset[str] = frozenset()
    real: Callable[[Path | None, Path | None], Mapping[str, Any]] | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)

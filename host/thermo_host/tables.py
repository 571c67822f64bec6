"""Rows of an export: pictures, readings beside them, and what holds for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from thermo_core.sensors.mlx90640.frames import Picture, Words


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A picture.

    Attributes:
        utc_ns: end of its newer capture, nanoseconds since 1970 UTC; 0 where that is unknown.
        sensor: number of the sensor.
        picture: it.
        generation: of the EEPROM that it was decoded with (`management.SensorInfo`).
    """

    utc_ns: int
    sensor: int
    picture: Picture
    generation: int = 0


@dataclass(frozen=True, slots=True)
class TableRow:
    """A reading of a thermistor, or a verdict.

    Attributes:
        table: "thermistor" or "verdict".
        utc_ns: when, nanoseconds since 1970 UTC.
        values: by column; a column may begin in any row, and is empty in those before it.
    """

    table: str
    utc_ns: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """What holds for the rows that follow, where it is not what held before.

    Attributes:
        facts: whose they are and how they came about.
        eeproms: (832,) uint16 by number of the sensor.
        generations: of these.
    """

    facts: Mapping[str, Any]
    eeproms: Mapping[int, Words]
    generations: Mapping[int, int]


Row = PictureRow | TableRow | SessionRow


class Writer(Protocol):
    """Writes rows to files. Use it in a `with` block; without `finish` nothing is left."""

    def __init__(self, path: Path, facts: dict[str, Any], eeproms: dict[int, Words]) -> None: ...

    @staticmethod
    def names(path: Path) -> list[Path]:
        """All files that may be written for a name."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def add(self, row: Row) -> None:
        """Write a row."""
        ...

    def finish(self) -> list[Path]:
        """Write what holds for all rows; the files, which take their names when the block ends."""
        ...

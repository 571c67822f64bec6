"""An export as CSV: a row for each picture, thermistors, verdicts and facts in files beside it."""

import contextlib
import csv
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from itertools import compress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS, Words
from thermo_host.files import replacing
from thermo_host.sinks.describe import utc
from thermo_host.tables import PictureRow, Row, SessionRow, TableRow

PIXELS = [f"r{row:02d}c{column:02d}" for row in range(ROWS) for column in range(COLUMNS)]
HEAD = ["utc", "sensor", "index", "generation", "ta_c", "vdd_v", "interpolated"]
FACTS = ["serial", "profile", "simulated", "uncalibrated", "emissivity", "reflected_c"]
"""Repeated in every row, so that a row by itself says what it came from."""
TABLES = {"thermistor": "thermistors", "verdict": "verdicts"}
_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class CsvWriter:
    """Use it in a `with` block; files take their names at its end, after `finish`, and go where that is not reached.

    Args:
        path: of the pictures' file.
        facts: whose they are and how they came about.
        eeproms: (832,) uint16 by number of the sensor.
    """

    def __init__(self, path: Path, facts: dict[str, Any], eeproms: dict[int, Words]) -> None:
        self._path = path
        self._facts = facts
        self._eeproms = eeproms
        self._repeated = _repeated(facts)
        self._later: list[dict[str, Any]] = []
        self._rows = 0
        self._stack = contextlib.ExitStack()
        self._tables: dict[str, _Table] = {}
        self._pictures: Any = None

    @staticmethod
    def names(path: Path) -> list[Path]:
        """All files that may be written for a name."""
        return [path, *(_beside(path, f"{name}.csv") for name in TABLES.values()), _beside(path, "about.json")]

    def __enter__(self) -> Self:
        self._pictures = csv.writer(self._file(self._path))
        self._pictures.writerow([*HEAD, *FACTS, *PIXELS])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, value, traceback)

    def add(self, row: Row) -> None:
        """Write a row."""
        if isinstance(row, PictureRow):
            self._pictures.writerow([*_head(row), *self._repeated, *_pixels(row)])
            self._rows += 1
            return
        if isinstance(row, SessionRow):
            self._repeated = _repeated(row.facts)
            self._later.append({"after_pictures": self._rows, **row.facts, "eeproms": _lists(row.eeproms)})
            return
        if row.table not in self._tables:
            self._tables[row.table] = _Table(self._stack, self._path.parent)
        self._tables[row.table].add(row)

    def finish(self) -> list[Path]:
        """Write the tables and the facts; the files."""
        paths = [self._path]
        for name, table in self._tables.items():
            paths.append(_beside(self._path, f"{TABLES[name]}.csv"))
            table.write(self._file(paths[-1]))
        paths.append(_beside(self._path, "about.json"))
        facts = {**self._facts, "eeproms": _lists(self._eeproms), **({"later": self._later} if self._later else {})}
        self._file(paths[-1]).write(json.dumps(facts, indent=1) + "\n")
        return paths

    def _file(self, path: Path) -> TextIO:
        temporary = self._stack.enter_context(replacing(path))
        return self._stack.enter_context(temporary.open("w", newline="", encoding="utf-8"))


class _Table:
    """Rows in a file without a name, until all columns are known."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        self._body: TextIO = tempfile.TemporaryFile("w+", newline="", dir=folder, encoding="utf-8")  # noqa: SIM115
        stack.callback(self._body.close)
        self._writer = csv.writer(self._body)
        self._columns: dict[str, None] = {}

    def add(self, row: TableRow) -> None:
        self._columns |= dict.fromkeys(row.values)
        self._writer.writerow([utc(row.utc_ns), *(cell(row.values.get(name, "")) for name in self._columns)])

    def write(self, file: TextIO) -> None:
        csv.writer(file).writerow(["utc", *map(cell, self._columns)])
        self._body.seek(0)
        shutil.copyfileobj(self._body, file)


def _repeated(facts: Mapping[str, Any]) -> list[Any]:
    return [cell(facts.get(name, "")) for name in FACTS]


def _lists(eeproms: Mapping[int, Words]) -> dict[str, list[int]]:
    return {str(number): eeprom.tolist() for number, eeprom in eeproms.items()}


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.stem}-{ending}")


def cell(value: Any) -> Any:
    """What a spreadsheet takes for what it is: a name that begins like a formula gets an apostrophe, numbers stay."""
    if isinstance(value, str) and value.lstrip()[:1] in _FORMULA and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _head(row: PictureRow) -> list[Any]:
    picture = row.picture
    bad = "" if picture.valid.all() else " ".join(compress(PIXELS, (~picture.valid).ravel().tolist()))
    moment = utc(row.utc_ns) if row.utc_ns else ""
    return [moment, row.sensor, picture.index, row.generation, f"{picture.ta:.3f}", f"{picture.vdd:.4f}", bad]


def _pixels(row: PictureRow) -> list[str]:
    return [f"{value:.3f}" for value in row.picture.celsius.ravel().tolist()]

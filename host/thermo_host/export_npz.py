"""An export as arrays of NumPy in one compressed file, column by column, put by on disk until their length is known."""

import contextlib
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS, Words
from thermo_host.files import replacing, storage_error
from thermo_host.sinks.describe import utc
from thermo_host.tables import PictureRow, Row, SessionRow

npy: Any = numpy_format  # its stubs know none of what is used here
BLOCK_ROWS = 4096
COMPRESSION = 1
"""Noise packs no better at a higher level, and takes three times as long."""
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_FILLERS: dict[str, Any] = {"f": np.nan, "i": -1, "u": 0, "b": False}


class NpzWriter:
    """Use it in a `with` block; the file takes its name with `finish`, and nothing is left where it is not reached.

    Args:
        path: of the file.
        facts: whose they are and how they came about.
        eeproms: (832,) uint16 by number of the sensor.
    """

    def __init__(self, path: Path, facts: dict[str, Any], eeproms: dict[int, Words]) -> None:
        self._path = path
        self._facts = facts
        self._arrays = {f"eeprom_{number}": words for number, words in eeproms.items()}
        self._later: list[dict[str, Any]] = []
        self._folder = Path()
        self._stack = contextlib.ExitStack()
        self._columns: dict[str, _Column] = {}
        self._rows: dict[str, int] = {}
        self._names: dict[tuple[str, str], str] = {}

    @staticmethod
    def names(path: Path) -> list[Path]:
        """All files that may be written for a name."""
        return [path]

    def __enter__(self) -> Self:
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=f".{self._path.stem}.", dir=self._path.parent))
        except OSError as error:
            raise storage_error("write", self._path, error) from error
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        for name, dtype, shape in _PICTURES:
            self._column(name, "", dtype, shape)
        for table, columns in _TABLES.items():
            for name, dtype in columns:
                self._column(f"{table}_{name}", table, dtype)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for column in self._columns.values():
            column.close()
        self._stack.close()

    def add(self, row: Row) -> None:
        """Put a row by.

        Raises:
            StorageError: there is no room.
        """
        try:
            if isinstance(row, PictureRow):
                picture = row.picture
                values: dict[str, Any] = {
                    "celsius": picture.celsius,
                    "valid": picture.valid,
                    "ta_c": picture.ta,
                    "vdd_v": picture.vdd,
                    "index": picture.index,
                    "generation": row.generation,
                    "utc_ns": row.utc_ns,
                    "sensor": row.sensor,
                }
                self._add("", values)
            elif isinstance(row, SessionRow):
                self._later.append({"after_pictures": self._rows.get("", 0), **row.facts})
                for number, words in row.eeproms.items():
                    self._arrays[f"eeprom_{number}_generation_{row.generations.get(number, 0)}"] = words
            else:
                named = {self._name(row.table, name): value for name, value in row.values.items()}
                self._add(row.table, {**named, f"{row.table}_utc_ns": row.utc_ns})
        except OSError as error:
            raise storage_error("write", self._path, error) from error

    def finish(self) -> list[Path]:
        """Write the file from what was put by; its name.

        Raises:
            StorageError: there is no room.
        """
        with (
            replacing(self._path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
        ):
            for name, column in self._columns.items():
                column.fill(self._rows.get(column.table, 0))
                _write(archive, name, column.dtype, column.shape, column.blocks())
                if name == "utc_ns" or name.endswith("_utc_ns"):
                    times = _Times(column)
                    _write(archive, name.removesuffix("_ns"), times.dtype, times.shape, times.blocks())
            for name, value in _scalars(self._facts, self._later, self._arrays).items():
                array = np.asarray(value)
                _write(archive, name, array.dtype, array.shape, [array])
        return [self._path]

    def _add(self, table: str, values: dict[str, Any]) -> None:
        done = self._rows.get(table, 0)
        for name, value in values.items():
            column = self._columns.get(name) or self._column(name, table, "<f8" if value is None else _dtype(value))
            column.fill(done)
            column.add(value)
        self._rows[table] = done + 1

    def _name(self, table: str, column: str) -> str:
        """Name of an array: what a label calls itself may be no name of a file, or the same as another's."""
        known = self._names.get((table, column))
        if known is None:
            known = f"{table}_{_NOT_IN_NAMES.sub('_', column)}"
            while known in self._names.values():
                known += "_"
            self._names[table, column] = known
        return known

    def _column(self, name: str, table: str, dtype: str, shape: tuple[int, ...] = ()) -> "_Column":
        path = self._folder / str(len(self._columns))
        column = _Names(path, table) if dtype == "str" else _Column(path, table, np.dtype(dtype), shape)
        self._columns[name] = column
        return column


class _Column:
    """Values of one column in a file of their own."""

    def __init__(self, path: Path, table: str, dtype: np.dtype[Any], row: tuple[int, ...] = ()) -> None:
        self.table = table
        self.stored = dtype
        self.rows = 0
        self._path = path
        self._row = row
        self._file: IO[bytes] = path.open("w+b")

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stored

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows, *self._row)

    def add(self, value: Any) -> None:
        self._put(np.nan if value is None else value)

    def fill(self, rows: int) -> None:
        """Rows in which the column had no value."""
        while self.rows < rows:
            self._put(_FILLERS[self.stored.kind])

    def blocks(self) -> Iterator[NDArray[Any]]:
        self._file.flush()
        self._file.seek(0)
        row_bytes = self.stored.itemsize * int(np.prod(self._row, dtype=np.int64))
        while data := self._file.read(BLOCK_ROWS * row_bytes):
            yield np.frombuffer(data, self.stored).reshape(-1, *self._row)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def _put(self, value: Any) -> None:
        self._file.write(np.asarray(value, self.stored).tobytes())
        self.rows += 1


class _Names(_Column):
    """Texts of which few differ, put by as numbers."""

    def __init__(self, path: Path, table: str) -> None:
        super().__init__(path, table, np.dtype("<u4"))
        self._numbers: dict[str, int] = {"": 0}

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(f"<U{max(1, *map(len, self._numbers))}")

    def add(self, value: Any) -> None:
        self._put(self._numbers.setdefault(value, len(self._numbers)))

    def blocks(self) -> Iterator[NDArray[Any]]:
        names = np.array(list(self._numbers), dtype=self.dtype)
        for numbers in super().blocks():
            yield names[numbers]


class _Times:
    """A column of nanoseconds as dates."""

    def __init__(self, column: _Column) -> None:
        self.dtype = np.dtype("<U32")
        self.shape = column.shape
        self._column = column

    def blocks(self) -> Iterator[NDArray[Any]]:
        for block in self._column.blocks():
            yield np.array([utc(ns) if ns else "" for ns in block.tolist()], self.dtype)


_PICTURES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("celsius", "<f4", (ROWS, COLUMNS)),
    ("valid", "?", (ROWS, COLUMNS)),
    ("ta_c", "<f8", ()),
    ("vdd_v", "<f8", ()),
    ("index", "<i8", ()),
    ("generation", "<i8", ()),
    ("utc_ns", "<i8", ()),
    ("sensor", "<i8", ()),
)
_TABLES = {
    "thermistor": (
        ("utc_ns", "<i8"), ("sensor", "<i8"), ("channel", "str"), ("celsius", "<f8"), ("state", "str"), ("counts", "<i8"),
        ("simulated", "?"),
    ),
    "verdict": (
        ("utc_ns", "<i8"), ("index", "<i8"), ("label", "str"), ("alert", "?"), ("latency_us", "<i8"), ("inference_us", "<i8"),
        ("pictures", "<i8"), ("uncalibrated", "?"), ("doubtful", "?"), ("fast_kernels", "?"), ("simulated", "?"), ("model", "str"),
    ),
}  # fmt: skip


def _dtype(value: Any) -> str:
    if isinstance(value, str):
        return "str"
    return "?" if isinstance(value, bool) else "<i8" if isinstance(value, int) else "<f8"


def _scalars(facts: dict[str, Any], later: list[dict[str, Any]], arrays: dict[str, Words]) -> dict[str, Any]:
    """What holds for all rows: the facts whole as JSON, the plain ones also by their own names; `later` is in JSON only."""
    plain = {name: value for name, value in facts.items() if isinstance(value, str | bool | int | float)}
    return {**plain, **arrays, "about": json.dumps({**facts, **({"later": later} if later else {})})}


def _write(
    archive: zipfile.ZipFile,
    name: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    blocks: Iterable[NDArray[Any]],
) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(member, header)
        for block in blocks:
            member.write(np.ascontiguousarray(block, dtype).tobytes())

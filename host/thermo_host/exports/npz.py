"""An export as arrays of NumPy in one compressed file."""

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from thermo_host.exports.rows import Column, Row, SampleRow, SessionRow, Table, file_part
from thermo_host.exports.spool import Spool, TextSpool
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer
from thermo_host.moments import utc

npy: Any = numpy_format  # its stubs know none of what is used here
COMPRESSION = 1
"""Noise packs no better at a higher level, and takes three times as long."""
_DTYPES = {"float": "<f8", "int": "<i8", "time": "<i8"}


class NpzWriter(Writer):
    """Use it in a `with` block.

    Of a signal NAME there are NAME (n, *shape), NAME.utc_ns, NAME.utc, NAME.time_us and NAME.flags, where it fills in pixels
    NAME.valid, and NAME.labels; of a track with a name for arrays that one, and utc_ns and the others plainly; of a table KEY there
    is KEY.COLUMN; `about` is JSON, and its plain values lie beside it.

    Args:
        files: where to.
        first: what holds at first.
    """

    def __init__(self, files: Files, first: SessionRow) -> None:
        self._files = files
        self._first = first
        self._constants = dict(first.constants)
        self._later: list[dict[str, Any]] = []
        self._columns: dict[str, tuple[str, Spool]] = {}
        self._signals: dict[str, dict[str, Any]] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._arrays: dict[str, list[Spool]] = {}
        self._samples = 0

    def close(self) -> None:
        """Let go of what is open."""
        for _, column in self._columns.values():
            column.close()

    def add(self, row: Row) -> None:
        """Put a row by."""
        if isinstance(row, SampleRow):
            self._add_sample(row)
        elif isinstance(row, SessionRow):
            self._later.append({"after_samples": self._samples, **row.facts})
            self._constants |= row.constants
        else:
            if row.table.key not in self._arrays:
                self._begin_table(row.table)
            for column, value in zip(self._arrays[row.table.key], row.values, strict=True):
                column.add(column.nothing if value is None else value)

    def finish(self) -> list[Path]:
        """Write the file from what was put by; its name."""
        path = self._files.open(self._files.path)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
            for key, (name, column) in self._columns.items():
                _write(archive, key, column.dtype, column.shape, column.blocks())
                if name == "utc_ns":
                    _write(archive, key.removesuffix("_ns"), np.dtype("<U32"), column.shape, _dates(column))
            for key, value in self._plain().items():
                array = np.asarray(value)
                _write(archive, key, array.dtype, array.shape, [array])
        return self._files.written

    def _add_sample(self, row: SampleRow) -> None:
        self._samples += 1
        key, sample = row.track.key, row.sample
        if key not in self._arrays:
            self._begin_signal(row)
        values, utc_ns, time_us, flags, *valid = self._arrays[key]
        values.add(sample.values)
        utc_ns.add(row.utc_ns)
        time_us.add(sample.time_us)
        flags.add(sample.flags)
        for column in valid:
            column.add(True if row.measured is None else row.measured)

    def _begin_signal(self, row: SampleRow) -> None:
        track = row.track
        signal = track.signal
        columns = [("", "<f4", signal.shape), ("utc_ns", "<i8", ()), ("time_us", "<i8", ()), ("flags", "<u2", ())]
        if row.measured is not None:
            columns.append(("valid", "?", signal.shape))
        self._arrays[track.key] = [self._column(track.key, *column, plain=track.array) for column in columns]
        self._signals[track.key] = {"unit": signal.unit, "shape": list(signal.shape), "rate_hz": signal.rate_hz}
        if track.labels:
            self._labels[self._free(f"{track.key}.labels")] = track.labels

    def _begin_table(self, table: Table) -> None:
        self._arrays[table.key] = [self._of_table(table.key, column) for column in table.columns]

    def _of_table(self, key: str, column: Column) -> Spool:
        name = f"{column.name}_ns" if column.kind == "time" else column.name
        return self._column(key, name, _DTYPES.get(column.kind, "text"), ())

    def _column(self, key: str, name: str, dtype: str, shape: tuple[int, ...], plain: str = "") -> Spool:
        path = self._files.folder / str(len(self._columns))
        column = TextSpool(path) if dtype == "text" else Spool(path, dtype, shape)
        of_key = f"{key}.{file_part(name)}" if name else key
        self._columns[self._free((name or plain) if plain else of_key)] = (name, column)
        return column

    def _free(self, name: str) -> str:
        """A name that no array has: what outputs call themselves may differ in nothing that a file's name can hold."""
        while name in self._columns or name in self._labels:
            name += "_"
        return name

    def _plain(self) -> dict[str, Any]:
        """What holds for all rows: the facts whole as JSON, the plain ones also by their own names."""
        facts = self._first.facts
        about = {**facts, "signals": self._signals, **({"later": self._later} if self._later else {})}
        plain = {name: value for name, value in facts.items() if isinstance(value, str | bool | int | float)}
        constants = {name: np.frombuffer(data, np.uint8) for name, data in self._constants.items()}
        found = {**plain, **self._labels, **constants, "about": json.dumps(about)}
        return {name: value for name, value in found.items() if name not in self._columns}


def _dates(column: Spool) -> Iterator[NDArray[Any]]:
    for block in column.blocks():
        yield np.array([utc(ns) if ns else "" for ns in block.tolist()], "<U32")


def _write(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], blocks: Iterable[NDArray[Any]]
) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(member, header)
        for block in blocks:
            member.write(np.ascontiguousarray(block, dtype).tobytes())

"""An export as Parquet: a tidy table of each signal and of all else, UTC with its zone, units and facts in the metadata."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

# Read when pyarrow is imported; its own allocators keep tens of megabytes for themselves.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
import pyarrow as pa
import pyarrow.parquet as pq

from thermo_host.exports.rows import Known, Row, SampleRow, SessionRow, TableRow, beside, element_names
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer

ROW_GROUP_BYTES = 1 << 20
"""Bytes of numbers that are held before they are written."""
MOST_ROWS = 2048
ABOUT = b"thermo-edge"
"""Key of the facts in the metadata of a file, as JSON."""
UTC = pa.timestamp("ns", tz="UTC")
_TYPES = {"float": pa.float64(), "int": pa.int64(), "text": pa.string(), "time": UTC}


class ParquetWriter(Writer):
    """Use it in a `with` block.

    A row is a moment: utc, time_us, the value, flags; a signal of several numbers has a list of fixed size, row by row of its
    shape, whose labels stand in the field's metadata.

    Args:
        files: where to.
        first: what holds at first.
    """

    def __init__(self, files: Files, first: SessionRow) -> None:
        self._files = files
        self._facts = dict(first.facts)
        self._tables: dict[Path, _Table] = {}

    @classmethod
    def names(cls, path: Path, known: Known) -> list[Path]:
        """All files that may be written for a name, as far as that is known."""
        return [beside(path, f"{key}.parquet") for key in known]

    def close(self) -> None:
        """Let go of what is open."""
        for table in self._tables.values():
            table.close()

    def place_of(self, key: str, utc_ns: int) -> Path:
        """The file of a row.

        Args:
            key: of its track or table.
            utc_ns: when it was.
        """
        return beside(self._files.path, f"{key}.parquet")

    def add(self, row: Row) -> None:
        """Write a row."""
        if isinstance(row, SessionRow):
            self._facts = dict(row.facts)
            return
        path = self.place_of(row.track.key if isinstance(row, SampleRow) else row.table.key, row.utc_ns)
        table = self._tables.get(path)
        if table is None:
            schema = _of_signal(row) if isinstance(row, SampleRow) else _of_table(row)
            made = _Table(self._files.open(path), schema.with_metadata({ABOUT: json.dumps(self._facts)}))
            table = self._tables[path] = made
        table.add(_cells(row) if isinstance(row, SampleRow) else row.values)

    def finish(self) -> list[Path]:
        """Write what is left; the files."""
        for table in self._tables.values():
            table.finish()
        return self._files.written


class _Table:
    """A file and the rows of its next row group."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(str(path), schema, compression="zstd", use_dictionary=False)
        self._columns: list[list[Any]] = [[] for _ in schema]
        widths = [field.type.list_size if pa.types.is_fixed_size_list(field.type) else 1 for field in schema]
        self._most = max(1, min(MOST_ROWS, ROW_GROUP_BYTES // (4 * sum(widths))))

    def add(self, values: Any) -> None:
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
        if len(self._columns[0]) >= self._most:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._writer.close()

    def close(self) -> None:
        if self._writer.is_open:
            self._writer.close()

    def _flush(self) -> None:
        if not self._columns[0]:
            return
        arrays = [_array(values, field.type) for values, field in zip(self._columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._columns = [[] for _ in self._columns]


def _array(values: list[Any], kind: Any) -> Any:
    if pa.types.is_fixed_size_list(kind):
        flat = np.concatenate([np.ravel(value) for value in values])
        return pa.FixedSizeListArray.from_arrays(pa.array(flat, kind.value_type), kind.list_size)
    return pa.array(values, kind)


def _cells(row: SampleRow) -> tuple[Any, ...]:
    sample = row.sample
    value = sample.values if row.track.signal.shape else float(sample.values)
    head = (row.utc_ns or None, sample.time_us, value, sample.flags)
    return head if row.measured is None else (*head, row.measured)


def _of_signal(row: SampleRow) -> Any:
    signal = row.track.signal
    about = {"unit": signal.unit, "shape": json.dumps(list(signal.shape)), "rate_hz": f"{signal.rate_hz:g}"}
    kind: Any = pa.float32()
    if signal.shape:
        about["labels"] = json.dumps(element_names(row.track))
        kind = pa.list_(pa.float32(), signal.elements)
    fields = [
        pa.field("utc", UTC),
        pa.field("time_us", pa.int64(), metadata={"unit": "us"}),
        pa.field("value", kind, metadata=about),
        pa.field("flags", pa.uint16()),
    ]
    if row.measured is not None:
        fields.append(pa.field("valid", pa.list_(pa.bool_(), signal.elements)))
    return pa.schema(fields)


def _of_table(row: TableRow) -> Any:
    return pa.schema(
        [
            pa.field(column.name, _TYPES[column.kind], metadata={"unit": column.unit} if column.unit else None)
            for column in row.table.columns
        ]
    )

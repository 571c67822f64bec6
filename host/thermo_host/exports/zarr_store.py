"""An export as a Zarr store: a group of arrays for each signal and table, chunked along time, with units and facts as attributes.

Pictures in degC are whole hundredths of a degree in 16 bits, a tenth of a camera's noise, as `scale_factor` says; everything else is
float32 as it was decoded. Attributes are those of the CF conventions, which xarray applies by itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import zarr
from numpy.typing import NDArray

from thermo_host.exports.rows import Column, Row, SampleRow, SessionRow, Table, Track, element_names, file_part
from thermo_host.exports.spool import Spool, TextSpool
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer

FORMAT: Any = 2
"""Of Zarr: the one in which texts have a type that every reader knows."""
SCALE = 0.01
"""degC of a step of a picture."""
NO_VALUE = -32768
EPOCH = "nanoseconds since 1970-01-01T00:00:00Z"
_DTYPES = {"float": "<f8", "int": "<i8", "time": "<i8"}


class ZarrWriter(Writer):
    """Use it in a `with` block.

    Of a signal NAME there is a group NAME with `celsius` (n, *shape), or `value` where its unit is another, `utc_ns`, `time_us`,
    `flags` and, where it fills in pixels, `valid`; of a table KEY a group with an array for each column. The facts are attributes of the
    root.

    Args:
        files: where to.
        first: what holds at first.
        whole: pictures are float32 too, as decoded.
    """

    def __init__(self, files: Files, first: SessionRow, whole: bool = False) -> None:
        self._files = files
        self._first = first
        self._whole = whole
        self._later: list[dict[str, Any]] = []
        self._constants = dict(first.constants)
        self._groups: dict[str, _Group] = {}
        self._samples = 0

    def close(self) -> None:
        """Let go of what is open."""
        for group in self._groups.values():
            group.close()

    def add(self, row: Row) -> None:
        """Put a row by."""
        if isinstance(row, SessionRow):
            self._later.append({"after_samples": self._samples, **row.facts})
            self._constants |= row.constants
            return
        key = row.track.key if isinstance(row, SampleRow) else row.table.key
        group = self._groups.get(key)
        if group is None:
            folder = self._files.folder / f"columns-{len(self._groups)}"
            folder.mkdir()
            made = _of_signal(folder, row, self._whole) if isinstance(row, SampleRow) else _of_table(folder, row.table)
            group = self._groups[key] = made
        if isinstance(row, SampleRow):
            self._samples += 1
            group.add_sample(row)
        else:
            group.add_row(row.values)

    def finish(self) -> list[Path]:
        """Write the store from what was put by; its name."""
        path = self._files.open_folder(self._files.path)
        root = zarr.create_group(path, zarr_format=FORMAT)
        facts = {**self._first.facts, **({"later": self._later} if self._later else {})}
        root.attrs.update(facts)
        taken: set[str] = set()
        for key, group in self._groups.items():
            name = file_part(key)
            while name in taken:
                name += "_"
            taken.add(name)
            group.write(root.create_group(name))
        if self._constants:
            constants = root.create_group("constants")
            for name, data in self._constants.items():
                _array(constants, file_part(name), np.frombuffer(data, np.uint8), ("byte",))
        zarr.consolidate_metadata(root.store, zarr_format=FORMAT)
        return self._files.written


class _Group:
    """Columns of a signal or a table, put by."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self.about = about
        self.columns: dict[str, tuple[Spool, Mapping[str, Any], tuple[str, ...]]] = {}
        self._packed = False

    def column(self, name: str, column: Spool, about: Mapping[str, Any], axes: tuple[str, ...] = ()) -> None:
        while name in self.columns:
            name += "_"
        self.columns[name] = column, about, ("time", *axes)

    def packed(self) -> None:
        """The first column has whole hundredths."""
        self._packed = True

    def add_sample(self, row: SampleRow) -> None:
        sample = row.sample
        values = hundredths(sample.values) if self._packed else sample.values
        held = (values, row.utc_ns, sample.time_us, sample.flags, True if row.measured is None else row.measured)
        for (column, _, _), value in zip(self.columns.values(), held, strict=False):
            column.add(value)

    def add_row(self, values: tuple[Any, ...]) -> None:
        for (column, _, _), value in zip(self.columns.values(), values, strict=True):
            column.add(column.nothing if value is None else value)

    def write(self, group: Any) -> None:
        group.attrs.update(self.about)
        for name, (column, about, axes) in self.columns.items():
            array = group.create_array(
                name,
                shape=column.shape,
                chunks=(column.block_rows, *column.shape[1:]),
                dtype=column.dtype,
                compressors=_compressor(column.dtype),
                fill_value=about.get("_FillValue", "" if column.dtype.kind == "U" else 0),
            )
            array.attrs.update({**about, "_ARRAY_DIMENSIONS": axes})
            at = 0
            for block in column.blocks():
                array[at : at + len(block)] = block
                at += len(block)

    def close(self) -> None:
        for column, _, _ in self.columns.values():
            column.close()


def hundredths(values: NDArray[np.float32]) -> NDArray[np.int16]:
    """Temperatures in degC as whole hundredths; NO_VALUE where there is none. What lies beyond the 16 bits is held at their ends."""
    scaled = np.rint(values.astype(np.float64) / SCALE).clip(NO_VALUE + 1, -NO_VALUE - 1)
    return np.where(np.isnan(scaled), NO_VALUE, scaled).astype(np.int16)


def _of_signal(folder: Path, row: SampleRow, whole: bool) -> _Group:
    track = row.track
    signal = track.signal
    celsius = signal.unit == "degC"
    group = _Group({**track.facts, "unit": signal.unit, "rate_hz": signal.rate_hz, **_labels(track)})
    axes = ("row", "column") if track.is_picture else tuple(f"axis_{at}" for at in range(len(signal.shape)))
    about: dict[str, Any] = {"units": signal.unit}
    dtype = "<f4"
    if celsius and track.is_picture and not whole:
        dtype = "<i2"
        about |= {"scale_factor": SCALE, "add_offset": 0.0, "_FillValue": NO_VALUE}
        group.packed()
    group.column("celsius" if celsius else "value", Spool(folder / "0", dtype, signal.shape), about, axes)
    group.column("utc_ns", Spool(folder / "1", "<i8"), {"units": EPOCH})
    group.column("time_us", Spool(folder / "2", "<i8"), {"units": "us"})
    group.column("flags", Spool(folder / "3", "<u2"), {"units": ""})
    if row.measured is not None:
        group.column("valid", Spool(folder / "4", "?", signal.shape), {"units": ""}, axes)
    return group


def _labels(track: Track) -> dict[str, Any]:
    return {"labels": element_names(track)} if track.labels else {}


def _of_table(folder: Path, table: Table) -> _Group:
    group = _Group({})
    for number, column in enumerate(table.columns):
        name = file_part(f"{column.name}_ns" if column.kind == "time" else column.name)
        group.column(
            name, _spool(folder / str(number), column), {"units": EPOCH if column.kind == "time" else column.unit}
        )
    return group


def _spool(path: Path, column: Column) -> Spool:
    return TextSpool(path) if column.kind == "text" else Spool(path, _DTYPES[column.kind])


def _array(group: Any, name: str, values: NDArray[Any], axes: tuple[str, ...]) -> None:
    group.create_array(name, data=values, compressors=_compressor(values.dtype)).attrs["_ARRAY_DIMENSIONS"] = axes


def _compressor(dtype: np.dtype[Any]) -> Any:
    shuffle = numcodecs.Blosc.SHUFFLE if dtype.kind in "U?" else numcodecs.Blosc.BITSHUFFLE
    return numcodecs.Blosc("zstd", clevel=3, shuffle=shuffle)

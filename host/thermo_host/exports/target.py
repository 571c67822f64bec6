"""Where an export goes: by the ending of its name; files that take their names when all of it went well."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.files import replacing
from thermo_host.exports.rows import Known, Row, SessionRow
from thermo_host.extras import imported

WRITERS: Mapping[str, tuple[str, str]] = {
    ".npz": ("npz", "NpzWriter"),
    ".csv": ("csv_tables", "CsvWriter"),
    ".parquet": ("parquet", "ParquetWriter"),
    ".edf": ("edf", "EdfWriter"),
    ".zarr": ("zarr_store", "ZarrWriter"),
    ".mcap": ("foxglove", "FoxgloveWriter"),
    ".png": ("images", "PngWriter"),
    ".mp4": ("video", "Mp4Writer"),
    ".svg": ("svg", "SvgWriter"),
}
"""Module and class of what writes each ending; only the one that is asked for is imported, with the library it needs."""
EXTRAS: Mapping[str, str] = {".zarr": "zarr", ".mcap": "foxglove"}
"""Extras of the package that bring what an ending needs beyond the host's own libraries."""


class Files:
    """Files of one export. Use it in a `with` block: those that were opened take their names at its end if no error escapes.

    Args:
        path: as the user named it.
        force: replace files that exist.

    Attributes:
        path: as given.
        folder: for what is put by meanwhile; it goes with the block.
        written: names that are taken at the end, in the order in which they were opened.
    """

    def __init__(self, path: Path, force: bool = False) -> None:
        self.path = path
        self.folder = Path()
        self.written: list[Path] = []
        self._force = force
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Files":
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=f".{self.path.stem}.", dir=self.path.parent))
        except OSError as error:
            raise storage_error("write", self.path, error) from error
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, value, traceback)

    def open(self, path: Path) -> Path:
        """A temporary name for one of the files.

        Raises:
            StorageError: it exists and may not be replaced, or cannot be written.
        """
        refuse_existing(path, self._force)
        temporary = self._stack.enter_context(replacing(path))
        self.written.append(path)
        return temporary

    def open_folder(self, path: Path) -> Path:
        """A temporary name for a folder, which is moved in place as a whole.

        Raises:
            StorageError: it exists and may not be replaced.
        """
        refuse_existing(path, self._force)
        temporary = self.folder / "whole"
        self._stack.push(_Moving(temporary, path, self.folder / "before"))
        self.written.append(path)
        return temporary


class _Moving:
    """Moves a folder in place at the end, if no error escapes; what had its name goes with the folder of all that is put by."""

    def __init__(self, temporary: Path, path: Path, before: Path) -> None:
        self._temporary = temporary
        self._path = path
        self._before = before

    def __enter__(self) -> None:
        """It begins when it is made."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if value is not None:
            return
        try:
            for each in self._temporary.rglob("*"):
                if each.is_file():
                    with each.open("rb") as file:
                        os.fsync(file.fileno())
            if self._path.exists():
                self._path.replace(self._before)
            self._temporary.replace(self._path)
        except OSError as error:
            raise storage_error("write", self._path, error) from error


def refuse_existing(path: Path, force: bool) -> None:
    """Raises StorageError where something is there that may not be replaced."""
    if not path.exists():
        return
    if path.is_dir() and path.suffix == ".zarr":
        ours = any((path / name).is_file() for name in (".zgroup", "zarr.json"))
        if force and ours:
            return
        raise StorageError(
            f"{path} exists, and an export is written whole, never appended to; choose another name, or replace it with --force."
            if ours
            else f"{path} is a folder that is no Zarr store, and is left alone; choose another name."
        )
    if path.is_dir():
        raise StorageError(f"{path} is a folder; choose another name.")
    if not force:
        raise StorageError(f"{path} exists; choose another name, or replace it with --force.")


def writer_of(path: Path) -> Any:
    """The class that writes files of this ending.

    Raises:
        UsageError: its ending says no format.
    """
    found = WRITERS.get(path.suffix)
    if found is None:
        *others, last = WRITERS
        raise UsageError(f"{path} does not end in {', '.join(others)} or {last}; give it one of these endings.")
    return getattr(imported(f"thermo_host.exports.{found[0]}", EXTRAS.get(path.suffix, "host"), path.suffix), found[1])


def check_target(path: Path, known: Known, force: bool = False) -> None:
    """See that files can be written under a name, before anything is decoded.

    Args:
        path: as the user named it.
        known: what would be written.
        force: files that exist may be replaced.

    Raises:
        UsageError: its ending says no format.
        StorageError: one exists and `force` is off.
    """
    for existing in writer_of(path).names(path, known):
        refuse_existing(existing, force)


def write(rows: Iterable[Row], path: Path, first: SessionRow, force: bool = False, **options: Any) -> list[Path]:
    """Write rows to `path`, by its ending; the files written.

    Args:
        rows: in order.
        path: ends in one of WRITERS.
        first: what holds at first.
        force: replace files that exist.
        options: of that writer.

    Raises:
        UsageError: another ending, or nothing that such files can hold.
        StorageError: a file exists, or cannot be written; then nothing of the export is left.
    """
    kind = writer_of(path)
    with Files(path, force) as files:
        try:
            with kind(files, first, **options) as writer:
                for row in rows:
                    writer.add(row)
                    if getattr(writer, "done", False):
                        break
                writer.finish()
        except OSError as error:
            raise storage_error("write", path, error) from error
    return files.written

"""A sensor's correction on the device: the current one and the one before it, each whole or not there.

Writing makes `correction-N.incoming` first, then moves current to previous and incoming to current, each step synced.
After a cut between the two moves the next look finds no current one and a whole incoming one, and finishes the second.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from thermo_core.errors import CorrectionError, DamagedFileError
from thermo_core.sensors.correction import MAX_BODY, Correction
from thermo_core.sensors.kinds import correction_of
from thermo_device.files import DISK, Files, read_bounded

log = logging.getLogger(__name__)

CURRENT, PREVIOUS = 0, 1
MAX_BYTES = MAX_BODY + 64


class Source(StrEnum):
    """Which correction is in use."""

    CURRENT = "current"
    PREVIOUS = "previous"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StoredCorrection:
    """What the store gives at a start.

    Attributes:
        correction: to apply, or None where nothing usable is stored.
        source: where it came from.
        problem: a sentence worth an event where the current one is damaged; empty otherwise.
    """

    correction: Correction | None
    source: Source
    problem: str = ""


class CorrectionStore:
    """Two corrections of one sensor. One process and one thread at a time uses them.

    Args:
        directory: made where it is missing.
        sensor: its number.
        files: file system.

    Raises:
        StorageError: the system refuses to make the directory.
    """

    def __init__(self, directory: Path, sensor: int, files: Files = DISK) -> None:
        self._directory = directory
        self._files = files
        self._current = directory / f"correction-{sensor}.current"
        self._previous = directory / f"correction-{sensor}.previous"
        self._incoming = directory / f"correction-{sensor}.incoming"
        files.make_directory(directory)

    def load(self) -> StoredCorrection:
        """The correction to use: the current one, or the one before where the current one is damaged.

        Raises:
            StorageError: the system refuses to read.
        """
        self._settle()
        try:
            data = read_bounded(self._files, self._current, MAX_BYTES)
            if data is None:
                return StoredCorrection(None, Source.NONE)
            return StoredCorrection(correction_of(data), Source.CURRENT)
        except (CorrectionError, DamagedFileError) as error:
            log.warning("%s: %s", self._current, error)
        previous = self._valid(self._previous)
        if previous is None:
            problem = "The stored correction is damaged and there is none before it; calibrate anew."
            return StoredCorrection(None, Source.NONE, problem)
        problem = "The stored correction is damaged, so the one before it is in use; calibrate anew."
        return StoredCorrection(correction_of(previous), Source.PREVIOUS, problem)

    def read(self, which: int) -> bytes:
        """A correction as stored: `CURRENT` the one `load` gives, `PREVIOUS` the one before; b"" where there is none.

        Raises:
            StorageError: the system refuses to read.
        """
        self._settle()
        previous = self._valid(self._previous) or b""
        if which == PREVIOUS:
            return previous
        if self._files.size(self._current) is None:
            return b""
        return self._valid(self._current) or previous

    def write(self, data: bytes) -> Correction:
        """Store a correction as the current one; the one before stays for `rollback`.

        Args:
            data: `sensors.correction.to_bytes`.

        Raises:
            CorrectionError: damaged; what is stored stays.
            StorageError: the system refused, as on a full disk.
        """
        correction = correction_of(data)
        self._settle()
        current = self._valid(self._current)
        if current == data:
            return correction
        self._files.remove(self._incoming)
        self._files.write(self._incoming, 0, data)
        self._files.sync(self._incoming)
        self._files.sync_directory(self._directory)
        if current is not None:  # a damaged one must not push out a whole one
            self._files.replace(self._current, self._previous)
            self._files.sync_directory(self._directory)
        self._files.replace(self._incoming, self._current)
        self._files.sync_directory(self._directory)
        return correction

    def rollback(self) -> Correction:
        """Make the correction before the current one current; the current one takes its place.

        Raises:
            CorrectionError: there is none before.
            StorageError: the system refused.
        """
        self._settle()
        previous = self._valid(self._previous)
        if previous is None:
            raise CorrectionError("No correction before the current one is stored; calibrate anew.")
        return self.write(previous)

    def _settle(self) -> None:
        """Finish a write that a cut left between its two moves; drop one that did not come so far."""
        if self._files.size(self._incoming) is None:
            return
        if self._files.size(self._current) is None and self._valid(self._incoming) is not None:
            self._files.replace(self._incoming, self._current)
        else:
            self._files.remove(self._incoming)
        self._files.sync_directory(self._directory)

    def _valid(self, path: Path) -> bytes | None:
        try:
            data = read_bounded(self._files, path, MAX_BYTES)
            if data is not None:
                correction_of(data)
        except (CorrectionError, DamagedFileError):
            return None
        return data

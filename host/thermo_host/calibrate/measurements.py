"""What a run has measured so far, in a file from which it can go on after an interruption, a lost cable or a full disk."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.files import read_file, write_file
from thermo_core.typed import convert
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Subject

FORMAT = "thermo-edge calibration measurements"
VERSION = 2
NAME = "measurements.json"
ROOM = 4 << 20
"""Bytes put by before a measurement begins, so that a disk that fills meanwhile takes none of it: more than report and
measurements of 40 set-points need."""


class Measurements:
    """Of one run.

    Args:
        folder: of the report.
        subject: the wearable.
        settings: as chosen.
        note: shows a line.

    Attributes:
        folder, settings: as given.
        observations: so far, in the order in which they were made.

    Raises:
        StorageError: the disk has no room for what will be measured.
    """

    def __init__(
        self,
        folder: Path,
        subject: Subject,
        settings: Settings,
        note: Callable[[str], None] = lambda line: None,
        observations: tuple[Observation, ...] = (),
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.observations = list(observations)
        self._subject = subject
        self._note = note
        self._room = folder / ".room"
        _allocate(self._room, ROOM)

    @staticmethod
    def settings_of(folder: Path) -> Settings:
        """What an earlier run was to measure.

        Raises:
            StorageError: there is nothing to go on with.
        """
        return _read(folder)[0]

    @classmethod
    def resume(cls, folder: Path, subject: Subject, note: Callable[[str], None] = lambda line: None) -> "Measurements":
        """What an earlier run left in a folder.

        Raises:
            StorageError: there is nothing to go on with, or it belongs to another sensor.
        """
        settings, sensors, observations = _read(folder)
        difference = subject.difference(sensors)
        if difference:
            raise StorageError(
                f"{folder / NAME} {difference}; resume with the same sensors, or calibrate again without --resume."
            )
        return cls(folder, subject, settings, note, observations)

    def keep(self, observation: Observation) -> None:
        """Add one, and write all of them. Where there is no room left even so, they stay in memory, and that is said."""
        self.observations.append(observation)
        try:
            self._write()
        except StorageError as error:
            self.release_room()
            try:
                self._write()
            except StorageError:
                self._note(f"{error} The measurement goes on, but is lost if it is interrupted.")

    def release_room(self) -> None:
        """Give back what was put by, for the report."""
        with contextlib.suppress(OSError):
            self._room.unlink()

    def forget(self) -> None:
        """Remove the file: the report holds everything."""
        self.release_room()
        with contextlib.suppress(OSError):
            (self.folder / NAME).unlink()

    def give_up(self) -> bool:
        """Leave what was measured for another time, or nothing where nothing was; whether something is left."""
        self.release_room()
        if (self.folder / NAME).exists():
            return True
        with contextlib.suppress(OSError):
            self.folder.rmdir()
        return False

    def _write(self) -> None:
        content = {
            "format": FORMAT,
            "version": VERSION,
            "sensors": [target.to_map() for target in self._subject.targets],
            "settings": self.settings.to_map(),
            "observations": [observation.to_map() for observation in self.observations],
        }
        write_file(self.folder / NAME, json.dumps(content, allow_nan=False).encode())


def _read(folder: Path) -> tuple[Settings, object, tuple[Observation, ...]]:
    """Settings, sensors and observations that an earlier run left in a folder."""
    path = folder / NAME
    if not path.exists():
        raise StorageError(f"{folder} holds no measurements to go on with; give the folder that calibrate named.")
    wrong = f"{path} holds no measurements of calibrate, or is damaged; calibrate again without --resume."
    try:
        data = json.loads(read_file(path))
        if data["format"] != FORMAT or data["version"] != VERSION:
            raise StorageError(wrong)
        settings = convert(data["settings"], Settings)
        return settings, data["sensors"], tuple(Observation.from_map(each) for each in data["observations"])
    except (msgspec.MsgspecError, ValueError, TypeError, KeyError, RecursionError, UsageError) as error:
        raise StorageError(wrong) from error


def _allocate(path: Path, size: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise storage_error("write", path.parent, error) from error

"""Which sensor was seen with which constants: numbers that rise with every change, and fingerprints of the first sight.

Chips have no checksum of their constants. So the device keeps a CRC-32 of each sensor's from when it first saw it, or from the
last calibration that was made with it, and knows by that when a cell has changed since.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from thermo_core.errors import DamagedFileError, StorageError
from thermo_core.sensors.correction import fingerprint
from thermo_core.wire.table import LIMITS
from thermo_device.files import DISK, Files, read_note, write_note

log = logging.getLogger(__name__)

MAX_TRUSTED = 64
"""Chips whose fingerprint is kept; the one seen least recently goes first."""
_LARGEST = 0xFFFF_FFFF
_SENSORS = int(LIMITS["sensors"].high)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sensor as it was found.

    Attributes:
        number: of these constants; any others at the same place have had a lower number or will have a higher one.
        fingerprint: of the constants.
        changed: they are not those this sensor was first seen or calibrated with.
    """

    number: int
    fingerprint: int
    changed: bool


@dataclass(frozen=True, slots=True)
class _Newest:
    """What was found at a sensor's place last."""

    number: int
    identity: str
    fingerprint: int


class Sightings:
    """What was seen, kept over restarts. One thread at a time uses it.

    Args:
        directory: where `sensors.json` lies; None forgets all at the end.
        files: file system.

    Attributes:
        problem: why the newest sighting is not on the medium, or an older one was lost, a sentence; "" where all is
            well.
    """

    def __init__(self, directory: Path | None = None, files: Files = DISK) -> None:
        self._path = None if directory is None else directory / "sensors.json"
        self._files = files
        self.problem = ""
        self._newest: dict[int, _Newest] = {}
        self._trusted: dict[str, int] = {}
        self._load()

    def meet(self, sensor: int, identity: bytes, constants: bytes) -> Sighting:
        """Take the constants that were found now.

        Args:
            sensor: its number within the wearable.
            identity: of the chip.
            constants: as they travel, verified.
        """
        name, found = identity.hex(), fingerprint(constants)
        before = self._newest.get(sensor)
        number = 0 if before is None else before.number
        changed_state = before is None or (before.identity, before.fingerprint) != (name, found)
        if changed_state:
            number = number % _LARGEST + 1
            self._newest[sensor] = _Newest(number, name, found)
        trusted = self._trusted.pop(name, None)
        self._trusted[name] = found if trusted is None else trusted
        while len(self._trusted) > MAX_TRUSTED:
            del self._trusted[next(iter(self._trusted))]
        if changed_state or trusted is None or self.problem:
            self._save()
        return Sighting(number, found, self._trusted[name] != found)

    def trust(self, identity: bytes, found: int) -> None:
        """Hold the sensor to constants of this fingerprint from now on: what it says was compared with a reference."""
        if self._trusted.pop(identity.hex(), None) == found:
            self._trusted[identity.hex()] = found
            return
        self._trusted[identity.hex()] = found
        self._save()

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            note = read_note(self._files, self._path)
        except (DamagedFileError, StorageError) as error:
            self._tell(f"What was known of sensors is lost, and they are taken as they are found next ({error})")
            return
        if note is None:
            return
        newest = _entries(note.get("sensors"), _sensor)
        trusted = _entries(note.get("trusted"), _pair)
        if newest is None or trusted is None:
            self._tell(f"{self._path} is not of this version, and sensors are taken as they are found next.")
            return
        self._newest = dict(newest)
        self._trusted = dict(trusted[-MAX_TRUSTED:])

    def _save(self) -> None:
        if self._path is None:
            return
        note: dict[str, object] = {
            "sensors": [[sensor, one.number, one.identity, one.fingerprint] for sensor, one in self._newest.items()],
            "trusted": [list(pair) for pair in self._trusted.items()],
        }
        try:
            write_note(self._files, self._path, note)
            self.problem = ""
        except StorageError as error:
            self._tell(f"Which sensor is there cannot be kept. {error}")

    def _tell(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self.problem = sentence


Entry = TypeVar("Entry")


def _entries(value: object, read: Callable[[object], Entry | None]) -> list[Entry] | None:
    """Entries of a list as the file holds them; None where one is none."""
    if not isinstance(value, list):
        return None
    found = [entry for each in value if (entry := read(each)) is not None]
    return found if len(found) == len(value) else None


def _sensor(value: object) -> tuple[int, _Newest] | None:
    match value:
        case [int(sensor), int(number), str(identity), int(found)] if (
            0 <= sensor < _SENSORS and 1 <= number <= _LARGEST and 0 <= found <= _LARGEST
        ):
            return sensor, _Newest(number, identity, found)
    return None


def _pair(value: object) -> tuple[str, int] | None:
    match value:
        case [str(sensor), int(found)] if 0 <= found <= _LARGEST:
            return sensor, found
    return None

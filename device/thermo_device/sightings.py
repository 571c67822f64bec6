"""Which sensor was seen with which EEPROM: numbers that rise with every change, and fingerprints of the first sight.

An EEPROM has no checksum of its own. So the device keeps a CRC-32 of each sensor's from when it first saw it, or from the
last calibration that was made with it, and knows by that when a cell has changed since.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from thermo_core.errors import DamagedFileError, StorageError
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.identity import device_id, fingerprint
from thermo_device.files import DISK, Files, read_note, write_note

log = logging.getLogger(__name__)

MAX_SENSORS = 64
"""Sensors whose fingerprint is kept; the one seen least recently goes first."""
_LARGEST = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sensor as it was found.

    Attributes:
        generation: number of this EEPROM; any other one has had a lower number or will have a higher one.
        fingerprint: CRC-32 of the EEPROM.
        changed: it is not the one this sensor was first seen or calibrated with.
    """

    generation: int
    fingerprint: int
    changed: bool


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
        self._generation = 0
        self._newest: tuple[str, int] | None = None
        self._trusted: dict[str, int] = {}
        self._load()

    def meet(self, eeprom: Words) -> Sighting:
        """Take the EEPROM that was found now.

        Args:
            eeprom: (832,) words as they were verified.
        """
        sensor, found = device_id(eeprom).hex(), fingerprint(eeprom)
        changed_state = (sensor, found) != self._newest
        if changed_state:
            self._generation = self._generation % _LARGEST + 1
            self._newest = sensor, found
        trusted = self._trusted.pop(sensor, None)
        self._trusted[sensor] = found if trusted is None else trusted
        while len(self._trusted) > MAX_SENSORS:
            del self._trusted[next(iter(self._trusted))]
        if changed_state or trusted is None or self.problem:
            self._save()
        return Sighting(self._generation, found, self._trusted[sensor] != found)

    def trust(self, sensor_id: bytes, found: int) -> None:
        """Hold the sensor to this EEPROM from now on: its temperatures were compared with a reference."""
        if self._trusted.pop(sensor_id.hex(), None) == found:
            self._trusted[sensor_id.hex()] = found
            return
        self._trusted[sensor_id.hex()] = found
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
        generation, newest, trusted = note.get("generation"), _pair(note.get("newest")), note.get("trusted")
        pairs = [_pair(each) for each in trusted] if isinstance(trusted, list) else [None]
        if not isinstance(generation, int) or not 0 <= generation <= _LARGEST or newest is None or None in pairs:
            self._tell(f"{self._path} is not of this version, and sensors are taken as they are found next.")
            return
        self._generation, self._newest = generation, newest
        self._trusted = dict([pair for pair in pairs if pair is not None][-MAX_SENSORS:])

    def _save(self) -> None:
        if self._path is None or self._newest is None:
            return
        note: dict[str, object] = {
            "generation": self._generation,
            "newest": list(self._newest),
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


def _pair(value: object) -> tuple[str, int] | None:
    """A sensor and its fingerprint as the file holds them; None where it is none."""
    match value:
        case [str(sensor), int(found)] if 0 <= found <= _LARGEST:
            return sensor, found
    return None

"""Real sensors for the simulator: the EEPROM and the frames of a dump or of a recording."""

import logging
from pathlib import Path

from thermo_core.errors import StorageError
from thermo_core.recording.container import MAGIC
from thermo_core.recording.frames import recorded_frames
from thermo_core.sensors.mlx90640.dump import Dump, read_dump, read_eeprom
from thermo_core.sensors.mlx90640.frames import Words

log = logging.getLogger(__name__)


def load_sensor(eeprom: Path | None, replay: Path | None) -> tuple[Words | None, Words | None]:
    """The EEPROM of a real sensor and its frames, each None where neither file is given that holds them.

    Raises:
        StorageError: a file cannot be read or does not hold what it is given for.
        EepromError: the EEPROM is corrupt.
    """
    words = None if eeprom is None else load_eeprom(eeprom)
    if replay is None:
        return words, None
    dump = load_replay(replay, words)
    for note in dump.notes:
        log.warning("%s", note)
    return dump.eeprom, dump.frames


def load_eeprom(path: Path) -> Words:
    """EEPROM words, (832,) uint16, of a dump that another tool made or of a recording.

    Raises:
        StorageError: the file cannot be read or holds no EEPROM.
        EepromError: the EEPROM is corrupt.
    """
    try:
        with path.open("rb") as file:
            if _is_recording(path):
                eeprom = recorded_frames(file, path.stat().st_size, path).eeprom
                assert eeprom is not None
                return eeprom
            return read_eeprom(file, path)
    except OSError as error:
        raise _unreadable(path, error) from error


def load_replay(path: Path, eeprom: Words | None = None) -> Dump:
    """Frames to be shown in turn, and the EEPROM of the sensor that took them.

    Args:
        path: a dump or a recording.
        eeprom: (832,) uint16 where it is another file's.

    Raises:
        StorageError: the file cannot be read, holds no frames, or no EEPROM and none was given.
        EepromError: the EEPROM is corrupt.
    """
    try:
        with path.open("rb") as file:
            if _is_recording(path):
                dump = recorded_frames(file, path.stat().st_size, path)
            else:
                dump = read_dump(file, path, eeprom)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not len(dump.frames):
        raise StorageError(f"{path} holds no frames to replay; give a dump with some, or a recording.")
    words = dump.eeprom if eeprom is None else eeprom
    if words is None:
        raise StorageError(f"{path} holds frames and no EEPROM; give the sensor's with --eeprom FILE.")
    return Dump(words, dump.frames, dump.notes)


def _is_recording(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path} cannot be read ({error.strerror or error}); check the path.")

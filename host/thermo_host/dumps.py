"""Raw dumps of other tools decoded to pictures; what they may look like is `thermo_core.mlx90640.dump`'s to know."""

from dataclasses import replace
from pathlib import Path

from thermo_core.errors import SensorError, StorageError
from thermo_core.frames import Picture, Words
from thermo_core.mlx90640.calibration import Calibration
from thermo_core.mlx90640.decode import Decoder
from thermo_core.mlx90640.dump import Dump, read_dump, read_eeprom
from thermo_core.text import clean
from thermo_host.export import Decoded, collect
from thermo_host.files import storage_error
from thermo_host.pictures import EMISSIVITY, DecodeSettings


def load(path: Path, eeprom: Path | None = None) -> Dump:
    """Read a dump, with the EEPROM of another file where it holds none itself.

    Raises:
        StorageError: a file cannot be read or is no dump, or there is no EEPROM or no frame.
        EepromError: the EEPROM is corrupt.
    """
    words: Words | None = None
    dump: Dump
    try:
        if eeprom is not None:
            with eeprom.open("rb") as file:
                words = read_eeprom(file, eeprom)
        with path.open("rb") as file:
            dump = read_dump(file, path, words)
    except OSError as error:
        raise storage_error("read", path, error) from error
    if dump.eeprom is None:
        raise StorageError(
            f"{path} holds {len(dump.frames)} frames but no EEPROM, without which they are no temperatures; give the dump of "
            "the same sensor's EEPROM with --eeprom FILE."
        )
    if not len(dump.frames):
        raise StorageError(
            f"{path} holds an EEPROM but no frames; give a dump of frames, and this with --eeprom {path}."
        )
    return dump if words is None else replace(dump, eeprom=words)


def decode(dump: Dump, settings: DecodeSettings | None = None) -> Decoded:
    """Pair consecutive rows of different subpages to pictures; rows that cannot be right or lack the other half count.

    Raises:
        EepromError: the EEPROM is corrupt.
        SensorError: no row makes a picture; the sentence says what is wrong with the first.
        UsageError: a setting is out of range.
    """
    assert dump.eeprom is not None
    settings = settings or DecodeSettings()
    emissivity = EMISSIVITY if settings.emissivity is None else settings.emissivity
    decoder = Decoder(Calibration.from_eeprom(dump.eeprom), emissivity, settings.reflected)
    found: list[tuple[int, int, Picture]] = []
    waiting: Words | None = None
    waits_for = (0, False)
    lost = invalid = 0
    reason = ""
    for row, words in enumerate(dump.frames):
        try:
            number, chess = decoder.check(words)
            if waiting is None or waits_for != (number, chess):
                lost += waiting is not None
                waiting, waits_for = words, (1 - number, chess)
                continue
            picture = decoder.picture(waiting, words, index=row)
        except SensorError as error:
            invalid += 1
            # The advice that follows is for a sensor that can be read again.
            reason = reason or f"row {row}: {str(error).split(';')[0]}"
            continue
        found.append((0, 0, picture))
        waiting = None
    lost += waiting is not None
    if not found:
        raise SensorError(_nothing(dump.frames, lost, invalid, reason))
    return collect(found, {0: dump.eeprom}, lost=lost, invalid=invalid)


def _nothing(frames: Words, lost: int, invalid: int, reason: str) -> str:
    counts = f"No row makes a picture: of {len(frames)}, {invalid} cannot be right and {lost} lack the other half"
    if reason:
        return clean(
            f"{counts} ({reason}); check that the rows are whole, in order, and of the sensor whose EEPROM it is."
        )
    return f"{counts}; check the order of the rows, in which subpages 0 and 1 take turns."

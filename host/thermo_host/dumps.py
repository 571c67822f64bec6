"""Raw dumps of other tools decoded to pictures; what they may look like is `thermo_core.sensors.mlx90640.dump`'s to know."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from thermo_core.profile import NOTICE

from thermo_core.errors import SensorError, StorageError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.dump import Dump, read_dump, read_eeprom
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.text import clean
from thermo_host.export import Totals
from thermo_host.files import storage_error
from thermo_host.pictures import EMISSIVITY, DecodeSettings
from thermo_host.tables import PictureRow


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


class DumpDecoding:
    """A dump decoded: iterate over it once for its pictures. Consecutive rows of different subpages are paired.

    Args:
        dump: with an EEPROM.
        settings: emissivity and reflected temperature.

    Attributes:
        totals: of the pictures so far; rows that cannot be right or lack the other half are counted.
        notes: sentences on what was read, among them what is in doubt about the EEPROM.

    Raises:
        EepromError: the EEPROM is corrupt.
        UsageError: a setting is out of range.
        SensorError: at the end of the iteration, where no row made a picture; it says what is wrong with the first.
    """

    def __init__(self, dump: Dump, settings: DecodeSettings | None = None) -> None:
        assert dump.eeprom is not None
        settings = settings or DecodeSettings()
        emissivity = EMISSIVITY if settings.emissivity is None else settings.emissivity
        self.totals = Totals()
        self._dump = dump
        self._settings = settings
        calibration = Constants.from_eeprom(dump.eeprom)
        self.notes = (*dump.notes, *_doubtful(calibration))
        self._decoder = Decoder(calibration, emissivity, settings.reflected)

    @property
    def about(self) -> dict[str, Any]:
        """How it is decoded."""
        return {
            "emissivity": float(self._decoder.emissivity),
            "reflected_c": self._settings.reflected,
            "uncalibrated": True,
            "notes": list(self.notes),
            "notice": NOTICE,
        }

    @property
    def eeproms(self) -> dict[int, Words]:
        """(832,) uint16 by number of the sensor."""
        return {} if self._dump.eeprom is None else {0: self._dump.eeprom}

    def __iter__(self) -> Iterator[PictureRow]:
        totals, decoder = self.totals, self._decoder
        waiting: Words | None = None
        waits_for = (0, False)
        reason = ""
        for row, words in enumerate(self._dump.frames):
            try:
                number, chess = decoder.check(words)
                if waiting is None or waits_for != (number, chess):
                    totals.lost += waiting is not None
                    waiting, waits_for = words, (1 - number, chess)
                    continue
                picture = decoder.picture(waiting, words, index=row)
            except SensorError as error:
                totals.invalid += 1
                # The advice that follows is for a sensor that can be read again.
                reason = reason or f"row {row}: {str(error).split(';')[0]}"
                continue
            waiting = None
            totals.add(picture)
            yield PictureRow(0, 0, picture)
        totals.lost += waiting is not None
        if not totals.pictures:
            raise SensorError(_nothing(self._dump.frames, totals.lost, totals.invalid, reason))


def _doubtful(calibration: Constants) -> list[str]:
    doubts = calibration.doubts
    if not doubts:
        return []
    more = f" (and {len(doubts) - 1} other words)" if len(doubts) > 1 else ""
    return [f"{doubts[0]}{more}; temperatures may be wrong, so read the EEPROM again and compare."]


def _nothing(frames: Words, lost: int, invalid: int, reason: str) -> str:
    counts = f"No row makes a picture: of {len(frames)}, {invalid} cannot be right and {lost} lack the other half"
    if reason:
        return clean(
            f"{counts} ({reason}); check that the rows are whole, in order, and of the sensor whose EEPROM it is."
        )
    return f"{counts}; check the order of the rows, in which subpages 0 and 1 take turns."

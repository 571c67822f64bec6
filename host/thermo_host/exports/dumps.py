"""Raw dumps of other tools decoded to pictures; what they may look like is `thermo_core.sensors.mlx90640.dump`'s to know."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from thermo_core import schema
from thermo_core.errors import SchemaError, SensorError, StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.quality import Quality
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.dump import Dump, read_dump, read_eeprom
from thermo_core.sensors.mlx90640.fitness import unfitness
from thermo_core.sensors.mlx90640.frames import Picture, Subpage, Words
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.signals import Sample
from thermo_core.text import clean
from thermo_core.wearable.profile import NOTICE
from thermo_host.exports.rows import Known, SampleRow, SessionRow, Track
from thermo_host.exports.totals import Totals

AT_ONCE = 512
"""Rows that are decoded together."""
CAMERA = "camera"
EMISSIVITY = 0.95
"""What the vendor's examples and most drivers take, so that a dump gives the temperatures its tool gave."""
"""What its signals are called."""


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
        emissivity: of what is looked at; `EMISSIVITY` where None.
        reflected: temperature of what it reflects, degC; None takes 8 K below the die.

    Attributes:
        totals: of the pictures so far; rows that cannot be right or lack the other half are counted.
        notes: sentences on what was read, among them what is in doubt about the EEPROM.

    Raises:
        EepromError: the EEPROM is corrupt.
        UsageError: a setting is out of range.
        SensorError: at the end of the iteration, where no row made a picture; it says what is wrong with the first.
    """

    def __init__(self, dump: Dump, emissivity: float | None = None, reflected: float | None = None) -> None:
        assert dump.eeprom is not None
        self.totals = Totals()
        self._dump = dump
        self._settings = _settings(emissivity, reflected)
        constants = Constants.from_eeprom(dump.eeprom)
        self.notes = (*dump.notes, *_doubtful(constants))
        self._flags = Quality.UNCALIBRATED | (Quality.SUSPECT if constants.doubts else Quality(0))
        self._decoder = Decoder(constants, self._settings.emissivity, self._settings.reflected_celsius)
        facts = {name: value for name, value in self.about.items() if name not in ("notes", "notice")}
        self.tracks = [
            Track(signal.name, signal, (), facts, "celsius" if signal.name == CAMERA else "")
            for signal in self._settings.signals
        ]

    @property
    def about(self) -> dict[str, Any]:
        """How it is decoded."""
        return {
            "emissivity": float(self._decoder.emissivity),
            "reflected_celsius": self._settings.reflected_celsius,
            "uncalibrated": True,
            "notes": list(self.notes),
            "notice": NOTICE,
        }

    @property
    def first(self) -> SessionRow:
        """What holds for all rows."""
        eeprom = self._dump.eeprom
        return SessionRow(
            self.about, {} if eeprom is None else {f"{CAMERA}.constants.0": eeprom.astype("<u2").tobytes()}
        )

    @property
    def known(self) -> Known:
        """Its tracks by their keys."""
        return {track.key: track for track in self.tracks}

    def __iter__(self) -> Iterator[SampleRow]:
        totals, frames = self.totals, self._dump.frames
        assembler = PictureAssembler(self._decoder)
        reason, pictures = "", 0
        for start in range(0, len(frames), AT_ONCE):
            words = np.ascontiguousarray(frames[start : start + AT_ONCE])
            subpages = [Subpage(one, start + row, 0) for row, one in enumerate(words)]
            for row, found in enumerate(assembler.push_many(subpages, words), start):
                if isinstance(found, Picture):
                    pictures += 1
                    for one in self._rows(found):
                        totals.add(one)
                        yield one
                elif found is not None:
                    totals.undecodable += 1
                    # The advice that follows is for a sensor that can be read again.
                    reason = reason or f"row {row}: {str(found).split(';')[0]}"
            totals.lost = assembler.unpaired
        totals.lost += assembler.waits
        if not pictures:
            raise SensorError(_nothing(frames, totals.lost, totals.undecodable, reason))

    def _rows(self, picture: Picture) -> Iterator[SampleRow]:
        flags = int(self._flags | unfitness(picture.valid, picture.ta))
        for track, values in zip(self.tracks, (picture.celsius, picture.ta, picture.vdd), strict=True):
            sample = Sample(picture.time_us, np.asarray(values, np.float32), flags)
            yield SampleRow(track, 0, sample, picture.valid if track.is_picture else None)


def _settings(emissivity: float | None, reflected: float | None) -> Mlx90640Settings:
    emissivity = EMISSIVITY if emissivity is None else emissivity
    settings = Mlx90640Settings(name=CAMERA, path=(0x33,), emissivity=emissivity, reflected_celsius=reflected)
    try:
        return schema.from_plain(schema.to_plain(settings), Mlx90640Settings, "")
    except SchemaError as error:
        raise UsageError(f"Such optics cannot be: {str(error).removesuffix('.')}.") from error


def _doubtful(constants: Constants) -> list[str]:
    doubts = constants.doubts
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

"""Raw dumps of other tools: an .npz with the EEPROM and the frames of one sensor, decoded to pictures."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import SensorError, StorageError
from thermo_core.frames import FRAME_WORDS, Picture, Words
from thermo_core.mlx90640.calibration import Calibration
from thermo_core.mlx90640.decode import Decoder
from thermo_core.mlx90640.registers import EEPROM_WORDS
from thermo_host.export import Decoded, collect
from thermo_host.files import storage_error
from thermo_host.pictures import EMISSIVITY, DecodeSettings


@dataclass(frozen=True, slots=True)
class Dump:
    """What a dump holds.

    Attributes:
        eeprom: (832,) uint16.
        frames: (n, 834) uint16: RAM, control register, subpage number; consecutive rows are the halves of a picture.
    """

    eeprom: Words
    frames: Words


def load(path: Path) -> Dump:
    """Read a dump.

    Raises:
        StorageError: it cannot be read, or has no `eeprom` of 832 words and `frames` of 834.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            eeprom = _words(path, arrays, "eeprom")
            frames = _words(path, arrays, "frames")
    except OSError as error:
        raise storage_error("read", path, error) from error
    except (ValueError, zipfile.BadZipFile, EOFError, AttributeError, TypeError) as error:
        raise StorageError(f"{path} is not an .npz file with arrays ({error}); save one with numpy.savez.") from error
    frames = frames.reshape(1, -1) if frames.ndim == 1 else frames
    if eeprom.shape != (EEPROM_WORDS,):
        raise StorageError(f"`eeprom` in {path} has shape {eeprom.shape}; it must have {EEPROM_WORDS} words.")
    if frames.ndim != 2 or frames.shape[1] != FRAME_WORDS:
        raise StorageError(
            f"`frames` in {path} has shape {frames.shape}; each row must have {FRAME_WORDS} words: RAM, control "
            "register and subpage number."
        )
    return Dump(eeprom, frames)


def decode(dump: Dump, settings: DecodeSettings | None = None) -> Decoded:
    """Pair consecutive rows of different subpages to pictures; rows that cannot be right or lack the other half count.

    Raises:
        EepromError: the EEPROM is corrupt.
        UsageError: a setting is out of range.
    """
    settings = settings or DecodeSettings()
    emissivity = EMISSIVITY if settings.emissivity is None else settings.emissivity
    decoder = Decoder(Calibration.from_eeprom(dump.eeprom), emissivity, settings.reflected)
    found: list[tuple[int, int, Picture]] = []
    waiting: Words | None = None
    waits_for = (0, False)
    lost = invalid = 0
    for row, words in enumerate(dump.frames):
        try:
            number, chess = decoder.check(words)
        except SensorError:
            invalid += 1
            continue
        if waiting is None or waits_for != (number, chess):
            lost += waiting is not None
            waiting, waits_for = words, (1 - number, chess)
            continue
        found.append((0, 0, decoder.picture(waiting, words, index=row)))
        waiting = None
    return collect(found, {0: dump.eeprom}, lost=lost + (waiting is not None), invalid=invalid)


def _words(path: Path, arrays: "np.lib.npyio.NpzFile", name: str) -> NDArray[np.uint16]:
    if name not in arrays.files:
        there = ", ".join(arrays.files) or "nothing"
        raise StorageError(f"{path} has no array `{name}`, only {there}; save `eeprom` and `frames` in it.")
    values = arrays[name]
    if values.dtype.kind not in "iu" or (values.size and (values.min() < 0 or values.max() > 0xFFFF)):
        raise StorageError(f"`{name}` in {path} is {values.dtype} and not 16-bit words; save it as uint16.")
    return np.asarray(values, dtype=np.uint16)

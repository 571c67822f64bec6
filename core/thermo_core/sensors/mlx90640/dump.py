"""Raw dumps of a sensor that other tools made: EEPROM and frames from any of the files they write.

Taken is what is clear: NumPy's files, text (see `dump_text`), bare bytes; words of either byte order, frames of 832 words
(RAM) or 834 (RAM, control register, subpage number), as a driver or the Linux kernel gives them. What had to be understood is
said in `Dump.notes`; what is not clear is named and refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.arrays import Header, read_npy, read_npz
from thermo_core.errors import EepromError, SensorError, StorageError
from thermo_core.file_kinds import known_kind
from thermo_core.sensors.mlx90640.auxiliary import AuxiliaryReader
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.dump_text import Run, find_runs
from thermo_core.sensors.mlx90640.frames import CONTROL, FRAME_WORDS, RAM_WORDS, SUBPAGE, Words
from thermo_core.sensors.mlx90640.registers import CONTROL_DEFAULT, EEPROM_WORDS
from thermo_core.text import clean

LARGEST_FILE = 256 << 20
LARGEST_TEXT = 64 << 20
EEPROM_NAMES = ("eeprom", "ee", "eedata", "ee_data", "eemlx90640", "eeprom_0")
FRAME_NAMES = ("frames", "frame", "ram", "raw", "data", "framedata", "mlx90640frame")
FORMATS = "NumPy arrays (.npz, .npy), numbers as text (CSV, C arrays, JSON, hex) or bare 16-bit words (.bin)"

_EEPROM_LIKE = ("ee", "calib", "param")
_CONTROL_IN_EEPROM = 12
_STATUS_BITS = 0x0039
"""Bits of the status register that a driver leaves set: subpage, new data, overwrite, start."""
_JUDGED = 16
"""Frames that are looked at to tell the byte order."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What a dump holds.

    Attributes:
        eeprom: (832,) uint16 in the sensor's own order; None where it holds none.
        frames: (n, 834) uint16: RAM, control register, subpage number; consecutive rows are the halves of a picture.
        notes: sentences on what had to be understood.
    """

    eeprom: Words | None
    frames: Words
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """Words as they stand in a file: EEPROM, and frames of 832 or 834."""

    eeprom: Words | None
    frames: Words | None


def read_dump(stream: IO[bytes], name: object, eeprom: Words | None = None) -> Dump:
    """Read a dump.

    Args:
        stream: the file, at its beginning.
        name: its path, for its ending and for errors.
        eeprom: (832,) uint16 of the sensor, where the file holds none.

    Raises:
        StorageError: it is no dump that is clear; the sentence says what it is instead.
        EepromError: its EEPROM is corrupt in either byte order.
    """
    found = _find(stream, name)
    notes: list[str] = []
    words = eeprom
    if found.eeprom is not None:
        words, swapped = _in_order(found.eeprom)
        if swapped:
            notes.append("The EEPROM's words were stored with their bytes the other way round, and were turned.")
    frames = np.empty((0, FRAME_WORDS), np.uint16)
    if found.frames is not None:
        frames = found.frames
        if words is not None:
            frames = _understood(frames, words, notes)
        elif frames.shape[1] != FRAME_WORDS:
            frames = _completed(frames, CONTROL_DEFAULT)
    return Dump(words, frames, tuple(notes))


def read_eeprom(stream: IO[bytes], name: object) -> Words:
    """The EEPROM of a dump, (832,) uint16 in the sensor's own order.

    Raises:
        StorageError: the file holds none.
        EepromError: it is corrupt in either byte order.
    """
    found = _find(stream, name, eeprom_alone=True)
    words = found.eeprom
    if words is None and found.frames is not None and found.frames.shape == (1, EEPROM_WORDS):
        words = found.frames[0]
    if words is None:
        raise StorageError(
            f"{name} holds frames and no EEPROM, which is {EEPROM_WORDS} words; give the dump of the EEPROM."
        )
    return _in_order(words)[0]


def _find(stream: IO[bytes], name: object, eeprom_alone: bool = False) -> _Found:
    start = stream.read(64)
    stream.seek(0)
    if start[:4] == b"PK\x03\x04":
        arrays = read_npz(stream, name, lambda headers: _choose(headers, name, eeprom_alone))
        return _from_runs(list(arrays.items()), name)
    if start[:6] == b"\x93NUMPY":
        return _from_runs([("", read_npy(stream, name))], name)
    if kind := known_kind(start):
        raise StorageError(f"{name} is {kind}.")
    data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise StorageError(f"{name} has more than {LARGEST_FILE >> 20} MiB; save it in several files.")
    suffix = PurePath(str(name)).suffix.lower()
    text = _as_text(data) if suffix != ".bin" else None
    if text is None:
        if len(data) % 2:
            raise _unclear(name, [f"{len(data)} bytes"])
        return _from_runs([("", np.frombuffer(data, ">u2"))], name)
    if len(text) > LARGEST_TEXT:
        raise StorageError(
            f"{name} has more than {LARGEST_TEXT >> 20} MiB of text; save it in several files or as .npz."
        )
    return _from_runs([(run.label, _words_of(run)) for run in find_runs(text, name)], name)


def _as_text(data: bytes) -> str | None:
    if b"\0" in data[:4096] and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return None
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    shown = all(character.isprintable() or character.isspace() for character in text[:4096])
    return text if shown else None


def _choose(headers: Mapping[str, Header], name: object, eeprom_alone: bool) -> Collection[str]:
    """Names of the arrays that hold EEPROM and frames."""
    lengths = {key: header.shape for key, header in headers.items()}
    by_lower = {key.lower(): key for key in headers}
    chosen = [
        next((by_lower[known] for known in names if known in by_lower), None) for names in (EEPROM_NAMES, FRAME_NAMES)
    ]
    named = [key for key in (chosen[:1] if eeprom_alone and chosen[0] else chosen) if key is not None]
    if not named:
        named = [key for key, shape in lengths.items() if shape and shape[-1] in (EEPROM_WORDS, FRAME_WORDS)]
    if not named:
        there = ", ".join(f"{clean(key, 40)} {shape}" for key, shape in list(lengths.items())[:8]) or "nothing"
        raise StorageError(
            f"{name} has no array `eeprom` of {EEPROM_WORDS} words and none `frames` of (n, {FRAME_WORDS}), only {there}; "
            "save them in it with numpy.savez."
        )
    for key in named:
        if headers[key].dtype.kind not in "iuO":
            raise StorageError(
                f"`{clean(key, 40)}` in {name} is {headers[key].dtype} and not the sensor's 16-bit words; save those as uint16."
            )
        shape = lengths[key]
        if not shape or (shape[-1] not in (EEPROM_WORDS, FRAME_WORDS) and shape != (0,)):
            raise StorageError(
                f"`{clean(key, 40)}` in {name} has shape {shape}; an EEPROM has {EEPROM_WORDS} words, a row of frames "
                f"{FRAME_WORDS} words (RAM, control register, subpage number) or {RAM_WORDS} (RAM)."
            )
    return named


def _words_of(run: Run) -> NDArray[np.int64]:
    values = np.frombuffer(run.values, np.intc).astype(np.int64)
    return values[0::2] << 8 | values[1::2] if run.octets and len(values) % 2 == 0 else values


def _from_runs(runs: list[tuple[str, NDArray[Any]]], name: object) -> _Found:
    """Sort runs of numbers into the EEPROM and frames, by their lengths and their names."""
    eeprom: Words | None = None
    frames: list[Words] = []
    odd: list[str] = []
    for label, values in runs:
        pieces = _pieces(values, name)
        if not pieces and values.size >= 64:
            odd.append(f"{clean(label, 40)} {values.size} numbers".strip())
        for rows in pieces:
            if eeprom is None and len(rows) and rows.shape[1] == EEPROM_WORDS and _may_be_eeprom(label, rows):
                eeprom, rows = rows[0], rows[1:]
            if len(rows):
                frames.append(rows)
    if len({rows.shape[1] for rows in frames}) > 1:
        odd = [f"frames of {RAM_WORDS} and of {FRAME_WORDS} words"]
    elif eeprom is not None or frames:
        return _Found(eeprom, np.concatenate(frames) if frames else None)
    raise _unclear(name, odd)


def _may_be_eeprom(label: str, rows: Words) -> bool:
    if label.lower().startswith(_EEPROM_LIKE):
        return True
    return label.lower() not in FRAME_NAMES and _is_eeprom(rows[0])


def _pieces(values: NDArray[Any], name: object) -> list[Words]:
    """Rows of 832 or 834 words, the EEPROM apart where it lies before them; none where the numbers are no such rows."""
    if values.dtype.kind not in "iu":
        raise StorageError(f"{name} holds {values.dtype} and not the sensor's 16-bit words; save those as uint16.")
    if not values.size:
        return [np.empty((0, FRAME_WORDS), np.uint16)]
    low, high = int(values.min()), int(values.max())
    if low < -0x8000 or high > 0xFFFF or (low < 0 and high > 0x7FFF):
        raise StorageError(
            f"{name} holds numbers from {low} to {high}, which are not 16-bit words; save those as uint16."
        )
    words = np.asarray(values & 0xFFFF, np.uint16)
    if words.ndim > 1 and words.shape[-1] in (RAM_WORDS, FRAME_WORDS):
        return [words.reshape(-1, words.shape[-1])]
    flat = words.ravel()
    lengths = (FRAME_WORDS, RAM_WORDS)
    if low >= 0 and high <= 0xFF and any(flat.size % (2 * length) == 0 for length in lengths):
        flat = np.asarray(flat[0::2] << 8 | flat[1::2], np.uint16)  # bytes; their order is found out as that of words
    for length in lengths:
        if flat.size % length == 0:
            return [flat.reshape(-1, length)]
    if flat.size > EEPROM_WORDS and (flat.size - EEPROM_WORDS) % FRAME_WORDS == 0 and _is_eeprom(flat[:EEPROM_WORDS]):
        return [flat[:EEPROM_WORDS].reshape(1, -1), flat[EEPROM_WORDS:].reshape(-1, FRAME_WORDS)]
    return []


def _is_eeprom(words: Words) -> bool:
    try:
        _in_order(words)
    except EepromError:
        return False
    return True


def _in_order(words: Words) -> tuple[Words, bool]:
    """An EEPROM in the sensor's own order, and whether its bytes had to be turned.

    Raises:
        EepromError: it is corrupt in either order.
    """
    try:
        Constants.from_eeprom(words)
        return words, False
    except EepromError:
        try:
            Constants.from_eeprom(words.byteswap())
        except EepromError:
            pass
        else:
            return words.byteswap(), True
        raise


def _understood(frames: Words, eeprom: Words, notes: list[str]) -> Words:
    """Frames of 834 words in the sensor's own order."""
    control = int(eeprom[_CONTROL_IN_EEPROM]) or CONTROL_DEFAULT
    reader = AuxiliaryReader(Constants.from_eeprom(eeprom))
    if _good(_whole(frames.byteswap(), control), reader) > _good(_whole(frames, control), reader):
        frames = frames.byteswap()
        notes.append("The frames' words were stored with their bytes the other way round, and were turned.")
    if frames.shape[1] == RAM_WORDS:
        notes.append(
            f"The frames hold RAM alone, so the control register is taken to be 0x{control:04X}, as in the EEPROM, and both "
            "subpages to lie in each of them."
        )
    elif _hold_status(frames):
        notes.append("Word 833 is the status register as it was read; its lowest bit is the subpage.")
    return _whole(frames, control)


def _whole(frames: Words, control: int) -> Words:
    if frames.shape[1] == RAM_WORDS:
        return _completed(frames, control)
    if not _hold_status(frames):
        return frames
    plain = frames.copy()
    plain[:, SUBPAGE] &= 1
    return plain


def _hold_status(frames: Words) -> bool:
    """Whether the last words are status registers and not numbers of subpages."""
    last = frames[:, SUBPAGE]
    return bool((last > 1).any() and not (last & ~np.uint16(_STATUS_BITS)).any())


def _completed(frames: Words, control: int) -> Words:
    """RAM as two rows each, one a subpage."""
    rows = np.zeros((2 * len(frames), FRAME_WORDS), np.uint16)
    rows[0::2, :RAM_WORDS] = rows[1::2, :RAM_WORDS] = frames
    rows[:, CONTROL] = control
    rows[1::2, SUBPAGE] = 1
    return rows


def _good(frames: Words, reader: AuxiliaryReader) -> int:
    count = 0
    for words in frames[:_JUDGED]:
        try:
            reader.read(words)
            count += 1
        except SensorError:
            continue
    return count


def _unclear(name: object, odd: list[str]) -> StorageError:
    holds = f"it holds {', '.join(odd[:4])}" if odd else "it holds no such numbers"
    return StorageError(
        f"{name} is no dump of a sensor: {holds}, where an EEPROM has {EEPROM_WORDS} words and a frame {FRAME_WORDS} or "
        f"{RAM_WORDS}; give {FORMATS}."
    )

"""Lossless packing of one subpage's counts: prediction from a key frame, then Rice codes in two planes.

`rice` has the codes; docs/wire.md the layout and a worked example.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thermo_core import rice
from thermo_core.errors import CountsError, MissingKeyFrameError, UsageError
from thermo_core.sensors.mlx90640.frames import (
    AUXILIARY_WORDS,
    COLUMNS,
    CONTROL,
    FRAME_WORDS,
    PIXELS,
    RAM_WORDS,
    SUBPAGE,
    Subpage,
    Words,
)
from thermo_core.sensors.mlx90640.registers import subpage_mask

OWN_PIXELS = PIXELS // 2
RAW_BYTES = 2 * (OWN_PIXELS + AUXILIARY_WORDS + 2)
"""Size of what is packed, at 16 bits a word: own pixels, auxiliary words, control register, subpage number."""
MAX_BYTES = 2 + 2 * (OWN_PIXELS + AUXILIARY_WORDS)
"""Longest packed data an encoder makes."""
DEFAULT_KEY_INTERVAL = 64

_RAW = 15
"""In place of a Rice parameter: the block is not coded."""
_CHESS = 1 << 12


@dataclass(frozen=True, slots=True)
class PackedSubpage:
    """One subpage as it travels.

    Attributes:
        number: subpage, 0 or 1.
        control: control register 0x800D as read with it.
        key: whether it can be unpacked by itself.
        key_index: index of the key frame it refers to; its own where `key`.
        data: packed counts.
    """

    number: int
    control: int
    key: bool
    key_index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Key:
    index: int
    control: int
    pixels: Words
    auxiliary: Words


class CountsEncoder:
    """Packs the subpages of one sensor, in order.

    Every `key_interval`-th subpage of either number is a key frame, which refers to nothing; the others refer to the
    last key frame of their number alone, so that a lost one costs itself and no other. A new value of the control
    register makes a key frame too, for counts change with resolution and pattern.

    Args:
        key_interval: subpages of the same number from one key frame to the next; 1 makes all of them key frames.

    Raises:
        UsageError: `key_interval` is not in 1-65535.
    """

    def __init__(self, key_interval: int = DEFAULT_KEY_INTERVAL) -> None:
        self._keys: list[_Key | None] = [None, None]
        self._since = [0, 0]
        self.restart(key_interval)

    def restart(self, key_interval: int | None = None) -> None:
        """Make the next subpage of either number a key frame, for a reader that just came.

        Args:
            key_interval: from now on; None keeps it.

        Raises:
            UsageError: `key_interval` is not in 1-65535.
        """
        if key_interval is not None:
            if not 1 <= key_interval <= 0xFFFF:
                raise UsageError(f"A key interval of {key_interval} is impossible; choose 1 to 65535 subpages.")
            self.key_interval = key_interval
        self._keys = [None, None]

    def encode(self, subpage: Subpage) -> PackedSubpage:
        """Pack one subpage.

        Raises:
            UsageError: not 834 words, or a subpage number other than 0 and 1.
        """
        words = subpage.words
        if words.shape != (FRAME_WORDS,) or words.dtype != np.uint16:
            raise UsageError(f"A subpage has {FRAME_WORDS} words of uint16, not {words.dtype} of shape {words.shape}.")
        number, control = int(words[SUBPAGE]), int(words[CONTROL])
        if number > 1:
            raise UsageError(f"The MLX90640 has subpages 0 and 1, not {number}; check word {SUBPAGE} of the frame.")
        pixels = words[_own_pixels(number, bool(control & _CHESS))]
        auxiliary = words[PIXELS:RAM_WORDS]
        key = self._keys[number]
        if key is None or key.control != control or self._since[number] >= self.key_interval:
            self._keys[number] = _Key(subpage.index, control, pixels, auxiliary.copy())
            self._since[number] = 1
            data = _pack(pixels, _key_residual(pixels), auxiliary, np.diff(auxiliary, prepend=np.uint16(0)))
            return PackedSubpage(number, control, True, subpage.index, data)
        self._since[number] += 1
        data = _pack(pixels, pixels - key.pixels, auxiliary, auxiliary - key.auxiliary)
        return PackedSubpage(number, control, False, key.index, data)


class CountsDecoder:
    """Unpacks the subpages of one sensor; may join at any point and then waits for key frames."""

    def __init__(self) -> None:
        self._keys: list[_Key | None] = [None, None]
        self._image: Words = np.zeros(PIXELS, np.uint16)

    def decode(self, packed: PackedSubpage) -> Words:
        """The (834,) uint16 words of a subpage.

        Its own pixels, the auxiliary words, control register and number are those of the device. Pixels of the other
        subpage are the last ones unpacked, 0 where there were none. An error leaves the decoder as it was.

        Raises:
            MissingKeyFrameError: it refers to a key frame that never came.
            CountsError: the data cannot be what an encoder made.
        """
        number, control = packed.number, packed.control
        if number not in (0, 1) or not 0 <= control <= 0xFFFF:
            raise CountsError(f"Packed counts claim subpage {number} and control word {control}; drop the record.")
        key = None if packed.key else self._key_for(packed)
        pixel_block, auxiliary_block = _unpack(packed.data)
        if key is None:
            pixels = pixel_block.values if pixel_block.raw else _from_key_residual(pixel_block.values)
            auxiliary = auxiliary_block.values
            if not auxiliary_block.raw:
                auxiliary = np.cumsum(auxiliary, dtype=np.uint16)
            self._keys[number] = _Key(packed.key_index, control, pixels, auxiliary)
        else:
            pixels = pixel_block.values if pixel_block.raw else pixel_block.values + key.pixels
            auxiliary = auxiliary_block.values if auxiliary_block.raw else auxiliary_block.values + key.auxiliary
        self._image[_own_pixels(number, bool(control & _CHESS))] = pixels
        words = np.empty(FRAME_WORDS, np.uint16)
        words[:PIXELS] = self._image
        words[PIXELS:RAM_WORDS] = auxiliary
        words[CONTROL], words[SUBPAGE] = control, number
        return words

    def _key_for(self, packed: PackedSubpage) -> _Key:
        key = self._keys[packed.number]
        if key is None or key.index != packed.key_index:
            raise MissingKeyFrameError(
                f"A subpage {packed.number} refers to key frame {packed.key_index}, which never came; "
                "wait for the next one."
            )
        if key.control != packed.control:
            raise CountsError(
                f"A subpage with control word {packed.control:#06x} refers to a key frame with {key.control:#06x}; "
                "drop the record."
            )
        return key


@dataclass(frozen=True, slots=True)
class _Block:
    """Residuals modulo 65536, or the words themselves where `raw`."""

    raw: bool
    values: Words


def _key_residual(pixels: Words) -> Words:
    """Difference to the own pixel 32 places before, which is in the same column whichever the pattern.

    The first 32 refer to the one before them, the very first to 0.
    """
    residual = np.empty_like(pixels)
    residual[COLUMNS:] = pixels[COLUMNS:] - pixels[:-COLUMNS]
    residual[1:COLUMNS] = pixels[1:COLUMNS] - pixels[: COLUMNS - 1]
    residual[0] = pixels[0]
    return residual


def _from_key_residual(residual: Words) -> Words:
    columns = residual.reshape(-1, COLUMNS).copy()
    columns[0] = np.cumsum(columns[0], dtype=np.uint16)
    return np.cumsum(columns, axis=0, dtype=np.uint16).reshape(-1)


def _pack(pixels: Words, pixel_residual: Words, auxiliary: Words, auxiliary_residual: Words) -> bytes:
    mean = (2 * int(pixel_residual.view(np.int16).sum(dtype=np.int64)) + OWN_PIXELS) // (2 * OWN_PIXELS)
    offset = max(-128, min(127, mean))
    pixel_k, pixel_planes = rice.encode(_fold(pixel_residual - np.uint16(offset & 0xFFFF)))
    if len(pixel_planes) >= 2 * OWN_PIXELS:
        pixel_k, offset, pixel_planes = _RAW, 0, pixels.astype("<u2").tobytes()
    changed = auxiliary_residual != 0
    auxiliary_k, planes = rice.encode(_fold(auxiliary_residual[changed]) - np.uint16(1))
    auxiliary_planes = np.packbits(changed).tobytes() + planes
    if len(auxiliary_planes) >= 2 * AUXILIARY_WORDS:
        auxiliary_k, auxiliary_planes = _RAW, auxiliary.astype("<u2").tobytes()
    return bytes((pixel_k << 4 | auxiliary_k, offset & 0xFF)) + pixel_planes + auxiliary_planes


def _unpack(data: bytes) -> tuple[_Block, _Block]:
    if not 2 <= len(data) <= MAX_BYTES:
        raise CountsError(f"Packed counts of {len(data)} bytes are impossible (2 to {MAX_BYTES}); drop the record.")
    pixel_k, auxiliary_k = data[0] >> 4, data[0] & 0xF
    offset = np.frombuffer(data, np.int8, 1, 1).astype(np.int16).view(np.uint16)
    at = 2
    if pixel_k == _RAW:
        pixel_block, at = _raw_block(data, at, OWN_PIXELS)
    else:
        folded, at = rice.decode(data, at, OWN_PIXELS, pixel_k, 16)
        pixel_block = _Block(False, _unfold(folded.astype(np.uint16)) + offset)
    if auxiliary_k == _RAW:
        auxiliary_block, at = _raw_block(data, at, AUXILIARY_WORDS)
    else:
        bitmap = np.frombuffer(rice.part(data, at, AUXILIARY_WORDS // 8), np.uint8)
        changed = np.unpackbits(bitmap).view(np.bool_)
        folded, at = rice.decode(data, at + AUXILIARY_WORDS // 8, int(changed.sum()), auxiliary_k, 16)
        if folded.size and folded.max() == 0xFFFF:
            raise CountsError("Packed counts hold an auxiliary difference beyond 16 bits; drop the record.")
        residual = np.zeros(AUXILIARY_WORDS, np.uint16)
        residual[changed] = _unfold((folded + 1).astype(np.uint16))
        auxiliary_block = _Block(False, residual)
    if at != len(data):
        raise CountsError(f"Packed counts go on for {len(data) - at} bytes after their end; drop the record.")
    return pixel_block, auxiliary_block


def _raw_block(data: bytes, at: int, count: int) -> tuple[_Block, int]:
    words = np.frombuffer(rice.part(data, at, 2 * count), "<u2").astype(np.uint16)
    return _Block(True, words), at + 2 * count


def _fold(residual: Words) -> Words:
    """0, -1, 1, -2, ... to 0, 1, 2, 3, ... so that small differences of either sign have short codes."""
    signed: NDArray[np.int16] = residual.view(np.int16)
    folded: NDArray[np.int16] = (signed << np.int16(1)) ^ (signed >> np.int16(15))
    return folded.view(np.uint16)


def _unfold(folded: Words) -> Words:
    sign: Words = np.uint16(0) - (folded & np.uint16(1))
    return (folded >> np.uint16(1)) ^ sign


@cache
def _own_pixels(number: int, chess: bool) -> NDArray[np.intp]:
    return np.flatnonzero(subpage_mask(number, chess))

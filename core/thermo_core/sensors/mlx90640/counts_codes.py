"""What packed counts of a subpage consist of: residuals, folded and Rice coded, or the words themselves.

`rice` has the codes; docs/wire.md the layout and a worked example.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thermo_core import rice
from thermo_core.errors import CountsError
from thermo_core.sensors.mlx90640.frames import AUXILIARY_WORDS, COLUMNS, PIXELS, Words
from thermo_core.sensors.mlx90640.registers import subpage_mask

OWN_PIXELS = PIXELS // 2
RAW_BYTES = 2 * (OWN_PIXELS + AUXILIARY_WORDS + 2)
"""Size of what is packed, at 16 bits a word: own pixels, auxiliary words, control register, subpage number."""
MAX_BYTES = 2 + 2 * (OWN_PIXELS + AUXILIARY_WORDS)
"""Longest packed data an encoder makes."""
RAW = 15
"""In place of a Rice parameter: the block is not coded."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """Residuals modulo 65536, or the words themselves where `raw`."""

    raw: bool
    values: Words


def key_residual(pixels: Words) -> Words:
    """Difference to the own pixel 32 places before, which is in the same column whichever the pattern.

    The first 32 refer to the one before them, the very first to 0.
    """
    residual = np.empty_like(pixels)
    residual[COLUMNS:] = pixels[COLUMNS:] - pixels[:-COLUMNS]
    residual[1:COLUMNS] = pixels[1:COLUMNS] - pixels[: COLUMNS - 1]
    residual[0] = pixels[0]
    return residual


def from_key_residual(residual: Words) -> Words:
    """Inverse of `key_residual`, of (..., 384)."""
    columns = residual.reshape(*residual.shape[:-1], residual.shape[-1] // COLUMNS, COLUMNS).copy()
    columns[..., 0, :] = np.cumsum(columns[..., 0, :], axis=-1, dtype=np.uint16)
    return np.cumsum(columns, axis=-2, dtype=np.uint16).reshape(residual.shape)


def pack(pixels: Words, pixel_residual: Words, auxiliary: Words, auxiliary_residual: Words) -> bytes:
    """Packed counts of own pixels (384,) and auxiliary words (64,), or of their residuals where those are shorter."""
    mean = (2 * int(pixel_residual.view(np.int16).sum(dtype=np.int64)) + OWN_PIXELS) // (2 * OWN_PIXELS)
    offset = max(-128, min(127, mean))
    pixel_k, pixel_planes = rice.encode(fold(pixel_residual - np.uint16(offset & 0xFFFF)))
    if len(pixel_planes) >= 2 * OWN_PIXELS:
        pixel_k, offset, pixel_planes = RAW, 0, pixels.astype("<u2").tobytes()
    changed = auxiliary_residual != 0
    auxiliary_k, planes = rice.encode(fold(auxiliary_residual[changed]) - np.uint16(1))
    auxiliary_planes = np.packbits(changed).tobytes() + planes
    if len(auxiliary_planes) >= 2 * AUXILIARY_WORDS:
        auxiliary_k, auxiliary_planes = RAW, auxiliary.astype("<u2").tobytes()
    return bytes((pixel_k << 4 | auxiliary_k, offset & 0xFF)) + pixel_planes + auxiliary_planes


def unpack(data: bytes) -> tuple[Residuals, Residuals]:
    """Inverse of `pack`.

    Raises:
        CountsError: the data cannot be what an encoder made.
    """
    if not 2 <= len(data) <= MAX_BYTES:
        raise CountsError(f"Packed counts of {len(data)} bytes are impossible (2 to {MAX_BYTES}); drop the record.")
    pixel_k, auxiliary_k = data[0] >> 4, data[0] & 0xF
    offset = np.frombuffer(data, np.int8, 1, 1).astype(np.int16).view(np.uint16)
    at = 2
    if pixel_k == RAW:
        pixel_block, at = _raw(data, at, OWN_PIXELS)
    else:
        folded, at = rice.decode(data, at, OWN_PIXELS, pixel_k, 16)
        pixel_block = Residuals(False, unfold(folded.astype(np.uint16)) + offset)
    if auxiliary_k == RAW:
        auxiliary_block, at = _raw(data, at, AUXILIARY_WORDS)
    else:
        bitmap = np.frombuffer(rice.part(data, at, AUXILIARY_WORDS // 8), np.uint8)
        changed = np.unpackbits(bitmap).view(np.bool_)
        folded, at = rice.decode(data, at + AUXILIARY_WORDS // 8, int(changed.sum()), auxiliary_k, 16)
        if folded.size and folded.max() == 0xFFFF:
            raise CountsError("Packed counts hold an auxiliary difference beyond 16 bits; drop the record.")
        residual = np.zeros(AUXILIARY_WORDS, np.uint16)
        residual[changed] = unfold((folded + 1).astype(np.uint16))
        auxiliary_block = Residuals(False, residual)
    if at != len(data):
        raise CountsError(f"Packed counts go on for {len(data) - at} bytes after their end; drop the record.")
    return pixel_block, auxiliary_block


def refusal(data: bytes) -> CountsError:
    """Why data are refused that no encoder made."""
    try:
        unpack(data)
    except CountsError as error:
        return error
    return CountsError("Packed counts are not as an encoder makes them; drop the record.")


def _raw(data: bytes, at: int, count: int) -> tuple[Residuals, int]:
    words = np.frombuffer(rice.part(data, at, 2 * count), "<u2").astype(np.uint16)
    return Residuals(True, words), at + 2 * count


def fold(residual: Words) -> Words:
    """0, -1, 1, -2, ... to 0, 1, 2, 3, ... so that small differences of either sign have short codes."""
    signed: NDArray[np.int16] = residual.view(np.int16)
    folded: NDArray[np.int16] = (signed << np.int16(1)) ^ (signed >> np.int16(15))
    return folded.view(np.uint16)


def unfold(folded: Words) -> Words:
    """Inverse of `fold`."""
    sign: Words = np.uint16(0) - (folded & np.uint16(1))
    return (folded >> np.uint16(1)) ^ sign


@cache
def own_pixels(number: int, chess: bool) -> NDArray[np.intp]:
    """(384,) places of the pixels that a subpage measures, in the order in which they are packed."""
    return np.flatnonzero(subpage_mask(number, chess))

"""Unpacking the subpages of a recording many at once: the words, and the refusals, of one at a time (`counts_codes`)."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thermo_core.rice_many import Planes
from thermo_core.sensors.mlx90640.counts_codes import MAX_BYTES, OWN_PIXELS, RAW, from_key_residual, own_pixels, unfold
from thermo_core.sensors.mlx90640.frames import AUXILIARY_WORDS, PIXELS, Mask, Words

_BITMAP_BYTES = AUXILIARY_WORDS // 8
_ROWS = 32
"""As in `rice_many`."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What the packed counts of many subpages hold.

    Attributes:
        pixels: (n, 384) uint16, of key frames and where `pixels_raw` the counts, else what is to be added to those of a key frame.
        auxiliary: (n, 64) uint16, likewise.
        pixels_raw: (n,) bool.
        auxiliary_raw: (n,) bool.
        good: (n,) bool, False where the data are refused and what stands here means nothing.
    """

    pixels: Words
    auxiliary: Words
    pixels_raw: Mask
    auxiliary_raw: Mask
    good: Mask

    def add(self, pixels: Words, auxiliary: Words, key: NDArray[np.intp]) -> None:
        """Add what key frames hold.

        Args:
            pixels: (m, 384) of key frames.
            auxiliary: (m, 64) likewise.
            key: (n,) which of them a subpage refers to, -1 for none.
        """
        for mine, theirs, raw in (
            (self.pixels, pixels, self.pixels_raw),
            (self.auxiliary, auxiliary, self.auxiliary_raw),
        ):
            rows = np.flatnonzero((key >= 0) & ~raw)
            mine[rows] += theirs[key[rows]]


def unpack(blocks: Sequence[bytes], key: Mask) -> Unpacked:
    """Packed counts of many subpages, each with whether it is a key frame."""
    planes = Planes(blocks, MAX_BYTES)
    sizes = planes.ends - planes.starts
    good: Mask = (sizes >= 2) & (sizes <= MAX_BYTES)
    head = planes.data[planes.starts].astype(np.int64)
    offset = planes.data[planes.starts + 1].view(np.int8).astype(np.int16).view(np.uint16)

    pixels_raw: Mask = head >> 4 == RAW
    pixels = np.zeros((len(blocks), OWN_PIXELS), np.uint16)
    count = np.where(pixels_raw, 0, OWN_PIXELS)
    begins = planes.starts + 2
    folded, at, good = planes.decode(begins, count, head >> 4, 16, good)
    rows = np.flatnonzero(good & ~pixels_raw)
    folded = folded.reshape(-1, OWN_PIXELS)
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        pixels[some] = unfold(folded[start : start + _ROWS].astype(np.uint16)) + offset[some, np.newaxis]
    at, good = _raw(planes, np.where(pixels_raw, begins, at), good, pixels_raw, pixels)

    auxiliary_raw: Mask = head & 15 == RAW
    auxiliary = np.zeros((len(blocks), AUXILIARY_WORDS), np.uint16)
    after = at + _BITMAP_BYTES
    good &= auxiliary_raw | (after <= planes.ends)
    coded = good & ~auxiliary_raw
    bitmap = planes.data[np.where(coded, at, 0)[:, np.newaxis] + np.arange(_BITMAP_BYTES)]
    changed = np.unpackbits(bitmap, axis=1).view(np.bool_) & coded[:, np.newaxis]
    folded, after, good = planes.decode(after, changed.sum(axis=1), head & 15, 16, good)
    changed &= good[:, np.newaxis]
    auxiliary[changed] = unfold((folded + 1).astype(np.uint16))
    good &= (auxiliary != 0).sum(axis=1) >= changed.sum(axis=1)  # a difference of 65536 folds to none
    at, good = _raw(planes, np.where(auxiliary_raw, at, after), good, auxiliary_raw, auxiliary)
    good &= at == planes.ends

    keys = np.flatnonzero(good & key & ~pixels_raw)
    pixels[keys] = from_key_residual(pixels[keys])
    keys = np.flatnonzero(good & key & ~auxiliary_raw)
    auxiliary[keys] = np.cumsum(auxiliary[keys], axis=1, dtype=np.uint16)
    return Unpacked(pixels, auxiliary, pixels_raw, auxiliary_raw, good)


def images(pixels: Words, number: NDArray[np.uint16], chess: Mask, before: Words, into: Words) -> None:
    """What a sensor's RAM holds after each subpage: its own pixels, and those of the other that were the last before.

    Args:
        pixels: (n, 384), in order.
        number: (n,) of each subpage.
        chess: (n,) its pattern.
        before: (768,) what it held at first.
        into: (n, 768) uint16, receives it.
    """
    borders = {*range(0, len(pixels), _ROWS), *(np.flatnonzero(chess[1:] != chess[:-1]) + 1).tolist(), len(pixels)}
    for start, end in itertools.pairwise(sorted(borders)):
        own = [own_pixels(which, bool(chess[start])) for which in (0, 1)]
        halves = np.empty((end - start, 2, OWN_PIXELS), np.uint16)
        for which in (0, 1):
            newest = np.maximum.accumulate(np.where(number[start:end] == which, np.arange(start, end), -1))
            halves[:, which] = pixels[newest]
            halves[newest < 0, which] = before[own[which]]
        into[start:end] = halves.reshape(-1, PIXELS)[:, _places(bool(chess[start]))]
        before = into[end - 1]


@cache
def _places(chess: bool) -> NDArray[np.intp]:
    """(768,) where a pixel lies among those of subpage 0 and then 1."""
    return np.argsort(np.concatenate([own_pixels(which, chess) for which in (0, 1)]))


def _raw(planes: Planes, at: NDArray[np.int64], good: Mask, raw: Mask, into: Words) -> tuple[NDArray[np.int64], Mask]:
    """Where blocks are not coded, their words; bytes after them, and which are good."""
    size = 2 * into.shape[1]
    after = np.where(raw, at + size, at)
    good = good & (after <= planes.ends)
    rows = np.flatnonzero(good & raw)
    into[rows] = planes.data[at[rows, np.newaxis] + np.arange(size)].view("<u2")
    return after, good

"""Lossless packing of one subpage's counts: prediction from a key frame, then Rice codes in two planes.

`counts_codes` has the codes; docs/wire.md the layout and a worked example.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import CountsError, MissingKeyFrameError, UsageError
from thermo_core.sensors.mlx90640 import counts_many
from thermo_core.sensors.mlx90640.counts_codes import from_key_residual, key_residual, own_pixels, pack, refusal, unpack
from thermo_core.sensors.mlx90640.frames import (
    CONTROL,
    FRAME_WORDS,
    PIXELS,
    RAM_WORDS,
    SUBPAGE,
    Subpage,
    Words,
)

DEFAULT_KEY_INTERVAL = 64

_CHESS = 1 << 12


class PackedSubpage(NamedTuple):
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
        pixels = words[own_pixels(number, bool(control & _CHESS))]
        auxiliary = words[PIXELS:RAM_WORDS]
        key = self._keys[number]
        if key is None or key.control != control or self._since[number] >= self.key_interval:
            self._keys[number] = _Key(subpage.index, control, pixels, auxiliary.copy())
            self._since[number] = 1
            data = pack(pixels, key_residual(pixels), auxiliary, np.diff(auxiliary, prepend=np.uint16(0)))
            return PackedSubpage(number, control, True, subpage.index, data)
        self._since[number] += 1
        data = pack(pixels, pixels - key.pixels, auxiliary, auxiliary - key.auxiliary)
        return PackedSubpage(number, control, False, key.index, data)


class CountsDecoder:
    """Unpacks the subpages of one sensor; may join at any point and then waits for key frames."""

    def __init__(self) -> None:
        self._keys: list[_Key | None] = [None, None]
        self._image: Words = np.zeros(PIXELS, np.uint16)

    def copy(self) -> "CountsDecoder":
        """Another one in the same state."""
        other = CountsDecoder()
        other._keys, other._image = list(self._keys), self._image.copy()
        return other

    def decode(self, packed: PackedSubpage) -> Words:
        """The (834,) uint16 words of a subpage.

        Its own pixels, the auxiliary words, control register and number are those of the device. Pixels of the other
        subpage are the last ones unpacked, 0 where there were none. An error leaves the decoder as it was.

        Raises:
            MissingKeyFrameError: it refers to a key frame that never came.
            CountsError: the data cannot be what an encoder made.
        """
        number, control = packed.number, packed.control
        key = self._key_of(packed)
        pixel_block, auxiliary_block = unpack(packed.data)
        if key is None:
            pixels = pixel_block.values if pixel_block.raw else from_key_residual(pixel_block.values)
            auxiliary = auxiliary_block.values
            if not auxiliary_block.raw:
                auxiliary = np.cumsum(auxiliary, dtype=np.uint16)
            self._keys[number] = _Key(packed.key_index, control, pixels, auxiliary)
        else:
            pixels = pixel_block.values if pixel_block.raw else pixel_block.values + key.pixels
            auxiliary = auxiliary_block.values if auxiliary_block.raw else auxiliary_block.values + key.auxiliary
        self._image[own_pixels(number, bool(control & _CHESS))] = pixels
        words = np.empty(FRAME_WORDS, np.uint16)
        words[:PIXELS] = self._image
        words[PIXELS:RAM_WORDS] = auxiliary
        words[CONTROL], words[SUBPAGE] = control, number
        return words

    def decode_many(self, packed: Sequence[PackedSubpage]) -> tuple[Words, dict[int, CountsError]]:
        """As `decode` of one after another, several times faster.

        Returns:
            (n, 834) words, and by its place the reason why a subpage has none.
        """
        block = counts_many.unpack([one.data for one in packed], np.array([one.key for one in packed], np.bool_))
        errors: dict[int, CountsError] = {}
        table = [key for key in self._keys if key is not None]
        rows = {id(key): row for row, key in enumerate(table)}
        base = np.full(len(packed), -1)
        for at, one in enumerate(packed):
            try:
                key = self._key_of(one)
                if not block.good[at]:
                    raise refusal(one.data)
            except CountsError as error:
                errors[at] = error
                continue
            if key is None:
                key = _Key(one.key_index, one.control, block.pixels[at].copy(), block.auxiliary[at].copy())
                self._keys[one.number] = key
                rows[id(key)] = len(table)
                table.append(key)
            else:
                base[at] = rows[id(key)]
        if table:
            block.add(np.stack([key.pixels for key in table]), np.stack([key.auxiliary for key in table]), base)
        words = np.zeros((len(packed), FRAME_WORDS), np.uint16)
        good: NDArray[np.intp] | slice = slice(None)
        if errors:
            good = np.array([at for at in range(len(packed)) if at not in errors], np.intp)
        numbers = np.array([one.number for one in packed])[good].astype(np.uint16)
        controls = np.array([one.control for one in packed])[good].astype(np.uint16)
        pixels = block.pixels[good]
        if len(pixels):
            whole = words[good]
            counts_many.images(pixels, numbers, controls & _CHESS != 0, self._image, whole[:, :PIXELS])
            whole[:, PIXELS:RAM_WORDS], whole[:, CONTROL], whole[:, SUBPAGE] = block.auxiliary[good], controls, numbers
            self._image = whole[-1, :PIXELS].copy()
            if errors:
                words[good] = whole
        return words, errors

    def _key_of(self, packed: PackedSubpage) -> _Key | None:
        """The key frame that a subpage refers to; None for one that is a key frame."""
        if packed.number not in (0, 1) or not 0 <= packed.control <= 0xFFFF:
            raise CountsError(
                f"Packed counts claim subpage {packed.number} and control word {packed.control}; drop the record."
            )
        if packed.key:
            return None
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

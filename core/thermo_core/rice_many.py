"""Many Rice codes (`rice`) unpacked side by side: the blocks of a recording share NumPy's cost a call.

All blocks lie in one array of bytes. A unary part ends with a one, and the places of all ones are found at once, wherever in a block
they are; a plane's codes are so many of them in a row.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BEYOND = 4
"""Bytes past the last that may be looked at."""
_PIECE = 1 << 11
_ROWS = 32
"""So much is computed at once that what lies in between is small, for the system hands out and takes back large pieces page by page."""
Places = NDArray[np.int64]


class Planes:
    """The bytes of many blocks.

    Args:
        blocks: of each.

    Attributes:
        data: (m,) uint8, all of them and zeros after them.
        starts: (n,) where each begins in it.
        ends: (n,) where it ends.
    """

    def __init__(self, blocks: Sequence[bytes], beyond: int = 0) -> None:
        sizes = np.fromiter(map(len, blocks), np.int64, len(blocks))
        self.ends: Places = np.cumsum(sizes)
        self.starts: Places = self.ends - sizes
        self.data = np.frombuffer(b"".join(blocks) + bytes(beyond + _BEYOND), np.uint8)
        pieces = []
        for start in range(0, len(self.data), _PIECE):
            places = np.flatnonzero(np.unpackbits(self.data[start : start + _PIECE]).view(np.bool_))
            pieces.append((places + 8 * start).astype(np.int32))
        self._ones: NDArray[np.int32] = np.concatenate((*pieces, np.array([8 * len(self.data)], np.int32)))

    def decode(
        self, at: Places, count: Places, k: Places, bits: int, good: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], Places, NDArray[np.bool_]]:
        """As `rice.decode` for one pair of planes of each block.

        Args:
            at: (n,) byte in `data` where they start.
            count: (n,) values.
            k: (n,) parameter, up to 25.
            bits: no value has more.
            good: (n,) bool, False for blocks to leave out.

        Returns:
            Values of the blocks that are good, one after another; (n,) bytes after them; (n,) which are good.
        """
        some = good & (count > 0)
        fill = at + (count * k + 7 >> 3)
        unary = np.where(some, np.minimum(fill, self.ends), 0)
        first = np.searchsorted(self._ones, (8 * unary).astype(np.int32))
        final = np.minimum(first + np.maximum(count, 1), len(self._ones) - 1)
        last = self._ones[final - 1].astype(np.int64)
        after = (last >> 3) + 1
        low_end = np.searchsorted(self._ones, np.where(some, 8 * at + count * k, 0).astype(np.int32))
        whole = (fill <= self.ends) & (first + count < len(self._ones)) & (last < 8 * self.ends)
        clean = (low_end == first) & (self._ones[final] >= 8 * after)
        good = good & (~some | (whole & clean))
        some = some & good
        place = np.flatnonzero(some)
        length, begin = count[place], 8 * unary[place].astype(np.int32)
        if place.size and (length == length[0]).all():
            values = np.empty((len(place), int(length[0])), np.int32)
            for start in range(0, len(place), _ROWS):
                rows = slice(start, start + _ROWS)
                some_at = place[rows]
                self._even(at[some_at], k[some_at], begin[rows], first[some_at], values[rows])
        else:
            values = self._ragged(at[place], length, k[place], begin, first[place])
        if values.size and int(values.max()) >> bits:
            run = np.cumsum(length) - length
            over = np.searchsorted(run, np.flatnonzero(values.ravel() >> bits), "right") - 1
            good[place[over]] = False
            values = values.ravel()[np.repeat(good[place], length)]
        return values.ravel(), np.where(count > 0, after, at), good

    def _even(self, at: Places, k: Places, begin: NDArray[np.int32], first: Places, values: NDArray[np.int32]) -> None:
        """Write the values of blocks that have equally many, whose unary parts begin at bit `begin` with the one of number `first`."""
        count = values.shape[1]
        ends = self._ones[first[:, np.newaxis] + np.arange(count)]
        np.subtract(ends[:, 1:], ends[:, :-1], out=values[:, 1:])
        np.subtract(ends[:, 0], begin - 1, out=values[:, 0])
        values -= 1
        for one in np.flatnonzero(np.bincount(k)).tolist():
            if one:
                rows = np.flatnonzero(k == one)
                some: slice | NDArray[np.intp] = slice(None) if len(rows) == len(k) else rows
                plane = self.data[at[some, np.newaxis] + np.arange(one * count + 7 >> 3)]
                bits = np.unpackbits(plane, axis=1, count=one * count).reshape(-1, count, one)
                high = values[some]
                for bit in range(one):
                    high <<= 1
                    high |= bits[..., bit]
                values[some] = high

    def _ragged(
        self, at: Places, count: Places, k: Places, begin: NDArray[np.int32], first: Places
    ) -> NDArray[np.int32]:
        """The same of blocks that have not."""
        run = np.cumsum(count) - count
        places = np.arange(int(count.sum()))
        ends = self._ones[places + np.repeat(first - run, count)]
        values: NDArray[np.int32] = np.empty_like(ends)
        np.subtract(ends[1:], ends[:-1], out=values[1:])
        values[run] = ends[run] - begin + 1
        values -= 1
        wide = np.repeat(k, count)
        bit = places * wide + np.repeat(8 * at - run * k, count)
        byte = bit >> 3
        low = self.data[byte].astype(np.uint32)
        for more in (1, 2, 3):
            low = low << np.uint32(8) | self.data[byte + more]
        low >>= (32 - wide - (bit & 7)).astype(np.uint32)
        low &= ((1 << wide) - 1).astype(np.uint32)
        values <<= wide.astype(np.int32)
        values |= low.view(np.int32)
        return values

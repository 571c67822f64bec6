"""Rice codes in two planes: the low bits of all values, then their unary parts, each filled up to whole bytes.

Planes let NumPy unpack all codes at once and C pack them with two bit writers (`device/firmware/core/bit_writer.h`). Values are
whole numbers of 0 and above; differences of either sign are folded first.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import CountsError

Unsigned = NDArray[np.unsignedinteger[Any]]


def encode(values: Unsigned, largest: int = 14) -> tuple[int, bytes]:
    """The cheapest parameter, the smallest of equals, and both planes.

    Args:
        values: (n,) unsigned.
        largest: parameter that may be chosen.
    """
    if not values.size:
        return 0, b""
    k = int(np.argmin(costs(values, largest)))
    ends = np.cumsum((values >> values.dtype.type(k)) + np.uint32(1), dtype=np.int64)
    unary = np.zeros(int(ends[-1]), np.uint8)
    unary[ends - 1] = 1
    low = (values[:, None] >> _low_shifts(k, values.dtype.char)).astype(np.uint8) & 1
    return k, np.packbits(low).tobytes() + np.packbits(unary).tobytes()


def costs(values: Unsigned, largest: int) -> NDArray[np.int64]:
    """(largest + 1,) bits of both planes by parameter, short of one bit a value and of what fills up bytes."""
    shifted = (values >> _shifts(largest, values.dtype.char)).sum(axis=1, dtype=np.int64)
    return np.asarray(shifted + values.size * np.arange(largest + 1), np.int64)


def decode(data: bytes, at: int, count: int, k: int, bits: int) -> tuple[NDArray[np.int64], int]:
    """Inverse of `encode`.

    Args:
        data: what holds the planes.
        at: byte where they start.
        count: values.
        k: parameter.
        bits: no value has more.

    Returns:
        (count,) values, and the byte after them.

    Raises:
        CountsError: the planes are no encoder's.
    """
    if not count:
        return np.empty(0, np.int64), at
    low_bytes = (count * k + 7) // 8
    low_bits = np.unpackbits(np.frombuffer(part(data, at, low_bytes), np.uint8))
    at += low_bytes
    unary_bits = np.unpackbits(np.frombuffer(data, np.uint8, offset=at)) if at < len(data) else np.empty(0, np.uint8)
    ends = np.flatnonzero(unary_bits.view(np.bool_))
    if len(ends) < count:
        raise CountsError(f"Packed counts end after {len(ends)} of {count} codes; drop the record.")
    last = int(ends[count - 1])
    next_byte = last // 8 + 1
    if low_bits[count * k :].any() or unary_bits[last + 1 : 8 * next_byte].any():
        raise CountsError("Packed counts have bits set between their planes; drop the record.")
    values = np.empty(count, np.int64)
    values[0] = ends[0]
    np.subtract(ends[1:count], ends[: count - 1], out=values[1:])
    values[1:] -= 1
    if k:
        values <<= k
        values |= low_bits[: count * k].reshape(count, k) @ _low_weights(k)
    if int(values.max()) >> bits:
        raise CountsError(f"Packed counts hold a difference beyond {bits} bits; drop the record.")
    return values, at + next_byte


def part(data: bytes, at: int, size: int) -> bytes:
    """`size` bytes of packed counts.

    Raises:
        CountsError: they end before.
    """
    if at + size > len(data):
        raise CountsError(
            f"Packed counts of {len(data)} bytes end where {size} more were due at {at}; drop the record."
        )
    return data[at : at + size]


@cache
def _shifts(largest: int, kind: str) -> Unsigned:
    return np.arange(largest + 1, dtype=kind)[:, None]


@cache
def _low_weights(k: int) -> NDArray[np.int64]:
    return np.int64(1) << np.arange(k - 1, -1, -1, dtype=np.int64)


@cache
def _low_shifts(k: int, kind: str) -> NDArray[Any]:
    return np.arange(k - 1, -1, -1, dtype=kind)

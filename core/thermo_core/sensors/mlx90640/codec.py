"""A subpage as a block's data: what its packed counts refer to, then the counts themselves (`counts`).

Little-endian: u8 bit 0 subpage number, bit 1 key frame; u16 control register; u16 blocks since the key frame it refers to, 0 for a key
frame; packed counts.
"""

import struct

from thermo_core.errors import CountsError
from thermo_core.sensors.mlx90640.counts import PackedSubpage
from thermo_core.sensors.mlx90640.counts_codes import MAX_BYTES

_HEAD = struct.Struct("<BHH")
LONGEST_KEY_INTERVAL = 32767
"""Subpages of one number from key frame to key frame, so that the distance in blocks fits sixteen bits."""
MAX_DATA = _HEAD.size + MAX_BYTES


def encode(packed: PackedSubpage, index: int) -> bytes:
    """Data of the block with this index."""
    age = index - packed.key_index
    if packed.key != (age == 0) or not 0 <= age <= 0xFFFF or packed.number > 1:
        raise CountsError(f"Subpage {index} contradicts its packed counts; pack it again.")
    return _HEAD.pack(packed.number | packed.key << 1, packed.control, age) + packed.data


def decode(data: bytes, index: int) -> PackedSubpage:
    """Inverse of `encode`.

    Raises:
        CountsError: the data contradict themselves.
    """
    if not _HEAD.size + 2 <= len(data) <= MAX_DATA:
        raise CountsError(f"A subpage of {len(data)} bytes cannot be; drop it.")
    flags, control, age = _HEAD.unpack_from(data)
    key = bool(flags & 2)
    if flags > 3 or key != (age == 0) or age > index:
        raise CountsError(f"The block of subpage {index} contradicts itself; drop it.")
    return PackedSubpage(flags & 1, control, key, index - age, data[_HEAD.size :])

"""A container as bytes; `device/firmware/core/container.h` has the same structures.

Header, code and constants, networks' ends and golden vectors, networks, stages, tables, places of addresses in them: little-endian,
every part at a multiple of 8 bytes. What a part refers to, it refers to by its offset from the header, so that the same bytes
work at any address that is a multiple of 8. Only the tables hold addresses in the making: the firmware that copies them into its
memory makes each of the offset that stands in its place.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from thermo_core.errors import ModelError
from thermo_core.firmware.container import ABI, HEADER, MAGIC
from thermo_core.wearable.profile import Profile
from thermo_quantize import structures
from thermo_quantize.container.relocations import KIND_SHIFT, OF_ITSELF, OF_ROOM, OF_STAGES, Linked

NAME_BYTES = 24
ALIGNMENT = 8

NETWORK = struct.Struct("<IIIIIII")
END = struct.Struct("<IIfi")
STAGE = struct.Struct(f"<{NAME_BYTES}s{structures.MARK_BYTES}s")
_WORD = struct.Struct("<I")


@dataclass(frozen=True)
class End:
    """An input or the output of a network: real = scale (q - zero point).

    Attributes:
        at: byte of the arena where it begins.
        elements: int8 numbers.
    """

    at: int
    elements: int
    scale: float
    zero_point: int


@dataclass(frozen=True)
class NetworkPart:
    """A network of a container.

    Attributes:
        invoke: offset of its function within the code, lowest bit set.
        reset: likewise, of what forgets its state; None where it keeps none.
        arena_bytes: that it needs, its state among them.
        ends: its inputs, then its output.
        tests: each the int8 numbers of all inputs, then those of the output.
    """

    invoke: int
    reset: int | None
    arena_bytes: int
    ends: Sequence[End]
    tests: Sequence[bytes]


def pack(
    target: str,
    profile: Profile,
    networks: Sequence[NetworkPart],
    linked: Linked,
    stages: Sequence[str],
    root: str,
    kept_bytes: int,
) -> bytes:
    """The container.

    Args:
        target: that everything is compiled for.
        profile: whose sensors the firmware must have.
        networks: in the order of the profile's models.
        linked: code, constants and tables.
        stages: by whose numbers the tables refer to what the firmware has.
        root: symbol of the profile's structure in the tables.
        kept_bytes: of findings that the firmware must be able to keep.

    Raises:
        ModelError: a table refers to what there is not.
    """
    parts = _Parts(HEADER.size)
    code_at = parts.add(linked.code)
    found = []
    for network in networks:
        ends = parts.add(b"".join(END.pack(end.at, end.elements, end.scale, end.zero_point) for end in network.ends))
        tests = parts.add(b"".join(network.tests))
        reset = 0 if network.reset is None else code_at + network.reset
        found.append(
            NETWORK.pack(
                code_at + network.invoke,
                reset,
                network.arena_bytes,
                ends,
                len(network.ends) - 1,
                tests,
                len(network.tests),
            )
        )
    networks_at = parts.add(b"".join(found))
    stages_at = parts.add(b"".join(STAGE.pack(name.encode(), structures.mark(name)) for name in stages))
    tables = _placed(linked, code_at, len(stages))
    tables_at = parts.add(tables)
    addresses_at = parts.add(b"".join(_WORD.pack(place) for place in linked.places))
    header = HEADER.pack(
        MAGIC,
        ABI,
        len(networks),
        parts.size,
        max(network.arena_bytes for network in networks),
        target.encode(),
        networks_at,
        stages_at,
        len(stages),
        tables_at,
        len(tables),
        linked.room_bytes,
        addresses_at,
        len(linked.places),
        linked.symbols[root] & (1 << KIND_SHIFT) - 1,
        kept_bytes,
        structures.structures(),
        0,
        structures.sensors_digest(profile),
    )
    return header + parts.data


def _placed(linked: Linked, code_at: int, stages: int) -> bytes:
    """The tables with offsets from the header in the place of offsets in the code."""
    tables = bytearray(linked.tables)
    most = {OF_ITSELF: len(linked.code), OF_ROOM: linked.room_bytes, OF_STAGES: stages}
    for place in linked.places:
        (word,) = _WORD.unpack_from(tables, place)
        kind, far = word >> KIND_SHIFT, word & (1 << KIND_SHIFT) - 1
        if far >= most.get(kind, 0):
            raise ModelError(
                f"The compiled graph refers to {word:#x}, which is nowhere in the container; tell the makers of thermo-edge."
            )
        if kind == OF_ITSELF:
            _WORD.pack_into(tables, place, far + code_at)
    return bytes(tables)


class _Parts:
    """Parts one after another behind a header."""

    def __init__(self, header: int) -> None:
        self._begin = header
        self.data = b"\0" * (-header % ALIGNMENT)

    @property
    def size(self) -> int:
        """Bytes so far, the header's among them."""
        return self._begin + len(self.data)

    def add(self, part: bytes) -> int:
        """Add one; returns its offset."""
        at = self.size
        self.data += part + b"\0" * (-len(part) % ALIGNMENT)
        return at

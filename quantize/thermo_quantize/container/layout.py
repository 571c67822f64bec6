"""A container as bytes; `device/firmware/core/container.h` has the same structures.

Header, networks, their ends, stages, golden vectors, code and constants, profile: little-endian, every part at a multiple of
8 bytes. What a part refers to, it refers to by its offset from the header, so that the same bytes work at any address that is
a multiple of 8. No part holds an address.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from thermo_core import schema
from thermo_core.errors import BundleError
from thermo_core.firmware.container import MAGIC, TARGET_BYTES
from thermo_core.wearable.profile import Profile

ABI = 1
"""Rises with every change of these structures, or of how a network is called."""
NAME_BYTES = 24
FINGERPRINT_BYTES = 8
ALIGNMENT = 8

HEADER = struct.Struct(f"<IHHII{TARGET_BYTES}sIIIIII32s")
NETWORK = struct.Struct("<IIIIIII")
END = struct.Struct("<IIfi")
STAGE = struct.Struct(f"<{NAME_BYTES}s{FINGERPRINT_BYTES}s")


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


def sensors_digest(profile: Profile) -> bytes:
    """SHA-256 of the sensors: a container is for firmware with the very same."""
    return hashlib.sha256(schema.to_cbor({"sensors": profile.sensors})).digest()


def stages(profile: Profile) -> tuple[tuple[str, bytes], ...]:
    """Name of each stage's operation, and what changes with its constants, inputs and output."""
    return tuple(
        (stage.op, hashlib.sha256(schema.to_cbor(stage)).digest()[:FINGERPRINT_BYTES]) for stage in profile.stages
    )


def pack(target: str, profile: Profile, networks: Sequence[NetworkPart], code: bytes) -> bytes:
    """The container.

    Raises:
        BundleError: a stage's name is too long.
    """
    parts = _Parts(HEADER.size)
    rows = stages(profile)
    for name, _ in rows:
        if len(name.encode()) >= NAME_BYTES:
            raise BundleError(f"The stage {name!r} has a name of {NAME_BYTES} bytes or more; a firmware has none such.")
    code_at = parts.add(code)
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
    stages_at = parts.add(b"".join(STAGE.pack(name.encode(), print_) for name, print_ in rows))
    cbor = schema.to_cbor(profile)
    profile_at = parts.add(cbor)
    header = HEADER.pack(
        MAGIC,
        ABI,
        len(networks),
        parts.size,
        max(network.arena_bytes for network in networks),
        target.encode(),
        networks_at,
        stages_at,
        len(rows),
        profile_at,
        len(cbor),
        0,
        sensors_digest(profile),
    )
    return header + parts.data


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

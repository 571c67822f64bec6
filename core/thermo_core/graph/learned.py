"""What the stages of a wearable have learned of one wearer, as bytes that outlive a restart, a day and a recording.

A small head, then for each stage that learns: a key of what it is learned of, a basis of how that was measured, and its state; at the
end a CRC-32. `device/firmware/core/learned.c` writes and reads the same. Numbers are little-endian.
"""

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thermo_core import schema
from thermo_core.errors import DamagedFileError
from thermo_core.graph.plan import PERSON, Node, Plan, kept_bytes
from thermo_core.wearable.profile import Model

MAGIC = b"TLRN"
VERSION = 1
KEY_BYTES = 8
UNKNOWN_BASIS = 0
"""Of what was learned before its sensors were known, and of nothing learned."""

_HEAD = struct.Struct("<4sBBH")
_ENTRY = struct.Struct("<8sII")
_CRC = struct.Struct("<I")
OVERHEAD = _HEAD.size + _CRC.size
ENTRY_OVERHEAD = _ENTRY.size


@dataclass(frozen=True, slots=True)
class Learning:
    """A stage that learns, in its place.

    Attributes:
        name: of the signal it gives.
        signal: number of that signal.
        node: number of the stage among the plan's nodes.
        key: changes with all that decides what its numbers mean: wearable, sensors, stages before it, its own parameters.
        size: bytes of its state.
        sensors: numbers of those it rests on, ascending.
    """

    name: str
    signal: int
    node: int
    key: bytes
    size: int
    sensors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one stage learned.

    Attributes:
        basis: of its sensors when it was learned, see `basis_of`.
        state: as the stage saves it.
    """

    basis: int
    state: bytes


def learnings(plan: Plan) -> tuple[Learning, ...]:
    """The stages of a wearable that learn, in the order in which they run."""
    numbers = {name: number for number, name in enumerate(plan.signals)}
    return tuple(
        Learning(
            node.gives.name,
            numbers[node.gives.name],
            number,
            _key(plan, node),
            size,
            plan.origins(node.gives.name),
        )
        for number, node in enumerate(plan.nodes)
        if (size := kept_bytes(node))
    )


def _key(plan: Plan, node: Node) -> bytes:
    """Rates are left out: a host may change them, and what is learned by the hour stays true."""
    made = {one.gives.name: one for one in plan.nodes}
    sensors = {sensor.name: sensor for sensor in plan.profile.sensors}
    parts: dict[str, object] = {}
    waiting = [node.gives.name]
    while waiting:
        name = waiting.pop()
        if name in parts or name.partition(".")[0] == PERSON:
            continue
        if name in made:
            what = made[name].what
            parts[name] = schema.to_plain(what)
            waiting += [signal.name for signal in made[name].inputs]
            if isinstance(what, Model):
                parts["version"] = plan.profile.version  # other networks come with another version
        else:
            plain = schema.to_plain(sensors[name.partition(".")[0]])
            plain.pop("rate_hz", None)
            parts[name] = plain
    said = schema.to_cbor([plan.profile.name, parts])
    return hashlib.sha256(said).digest()[:KEY_BYTES]


def basis_of(fingerprints: Sequence[tuple[int, int]]) -> int:
    """What tells one way of measuring from another: of each sensor the CRC-32 of its constants and of its correction, 0 of none."""
    data = b"".join(struct.pack("<II", constants, correction) for constants, correction in fingerprints)
    return zlib.crc32(data) or 1


def pack(entries: Mapping[bytes, Entry]) -> bytes:
    """Bytes of what stages learned, by their keys, in that order."""
    body = b"".join(_ENTRY.pack(key, one.basis, len(one.state)) + one.state for key, one in entries.items())
    data = _HEAD.pack(MAGIC, VERSION, len(entries), 0) + body
    return data + _CRC.pack(zlib.crc32(data))


def unpack(data: bytes) -> dict[bytes, Entry]:
    """Inverse of `pack`.

    Raises:
        DamagedFileError: it is none, is cut, or a bit of it is wrong.
    """
    if len(data) < OVERHEAD or _CRC.unpack(data[-_CRC.size :])[0] != zlib.crc32(data[: -_CRC.size]):
        raise DamagedFileError("What was learned of the wearer is damaged; it is learned anew.")
    magic, version, count, _ = _HEAD.unpack_from(data)
    if magic != MAGIC or version != VERSION:
        raise DamagedFileError("What was learned of the wearer is not of this version; it is learned anew.")
    found: dict[bytes, Entry] = {}
    at, end = _HEAD.size, len(data) - _CRC.size
    for _ in range(count):
        if end - at < _ENTRY.size:
            raise DamagedFileError("What was learned of the wearer ends too early; it is learned anew.")
        key, basis, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        if size > end - at:
            raise DamagedFileError("What was learned of the wearer ends too early; it is learned anew.")
        found[key] = Entry(basis, data[at : at + size])
        at += size
    return found


def packed_bytes(found: Sequence[Learning]) -> int:
    """Length of `pack` of all of them; 0 where there are none."""
    return OVERHEAD + sum(ENTRY_OVERHEAD + one.size for one in found) if found else 0

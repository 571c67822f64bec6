"""One second of a wearable's records as a message, byte for byte as the wearable sent them.

Little-endian:

| type | what |
|---|---|
| u8 | 1, version of this format |
| u8 | 0 |
| u16 | number of records n, at least 1 |
| 8 bytes | id of the session that holds (`births`) |
| u64 | boot id |
| u64 | sequence of the first record |
| u64, u64 | boot id and sequence of the record that was sent before it; 0, 0 where that is not known any more |
| i64 | arrival of the first record at the hub, nanoseconds since 1970 UTC |
| i64 | nanoseconds since 1970 UTC at which the wearable's clock was 0 |
| n x (u16, u32, i32, bytes) | length of a record; microseconds by which it came after the first; nanoseconds to be added to what its clock gives; the record |

A record is (wearable, boot id, sequence). A boot id is even and is the microsecond since 1970 UTC at which the wearable started, as its
hub first saw it; the sequence is that of the wire, counted on beyond 65535. Under the odd boot id after it are findings that the wearable
kept while nobody listened, counted by the hub. Within a boot id sequences only rise.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thermo_core.errors import RecordError
from thermo_core.wire.records import SEQUENCES

FORMAT = 1
MOST_RECORDS = 4096
LARGEST_RECORD = 2048
_HEAD = struct.Struct("<BBH8sQQQQqq")
_EACH = struct.Struct("<HIi")
_TIME = struct.Struct("<xxHQ")
"""Sequence and time of a record of the wire."""
_WRAP = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with its identity.

    Attributes:
        boot, sequence: see above.
        received_ns: when its hub had it, nanoseconds since 1970 UTC.
        captured_ns: of the moment that it is about.
        data: as the wearable sent it.
    """

    boot: int
    sequence: int
    received_ns: int
    captured_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Second:
    """A message.

    Attributes:
        session: id of the session that holds.
        before: boot id and sequence of the record before; (0, 0) where that is not known.
        records: of one boot id, sequences rising.
    """

    session: bytes
    before: tuple[int, int]
    records: tuple[Kept, ...]


def pack(second: Second) -> bytes:
    """A message as bytes."""
    records = second.records
    first = records[0]
    zero_ns = first.captured_ns - _time_us(first.data) * 1000
    parts = [
        _HEAD.pack(
            FORMAT,
            0,
            len(records),
            second.session,
            first.boot,
            first.sequence,
            *second.before,
            first.received_ns,
            zero_ns,
        )
    ]
    for one in records:
        after_us = (one.received_ns - first.received_ns) // 1000
        off_ns = one.captured_ns - zero_ns - _time_us(one.data) * 1000
        parts += (
            _EACH.pack(len(one.data), min(max(after_us, 0), 0xFFFFFFFF), max(min(off_ns, _WRAP), -_WRAP)),
            one.data,
        )
    return b"".join(parts)


def unpack(data: bytes) -> Second:
    """A message of bytes.

    Raises:
        RecordError: it is none.
    """
    if len(data) < _HEAD.size:
        raise RecordError(f"A message of {len(data)} bytes is too short for a second of records; drop it.")
    version, _, count, session, boot, sequence, was_boot, was_sequence, received_ns, zero_ns = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise RecordError(f"A message of records has the format {version}; update this hub.")
    return Second(session, (was_boot, was_sequence), tuple(_records(data, count, boot, sequence, received_ns, zero_ns)))


def _records(data: bytes, count: int, boot: int, sequence: int, received_ns: int, zero_ns: int) -> Iterator[Kept]:
    at, end = _HEAD.size, len(data)
    counted = bool(boot & 1)
    before = None
    if not count:
        raise RecordError("A message of records has none; drop it.")
    for number in range(count):
        if at + _EACH.size > end:
            raise RecordError(f"A message of records ends after {number} of {count}; drop it.")
        length, after_us, off_ns = _EACH.unpack_from(data, at)
        at += _EACH.size
        record = data[at : at + length]
        at += length
        if len(record) != length or not _TIME.size <= length <= LARGEST_RECORD:
            raise RecordError(f"Record {number} of a message cannot have {length} bytes; drop it.")
        low, time_us = _TIME.unpack_from(record)
        if counted:
            sequence += before is not None
        elif before is not None:
            step = (low - before) % SEQUENCES
            sequence += step or SEQUENCES
        elif low != sequence % SEQUENCES:
            raise RecordError("A message of records begins with another sequence than its first record; drop it.")
        before = low
        yield Kept(boot, sequence, received_ns + after_us * 1000, zero_ns + time_us * 1000 + off_ns, record)
    if at != end:
        raise RecordError(f"A message of records has {end - at} bytes too many; drop it.")


def seconds(records: Sequence[Kept], session: bytes, before: tuple[int, int]) -> Iterator[Second]:
    """Messages of records in their order: a new one with each second of arrival, each boot id, and where one is full."""
    start = 0
    for at in range(1, len(records) + 1):
        first = records[start]
        if at < len(records) and at - start < MOST_RECORDS and together(first, records[at]):
            continue
        yield Second(session, before, tuple(records[start:at]))
        before, start = (records[at - 1].boot, records[at - 1].sequence), at


def together(first: Kept, one: Kept) -> bool:
    """Whether two records go into the same message."""
    return one.boot == first.boot and one.received_ns // 1_000_000_000 == first.received_ns // 1_000_000_000


def _time_us(record: bytes) -> int:
    time_us: int = _TIME.unpack_from(record)[1]
    return time_us

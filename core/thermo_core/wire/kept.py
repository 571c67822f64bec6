"""Findings that a device keeps for a host that is away: an entry of its ring as bytes, which command 14 gives (little-endian).

| offset | type | what |
|---|---|---|
| 0 | u8 | model |
| 1 | u8 | number of values n in bits 6-0; bit 7: they are quantities |
| 2 | u16 | flags |
| 4 | u64 | time, microseconds |
| 12 | n x u16 or f32 | scores, 65535 is 1; or quantities |
"""

import struct
from collections.abc import Iterator

from thermo_core.errors import RecordError
from thermo_core.graph.findings import SCORE_STEPS
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import LIMITS, OutputKind

_HEAD = struct.Struct("<BBHQ")
_QUANTITIES = 0x80


def entry_bytes(values: int, quantities: bool) -> int:
    """Bytes of an entry with so many values."""
    return _HEAD.size + values * (4 if quantities else 2)


def encode(record: FindingRecord) -> bytes:
    """A finding as an entry.

    Raises:
        RecordError: a field does not fit.
    """
    count, quantities = len(record.values), record.kind is OutputKind.QUANTITIES
    try:
        if count > LIMITS["outputs"].high:
            raise ValueError(f"{count} values")
        head = _HEAD.pack(record.model, count | (_QUANTITIES if quantities else 0), record.flags, record.time_us)
        if quantities:
            return head + struct.pack(f"<{count}f", *record.values)
        return head + struct.pack(f"<{count}H", *(round(score * SCORE_STEPS) for score in record.values))
    except (struct.error, ValueError, OverflowError) as error:
        raise RecordError(f"A finding has a field that does not fit an entry ({error}).") from error


def decode(data: bytes, bundle: int) -> Iterator[FindingRecord]:
    """Findings out of entries that follow one another.

    Args:
        data: the entries.
        bundle: first four bytes of the SHA-256 of the image that made them.

    Raises:
        RecordError: an entry is cut short or has more values than there can be.
    """
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise RecordError(f"A kept finding is cut short at byte {at} of {len(data)}; ask again.")
        model, shape, flags, time_us = _HEAD.unpack_from(data, at)
        count, quantities = shape & ~_QUANTITIES, bool(shape & _QUANTITIES)
        size = entry_bytes(count, quantities)
        if count > LIMITS["outputs"].high or len(data) - at < size:
            raise RecordError(f"A kept finding of {count} values at byte {at} of {len(data)} cannot be; ask again.")
        values = struct.unpack_from(f"<{count}{'f' if quantities else 'H'}", data, at + _HEAD.size)
        if not quantities:
            values = tuple(steps / SCORE_STEPS for steps in values)
        kind = OutputKind.NONE if not count else OutputKind.QUANTITIES if quantities else OutputKind.SCORES
        yield FindingRecord(time_us, model, flags, bundle, 0, 0, (), kind, values)
        at += size

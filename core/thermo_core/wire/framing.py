"""The two framings of one serial line and the demultiplexer that tells them apart: COBS telemetry and SMP lines.

A telemetry frame is ``00 COBS(record, CRC-32) 00``. An SMP packet is one or more lines of base64 that start with 06 09
(the first) or 04 14 (the others) and end with 0A. The second byte of a telemetry frame's COBS data is the protocol
version, so a frame never starts like a line.
"""

import binascii
import re
import zlib
from dataclasses import dataclass

from cobs import cobs

from thermo_core.errors import FramingError, ManagementError

START = b"\x06\x09"
CONTINUE = b"\x04\x14"
LINE_END = 0x0A
LINE_LENGTH = 127
"""Longest SMP line that any mcumgr peer accepts, delimiters included."""
MAX_RECORD = 2048
"""Longest record, bytes without CRC; no record of protocol version 1 comes near it."""
MAX_MESSAGE = 16384
"""Longest SMP message a demultiplexer reassembles unless told otherwise, bytes."""

_CRC_BYTES = 4
_LINE = re.compile(rb"(\x06\x09|\x04\x14)([A-Za-z0-9+/=]*)")


@dataclass(frozen=True, slots=True)
class TelemetryFrame:
    """One record whose CRC-32 holds.

    Attributes:
        record: the record's bytes, header included, CRC not.
    """

    record: bytes


@dataclass(frozen=True, slots=True)
class ManagementFrame:
    """One SMP message whose CRC-16 holds.

    Attributes:
        message: SMP header and CBOR body.
    """

    message: bytes


@dataclass(slots=True)
class LineCounters:
    """What a demultiplexer has seen since it was made.

    Attributes:
        frames: telemetry frames accepted.
        packets: SMP messages accepted.
        bad_frames: stretches between two zero bytes that were no telemetry frame; one damaged frame may count twice,
            since an error can also make or remove a zero byte.
        bad_packets: SMP packets begun and then found damaged, or continued without a beginning.
        discarded: bytes of all these, and of anything else that was neither.
    """

    frames: int = 0
    packets: int = 0
    bad_frames: int = 0
    bad_packets: int = 0
    discarded: int = 0


def encode_frame(record: bytes) -> bytes:
    """Frame a record for the line: ``00 COBS(record + CRC-32 little-endian) 00``.

    Raises:
        FramingError: the record is empty or longer than MAX_RECORD.
    """
    if not 0 < len(record) <= MAX_RECORD:
        raise FramingError(f"A record of {len(record)} bytes cannot be framed; keep it between 1 and {MAX_RECORD}.")
    crc = zlib.crc32(record).to_bytes(_CRC_BYTES, "little")
    return b"\x00" + bytes(cobs.encode(record + crc)) + b"\x00"


def decode_frame(body: bytes) -> bytes:
    """The record within the bytes between two zero bytes.

    Raises:
        FramingError: COBS or CRC-32 does not hold.
    """
    try:
        plain = bytes(cobs.decode(body))
    except cobs.DecodeError as error:
        raise FramingError(f"{len(body)} bytes between two zero bytes are not COBS; the line lost bytes.") from error
    record, crc = plain[:-_CRC_BYTES], plain[-_CRC_BYTES:]
    if not record or zlib.crc32(record) != int.from_bytes(crc, "little"):
        raise FramingError(f"A frame of {len(body)} bytes fails its CRC-32; the line damaged it.")
    return record


def encode_packet(message: bytes, line_length: int = LINE_LENGTH) -> bytes:
    """Frame an SMP message for the line, split into lines of at most `line_length` bytes, delimiters included.

    Raises:
        ManagementError: the message is too long for a 16-bit length, or the line too short to carry anything.
    """
    if len(message) + 2 > 0xFFFF:
        raise ManagementError(f"An SMP message of {len(message)} bytes exceeds 65533; send it in smaller pieces.")
    per_line = (line_length - 4) // 4 * 4
    if per_line < 4:
        raise ManagementError(f"A line length of {line_length} cannot carry base64; use at least 8.")
    crc = binascii.crc_hqx(message, 0)
    text = binascii.b2a_base64((len(message) + 2).to_bytes(2, "big") + message + crc.to_bytes(2, "big"), newline=False)
    lines = [text[at : at + per_line] for at in range(0, len(text), per_line)]
    return b"".join((START if at == 0 else CONTINUE) + line + b"\n" for at, line in enumerate(lines))


@dataclass(slots=True)
class _Packet:
    """An SMP message under reassembly: what its lines held, what it announced, and how many bytes of line it took."""

    data: bytearray
    wanted: int
    taken: int


class Demultiplexer:
    """Takes the bytes of a line as they come and gives the frames they hold.

    Both framings are looked for in parallel in whatever lies between two zero bytes, and each is believed only on its
    CRC. So SMP packets get through where zero bytes never come, and a frame that lost its closing zero to an error
    still gets through when an SMP packet follows it.

    Args:
        max_message: longest SMP message to reassemble, bytes; longer ones count as bad packets.
    """

    def __init__(self, max_message: int = MAX_MESSAGE) -> None:
        self.counters = LineCounters()
        self._max_message = max_message
        self._longest_line = (max_message + 4) * 4 // 3 + 8
        self._limit = max(2 * MAX_RECORD, 2 * self._longest_line)
        self._segment = bytearray()
        self._scanned = 0
        self._lines: list[tuple[int, int]] = []
        self._packet: _Packet | None = None

    @property
    def pending(self) -> int:
        """Bytes held back because what they begin is not complete."""
        return self._own_bytes() + (self._packet.taken if self._packet else 0)

    def feed(self, data: bytes) -> list[TelemetryFrame | ManagementFrame]:
        """Frames completed by `data`, in the order in which they became complete. Never raises on any bytes."""
        found: list[TelemetryFrame | ManagementFrame] = []
        *closed, rest = data.split(b"\x00")
        for part in closed:
            self._extend(part, found)
            self._close(found)
        self._extend(rest, found)
        return found

    def _extend(self, part: bytes, found: list[TelemetryFrame | ManagementFrame]) -> None:
        for at in range(0, len(part), self._limit):
            self._segment += part[at : at + self._limit]
            self._scan_lines(found)
            if len(self._segment) > self._limit:
                self._shorten()

    def _scan_lines(self, found: list[TelemetryFrame | ManagementFrame]) -> None:
        segment = self._segment
        while match := _LINE.search(segment, self._scanned):
            start, end = match.span()
            marker, text = match[1], match[2]
            if end - start > self._longest_line:
                self._scanned = end
                continue
            if segment[end : end + 1] == b"\r":
                end += 1
            if end == len(segment):
                self._scanned = start
                return
            if segment[end] != LINE_END:
                self._scanned = match.end()
                continue
            end += 1
            self._scanned = end
            self._lines.append((start, end))
            self._take_line(marker, text, end - start, found)
            if start == 0:
                del segment[:end]
                self._scanned = 0
                self._lines.clear()
        self._scanned = max(self._scanned, len(segment) - 1)

    def _take_line(self, marker: bytes, text: bytes, size: int, found: list[TelemetryFrame | ManagementFrame]) -> None:
        try:
            data = binascii.a2b_base64(text, strict_mode=True)
        except binascii.Error:
            data = b""
        if marker == START:
            self._refuse(self._packet)
            self._packet = _Packet(bytearray(data[2:]), int.from_bytes(data[:2], "big"), size)
        elif self._packet is not None:
            self._packet.data += data
            self._packet.taken += size
        else:
            self._packet = _Packet(bytearray(), 0, size)
        packet = self._packet
        if data and len(packet.data) < packet.wanted <= self._max_message + 2:
            return
        self._packet = None
        message, crc = bytes(packet.data[:-2]), bytes(packet.data[-2:])
        whole = 2 < packet.wanted == len(packet.data) <= self._max_message + 2
        if not whole or binascii.crc_hqx(message, 0) != int.from_bytes(crc, "big"):
            self._refuse(packet)
            return
        self.counters.packets += 1
        found.append(ManagementFrame(message))

    def _refuse(self, packet: _Packet | None) -> None:
        if packet is not None:
            self.counters.bad_packets += 1
            self.counters.discarded += packet.taken
            self._packet = None

    def _close(self, found: list[TelemetryFrame | ManagementFrame]) -> None:
        """A zero byte came: what lies before it is a telemetry frame, with or without lines in it, or damaged."""
        segment = bytes(self._segment)
        if not segment:
            return
        bodies = [segment]
        if self._lines:
            bodies.append(self._without_lines())
        discarded = self._own_bytes()
        self._forget()
        for body in bodies:
            try:
                record = decode_frame(body)
            except FramingError:
                continue
            self.counters.frames += 1
            found.append(TelemetryFrame(record))
            return
        self.counters.bad_frames += 1
        self.counters.discarded += discarded

    def _without_lines(self) -> bytes:
        pieces, at = [], 0
        for start, end in self._lines:
            pieces.append(bytes(self._segment[at:start]))
            at = end
        return b"".join([*pieces, bytes(self._segment[at:])])

    def _own_bytes(self) -> int:
        """Bytes of the open segment that belong to no line."""
        return len(self._segment) - sum(end - start for start, end in self._lines)

    def _shorten(self) -> None:
        """Give up on what no frame can reach any more; an SMP line that is still growing stays."""
        kept = self._segment[self._scanned :]
        self.counters.bad_frames += 1
        self.counters.discarded += self._own_bytes() - len(kept)
        self._forget()
        self._segment += kept

    def _forget(self) -> None:
        self._segment.clear()
        self._lines.clear()
        self._scanned = 0

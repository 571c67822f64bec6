"""SMP (mcumgr) messages: header, CBOR body, responses and errors, for both versions of the protocol."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import cbor2

from thermo_core.errors import ManagementError
from thermo_core.wire.framing import encode_packet as encode_packets

__all__ = ["HEADER_BYTES", "Group", "Op", "ReturnCode", "SmpHeader", "SmpMessage", "encode_packets"]

HEADER_BYTES = 8

_HEADER = struct.Struct("!BBHHBB")
_OP_MASK = 0b111
_VERSION_MASK = 0b11
_VERSION_SHIFT = 3
_MAX_DEPTH = 16


class Op(IntEnum):
    """What a message asks or answers."""

    READ = 0
    READ_RESPONSE = 1
    WRITE = 2
    WRITE_RESPONSE = 3


class Group(IntEnum):
    """Groups a wearable serves; `thermo_core.wire.management` describes THERMO."""

    OS = 0
    IMAGE = 1
    THERMO = 65


class ReturnCode(IntEnum):
    """Codes of the protocol itself (`rc`); 0 is success."""

    OK = 0
    UNKNOWN = 1
    NO_MEMORY = 2
    INVALID = 3
    TIMEOUT = 4
    NO_ENTRY = 5
    BAD_STATE = 6
    TOO_LARGE = 7
    NOT_SUPPORTED = 8
    CORRUPT = 9
    BUSY = 10
    ACCESS_DENIED = 11
    TOO_OLD = 12
    TOO_NEW = 13


@dataclass(frozen=True, slots=True)
class SmpHeader:
    """The eight bytes before the body.

    Attributes:
        op: what the message is.
        group: SMP group, 0-65535.
        command: command within the group, 0-255.
        sequence: number a response repeats, 0-255.
        version: 0 for SMP version 1, 1 for SMP version 2.
        flags: reserved, sent as 0.
    """

    op: Op
    group: int
    command: int
    sequence: int = 0
    version: int = 1
    flags: int = 0

    @classmethod
    def decode(cls, message: bytes) -> "SmpHeader":
        """Read the header of a whole message.

        Raises:
            ManagementError: shorter than a header, an operation or version that does not exist, or a length other than
                the body's.
        """
        if len(message) < HEADER_BYTES:
            raise ManagementError(
                f"An SMP message of {len(message)} bytes is shorter than its {HEADER_BYTES}-byte header."
            )
        first, flags, length, group, sequence, command = _HEADER.unpack_from(message)
        version = (first >> _VERSION_SHIFT) & _VERSION_MASK
        code = first & _OP_MASK
        if code > Op.WRITE_RESPONSE:
            raise ManagementError(f"SMP operation {code} does not exist; use 0 to read or 2 to write.")
        if version > 1:
            raise ManagementError(f"SMP version {version + 1} is newer than this side speaks; use version 1 or 2.")
        body_bytes = len(message) - HEADER_BYTES
        if length != body_bytes:
            raise ManagementError(f"The SMP header announces {length} bytes of body, {body_bytes} came; send it again.")
        return cls(Op(code), group, command, sequence, version, flags)

    @property
    def is_request(self) -> bool:
        """Whether it asks rather than answers."""
        return self.op in (Op.READ, Op.WRITE)

    def to_response(self) -> "SmpHeader":
        """The header of the answer to this request."""
        return replace(self, op=Op(self.op | 1), flags=0)


@dataclass(frozen=True, slots=True)
class SmpMessage:
    """One SMP message.

    Attributes:
        header: see there.
        body: the CBOR map, text keys to numbers, text, bytes, booleans, None, lists and maps.
    """

    header: SmpHeader
    body: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The message as bytes, without serial framing.

        Raises:
            ManagementError: the body cannot be CBOR or is longer than 65535 bytes.
        """
        try:
            body = cbor2.dumps(dict(self.body), canonical=True)
        except (cbor2.CBOREncodeError, ValueError, TypeError) as error:
            raise ManagementError(f"The body of an SMP message cannot be written as CBOR ({error}).") from error
        if len(body) > 0xFFFF:
            raise ManagementError(f"An SMP body of {len(body)} bytes exceeds 65535; send it in smaller pieces.")
        head = self.header
        first = head.op | head.version << _VERSION_SHIFT
        return _HEADER.pack(first, head.flags, len(body), head.group, head.sequence, head.command) + body

    @classmethod
    def decode(cls, message: bytes) -> "SmpMessage":
        """Read a whole message; an empty body counts as an empty map.

        Raises:
            ManagementError: the header is impossible, or the body is not one CBOR map of plain values with text keys.
        """
        header = SmpHeader.decode(message)
        return cls(header, _decode_body(message[HEADER_BYTES:]))

    def respond(self, body: Mapping[str, Any]) -> "SmpMessage":
        """The answer to this request."""
        return SmpMessage(self.header.to_response(), body)

    def refuse(self, code: int, group: int | None = None, version_1: ReturnCode = ReturnCode.UNKNOWN) -> "SmpMessage":
        """The answer that refuses this request.

        Args:
            code: a `ReturnCode`, or where `group` is given a code of that group.
            group: whose code it is; None for the protocol's own.
            version_1: what to say instead to a client of SMP version 1, which knows only `ReturnCode`.
        """
        if group is None:
            return self.respond({"rc": int(code)})
        if self.header.version == 0:
            return self.respond({"rc": int(version_1)})
        return self.respond({"err": {"group": int(group), "rc": int(code)}})

    @property
    def error(self) -> tuple[int | None, int] | None:
        """(group, code) of a response that refuses, group None for the protocol's own codes; None where it does not."""
        err = self.body.get("err")
        if isinstance(err, Mapping):
            group, code = err.get("group"), err.get("rc")
            if isinstance(group, int) and isinstance(code, int):
                return (group, code) if code else None
        code = self.body.get("rc")
        return (None, code) if isinstance(code, int) and code else None


def _decode_body(data: bytes) -> dict[str, Any]:
    if not data:
        return {}
    try:
        body = cbor2.loads(data, max_depth=_MAX_DEPTH, semantic_decoders={}, allow_duplicate_keys=False)
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError) as error:
        raise ManagementError(f"The body of an SMP message is not CBOR ({error}); send it again.") from error
    if not isinstance(body, dict):
        raise ManagementError(f"The body of an SMP message must be a CBOR map, not {type(body).__name__}.")
    _check_plain(body)
    return body


def _check_plain(value: object, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:  # CBOR's shared references can make a list that holds itself
        raise ManagementError(f"An SMP body nests deeper than {_MAX_DEPTH} levels; send a flatter one.")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ManagementError(f"A map in an SMP body has the key {key!r}; keys must be text.")
            _check_plain(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, depth + 1)
    elif value is not None and not isinstance(value, bool | int | float | str | bytes):
        raise ManagementError(f"An SMP body holds a {type(value).__name__}; use numbers, text, bytes, lists and maps.")

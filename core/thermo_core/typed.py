"""Plain data, JSON and MessagePack as typed values, in any thread.

msgspec describes a type to itself when it first meets it, and lets other threads use the description before it is whole (0.22.0):
two that meet a type at once end the process. Every typed reading therefore goes through here, one at a time; it holds the GIL anyhow.
"""

import threading
from typing import Any, TypeVar

import msgspec

Value = TypeVar("Value")

# One reading may begin another, in a hook.
_reading = threading.RLock()


def convert(data: object, kind: type[Value], **options: Any) -> Value:
    """As `msgspec.convert`, with its options.

    Raises:
        msgspec.ValidationError: the data is not of that kind.
    """
    with _reading:
        value: Value = msgspec.convert(data, kind, **options)
    return value


def from_json(data: bytes | str, kind: type[Value]) -> Value:
    """As `msgspec.json.decode` with a type.

    Raises:
        msgspec.DecodeError: no JSON; a `msgspec.ValidationError` where it is not of that kind.
    """
    with _reading:
        return msgspec.json.decode(data, type=kind)


def from_msgpack(data: bytes, kind: type[Value]) -> Value:
    """As `msgspec.msgpack.decode` with a type.

    Raises:
        msgspec.DecodeError: no MessagePack; a `msgspec.ValidationError` where it is not of that kind.
    """
    with _reading:
        return msgspec.msgpack.decode(data, type=kind)

"""Frozen dataclasses as JSON values and back, and the JSON schema of them, all from their type hints.

Bytes become base64, tuples arrays, enumerations their number, nested dataclasses objects.
"""

import base64
import binascii
import dataclasses
import math
import types
import typing
from enum import IntEnum
from typing import Any, TypeVar

from thermo_core.errors import RecordingError

_T = TypeVar("_T")
_SIMPLE: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    type(None): {"type": "null"},
}


def to_plain(value: Any) -> Any:
    """A dataclass, or what is found in one, as something `json.dumps` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[_T], value: Any) -> _T:
    """Inverse of `to_plain` for a dataclass of type `kind`.

    Raises:
        RecordingError: a field is missing or of another type.
    """
    try:
        return typing.cast(_T, _build(kind, value))
    except (TypeError, KeyError, ValueError, OverflowError, AttributeError, binascii.Error) as error:
        raise RecordingError(
            f"The recording holds a {kind.__name__} that does not fit its schema ({error}); record it again."
        ) from error


def schema(kind: type[Any], title: str, description: str = "") -> dict[str, Any]:
    """JSON schema of a dataclass."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, "description": description}
    return {**head, **_describe(kind)}


def _describe(hint: Any) -> dict[str, Any]:
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    if hint is Any:
        return {}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (tuple, list):
        if origin is tuple and arguments[-1] is not Ellipsis:
            return {"type": "array", "prefixItems": [_describe(item) for item in arguments]}
        return {"type": "array", "items": _describe(arguments[0])}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_describe(item) for item in arguments]}
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        names = [field.name for field in dataclasses.fields(hint)]
        properties = {name: _describe(hints[name]) for name in names}
        return {"type": "object", "properties": properties, "required": names}
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return {"type": "integer", "enum": [int(item) for item in hint]}
    return {"type": "object"}


def _build(hint: Any, value: Any) -> Any:
    if hint is Any:
        return value
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (tuple, list):
        if not isinstance(value, list):
            raise TypeError(f"an array was expected, not {value!r:.40}")
        if origin is tuple and arguments[-1] is not Ellipsis:
            return tuple(_build(kind, item) for kind, item in zip(arguments, value, strict=True))
        return origin(_build(arguments[0], item) for item in value)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _build(next(kind for kind in arguments if kind is not type(None)), value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return hint(
            **{
                field.name: _build(hints[field.name], value[field.name])
                for field in dataclasses.fields(hint)
                # A field that a newer version added has a default for older recordings.
                if field.name in value or field.default is dataclasses.MISSING
            }
        )
    if hint is bytes:
        return base64.b64decode(value, validate=True)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint(value)
    if hint is float and type(value) is int:
        return float(value)
    if hint is float and type(value) is float and not math.isfinite(value):
        raise ValueError(f"a finite number was expected, not {value}")
    if hint in (bool, int, float, str) and type(value) is not hint:
        raise TypeError(f"{hint.__name__} was expected, not {value!r:.40}")
    return value

"""Frozen dataclasses as JSON values and back, and the JSON schema of them, all from their type hints.

Bytes become base64, tuples arrays, enumerations their number, nested dataclasses objects.
"""

import base64
import binascii
import dataclasses
import math
import types
import typing
from collections.abc import Callable
from enum import IntEnum
from functools import cache, partial
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
        return typing.cast(_T, _reader(typing.cast(Any, kind))(value))
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


_Reader = Callable[[Any], Any]


@cache
def _reader(hint: Any) -> _Reader:
    """What turns a JSON value into a value of a type; made once a type, because a night has a million records."""
    if hint is Any:
        return lambda value: value
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (tuple, list):
        return _sequence(origin, arguments)
    if origin in (typing.Union, types.UnionType):
        inner = _reader(next(kind for kind in arguments if kind is not type(None)))
        optional = type(None) in arguments
        return lambda value: None if value is None and optional else inner(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint)
    if hint is bytes:
        return lambda value: base64.b64decode(value, validate=True)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return lambda value: hint(_exact(int, value))
    if hint is float:
        return _float
    if hint in (bool, int, str):
        return partial(_exact, hint)
    return lambda value: value


def _sequence(origin: Any, arguments: tuple[Any, ...]) -> _Reader:
    if origin is tuple and arguments[-1] is not Ellipsis:
        readers = [_reader(kind) for kind in arguments]
        return lambda value: tuple(read(item) for read, item in zip(readers, _exact(list, value), strict=True))
    read = _reader(arguments[0])
    return lambda value: origin(map(read, _exact(list, value)))


def _dataclass(hint: Any) -> _Reader:
    hints = typing.get_type_hints(hint)
    readers = [(field.name, _reader(hints[field.name]), _has_default(field)) for field in dataclasses.fields(hint)]

    def read(value: Any) -> Any:
        _exact(dict, value)
        # A field that a newer version added has a default for older recordings.
        return hint(**{name: read(value[name]) for name, read, optional in readers if not optional or name in value})

    return read


def _float(value: Any) -> float:
    number = float(value) if type(value) is int else _exact(float, value)
    if not math.isfinite(number):
        raise ValueError(f"a finite number was expected, not {value}")
    return float(number)


def _exact(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} was expected, not {value!r:.40}")
    return value


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING

"""Typed fields of SMP bodies; each reader raises ManagementError naming the field that is missing or wrong."""

import math
from collections.abc import Mapping
from typing import Any

from thermo_core.errors import ManagementError

Body = Mapping[str, Any]


def wrong(name: str, wanted: str, value: object) -> ManagementError:
    """The error for a field that is missing or not what it must be."""
    found = "is missing" if value is None else f"is {value!r:.40}"
    return ManagementError(f'The field "{name}" of a management message {found}; it must be {wanted}.')


def uint(body: Body, name: str, most: int, least: int = 0) -> int:
    """A whole number from `least` to `most`."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(name, f"a whole number from {least} to {most}", value)
    return value


def number(body: Body, name: str) -> float:
    """A finite number; a whole one is taken too."""
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < math.inf:
        raise wrong(name, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise wrong(name, "a number of at most 64 bits", value) from None


def flag(body: Body, name: str) -> bool:
    """True or false."""
    value = body.get(name)
    if not isinstance(value, bool):
        raise wrong(name, "true or false", value)
    return value


def text(body: Body, name: str) -> str:
    """Text."""
    value = body.get(name)
    if not isinstance(value, str):
        raise wrong(name, "text", value)
    return value


def byte_string(body: Body, name: str) -> bytes:
    """A byte string."""
    value = body.get(name)
    if not isinstance(value, bytes):
        raise wrong(name, "a byte string", value)
    return value


def items(body: Body, name: str) -> list[Any]:
    """A list."""
    value = body.get(name)
    if not isinstance(value, list):
        raise wrong(name, "a list", value)
    return value


def maps(body: Body, name: str) -> list[Body]:
    """A list of maps."""
    found = items(body, name)
    if not all(isinstance(item, Mapping) for item in found):
        raise wrong(name, "a list of maps", found)
    return found


def texts(body: Body, name: str) -> tuple[str, ...]:
    """A list of texts."""
    found = items(body, name)
    if not all(isinstance(item, str) for item in found):
        raise wrong(name, "a list of texts", found)
    return tuple(found)

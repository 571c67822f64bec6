"""Markdown tables of what a type's fields are, out of its annotations and its docstring: pages say what the code takes."""

import inspect
import re
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from thermo_core.schema import Record, special_schema

_ATTRIBUTE = re.compile(r"^ {4}(?P<names>[a-z_]+(?:, [a-z_]+)*): (?P<text>.*(?:\n {8}.*)*)", re.MULTILINE)
_WORDS = {
    "boolean": "`true`, `false`",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "object": "map",
}


def about(kind: type[Record]) -> str:
    """What a type's docstring says of it before its attributes, as paragraphs."""
    return (inspect.getdoc(kind) or "").split("\n\nAttributes:")[0].strip()


def field_table(
    kind: type[Record], first: str, needed: Collection[str] = (), elsewhere: Collection[str] = ()
) -> Iterator[str]:
    """Lines of a table with a row for each field, of a heading alone where there are none.

    Args:
        kind: the type.
        first: heading of the first column.
        needed: fields without which nothing is, though the type has something for them.
        elsewhere: fields that are left out.
    """
    described = msgspec.json.schema(kind, schema_hook=special_schema)["$defs"][kind.__name__]
    meanings = _meanings(kind)
    yield f"| {first} | values | where left out | what it is |\n|---|---|---|---|"
    for field, one in described["properties"].items():
        if field not in elsewhere:
            default = one.get("default")
            shown = "-" if default in (None, "", (), []) else f"`{toml(default)}`"
            shown = "needed" if field in needed or field in described.get("required", ()) else shown
            yield f"| `{field}` | {_values(one)} | {shown} | {meanings[_attribute(kind, field)]} |"


def toml(value: object) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _attribute(kind: type[Record], field: str) -> str:
    """Name in the docstring of what a file calls `field`."""
    return next(one.name for one in msgspec.structs.fields(kind) if one.encode_name == field)


def _meanings(kind: type[Record]) -> dict[str, str]:
    """What each field is, from the docstrings of the type and those it is made of."""
    found: dict[str, str] = {}
    for part in reversed(kind.__mro__):
        for match in _ATTRIBUTE.finditer(inspect.getdoc(part) or ""):
            for name in match["names"].split(", "):
                found[name] = " ".join(match["text"].split()).rstrip(".").replace("|", "\\|")
    return found


def _values(described: dict[str, Any]) -> str:
    if "anyOf" in described:
        described = next(one for one in described["anyOf"] if one.get("type") != "null")
    if "enum" in described:
        return ", ".join(f"`{toml(value)}`" for value in described["enum"])
    if described.get("type") == "array":
        return f"list of {described.get('minItems', 0)} to {described['maxItems']}"
    low = described.get("minimum", described.get("exclusiveMinimum"))
    if low is not None:
        return f"{'above ' if 'exclusiveMinimum' in described else ''}{low:g} to {described['maximum']:g}"
    return _WORDS[described.get("type", "object")]

"""Schemas of OpenAPI as Python: annotations, and frozen structs for what routes answer."""

import keyword
from collections.abc import Iterable, Mapping
from typing import Any

from thermo_core.errors import UsageError

Schema = Mapping[str, Any]
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def annotation(schema: Schema) -> str:
    """What a schema is in Python."""
    if "$ref" in schema:
        return name_of(schema["$ref"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(annotation(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return f"Literal[{', '.join(repr(one) for one in schema['enum'])}]"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    kind = schema.get("type")
    if kind == "array":
        return f"list[{annotation(schema.get('items', {}))}]"
    if kind == "object":
        values = schema.get("additionalProperties", True)
        return f"dict[str, {annotation(values) if isinstance(values, dict) and values else 'Any'}]"
    if schema.get("format") == "binary":
        return "bytes"
    return PLAIN.get(str(kind), "Any")


def name_of(reference: str) -> str:
    """Name of the schema that a reference is of."""
    return reference.rpartition("/")[2]


def references(part: Any) -> Iterable[str]:
    """Names of all schemas that something refers to, in order."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name == "$ref":
                yield name_of(value)
            else:
                yield from references(value)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


def needed(schemas: Mapping[str, Schema], wanted: Iterable[str]) -> list[str]:
    """Schemas that are wanted and those these rest on, each after what it rests on."""
    found: list[str] = []

    def take(name: str) -> None:
        if name not in found:
            for one in references(schemas[name]):
                take(one)
            if name not in found:
                found.append(name)

    for name in wanted:
        take(name)
    return found


def struct(name: str, schema: Schema) -> str:
    """A schema as a struct, or as what its name stands for.

    Raises:
        UsageError: its name is none of Python's, as where two models of the API are called the same.
    """
    if not name.isidentifier():
        raise UsageError(
            f"The API's model {name!r:.80} has no name of its own; call it otherwise than those of other parts."
        )
    if schema.get("type") != "object":
        return f"{name} = {annotation(schema)}\n"
    lines = [f"class {name}(msgspec.Struct, frozen=True):", f'    """{_documented(schema)}"""', ""]
    required = set(schema.get("required", ()))
    fields = sorted(schema.get("properties", {}).items(), key=lambda one: one[0] not in required)
    for field, about in fields:
        kind = annotation(about)
        own = python_name(field)
        renamed = f"name={field!r}" if own != field else ""
        if field in required:
            lines.append(f"    {own}: {kind}" + (f" = msgspec.field({renamed})" if renamed else ""))
        else:
            lines.append(f"    {own}: {kind} = {about.get('default')!r}")
    return "\n".join(lines) + "\n"


def default(schema: Schema) -> str:
    """What stands where nothing was said; a list as a tuple, which nobody can change."""
    value = schema.get("default")
    return repr(tuple(value) if isinstance(value, list) else value)


def python_name(name: str) -> str:
    """A name that Python does not keep for itself."""
    return f"{name}_" if keyword.iskeyword(name) else name


def _documented(schema: Schema) -> str:
    lines = str(schema.get("description", "")).strip().splitlines()
    first = lines[0] if lines else str(schema.get("title", ""))
    rest = [f"    {line}".rstrip() for line in lines[1:]]
    return "\n".join([first, *rest, "    "]) if rest else first

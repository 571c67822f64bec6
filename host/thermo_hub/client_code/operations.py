"""Operations of OpenAPI as methods, for a client that waits and for one that does not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thermo_hub.client_code.schemas import Schema, annotation, default, name_of, python_name
from thermo_hub.security.roles import Role

REFUSAL = "Refused"


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a method.

    Attributes:
        name: as the API has it.
        kind: in Python.
        where: path, query, json or bytes.
        value: that stands where it is left out; None where it must be given.
    """

    name: str
    kind: str
    where: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation.

    Attributes:
        group: the part of the hub, as the attribute of a client.
        name: of the method.
        method, path: of HTTP.
        summary: what it does.
        roles: that may use it.
        arguments: those that must be given first.
        answer: what comes, in Python; "bytes" of what is no JSON.
    """

    group: str
    name: str
    method: str
    path: str
    summary: str
    roles: tuple[str, ...]
    arguments: tuple[Argument, ...]
    answer: str


def operations(described: Mapping[str, Any]) -> list[Operation]:
    """All operations of a description, by group and in their order."""
    schemas = described["components"]["schemas"]
    found = [
        _operation(path, method, operation, schemas)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    return sorted(found, key=lambda one: one.group)


def wanted(described: Mapping[str, Any]) -> list[str]:
    """Names of the schemas that operations answer with, and that arguments are of."""
    found: list[str] = []
    for one in operations(described):
        for kind in (one.answer, *(argument.kind for argument in one.arguments)):
            found += [name for name in re.findall(r"\w+", kind) if name in described["components"]["schemas"]]
    return list(dict.fromkeys(found))


def method_code(one: Operation, waits: bool) -> str:
    """A method that asks for it."""
    needed = [argument for argument in one.arguments if argument.value is None]
    optional = [argument for argument in one.arguments if argument.value is not None]
    given = [f"{python_name(argument.name)}: {argument.kind}" for argument in needed]
    given += ["*"] if optional else []
    given += [f"{python_name(argument.name)}: {argument.kind} = {argument.value}" for argument in optional]
    path = re.sub(r"\{(\w+)\}", lambda found: f"{{quoted({python_name(found[1])})}}", one.path)
    place = f'f"{path}"' if path != one.path else f'"{path}"'
    passed = [f'"{one.method}"', place, "bytes" if one.answer == "bytes" else one.answer]
    for where, name in (("query", "query"), ("json", "body")):
        pairs = [argument for argument in one.arguments if argument.where == where]
        if pairs:
            inner = ", ".join(f'"{argument.name}": {python_name(argument.name)}' for argument in pairs)
            passed.append(f"{name}={{{inner}}}")
    passed += [f"content={python_name(argument.name)}" for argument in one.arguments if argument.where == "bytes"]
    roles = "every one" if len(one.roles) == len(Role) else ", ".join(one.roles) or "nobody is asked"
    start, wait = ("async def", "await ") if waits else ("def", "")
    return (
        f"    {start} {python_name(one.name)}(self, {', '.join(given)}) -> {one.answer}:\n".replace(
            "(self, )", "(self)"
        )
        + f'        """{one.summary}.\n\n        Roles: {roles}.\n        """\n'
        + f"        return {wait}self._line.ask({', '.join(passed)})\n"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Operation:
    group = operation["tags"][0]
    arguments = [
        Argument(
            one["name"],
            _taken(one["schema"]),
            one["in"],
            None if one["required"] else default(one["schema"]),
        )
        for one in operation.get("parameters", ())
    ]
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if media != "application/json":
            arguments.append(Argument("data", "bytes", "bytes", None))
            continue
        body = schemas[name_of(content["schema"]["$ref"])]
        arguments += [
            Argument(name, _taken(about), "json", None if name in body.get("required", ()) else default(about))
            for name, about in body["properties"].items()
        ]
    return Operation(
        group,
        operation["operationId"].removeprefix(f"{group}_"),
        method.upper(),
        path,
        operation["summary"],
        tuple(operation.get("x-roles", ())),
        tuple(arguments),
        _answer(operation),
    )


def _taken(schema: Schema) -> str:
    """What an argument may be: of a list any sequence."""
    return annotation(schema).replace("list[", "Sequence[")


def _answer(operation: Mapping[str, Any]) -> str:
    for media, content in operation["responses"]["200"].get("content", {}).items():
        return annotation(content["schema"]) if media == "application/json" else "bytes"
    return "None"

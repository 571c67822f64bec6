"""Which role may use which route: read from the routes themselves, so that no list of it can be out of date."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from thermo_hub.security.roles import Allowed, Role


@dataclass(frozen=True, slots=True)
class Entry:
    """A route.

    Attributes:
        method: of HTTP, or "WEBSOCKET".
        path: as the route has it.
        roles: that may use it; None for a route that asks nobody.
    """

    method: str
    path: str
    roles: frozenset[Role] | None


def matrix(routes: Iterable[BaseRoute]) -> list[Entry]:
    """Every route of an application, by path and method."""
    found = []
    for route in routes:
        if isinstance(route, APIRoute):
            found += [Entry(method, route.path, _roles(route.dependant)) for method in route.methods or ()]
        elif isinstance(route, APIWebSocketRoute):
            found.append(Entry("WEBSOCKET", route.path, _roles(route.dependant)))
    return sorted(found, key=lambda one: (one.path, one.method))


def markdown(entries: Iterable[Entry]) -> str:
    """As a table, for people."""
    lines = [f"| route | {' | '.join(Role)} |", f"|---|{'---|' * len(Role)}"]
    for one in entries:
        marks = ["anybody" if one.roles is None else "yes" if role in one.roles else "" for role in Role]
        lines.append(f"| `{one.method} {one.path}` | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def _roles(dependant: Dependant) -> frozenset[Role] | None:
    """Those that all of a route's conditions let in."""
    found: frozenset[Role] | None = None
    for condition in _conditions(dependant):
        found = condition.roles if found is None else found & condition.roles
    return found


def _conditions(dependant: Dependant) -> Iterator[Allowed]:
    if isinstance(dependant.call, Allowed):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _conditions(inner)

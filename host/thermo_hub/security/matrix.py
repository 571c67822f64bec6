"""Which role may use which route: read from the routes themselves, so that no list of it can be out of date."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from thermo_hub.security.roles import Role, roles_of
from thermo_hub.security.subjects import LISTS


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
            found += [Entry(method, route.path, roles_of(route.dependant)) for method in route.methods or ()]
        elif isinstance(route, APIWebSocketRoute):
            found.append(Entry("WEBSOCKET", route.path, roles_of(route.dependant)))
    return sorted(found, key=lambda one: (one.path, one.method))


def markdown(entries: Iterable[Entry]) -> str:
    """As a table, for people."""
    lines = [f"| route | {' | '.join(Role)} |", f"|---|{'---|' * len(Role)}"]
    for one in entries:
        lines.append(f"| `{one.method} {one.path}` | {' | '.join(_mark(one, role) for role in Role)} |")
    return "\n".join(lines) + "\n"


def _mark(one: Entry, role: Role) -> str:
    if one.roles is None:
        return "anybody"
    if role not in one.roles:
        return ""
    tells = one.path in LISTS or re.search(r"\{(wearable|recording|item)\}", one.path)
    return "consent" if role is Role.RESEARCHER and tells else "yes"

"""What people may do: roles, and how a route says which of them may use it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

from thermo_hub.security.accesses import Accesses
from thermo_hub.security.scopes import Scope, Scopes
from thermo_hub.security.subjects import subject


class Role(StrEnum):
    """What somebody is to the wearers of a hub."""

    WEARER = "wearer"
    CARER = "carer"
    CLINICIAN = "clinician"
    RESEARCHER = "researcher"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"


EVERYBODY = frozenset(Role)
WATCHING = frozenset((Role.WEARER, Role.CARER, Role.CLINICIAN))
"""Those who see what wearables measure and say."""
TENDING = frozenset((Role.ENGINEER, Role.ADMINISTRATOR))
"""Those who look after wearables."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who came in.

    Attributes:
        name: whom rows of the audit and of alerts name.
        roles: what they may do.
        csrf: what their requests that change something must carry.
    """

    name: str
    roles: frozenset[Role]
    csrf: str


class Allowed:
    """The dependency of a route that some roles may use; it gives the visitor.

    Args:
        roles: any of them is enough.
    """

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles

    def __call__(self, connection: HTTPConnection) -> Visitor:
        """The visitor of a request or a WebSocket.

        Answers 401 where there is none, 403 where they have no such role, and 404 where it is of a wearable that they do not see.
        """
        visitor: Visitor | None = connection.scope.get("visitor")
        if visitor is None:
            raise HTTPException(401, "Come in by the link that the hub printed, or sign in.")
        may = bool(self.roles & visitor.roles)
        state = connection.app.state
        seen = seen_by(connection, visitor)
        of = subject(connection, state.hub.store, state.hub.settings.recordings)
        sees = of is None or seen.sees(of)
        accesses: Accesses = state.accesses
        roles = " ".join(sorted(visitor.roles))
        accesses.note_route(connection, visitor.name, roles, of, seen, may and sees)
        if not may:
            wanted = " or ".join(sorted(self.roles))
            raise HTTPException(403, f"This is for a {wanted}; ask an administrator for that role.")
        if not sees:
            raise HTTPException(404, "There is nothing of that name that you see; an administrator assigns wearables.")
        return visitor


def seen_by(connection: HTTPConnection, visitor: Visitor) -> Scope:
    """Which wearables a visitor sees."""
    scopes: Scopes = connection.app.state.hub.door.scopes
    return scopes.of(visitor.name, visitor.roles)


def scope_of(connection: HTTPConnection) -> Scope:
    """Which wearables the visitor of a route that asks for a role sees: a dependency."""
    visitor: Visitor | None = connection.scope.get("visitor")
    return Scope(frozenset()) if visitor is None else seen_by(connection, visitor)


Seen = Annotated[Scope, Depends(scope_of)]


def allow(roles: frozenset[Role] | Role) -> Callable[[HTTPConnection], Visitor]:
    """What a route depends on: `Annotated[Visitor, Depends(allow(WATCHING))]`."""
    return Allowed(frozenset((roles,)) if isinstance(roles, Role) else roles)

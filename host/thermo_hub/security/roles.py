"""What people may do: roles, and how a route says which of them may use it.

Whoever may use a route as a researcher alone gets of it what wearers have given consent to research for, names wearables and recordings
by pseudonyms, and is told none of their names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection

from thermo_hub.security.accesses import Accesses
from thermo_hub.security.aliases import Aliases, Names
from thermo_hub.security.consents import Purpose, agreed_to, lacking
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
RESEARCHES = "thermo_hub.researches"
"""Key of a request's scope: whether its visitor may use the route as a researcher alone."""


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

        Answers 401 where there is none, 403 where they have no such role, or as a researcher ask for a wearer without consent to
        research, and 404 where it is of a wearable that they do not see.
        """
        visitor: Visitor | None = connection.scope.get("visitor")
        if visitor is None:
            raise HTTPException(401, "Come in by the link that the hub printed, or sign in.")
        may = bool(self.roles & visitor.roles)
        state = connection.app.state
        store, by_research = state.hub.store, researches(connection, visitor)
        of = subject(connection, store, state.hub.settings.recordings)
        sees = of is None or (_assigned(connection, visitor).sees(of) and not (by_research and not of))
        refusal = lacking(store, of, Purpose.RESEARCH) if by_research and of and sees else ""
        accesses: Accesses = state.accesses
        roles = " ".join(sorted(visitor.roles))
        seen = seen_by(connection, visitor)
        accesses.note_route(connection, visitor.name, roles, of, seen, may and sees and not refusal)
        if not may:
            wanted = " or ".join(sorted(self.roles))
            raise HTTPException(403, f"This is for a {wanted}; ask an administrator for that role.")
        if not sees:
            raise HTTPException(404, "There is nothing of that name that you see; an administrator assigns wearables.")
        if refusal:
            raise HTTPException(403, refusal)
        return visitor


def roles_of(dependant: Dependant) -> frozenset[Role] | None:
    """Those that all of a route's conditions let in; None where it asks nobody."""
    found: frozenset[Role] | None = None
    for condition in _conditions(dependant):
        found = condition.roles if found is None else found & condition.roles
    return found


def _conditions(dependant: Dependant) -> Iterator[Allowed]:
    if isinstance(dependant.call, Allowed):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _conditions(inner)


def researches(connection: HTTPConnection, visitor: Visitor) -> bool:
    """Whether somebody may use the route of a request as a researcher alone.

    The first that asks has the wearable or recording that its address names by a pseudonym be what that stands for.
    """
    scope = connection.scope
    if RESEARCHES not in scope:
        roles = roles_of(scope["route"].dependant) or frozenset()
        scope[RESEARCHES] = roles & visitor.roles == {Role.RESEARCHER}
        if scope[RESEARCHES]:
            aliases: Aliases = connection.app.state.aliases
            aliases.resolve(scope["path_params"])
    return bool(scope[RESEARCHES])


def names_of(connection: HTTPConnection) -> Names:
    """Names as the visitor of a route that asks for a role may know them: a dependency."""
    visitor: Visitor | None = connection.scope.get("visitor")
    by_name = visitor is not None and not researches(connection, visitor)
    return Names(None if by_name else connection.app.state.aliases)


Named = Annotated[Names, Depends(names_of)]


def seen_by(connection: HTTPConnection, visitor: Visitor) -> Scope:
    """Which wearables a visitor sees; of a researcher those whose wearers have given consent to research."""
    found = _assigned(connection, visitor)
    if not researches(connection, visitor):
        return found
    return found.within(agreed_to(connection.app.state.hub.store, Purpose.RESEARCH))


def _assigned(connection: HTTPConnection, visitor: Visitor) -> Scope:
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

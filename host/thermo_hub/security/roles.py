"""What people may do: roles, and how a route says which of them may use it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from thermo_hub.security.accesses import Accesses


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
        """The visitor of a request or a WebSocket; answers 401 or 403 where there is none or of no such role."""
        visitor: Visitor | None = connection.scope.get("visitor")
        if visitor is None:
            raise HTTPException(401, "Come in by the link that the hub printed, or sign in.")
        may = bool(self.roles & visitor.roles)
        accesses: Accesses = connection.app.state.accesses
        accesses.note_route(connection, visitor.name, " ".join(sorted(visitor.roles)), may)
        if not may:
            wanted = " or ".join(sorted(self.roles))
            raise HTTPException(403, f"This is for a {wanted}; ask an administrator for that role.")
        return visitor


def allow(roles: frozenset[Role] | Role) -> Callable[[HTTPConnection], Visitor]:
    """What a route depends on: `Annotated[Visitor, Depends(allow(WATCHING))]`."""
    return Allowed(frozenset((roles,)) if isinstance(roles, Role) else roles)

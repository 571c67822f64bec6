"""What the routes of accounts answer."""

from thermo_hub.described import Answer


class Named(Answer):
    """An account.

    Attributes:
        name: of it.
    """

    name: str


class Invited(Named):
    """Somebody who was invited.

    Attributes:
        name: of the account.
        link: that lets them set a password once, within a week.
    """

    link: str


class Account(Answer):
    """An account.

    Attributes:
        name: of it.
        roles: what it may do.
        closed: whether nobody comes in by it.
        since_ms: when it was made, milliseconds since 1970 UTC.
        changed_ms: when its password was set.
    """

    name: str
    roles: list[str]
    closed: bool
    since_ms: int
    changed_ms: int


class Accounts(Answer):
    """All accounts.

    Attributes:
        accounts: by name.
        roles: that there are.
    """

    accounts: list[Account]
    roles: list[str]


class Route(Answer):
    """Who may use a route.

    Attributes:
        method: of HTTP, or WEBSOCKET.
        path: as the route has it.
        roles: any of them is enough; None for a route that asks nobody.
    """

    method: str
    path: str
    roles: list[str] | None


class Routes(Answer):
    """Who may use which route.

    Attributes:
        routes: by path and method.
    """

    routes: list[Route]

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
        wearables: ids of those that it sees; "*" for all.
        visits: how often it has come in and not gone since.
    """

    name: str
    roles: list[str]
    closed: bool
    since_ms: int
    changed_ms: int
    wearables: list[str]
    visits: int


class Assigned(Named):
    """Which wearables an account sees.

    Attributes:
        wearables: ids; "*" for all.
    """

    wearables: list[str]


class Assignable(Answer):
    """A wearable that the hub knows.

    Attributes:
        id: of it.
        label: what people call it.
        profile: what it is.
    """

    id: str
    label: str
    profile: str


class Accounts(Answer):
    """All accounts.

    Attributes:
        accounts: by name.
        roles: that there are.
        wearables: that may be assigned.
    """

    accounts: list[Account]
    roles: list[str]
    wearables: list[Assignable]


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


class Look(Answer):
    """Somebody looked at a wearable.

    Attributes:
        at_ms: when, milliseconds since 1970 UTC; the same within ten minutes is told once.
        who: name of the account.
        roles: that they had.
        wearable: id; "" for all wearables.
        action: read, live, export or change.
        what: method and path.
        ok: whether their role may.
    """

    at_ms: int
    who: str
    roles: list[str]
    wearable: str
    action: str
    what: str
    ok: bool


class Looks(Answer):
    """Who looked.

    Attributes:
        accesses: newest first.
    """

    accesses: list[Look]

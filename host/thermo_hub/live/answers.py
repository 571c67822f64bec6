"""What the routes of live pages answer."""

from typing import Any

from thermo_hub.described import Answer


class Me(Answer):
    """The visitor.

    Attributes:
        name: of the account.
        roles: what it may do.
        csrf: what requests that change something carry in the header `x-thermo-csrf`.
    """

    name: str
    roles: list[str]
    csrf: str


class Wearable(Answer):
    """A wearable that is here.

    Attributes:
        id: under which all of the hub knows it.
        label: what people call it.
        name, serial: of the device.
        profile: what it is.
        simulated: its hardware is.
        port: where it is.
        state: live, or why not in a word.
        reason: why it is not live, in words.
    """

    id: str
    label: str
    name: str
    serial: str
    profile: str
    simulated: bool
    port: str
    state: str
    reason: str


class Shut(Answer):
    """A port behind which no wearable answers.

    Attributes:
        port: its path.
        state: in a word.
        reason: in words.
    """

    port: str
    state: str
    reason: str


class Wearables(Answer):
    """Who is here.

    Attributes:
        wearables: by id.
        shut: ports behind which none answers.
    """

    wearables: list[Wearable]
    shut: list[Shut]


class Drawing(Answer):
    """What pages draw with.

    Attributes:
        palette: red, green and blue of temperatures, coldest first.
        body: outlines of a body's segments.
    """

    palette: list[list[int]]
    body: dict[str, Any]


class Labelled(Answer):
    """What a wearable is called.

    Attributes:
        label: it.
    """

    label: str

"""What the parts of a hub share, and what a part is.

A part (live pages, devices, alerts, trends, ...) is a package of its own with a `PART`: its routes, and what runs as long as the hub does.
`app.PARTS` lists them; no part imports another one: they meet on the bus and in the store.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import HTTPConnection

from thermo_hub.bus import Bus
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store
from thermo_hub.wearables.bundles import Bundles
from thermo_hub.wearables.registry import Wearables


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub at work.

    Attributes:
        settings: how it is set up.
        bus: events.
        store: the database.
        wearables: those that are here.
        door: who may come in.
        bundles: whose networks are known here.
    """

    settings: Settings
    bus: Bus
    store: Store
    wearables: Wearables
    door: Door
    bundles: Bundles


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the hub.

    Attributes:
        name: of it.
        router: its routes, each with `Depends(allow(...))` that says which roles may use it.
        run: an asynchronous context manager that is open as long as the hub runs; what it gives is `app.state.running[name]`. None where
            nothing runs.
    """

    name: str
    router: APIRouter
    run: Callable[[Hub], AbstractAsyncContextManager[object]] | None = None


def hub_of(connection: HTTPConnection) -> Hub:
    """The hub that answers a request or a WebSocket: a dependency."""
    hub: Hub = connection.app.state.hub
    return hub

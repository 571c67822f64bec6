"""A hub in a process of its own with a simulated patch in another, and one in this process without wearables."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import ORIGIN, Serving, Visit, serving
from playwright.sync_api import Browser, sync_playwright
from postgres import Postgres
from postgres import postgres as postgres_server
from running import Running, started
from starlette.testclient import TestClient
from strict_answers import hold

from thermo_hub.app import application
from thermo_hub.bus import Bus
from thermo_hub.hub import Hub
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store, open_store
from thermo_hub.wearables.bundles import Bundles
from thermo_hub.wearables.registry import Wearables


# What runs in a process of its own goes on while others are tested, so it ends with the module that needs it.
@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A simulated breast patch with its network."""
    with started("agent", tmp_path_factory.mktemp("patch")) as running:
        yield running


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, patch: Running) -> Iterator[Serving]:
    """A hub that looks at it."""
    with serving(tmp_path_factory.mktemp("hub"), patch) as found:
        yield found


@pytest.fixture(scope="module")
def browser(hub: Serving) -> Iterator[Browser]:
    """A browser, which keeps an event loop running in this thread: the wearable is flashed before."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of PostgreSQL."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(folder=str(tmp_path / "hub"))


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """A hub without wearables in this process."""
    settings = Settings(folder=str(tmp_path_factory.mktemp("alone")))
    store = open_store(settings)
    loop = asyncio.new_event_loop()
    bus, door = Bus(loop), Door(store)
    made = Hub(settings, bus, store, Wearables(store, bus, lambda: ()), door, Bundles(settings.bundles))
    with TestClient(application(made), base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
        client.event_hooks["response"].append(hold)
        yield Visit(client, door, settings, store)
    loop.close()
    store.close()


@pytest.fixture
def visit(alone: Visit) -> Visit:
    """It, and a browser that nobody let in yet."""
    alone.client.cookies.clear()
    return alone

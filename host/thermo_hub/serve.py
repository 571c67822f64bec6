"""A hub from start to end, in this process."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import uvicorn

from thermo_core.errors import ThermoError, UsageError
from thermo_core.files import check_readable
from thermo_hub.app import application
from thermo_hub.bus import Bus
from thermo_hub.hub import Hub
from thermo_hub.running import running
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings, with_changes
from thermo_hub.store.store import open_store
from thermo_hub.wearables.bundles import Bundles
from thermo_hub.wearables.registry import Wearables

LARGEST_MESSAGE = 1 << 16
"""Of a page to the hub, bytes."""


def serve(settings: Settings, ready: Callable[[str], None], ports: Callable[[], Iterable[str]] | None = None) -> None:
    """Run a hub until it is interrupted.

    Args:
        settings: how.
        ready: told the link that opens the pages once, when it can be opened.
        ports: gives the ports to listen to at any moment; None for those of the settings.

    Raises:
        UsageError: the port is taken, or the certificate is none.
        StorageError: the database or the folder cannot be used.
    """
    _check_certificate(settings)
    with contextlib.closing(_listen(settings)) as listening:
        port = listening.getsockname()[1]
        if ports is None and settings.ports:
            ports = lambda: settings.ports  # noqa: E731
        settings = with_changes(settings, port=port)
        with running(settings):
            asyncio.run(_run(settings, listening, ready, ports))


async def _run(
    settings: Settings,
    listening: socket.socket,
    ready: Callable[[str], None],
    ports: Callable[[], Iterable[str]] | None,
) -> None:
    store = await asyncio.to_thread(open_store, settings)
    try:
        bus, door = Bus(asyncio.get_running_loop()), Door(store)
        keep = settings.keep
        bundles = Bundles(settings.bundles, keep.bundles, round(keep.bundles_mb * (1 << 20)))
        hub = Hub(settings, bus, store, Wearables(store, bus, ports), door, bundles)
        refusals: list[ThermoError] = []
        server = _Server(
            uvicorn.Config(
                application(hub, refused=refusals.append),
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws_max_size=LARGEST_MESSAGE,
                # Pictures are noise to a compressor, and it would take most of the time.
                ws_per_message_deflate=False,
                ssl_certfile=settings.certificate or None,
                ssl_keyfile=settings.key or None,
                timeout_graceful_shutdown=2,
            ),
            lambda: ready(f"{settings.origin(settings.port)}/enter?token={door.token()}"),
            refusals,
        )
        await server.serve([listening])
        if refusals:
            raise refusals[0]
    finally:
        store.close()


class _Server(uvicorn.Server):
    """Tells when it answers, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], refusals: Sequence[ThermoError]) -> None:
        super().__init__(config)
        self._ready = ready
        self._refusals = refusals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._refusals:
            self.should_exit = True
        elif self.started:
            await asyncio.to_thread(self._ready)


def _check_certificate(settings: Settings) -> None:
    """Fail in a sentence before a library fails in another way."""
    if not settings.secure:
        return
    for path in (settings.certificate, settings.key):
        check_readable(Path(path))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.certificate, settings.key)
    except ssl.SSLError as error:
        raise UsageError(
            f"{settings.certificate} and {settings.key} are no certificate with its key in PEM ({error.reason}); check both."
        ) from error


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((settings.host, settings.port))
        # Until it listens the system may give the port to somebody else.
        taken.listen()
    except OSError as error:
        taken.close()
        raise UsageError(
            f"The hub cannot listen at {settings.host}:{settings.port} ({(error.strerror or str(error)).lower()}); end what "
            "does so already, or name another port with --http-port."
        ) from error
    return taken

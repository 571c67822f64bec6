"""The door before a WebSocket server that asks nobody who he is: a token, TLS, and no page of another site.

The server behind it listens on this computer alone, at a port of its own; whoever is let in is carried there and back byte for byte. Who is not
is told why by the reason of the close.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.text import clean

MOST_VIEWERS = 16
SHORTEST_TOKEN = 16
LARGEST = 1 << 20
"""Bytes of a message from a viewer, who only chooses channels."""
POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013
OWN_ORIGINS = ("app.foxglove.dev", "localhost", "127.0.0.1", "::1")
"""Hosts of pages that may connect without a token. Any page in a browser can open a socket to this computer."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where the door is, and who is let in.

    Attributes:
        address: to listen at.
        port: to listen at; 0 takes any that is free.
        token: that a viewer must bring; "" asks for none.
        tls: certificate and key; None speaks plainly.
    """

    address: str = "127.0.0.1"
    port: int = 0
    token: str = ""
    tls: ssl.SSLContext | None = None

    @property
    def local(self) -> bool:
        """Whether nobody but programs on this computer reach it."""
        return is_loopback(self.address)


def is_loopback(address: str) -> bool:
    """Whether an address is of this computer alone.

    Raises:
        UsageError: it is no address.
    """
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError as error:
        raise UsageError(
            f"{address!r:.60} is no address to listen at; take 127.0.0.1 for this computer alone, or 0.0.0.0 for all networks."
        ) from error


def read_token(path: Path) -> str:
    """The token in a file: one line.

    Raises:
        StorageError: it cannot be read.
        UsageError: it is too short, or no line of plain characters.
    """
    try:
        text = path.read_text("ascii").strip()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} holds no token; write one line of letters and digits into it.") from error
    except OSError as error:
        raise storage_error("read", path, error) from error
    if len(text) < SHORTEST_TOKEN or not text.isprintable() or " " in text:
        raise UsageError(
            f"{path} holds no token of at least {SHORTEST_TOKEN} letters and digits in one line; make one by "
            "`openssl rand -hex 24`."
        )
    return text


def tls_of(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """TLS by a certificate and its key, PEM; None where neither is given.

    Raises:
        UsageError: only one is given.
        StorageError: they cannot be read, or are none.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("TLS needs a certificate and its key; give both --cert and --key.")
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise storage_error("read", path, error) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise StorageError(
            f"{certificate} and {key} are no PEM certificate and its key without a passphrase; give those that belong together."
        ) from error
    return context


class Front:
    """Listens at a door, in a thread of its own. Use it in a `with` block.

    Args:
        door: where, and who is let in.
        behind: address and port of the server on this computer, "127.0.0.1:1234".
        protocols: WebSocket protocols that it speaks.
        refused: told, from that thread, who was refused and why.

    Attributes:
        port: at which it listens.
        viewers: so many are there.
        turned_away: so many were refused.

    Raises:
        UsageError: the port is taken, or the address is not this computer's.
    """

    def __init__(
        self,
        door: Door,
        behind: str,
        protocols: Sequence[str],
        refused: Callable[[str, str], None] = lambda who, why: None,
    ) -> None:
        self._door = door
        self._behind = behind
        self._protocols = [Subprotocol(name) for name in protocols]
        self._refused = refused
        self.port = door.port
        self.viewers = 0
        self.turned_away = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: Server | None = None

    def __enter__(self) -> "Front":
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except OSError as error:
            self._end()
            raise UsageError(
                f"Nothing can listen at {self._door.address} port {self._door.port} ({error.strerror or error}); choose another "
                "--listen-port or --bind."
            ) from error
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._close(self._server), self._loop).result()
        self._end()

    async def _listen(self) -> Server:
        return await serve(
            self._take,
            self._door.address,
            self._door.port,
            ssl=self._door.tls,
            subprotocols=self._protocols,
            compression=None,
            max_size=LARGEST,
            server_header=None,
        )

    async def _close(self, server: Server) -> None:
        server.close()
        await server.wait_closed()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _take(self, viewer: ServerConnection) -> None:
        why = self._objection(viewer)
        if why:
            self.turned_away += 1
            who = clean(str((viewer.remote_address or ("somebody",))[0]), 60)
            self._refused(who, why)
            await viewer.close(POLICY_VIOLATION, why)
            return
        if self.viewers >= MOST_VIEWERS:
            await viewer.close(TRY_AGAIN_LATER, f"{MOST_VIEWERS} viewers are here already; close one of them.")
            return
        self.viewers += 1
        try:
            await self._carry(viewer)
        finally:
            self.viewers -= 1

    def _objection(self, viewer: ServerConnection) -> str:
        """Why somebody is not let in; "" where he is. The reason of a close has at most 123 bytes."""
        assert viewer.request is not None
        headers = viewer.request.headers
        if self._door.token:
            given = _token(viewer.request.path, headers.get("Authorization", ""))
            if not given:
                return "A token is needed; add ?token=TOKEN to the address, as the server has printed it."
            if not hmac.compare_digest(given.encode(), self._door.token.encode()):
                return "That token is wrong; take the one that the server has printed."
            return ""
        origin = headers.get("Origin")
        if origin is not None and (urlsplit(origin).hostname or "") not in OWN_ORIGINS and origin != "file://":
            return "Pages of other sites are not let in without a token; start the server with --token-file."
        return ""

    async def _carry(self, viewer: ServerConnection) -> None:
        address = f"ws://{self._behind}"
        chosen = [viewer.subprotocol] if viewer.subprotocol is not None else None
        if chosen is None:
            await viewer.close(POLICY_VIOLATION, f"This server speaks {self._protocols[0]}; connect with Foxglove.")
            return
        async with connect(address, subprotocols=chosen, compression=None, max_size=None, proxy=None) as server:
            both = [asyncio.create_task(_copy(viewer, server)), asyncio.create_task(_copy(server, viewer))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)


async def _copy(source: Any, to: Any) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in source:
            await to.send(message)


def _token(path: str, authorization: str) -> str:
    kind, _, bearer = authorization.partition(" ")
    if kind.lower() == "bearer" and bearer:
        return bearer.strip()
    return next(iter(parse_qs(urlsplit(path).query).get("token", ())), "")

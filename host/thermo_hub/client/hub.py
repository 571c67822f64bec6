"""A hub as a program sees it: sign in, ask, look on."""

import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from thermo_core.file_errors import storage_error
from thermo_core.files import replacing
from thermo_hub.client.answers import Me
from thermo_hub.client.async_line import AsyncLine
from thermo_hub.client.async_operations import AsyncOperations
from thermo_hub.client.errors import HubError, HubRefused
from thermo_hub.client.events import Event
from thermo_hub.client.line import Line
from thermo_hub.client.live import LARGEST, PATH, Hearing, watching
from thermo_hub.client.operations import Operations
from thermo_hub.client.requests import ME, quoted

OPEN_S = 10.0


class HubClient(Operations):
    """A hub, for code that waits.

    Args:
        origin: where it is, as "http://127.0.0.1:8123".
        client: that carries requests; one of its own where left out.
        verify: whether a certificate must be one that this machine trusts, or the SSL context that says which.

    Raises:
        UsageError: the origin is none.
    """

    def __init__(self, origin: str, client: httpx.Client | None = None, verify: ssl.SSLContext | bool = True) -> None:
        self.line = Line(origin, client, verify)
        self._verify = verify
        super().__init__(self.line)

    def __enter__(self) -> "HubClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the line."""
        self.line.client.close()

    def enter(self, link: str) -> Me:
        """Come in by the one-time link that the hub printed.

        Raises:
            HubRefused: it was used, or is none.
        """
        answer = self.line.client.get("/enter", params={"token": token_of(link)}, follow_redirects=False)
        _check_entered(answer)
        self.line.forget()
        return self.me()

    def sign_in(self, name: str, password: str) -> Me:
        """Come in by name and password.

        Raises:
            HubRefused: they are wrong, or were tried too often.
        """
        self.accounts.sign_in(name, password)
        return self.me()

    def leave(self) -> None:
        """End the visit."""
        self.line.ask("POST", "/leave", bytes)
        self.line.forget()

    def me(self) -> Me:
        """Who the visitor is."""
        return self.line.ask("GET", ME, Me)

    def save_recording(self, name: str, path: Path) -> None:
        """Write a recording into a file, whole or not at all.

        Raises:
            HubRefused: there is none, or it is for another role.
            StorageError: it cannot be written.
        """
        with self.line.pieces(f"/api/recordings/{quoted(name)}/file") as pieces:
            try:
                with replacing(path) as new, new.open("wb") as file:
                    for piece in pieces:
                        file.write(piece)
            except OSError as error:
                raise storage_error("write", path, error) from error

    @contextmanager
    def watch(self, wearables: Sequence[str] = (), every_ms: float = 0.0) -> Iterator[Iterator[Event]]:
        """Look on: an iterator of events, as they come.

        Args:
            wearables: ids; all of them where empty.
            every_ms: least time between two pictures of a stream.

        Raises:
            HubRefused: nobody has signed in, or the role sees no live pages.
            HubError: the line broke.
        """
        hearing = Hearing()
        try:
            with connect(
                socket_address(self.line.origin),
                additional_headers={"cookie": cookies(self.line.client, self.line.origin)},
                origin=Origin(self.line.origin),
                ssl=context_of(self.line.origin, self._verify),
                open_timeout=OPEN_S,
                max_size=LARGEST,
                compression=None,
                proxy=None,
            ) as socket:
                socket.send(watching(list(wearables), every_ms))
                yield (event for message in socket if (event := hearing.take(message)) is not None)
        except (OSError, WebSocketException) as error:
            raise broken(self.line.origin, error) from error


class AsyncHubClient(AsyncOperations):
    """A hub, for `async` code; arguments and errors as of `HubClient`."""

    def __init__(
        self, origin: str, client: httpx.AsyncClient | None = None, verify: ssl.SSLContext | bool = True
    ) -> None:
        self.line = AsyncLine(origin, client, verify)
        self._verify = verify
        super().__init__(self.line)

    async def __aenter__(self) -> "AsyncHubClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the line."""
        await self.line.client.aclose()

    async def enter(self, link: str) -> Me:
        """Come in by the one-time link that the hub printed."""
        answer = await self.line.client.get("/enter", params={"token": token_of(link)}, follow_redirects=False)
        _check_entered(answer)
        self.line.forget()
        return await self.me()

    async def sign_in(self, name: str, password: str) -> Me:
        """Come in by name and password."""
        await self.accounts.sign_in(name, password)
        return await self.me()

    async def leave(self) -> None:
        """End the visit."""
        await self.line.ask("POST", "/leave", bytes)
        self.line.forget()

    async def me(self) -> Me:
        """Who the visitor is."""
        return await self.line.ask("GET", ME, Me)

    async def save_recording(self, name: str, path: Path) -> None:
        """Write a recording into a file, whole or not at all."""
        async with self.line.pieces(f"/api/recordings/{quoted(name)}/file") as pieces:
            try:
                with replacing(path) as new, new.open("wb") as file:
                    async for piece in pieces:
                        file.write(piece)
            except OSError as error:
                raise storage_error("write", path, error) from error

    @asynccontextmanager
    async def watch(self, wearables: Sequence[str] = (), every_ms: float = 0.0) -> AsyncIterator[AsyncIterator[Event]]:
        """Look on: an iterator of events, as they come."""
        hearing = Hearing()
        try:
            async with connect_async(
                socket_address(self.line.origin),
                additional_headers={"cookie": cookies(self.line.client, self.line.origin)},
                origin=Origin(self.line.origin),
                ssl=context_of(self.line.origin, self._verify),
                open_timeout=OPEN_S,
                max_size=LARGEST,
                compression=None,
                proxy=None,
            ) as socket:
                await socket.send(watching(list(wearables), every_ms))
                yield (event async for message in socket if (event := hearing.take(message)) is not None)
        except (OSError, WebSocketException) as error:
            raise broken(self.line.origin, error) from error


def token_of(link: str) -> str:
    """The token of a link, or the token itself."""
    return parse_qs(urlsplit(link).query).get("token", [link])[0]


def socket_address(origin: str) -> str:
    """Where the live pages are."""
    return f"ws{origin.removeprefix('http')}{PATH}"


def cookies(client: httpx.Client | httpx.AsyncClient, origin: str) -> str:
    """The cookies of a visit, as a header has them; those of other hosts are none of the hub's business."""
    return str(client.build_request("GET", origin).headers.get("cookie", ""))


def context_of(origin: str, verify: ssl.SSLContext | bool) -> Any:
    """What a WebSocket checks certificates with."""
    if not origin.startswith("https"):
        return None
    if isinstance(verify, ssl.SSLContext):
        return verify
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def broken(origin: str, error: Exception) -> HubError:
    """The error of a WebSocket."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return HubRefused("Sign in first, as somebody whose role sees live pages.", status)
    return HubError(f"The line to {origin} broke ({error}); see that the hub runs, and look on again.")


def _check_entered(answer: httpx.Response) -> None:
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise HubRefused("This link was used, or is too old; have `thermo-hub link` print another.", answer.status_code)

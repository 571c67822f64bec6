"""Stands before every route: knows the visitor, turns away what another site sent, and sets the headers of each answer.

- A request must be for a name of this hub: a foreign name that leads here (DNS rebinding) is refused.
- A WebSocket, and a request that changes something, must come from our own pages: its Origin is one of ours.
- A request that changes something carries the visitor's CSRF token in a header too.
"""

import hmac
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thermo_hub.security.cookies import name_of, read_cookie
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings

CSRF_HEADER = "x-thermo-csrf"
SAFE = frozenset(("GET", "HEAD"))
FOREIGN = 4403
"""Code with which a WebSocket that another site opened is closed."""
BODY_LIMIT = 16 << 20
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """An ASGI application before another one.

    Args:
        app: the other.
        door: knows visitors.
        settings: under which names the hub is reached.
    """

    def __init__(self, app: ASGIApp, door: Door, settings: Settings) -> None:
        self._app = app
        self._door = door
        self._cookie = name_of(settings)
        self._secure = settings.secure
        self._names = frozenset(
            name.lower() for name in (settings.host, "localhost", "127.0.0.1", "::1", *settings.names)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None:
            cookie = read_cookie(headers.get("cookie", ""), self._cookie)
            scope["visitor"] = await run_in_threadpool(self._door.visitor, cookie) if cookie else None
            refusal = self._forged(scope, headers)
        if refusal is not None and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": FOREIGN, "reason": refusal[:100]})
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(MutableHeaders(scope=message))
            await send(message)

        if refusal is not None:
            await JSONResponse({"detail": refusal}, 403)(scope, receive, answer)
        elif scope["type"] == "http":
            await self._app(scope, _bounded(receive), answer)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        try:
            named = (urlsplit(f"//{headers.get('host', '')}").hostname or "").lower() in self._names
        except ValueError:
            named = False
        if not named:
            return "This hub is not called so; use the link that it printed."
        if scope["type"] == "http" and scope["method"] in SAFE:
            return None
        scheme = "https" if self._secure else "http"
        if headers.get("origin", "").lower() != f"{scheme}://{headers['host']}".lower():
            return "This came from another site; use the hub's own pages."
        return None

    def _forged(self, scope: Scope, headers: Headers) -> str | None:
        visitor = scope["visitor"]
        if scope["type"] == "websocket" or scope["method"] in SAFE or visitor is None:
            return None
        if not hmac.compare_digest(headers.get(CSRF_HEADER, "").encode(), visitor.csrf.encode()):
            return "The page is not of this visit; load it again."
        return None

    def _dress(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self._secure:
            headers.setdefault("strict-transport-security", "max-age=31536000")
        headers.setdefault("cache-control", "no-store")


def _bounded(receive: Receive) -> Receive:
    """What is received, cut off where it is more than any page of ours sends."""
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > BODY_LIMIT:
            return {"type": "http.disconnect"}
        return message

    return bounded

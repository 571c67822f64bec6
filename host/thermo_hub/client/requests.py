"""Requests and answers of the hub's API, the same for a client that waits and for one that does not."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from thermo_core.errors import UsageError
from thermo_core.text import clean
from thermo_core.typed import from_json
from thermo_hub.client.errors import HubError, HubRefused
from thermo_hub.security.guard import CSRF_HEADER, SAFE

Answer = TypeVar("Answer")
ME = "/api/me"
TIMEOUT_S = 60.0
LONGEST_DETAIL = 500


def checked_origin(origin: str) -> str:
    """Where a hub is, as "http://127.0.0.1:8123"; a whole link will do.

    Raises:
        UsageError: it is none.
    """
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{origin!r:.80} is no hub's address; it is like http://127.0.0.1:8123.")
    return f"{parts.scheme}://{parts.netloc}"


def quoted(part: object) -> str:
    """A part of a path, whatever a name holds."""
    return quote(str(part), safe="")


def built(
    client: httpx.Client | httpx.AsyncClient,
    origin: str,
    csrf: str,
    method: str,
    path: str,
    query: Mapping[str, Any] | None,
    body: Mapping[str, Any] | None,
    content: bytes | None,
) -> httpx.Request:
    """A request as the hub wants it."""
    headers = {"origin": origin}
    if method not in SAFE:
        headers[CSRF_HEADER] = csrf
    if content is not None:
        headers["content-type"] = "application/octet-stream"
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    return client.build_request(method, path, params=asked, json=body, content=content, headers=headers)


def read(answer: httpx.Response, kind: type[Answer]) -> Answer:
    """What an answer holds.

    Raises:
        HubRefused: the hub refused.
        HubError: it answers what it does not say that it answers.
    """
    if not answer.is_success:
        raise HubRefused(_detail(answer), answer.status_code)
    if kind is bytes:
        return answer.content  # type: ignore[return-value]
    try:
        return from_json(answer.content, kind)
    except msgspec.MsgspecError as error:
        raise HubError(
            f"The hub answers {answer.request.url.path!r:.100} in another way than this client knows ({error}); use client and hub "
            "of the same version."
        ) from error


def lost(origin: str, error: httpx.HTTPError) -> HubError:
    """The error of a hub that does not answer."""
    reason = clean(str(error), 200) or type(error).__name__
    return HubError(f"The hub at {origin} does not answer ({reason}); see that it runs, and that the address is right.")


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
        words = detail if isinstance(detail, str) else "; ".join(_fault(one) for one in detail)
    except (ValueError, KeyError, TypeError):
        words = f"The hub refused this ({answer.status_code})."
    return clean(words, LONGEST_DETAIL)


def _fault(one: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg', '')}"

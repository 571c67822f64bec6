"""A line to a hub for code that waits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from thermo_hub.client.answers import Me
from thermo_hub.client.errors import HubRefused
from thermo_hub.client.requests import ME, TIMEOUT_S, built, checked_origin, lost, read
from thermo_hub.security.guard import SAFE

Answer = TypeVar("Answer")


class Line:
    """Asks a hub, and knows the visit.

    Args:
        origin: where it is.
        client: that carries requests; one of its own where left out.
        verify: whether a certificate must be one that this machine trusts, or the SSL context that says which.

    Raises:
        UsageError: the origin is none.
    """

    def __init__(self, origin: str, client: httpx.Client | None = None, verify: Any = True) -> None:
        self.origin = checked_origin(origin)
        self.client = client or httpx.Client(base_url=self.origin, verify=verify, timeout=TIMEOUT_S)
        self._csrf: str | None = None

    def ask(
        self,
        method: str,
        path: str,
        kind: type[Answer],
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """What the hub answers to a request.

        Raises:
            HubRefused: it refuses.
            HubError: it does not answer, or not as a hub does.
        """
        if method not in SAFE and self._csrf is None:
            self._csrf = self._visit()
        request = built(self.client, self.origin, self._csrf or "", method, path, query, body, content)
        try:
            answer = self.client.send(request)
        except httpx.HTTPError as error:
            raise lost(self.origin, error) from error
        if "set-cookie" in answer.headers:
            self._csrf = None
        return read(answer, kind)

    @contextmanager
    def pieces(self, path: str) -> Iterator[Iterator[bytes]]:
        """What the hub answers, piece by piece.

        Raises:
            HubRefused, HubError: as `ask`.
        """
        request = built(self.client, self.origin, "", "GET", path, None, None, None)
        try:
            answer = self.client.send(request, stream=True)
            try:
                if not answer.is_success:
                    answer.read()
                    read(answer, bytes)
                yield answer.iter_bytes()
            finally:
                answer.close()
        except httpx.HTTPError as error:
            raise lost(self.origin, error) from error

    def forget(self) -> None:
        """The visit is another one from here on."""
        self._csrf = None

    def _visit(self) -> str:
        try:
            return self.ask("GET", ME, Me).csrf
        except HubRefused:
            return ""

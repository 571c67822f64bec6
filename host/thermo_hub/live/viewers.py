"""Whoever looks at a page, and what waits for them: of pictures the newest alone, of everything else all of it."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from thermo_hub.security.scopes import ALL, Scope

LIMIT = 2048
"""Messages that wait for a viewer at most; one who has fallen behind by so many is sent away and comes again."""


class Viewer:
    """One page that is open.

    Args:
        measures: see below.
        seen: gives the wearables that it may see at any moment.

    Attributes:
        wearables: ids of those it looks at; empty for all.
        measures: whether it may know what wearables measure and say, and not only how they are.
        every_s: least time between two pictures of one stream.
        dropped: pictures it was too slow for.
        lost: it was too slow for what must not be lost, and has to begin anew.
    """

    def __init__(self, measures: bool = True, seen: Callable[[], Scope] = lambda: ALL) -> None:
        self.measures = measures
        self.seen = seen
        self.wearables: frozenset[str] = frozenset()
        self.every_s = 0.0
        self.dropped = 0
        self.lost = False
        self._messages: deque[str] = deque()
        self._pictures: dict[int, bytes] = {}
        self._shown: dict[int, float] = {}
        self._some = asyncio.Event()

    def sees(self, wearable: str) -> bool:
        """Whether it looks at a wearable, and may."""
        return (not self.wearables or wearable in self.wearables) and self.seen().sees(wearable)

    def tell(self, text: str) -> None:
        """Have it get a message, whatever else it gets or loses."""
        if len(self._messages) >= LIMIT:
            self.lost = True
        else:
            self._messages.append(text)
        self._some.set()

    def show(self, stream: int, frame: bytes, now_s: float) -> None:
        """Have it get a picture; one of the same stream that it has not taken yet is dropped."""
        if not self.measures or now_s - self._shown.get(stream, -1e9) < self.every_s:
            return
        self._shown[stream] = now_s
        if stream in self._pictures:
            self.dropped += 1
        self._pictures[stream] = frame
        self._some.set()

    async def wait(self, timeout_s: float) -> None:
        """Wait until there is something, or for so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._some.wait()
        except TimeoutError:
            return
        self._some.clear()

    def take(self) -> Iterator[str | bytes]:
        """What waits: messages first, then the newest pictures."""
        while self._messages:
            yield self._messages.popleft()
        while self._pictures:
            stream = next(iter(self._pictures))
            yield self._pictures.pop(stream)

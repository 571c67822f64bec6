"""The bus inside the process: who wants events of a kind gets them, and nobody waits for anybody.

All of it lives in one event loop; threads hand in what they have with `Bus.post`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable

from thermo_hub.events import EVERY, Event, Sampled

LOGGER = logging.getLogger(__name__)
LIMIT = 4096
"""Events that wait for one subscriber at most."""


class Overrun(Exception):
    """A subscriber was so slow that events that must not be lost had no room; it has to begin anew from what is stored."""


class Subscription:
    """Events of some kinds, in their order, for one task. Made by `Bus.subscribe`; iterate over it.

    Args:
        kinds: types of events.
        wearables: ids; None for those of all.
        droppable: types of which an older one that still waits may go when there is no room.
        limit: how many wait at most.

    Attributes:
        dropped: events that were dropped so far.
    """

    def __init__(
        self,
        kinds: Collection[type[Event]],
        wearables: Collection[str] | None,
        droppable: Collection[type[Event]],
        limit: int,
    ) -> None:
        self.dropped = 0
        self._kinds = frozenset(kinds)
        self._wearables = None if wearables is None else frozenset(wearables)
        self._droppable = frozenset(droppable)
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._some = asyncio.Event()
        self._overrun = False

    def wants(self, event: Event) -> bool:
        """Whether an event is of its kinds and wearables."""
        if type(event) not in self._kinds:
            return False
        return self._wearables is None or not event.wearable or event.wearable in self._wearables

    def put(self, event: Event) -> None:
        """Take an event; what may be dropped makes room, and what must not be lost never does."""
        if len(self._waiting) >= self._limit:
            oldest = next((one for one in self._waiting if type(one) in self._droppable), None)
            if oldest is not None:
                self._waiting.remove(oldest)
                self.dropped += 1
            elif type(event) in self._droppable:
                self.dropped += 1
                return
            else:
                self._overrun = True
        if not self._overrun:
            self._waiting.append(event)
        self._some.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                yield self._waiting.popleft()
            if self._overrun:
                raise Overrun


class Bus:
    """Carries events from whoever publishes them to subscribers and handlers.

    Args:
        loop: where all of it lives.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._subscriptions: set[Subscription] = set()
        self._handlers: list[tuple[frozenset[type[Event]], Callable[[Event], None]]] = []

    def post(self, events: Iterable[Event]) -> None:
        """Publish events from any thread; after the loop has ended they go nowhere."""
        waiting = tuple(events)
        if waiting and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish_all, waiting)

    def publish(self, event: Event) -> None:
        """Give an event, in the loop, to everybody who wants it."""
        for kinds, handler in self._handlers:
            if type(event) in kinds:
                try:
                    handler(event)
                except Exception:
                    # One part's fault must not keep an alert from another.
                    LOGGER.exception("A handler of %s failed.", type(event).__name__)
        for subscription in self._subscriptions:
            if subscription.wants(event):
                subscription.put(event)

    def handle(self, kinds: Collection[type[Event]], handler: Callable[[Event], None]) -> None:
        """Have a function called with every event of some kinds, in the loop, before subscribers get it; it must be quick."""
        self._handlers.append((frozenset(kinds), handler))

    def subscribe(
        self,
        kinds: Collection[type[Event]] = EVERY,
        wearables: Collection[str] | None = None,
        droppable: Collection[type[Event]] = (Sampled,),
        limit: int = LIMIT,
    ) -> Subscription:
        """Events from now on; `unsubscribe` ends it.

        Args:
            kinds: types of events.
            wearables: ids; None for those of all.
            droppable: types that may be lost where the subscriber is too slow. All others are lost never: where they have no room
                any more, iteration raises `Overrun`, and the subscriber begins anew from the store.
            limit: how many wait at most.
        """
        subscription = Subscription(kinds, wearables, droppable, limit)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._subscriptions.discard(subscription)

    def _publish_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self.publish(event)

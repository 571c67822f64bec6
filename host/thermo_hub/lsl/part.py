"""The part of LSL: gives what each wearable says to Lab Streaming Layer, where `lsl` in the settings says how far. It has no routes."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter

from thermo_core.errors import ThermoError
from thermo_core.graph.engine import Outcome
from thermo_core.recording.session import Session
from thermo_host.link.items import Item
from thermo_host.lsl.library import Scope, load
from thermo_host.lsl.outlets import LslOutlets, settled
from thermo_host.stream.decoding import Decoding
from thermo_host.stream.pump import Sink
from thermo_hub.events import Joined
from thermo_hub.hub import Hub, Part

LOGGER = logging.getLogger(__name__)
ROUTER = APIRouter(tags=["lsl"])
SAME_NS = 1_000_000
"""Clocks that differ by less are one."""


class Outlets:
    """A sink of one wearable: its streams, and what they are decoded with.

    Args:
        session: whose it is.
        utc_minus_monotonic_ns: as the wearable's `ClockSync` has it.
        scope: how far they are announced.
    """

    def __init__(self, session: Session, utc_minus_monotonic_ns: int, scope: Scope) -> None:
        self.clock_ns = utc_minus_monotonic_ns
        self._decoding = Decoding(session)
        self.streams = LslOutlets(self._decoding, utc_minus_monotonic_ns, scope)

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        if isinstance(item, Session):
            self._decoding.follow(item)
        self.streams.take(item, outcome)

    def idle(self) -> None:
        """As `Sink`."""


class Giving:
    """Streams of all wearables that are here.

    Args:
        hub: where.
        scope: how far they are announced.
    """

    def __init__(self, hub: Hub, scope: Scope) -> None:
        self._hub = hub
        self._scope = scope
        self._sinks: dict[str, Outlets] = {}

    async def run(self) -> None:
        """Take up each wearable that joins, and anew where its port was opened anew: its clock is another one then."""
        subscription = self._hub.bus.subscribe({Joined})
        try:
            async for event in subscription:
                # Who left meanwhile joins again.
                with contextlib.suppress(ThermoError):
                    await self._take_up(event.wearable)
        finally:
            self._hub.bus.unsubscribe(subscription)

    async def _take_up(self, wearable: str) -> None:
        listener = self._hub.wearables.listener(wearable)
        try:
            clock_ns = await asyncio.wrap_future(listener.ask(settled))
        except ThermoError:
            # One that is heard over others has no clock here; its moments are in UTC already.
            clock_ns = time.time_ns() - time.monotonic_ns()
        before = self._sinks.get(wearable)
        if before is not None and abs(before.clock_ns - clock_ns) < SAME_NS:
            return
        self._end(wearable)

        def make(session: Session) -> Sink:
            return Outlets(session, clock_ns, self._scope)

        sink = await asyncio.wrap_future(listener.add_sink(make))
        assert isinstance(sink, Outlets)
        self._sinks[wearable] = sink
        LOGGER.warning("%s", sink.streams.words)

    def close(self) -> None:
        """Take all streams away."""
        for wearable in tuple(self._sinks):
            self._end(wearable)

    def _end(self, wearable: str) -> None:
        sink = self._sinks.pop(wearable, None)
        if sink is not None:
            self._hub.wearables.listener(wearable).remove_sink(sink)
            sink.streams.close()


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Giving | None]:
    """Give as long as the hub runs.

    Raises:
        UsageError: it is wanted, and pylsl is not installed.
    """
    if hub.settings.lsl is None:
        yield None
        return
    scope = Scope(hub.settings.lsl)
    load(scope)
    giving = Giving(hub, scope)
    task = asyncio.create_task(giving.run())
    try:
        yield giving
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        giving.close()


PART = Part("lsl", ROUTER, run)

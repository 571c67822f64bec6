"""The bus: everything in its order, pictures give way, nothing else does."""

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.signals import Signal
from thermo_hub.bus import Bus, Overrun, Subscription
from thermo_hub.events import Announced, Event, Left, Sampled

LOOP = asyncio.new_event_loop()
SIGNAL = Signal("skin", (2, 2), "degC", 8.0, "skin")


def sampled(number: int) -> Sampled:
    return Sampled("one", SIGNAL, number, number, np.zeros((2, 2), np.float32), 0)


def drained(subscription: Subscription) -> list[Event]:
    """What waits; an overrun is the last."""

    async def collect() -> list[Event]:
        found: list[Event] = []
        with pytest.raises((Overrun, TimeoutError)):
            async with asyncio.timeout(0):
                async for event in subscription:
                    found.append(event)
        return found

    return LOOP.run_until_complete(collect())


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 12))
def test_what_may_not_be_lost_comes_in_order_or_the_subscriber_hears_that_it_was_too_slow(
    pictures: list[bool], limit: int
) -> None:
    subscription = Subscription((Sampled, Announced), None, (Sampled,), limit)
    put: list[Event] = [
        sampled(number) if picture else Announced("alert", {"number": number})
        for number, picture in enumerate(pictures)
    ]
    for event in put:
        subscription.put(event)
    found = drained(subscription)
    alerts = [event for event in put if isinstance(event, Announced)]
    heard = [event for event in found if isinstance(event, Announced)]
    shown = [event.utc_ns for event in found if isinstance(event, Sampled)]
    assert len(found) <= limit
    assert shown == sorted(shown)
    if len(alerts) <= limit:
        assert heard == alerts
        assert subscription.dropped == sum(pictures) - len(shown)
    else:
        assert heard == alerts[: len(heard)]  # and then Overrun, which `drained` expects


def test_a_subscriber_gets_the_kinds_and_wearables_that_it_asked_for() -> None:
    bus = Bus(LOOP)
    subscription = bus.subscribe((Left, Announced), wearables=("one",))
    wanted: list[Event] = [Left("one", 1, "gone"), Announced("alert", {}), Announced("alert", {}, "one")]
    others: list[Event] = [Left("two", 1, "gone"), sampled(1)]
    for event in (*wanted, *others):
        bus.publish(event)
    assert drained(subscription) == wanted
    bus.unsubscribe(subscription)
    bus.publish(wanted[0])
    assert drained(subscription) == []


def test_a_handler_that_fails_keeps_nothing_from_others(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus(LOOP)
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise ValueError("broken")

    bus.handle((Announced,), broken)
    bus.handle((Announced,), heard.append)
    bus.publish(Announced("alert", {}))
    assert len(heard) == 1
    assert "handler of Announced failed" in caplog.text


def test_threads_post_into_the_loop_in_their_order() -> None:
    heard: list[tuple[str, str]] = []

    async def run() -> None:
        bus = Bus(asyncio.get_running_loop())
        bus.handle((Announced,), lambda event: heard.append((event.wearable, event.kind)))

        def post(name: str) -> None:
            for number in range(50):
                bus.post([Announced(str(number), {}, name)])

        threads = [threading.Thread(target=post, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        while len(heard) < 100:
            await asyncio.sleep(0)

    asyncio.run(run())
    for name in ("one", "two"):
        assert [int(kind) for who, kind in heard if who == name] == list(range(50))

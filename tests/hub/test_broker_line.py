"""A line to a broker is left at any moment: what waits for an answer can be ended as the answer comes."""

import asyncio
from types import SimpleNamespace
from typing import Any

import aiomqtt
import pytest

from thermo_hub.broker.connection import Door
from thermo_hub.broker.settings import Mqtt


def unanswered() -> Any:
    """A line whose broker has taken nothing yet: what is told gets the number 7."""
    line: Any = Door(Mqtt()).client()
    info = SimpleNamespace(rc=0, mid=7, is_published=lambda: False)
    line._client = SimpleNamespace(publish=lambda *_, **__: info)
    return line


def publishing(line: Any) -> Any:
    """What somebody does who tells the broker things for ever."""

    async def tell() -> None:
        while True:
            await line.publish("thermo/v1/home/w/up/status", b"online", qos=1)
            await asyncio.sleep(3600)

    return tell()


@pytest.mark.parametrize("turns", range(5))
def test_who_is_cancelled_as_the_broker_takes_a_message_ends(turns: int) -> None:
    """Some turns of the loop after the broker has taken it."""

    async def run() -> None:
        line = unanswered()
        task = asyncio.create_task(publishing(line))
        while 7 not in line._pending_publishes:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        line._pending_publishes[7].set()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert task.cancelled()

    asyncio.run(run())


def test_what_the_broker_does_not_take_in_time_is_an_error() -> None:
    async def run() -> None:
        line = unanswered()
        with pytest.raises(aiomqtt.MqttError, match="timed out"):
            await line.publish("thermo", b"", qos=1, timeout=0.01)

    asyncio.run(run())

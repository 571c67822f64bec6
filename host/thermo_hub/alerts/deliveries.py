"""Delivers what alerts have to say: tried until it is taken, each try in a log, and never once nobody is to be called any more.

A delivery that was being sent when the process ended is sent again, under the same id.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from thermo_core.text import clean
from thermo_hub.alerts.channels.channel import Channel, DeliveryError, Message
from thermo_hub.alerts.keeper import CANCELLED, FAILED, SENDING, SENT, WAITING, facts_of
from thermo_hub.alerts.life import CALLING, SECOND_NS
from thermo_hub.alerts.tables import ALERT, ATTEMPT, DELIVERY, STEP
from thermo_hub.pauses import PAUSES_S
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE

LOGGER = logging.getLogger(__name__)
LOOK_S = 1.0
AT_ONCE = 64


class Deliveries:
    """Delivers as long as it runs.

    Args:
        store: where deliveries are.
        channels: by name.
        lock: held while a delivery is taken in hand, so that it comes before a snooze or after it.
    """

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], lock: contextlib.AbstractContextManager[object]
    ) -> None:
        self._store = store
        self._channels = channels
        self._lock = lock
        self._some = asyncio.Event()

    def wake(self) -> None:
        """There may be something to deliver; to be called in the loop."""
        self._some.set()

    def recover(self, now_ns: int) -> None:
        """Take up what was being sent when the process ended before."""
        with self._store.write() as connection:
            connection.execute(update(DELIVERY).where(DELIVERY.c.state == SENDING).values(state=WAITING, due_ns=now_ns))

    async def run(self) -> None:
        """Deliver for ever; a channel that hangs keeps no other waiting."""
        tasks: dict[str, asyncio.Task[None]] = {}
        while True:
            try:
                waiting = await asyncio.to_thread(self.due, time.time_ns())
            except Exception:
                LOGGER.exception("Deliveries cannot be read.")
                waiting = {}
            for channel, ids in waiting.items():
                if channel not in tasks or tasks[channel].done():
                    tasks[channel] = asyncio.create_task(self._deliver(channel, ids))
            self._some.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._some.wait()
            except TimeoutError:
                pass

    async def _deliver(self, channel: str, ids: list[str]) -> None:
        for delivery in ids:
            try:
                await self.deliver(channel, delivery)
            except Exception:
                LOGGER.exception("A delivery by %s failed.", channel)

    async def deliver(self, channel: str, delivery: str) -> None:
        """Try one delivery."""
        message = await asyncio.to_thread(self._take_now, delivery)
        if message is None:
            return
        known = self._channels.get(channel)
        try:
            if known is None:
                raise DeliveryError("there is no such channel in hub.toml any more")
            ok, detail = True, await known.send(message)
        except DeliveryError as error:
            ok, detail = False, str(error)
        await asyncio.to_thread(self.log, delivery, ok, detail, time.time_ns())

    def _take_now(self, delivery: str) -> Message | None:
        with self._lock:
            return self.take(delivery, time.time_ns())

    def due(self, now_ns: int) -> dict[str, list[str]]:
        """Deliveries that are due, by channel, oldest first."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(DELIVERY.c.id, DELIVERY.c.channel)
                .where(DELIVERY.c.state == WAITING, DELIVERY.c.due_ns <= now_ns)
                .order_by(DELIVERY.c.made_ns, DELIVERY.c.step)
                .limit(AT_ONCE)
            ).all()
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row.channel, []).append(row.id)
        return found

    def take(self, delivery: str, now_ns: int) -> Message | None:
        """Take a delivery in hand; None where it is not to be sent any more."""
        with self._store.write() as connection:
            row = connection.execute(
                select(DELIVERY, STEP.c.at_ns, STEP.c.state.label("step_state"), STEP.c.by)
                .join(STEP, (STEP.c.alert == DELIVERY.c.alert) & (STEP.c.number == DELIVERY.c.step))
                .where(DELIVERY.c.id == delivery, DELIVERY.c.state == WAITING)
            ).first()
            if row is None:
                return None
            alert = connection.execute(select(ALERT).where(ALERT.c.id == row.alert)).one()
            if row.calls and alert.state not in CALLING:
                _set(connection, delivery, state=CANCELLED, ended_ns=now_ns)
                return None
            _set(connection, delivery, state=SENDING, attempts=row.attempts + 1)
            connection.execute(
                insert(ATTEMPT).values(delivery=delivery, number=row.attempts + 1, at_ns=now_ns, ok=None, detail="")
            )
            label = connection.execute(select(WEARABLE.c.label).where(WEARABLE.c.id == alert.wearable)).scalar() or ""
            return Message(delivery, row.calls, row.at_ns // 1_000_000, row.step_state, row.by, facts_of(alert), label)

    def log(self, delivery: str, ok: bool, detail: str, now_ns: int) -> None:
        """Write down what came of a try, and when the next one is."""
        with self._store.write() as connection:
            row = connection.execute(select(DELIVERY).where(DELIVERY.c.id == delivery)).one()
            connection.execute(
                update(ATTEMPT)
                .where(ATTEMPT.c.delivery == delivery, ATTEMPT.c.number == row.attempts)
                .values(ok=ok, detail=clean(detail, 500))
            )
            if ok:
                _set(connection, delivery, state=SENT, ended_ns=now_ns)
            elif row.calls and self._is_over(connection, row):
                _set(connection, delivery, state=CANCELLED, ended_ns=now_ns)
            elif row.attempts > len(PAUSES_S):
                _set(connection, delivery, state=FAILED, ended_ns=now_ns)
            else:
                _set(connection, delivery, state=WAITING, due_ns=now_ns + PAUSES_S[row.attempts - 1] * SECOND_NS)

    def _is_over(self, connection: Connection, delivery: Row[Any]) -> bool:
        state = connection.execute(select(ALERT.c.state).where(ALERT.c.id == delivery.alert)).scalar()
        return state not in CALLING


def _set(connection: Connection, delivery: str, **values: Any) -> None:
    connection.execute(update(DELIVERY).where(DELIVERY.c.id == delivery).values(**values))

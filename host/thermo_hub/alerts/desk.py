"""The desk of alerts: hears what wearables say, and sees to it that alerts begin, go on and end in the store.

Events are judged in the event loop as they come; what follows is written by one task after the other, in their order.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from sqlalchemy import delete, insert, select

from thermo_core.errors import StorageError
from thermo_core.recording.session import Session
from thermo_hub.alerts.deliveries import Deliveries
from thermo_hub.alerts.keeper import Keeper, Kept, Raised
from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.alerts.rules import OWN, STALE, TEST, Rule, RuleSet
from thermo_hub.alerts.silence import Silence
from thermo_hub.alerts.tables import WATCHED
from thermo_hub.alerts.watcher import Turn, Watcher
from thermo_hub.alerts.watches import AgeWatch
from thermo_hub.bus import Bus
from thermo_hub.events import (
    ALERT_STEP,
    Announced,
    Event,
    Found,
    Joined,
    Left,
    Measured,
    Returned,
    Rolled,
    Ruled,
    Sampled,
    Stepped,
)
from thermo_hub.store.store import Store

LOGGER = logging.getLogger(__name__)
TICK_S = 0.5
FILES_S = 5.0
RETRY_S = 1.0
BY_WEARABLE = "the wearable"
Write = Callable[[int], "Kept | list[Kept] | None"]
"""Changes the store at a time, ns; gives what was changed."""


class Desk:
    """Alerts at work.

    Args:
        store: where they are.
        bus: of events.
        keeper: of alerts.
        files: of rules.
        deliveries: told that there may be some.
        now_s: seconds of a clock that only rises, for silence.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        keeper: Keeper,
        files: RuleFiles,
        deliveries: Deliveries,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keeper = keeper
        self.files = files
        self.rules, self.wrong = RuleSet(), ""
        self._store, self._bus, self._deliveries, self._now_s = store, bus, deliveries, now_s
        self._silence = Silence(self.rules.stale_after_s)
        self._sensors: dict[tuple[str, str], str] = {}
        self._watchers: dict[str, Watcher] = {}
        self._sessions: dict[str, Session] = {}
        self._silent: dict[str, dict[str, float]] = {}
        self._open: set[tuple[str, str]] = set()
        self._writes: asyncio.Queue[tuple[Write, Future[Any] | None]] = asyncio.Queue()
        self._away: set[str] = set()

    def start(self) -> None:
        """Read what stands in the store; not to be called in the loop."""
        self._deliveries.recover(time.time_ns())
        self._open = set(self.keeper.open_names())
        self._take_rules(*self.files.newest())
        with self._store.read() as connection:
            rows = connection.execute(select(WATCHED)).all()
        periods: dict[str, dict[str, float]] = {}
        for row in rows:
            periods.setdefault(row.wearable, {})[row.sensor] = row.period_s
        for wearable, sensors in periods.items():
            self._silence.watch(wearable, sensors, self._now_s())

    async def run(self) -> None:
        """Write what follows from events, and what time brings, for ever."""
        self._bus.handle({Joined, Left, Returned, Sampled, Found, Stepped, Measured, Rolled}, self.take)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_on())
            group.create_task(self._tick_on())

    def take(self, event: Event) -> None:
        """What follows from an event; a handler of the bus."""
        if isinstance(event, Joined):
            self._join(event)
            return
        watcher = self._watchers.get(event.wearable)
        if isinstance(event, Left | Returned):
            if watcher is not None:
                watcher.interrupt()
            return
        if watcher is None or not isinstance(event, Sampled | Found | Stepped | Measured | Rolled):
            return
        if isinstance(event, Sampled):
            sensor = self._sensors.get((event.wearable, event.signal.name))
            if sensor is not None:
                self._silence.heard(event.wearable, sensor, self._now_s())
        for turn in watcher.take(event):
            self._turn(event.wearable, turn)

    async def change(self, write: Write) -> Any:
        """Change the store in its turn; what the change gives. Who is cancelled before that turn has changed nothing.

        Raises:
            UsageError: as the change.
        """
        answer: Future[Any] = Future()
        self._writes.put_nowait((write, answer))
        return await asyncio.wrap_future(answer)

    async def change_rules(self, change: Callable[[RuleSet], RuleSet], by: str, expected: int | None) -> RuleSet:
        """Make a new version of the rules, which holds from now on.

        Raises:
            UsageError, StorageError: as `RuleFiles.add`.
        """
        made = await asyncio.to_thread(self.files.add, change, by, expected)
        self._take_rules(made, "")
        return made

    async def put_away(self, wearable: str, by: str) -> None:
        """Nobody wears it any more: its silence is no alert until it joins again."""
        self._silence.forget(wearable)
        self._away.add(wearable)
        await asyncio.to_thread(self._remember, wearable, {})
        for name in self._stale_names(wearable):
            self._resolve(wearable, name, "it was put away", by)

    def watched(self) -> list[str]:
        """Wearables whose silence is an alert."""
        return self._silence.watched()

    def problems(self) -> dict[str, dict[str, str]]:
        """Why rules cannot hold, by wearable and rule."""
        return {wearable: dict(watcher.problems) for wearable, watcher in self._watchers.items() if watcher.problems}

    async def test(self, wearable: str, channels: Sequence[str], by: str) -> Kept:
        """Raise an alert that only shows that channels work, and end it again."""
        rule = Rule(name=TEST, watch=AgeWatch(), severity="info", channels=tuple(channels))
        text = f"A test of alerts by {by}. Nothing is wrong."
        raised = Raised(wearable, rule, self.rules.version, "the test button", None, "", text, now=True)
        await self.change(lambda now_ns: self.keeper.resolve(wearable, TEST, now_ns, note="another test"))
        kept: Kept = await self.change(lambda now_ns: self.keeper.begin(raised, now_ns))
        return kept

    def _join(self, event: Joined) -> None:
        session, wearable = event.session, event.wearable
        self._sessions[wearable] = session
        self._sensors = {key: name for key, name in self._sensors.items() if key[0] != wearable}
        periods: dict[str, float] = {}
        for number, sensor in enumerate(session.profile.sensors):
            main = session.plan.signals.get(sensor.name)
            if main is not None and main.rate_hz and number < len(session.hello.sensors):
                periods[sensor.name] = 1 / main.rate_hz
                self._sensors[wearable, sensor.name] = sensor.name
        self._away.discard(wearable)
        self._silence.watch(wearable, periods, self._now_s())
        self._write(lambda now_ns: self._remember(wearable, periods))
        self._arm(wearable)

    def _arm(self, wearable: str) -> None:
        watcher = self._watchers.get(wearable)
        if watcher is None:
            watcher = Watcher(wearable, lambda sensor: self._silence.oldest_s(wearable, sensor, self._now_s()))
            self._watchers[wearable] = watcher
        watcher.arm(self._sessions[wearable], self.rules, [name for one, name in self._open if one == wearable])
        for one, name in list(self._open):
            if one == wearable and name not in watcher.names and not _is_stale(name) and name != TEST:
                self._resolve(wearable, name, "the rule does not hold for it any more")
        known = {rule.name: rule.text for rule in self.rules.rules}
        texts = {name: known.get(name) or name for name in watcher.names}
        self._bus.publish(Ruled(wearable, {**texts, STALE: "The wearable has said nothing for too long."}))

    def _take_rules(self, rules: RuleSet, wrong: str) -> None:
        if wrong and wrong != self.wrong:
            LOGGER.error("%s", wrong)
        changed, self.rules, self.wrong = rules != self.rules, rules, wrong
        if not changed:
            return
        self._silence.margin_s = rules.stale_after_s
        for wearable in self._sessions:
            self._arm(wearable)
        known = {rule.name for rule in rules.rules if rule.enabled}
        for wearable, name in list(self._open):
            if wearable not in self._sessions and name not in known and not name.startswith((OWN, STALE, TEST)):
                self._resolve(wearable, name, "the rule is no more")

    def _turn(self, wearable: str, turn: Turn) -> None:
        if not turn.begins:
            self._resolve(
                wearable, turn.rule.name, "" if turn.value is None else f"{turn.value:.6g} {turn.unit}".strip()
            )
            return
        text = turn.rule.text or f"{turn.rule.name}: {turn.condition}"
        raised = Raised(
            wearable,
            turn.rule,
            self.rules.version,
            turn.condition,
            turn.value,
            turn.unit,
            text,
            turn.personal,
        )

        def write(now_ns: int) -> list[Kept]:
            found = [self.keeper.begin(raised, now_ns)]
            if turn.acknowledged:
                found.append(self.keeper.acknowledge_named(wearable, turn.rule.name, now_ns, BY_WEARABLE))
            return [one for one in found if one is not None]

        self._write(write)

    def _look_for_silence(self) -> None:
        now_s = self._now_s()
        for wearable in self._silence.watched():
            silent = self._silence.silent(wearable, now_s)
            before = self._silent.get(wearable, {})
            for sensor, age_s in silent.items():
                if sensor not in before:
                    self._fall_silent(wearable, sensor, age_s)
            self._silent[wearable] = silent
            for name in self._stale_names(wearable):
                if name.removeprefix(STALE).removeprefix("-") not in silent:
                    self._resolve(wearable, name, "it says something again")

    def _fall_silent(self, wearable: str, sensor: str, age_s: float) -> None:
        who = f"Its sensor {sensor}" if sensor else "The wearable"
        text = f"{who} has said nothing for {age_s:.0f} s; what is shown of it is old. Look whether it is worn, charged and near."
        rule = Rule(name=STALE, watch=AgeWatch(sensor=sensor or None))
        name = f"{STALE}-{sensor}" if sensor else STALE
        raised = Raised(
            wearable,
            self._stale_rule(rule),
            self.rules.version,
            f"two periods and {self._silence.margin_s:g} s of silence",
            round(age_s, 1),
            "s",
            text,
            name=name,
        )
        self._write(lambda now_ns: self.keeper.begin(raised, now_ns))

    def _stale_rule(self, rule: Rule) -> Rule:
        """The rule of silence, which calls by every channel that any rule calls by."""
        channels = dict.fromkeys(channel for one in self.rules.rules if one.enabled for channel in one.channels)
        return rule if not channels else Rule(name=rule.name, watch=rule.watch, channels=tuple(channels))

    def _stale_names(self, wearable: str) -> list[str]:
        return [name for one, name in self._open if one == wearable and _is_stale(name)]

    def _resolve(self, wearable: str, name: str, note: str, by: str = "") -> None:
        if by:
            self._write(lambda now_ns: self.keeper.resolve(wearable, name, now_ns, by, note))
        else:
            self._write(lambda now_ns: self.keeper.resolve(wearable, name, now_ns, note=note))

    def _remember(self, wearable: str, periods_s: dict[str, float]) -> None:
        with self._store.write() as connection:
            connection.execute(delete(WATCHED).where(WATCHED.c.wearable == wearable))
            for sensor, period_s in periods_s.items():
                connection.execute(
                    insert(WATCHED).values(wearable=wearable, sensor=sensor, period_s=period_s, since_ns=time.time_ns())
                )

    def _write(self, write: Write) -> None:
        self._writes.put_nowait((write, None))

    async def _write_on(self) -> None:
        while True:
            write, answer = await self._writes.get()
            # Who asked may have gone; from here on they cannot take it back.
            if answer is not None and not answer.set_running_or_notify_cancel():
                continue
            try:
                kept = await self._written(write, patient=answer is None)
            except Exception as error:
                if answer is None:
                    LOGGER.exception("An alert could not be written.")
                else:
                    answer.set_exception(error)
                continue
            self._publish(kept)
            if answer is not None:
                answer.set_result(kept)

    async def _written(self, write: Write, patient: bool) -> Any:
        """What a change gives; one that nobody waits for is tried until the store takes it, for nothing would bring it again."""
        while True:
            try:
                return await asyncio.to_thread(self._write_now, write)
            except StorageError as error:
                if not patient:
                    raise
                LOGGER.error("%s", error)
                await asyncio.sleep(RETRY_S)

    def _publish(self, kept: Kept | list[Kept] | None) -> None:
        for one in kept if isinstance(kept, list) else [kept] if kept is not None else []:
            facts = one.facts
            key = (facts["wearable"], facts["rule"])
            if facts["resolved_ms"] is None:
                self._open.add(key)
            else:
                self._open.discard(key)
            if one.steps:
                self._bus.publish(Announced(ALERT_STEP, {"alert": dict(facts)}, facts["wearable"]))
                self._deliveries.wake()

    def _write_now(self, write: Write) -> Kept | list[Kept] | None:
        with self.keeper.lock:
            return write(time.time_ns())

    async def _tick_on(self) -> None:
        next_files_s = self._now_s() + FILES_S
        while True:
            try:
                self._look_for_silence()
                if self._writes.empty():
                    self._write(self.keeper.attend)
                if self._now_s() >= next_files_s:
                    next_files_s = self._now_s() + FILES_S
                    self._take_rules(*await asyncio.to_thread(self.files.newest))
            except Exception:
                LOGGER.exception("Alerts could not be looked after.")
            await asyncio.sleep(TICK_S)


def _is_stale(name: str) -> bool:
    return name == STALE or name.startswith(f"{STALE}-")

"""Any lives of alerts in a store: raised, snoozed, acknowledged, delivered or not, and the hub started anew in between."""

import itertools
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from thermo_core.errors import UsageError
from thermo_hub.alerts.channels.channel import Message
from thermo_hub.alerts.deliveries import Deliveries
from thermo_hub.alerts.keeper import CANCELLED, FAILED, SENT, Keeper, Raised
from thermo_hub.alerts.life import CALLING, SECOND_NS, State
from thermo_hub.alerts.rules import Escalation, Quiet, Rule
from thermo_hub.alerts.tables import ALERT, ATTEMPT, DELIVERY, STEP
from thermo_hub.alerts.watches import RegionWatch
from thermo_hub.settings import Settings
from thermo_hub.store.store import open_store

FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A folder without a disk under it, where the system has one: a store is opened hundreds of times."""
START_NS = 1_700_000_000 * SECOND_NS
WATCH = RegionWatch(signal="skin")
RULES = (
    Rule(name="plain", watch=WATCH, channels=("phone",)),
    Rule(
        name="rising",
        watch=WATCH,
        channels=("phone", "log"),
        escalation=(
            Escalation(after_s=300, channels=("nurse",)),
            Escalation(after_s=900, channels=("nurse", "doctor")),
        ),
    ),
    Rule(name="by-day", watch=WATCH, channels=("phone",), quiet=(Quiet(start="22:00", end="07:00"),)),
)
FOLLOWS = frozenset(("log",))
FOLLOWED_BY = {
    None: {State.RAISED},
    State.RAISED: {State.NOTIFIED, State.SNOOZED, State.ACKNOWLEDGED, State.RESOLVED},
    State.NOTIFIED: {State.ESCALATED, State.SNOOZED, State.ACKNOWLEDGED, State.RESOLVED},
    State.ESCALATED: {State.ESCALATED, State.SNOOZED, State.ACKNOWLEDGED, State.RESOLVED},
    State.SNOOZED: {State.RAISED, State.NOTIFIED, State.SNOOZED, State.ACKNOWLEDGED, State.RESOLVED},
    State.ACKNOWLEDGED: {State.SNOOZED, State.RESOLVED},
    State.RESOLVED: set(),
}
KEYS = st.tuples(st.just("w1"), st.sampled_from(RULES))


class Lives(RuleBasedStateMachine):
    """What people were called about stands in `called`; what was promised to them in `promised`."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=FAST)
        self.settings = msgspec.structs.replace(Settings(), folder=self._folder.name, database=self.new_database())
        self.now_ns = START_NS
        self.store = open_store(self.settings)
        self.called: list[tuple[int, Message, str]] = []
        self.promised: dict[tuple[str, str], int] = {}
        self.before_promise = range(0)
        self._open()

    @staticmethod
    def new_database() -> str:
        """URL of an empty database; "" for a file."""
        return ""

    def _open(self) -> None:
        self.keeper = Keeper(self.store, lambda: UTC, FOLLOWS)
        self.deliveries = Deliveries(self.store, {}, self.keeper.lock)

    def teardown(self) -> None:
        self.store.close()
        self._folder.cleanup()

    def _rows(self, table: Any, *order: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(table).order_by(*order)).all())

    def _alert(self, draw_from: int) -> Any:
        rows = self._rows(ALERT, ALERT.c.raised_ns, ALERT.c.id)
        return rows[draw_from % len(rows)] if rows else None

    def _has_alerts(self) -> bool:
        return bool(self._rows(ALERT))

    @rule(key=KEYS)
    def begin(self, key: tuple[str, Rule]) -> None:
        wearable, its = key
        there = any(
            (row.wearable, row.rule, row.resolved_ns) == (wearable, its.name, None) for row in self._rows(ALERT)
        )
        kept = self.keeper.begin(Raised(wearable, its, 1, "> 1 K", 2.0, "K", "warm"), self.now_ns)
        assert (kept is None) == there

    @rule(key=KEYS)
    def end(self, key: tuple[str, Rule]) -> None:
        wearable, its = key
        self.keeper.resolve(wearable, its.name, self.now_ns)

    @precondition(_has_alerts)
    @rule(which=st.integers(0, 99))
    def acknowledge(self, which: int) -> None:
        row = self._alert(which)
        try:
            facts = self.keeper.acknowledge(row.id, self.now_ns, "Ann", "seen").facts
            assert facts["state"] == State.ACKNOWLEDGED
            self.promised.pop((row.wearable, row.rule), None)
        except UsageError:
            assert row.resolved_ns is not None

    @precondition(_has_alerts)
    @rule(which=st.integers(0, 99), minutes=st.sampled_from((0, 1, 7, 60, 600)))
    def snooze(self, which: int, minutes: int) -> None:
        row = self._alert(which)
        until_ns = self.now_ns + minutes * 60 * SECOND_NS
        try:
            self.keeper.snooze(row.id, self.now_ns, "Ann", until_ns)
            self.promised[row.wearable, row.rule] = until_ns
            self.before_promise = range(len(self.called))
        except UsageError:
            assert row.resolved_ns is not None or minutes == 0

    @precondition(_has_alerts)
    @rule(which=st.integers(0, 99), seconds=st.sampled_from((1, 301, 3600)))
    def come_again(self, which: int, seconds: int) -> None:
        """The condition of an alert ends and begins again."""
        row = self._alert(which)
        its = next(one for one in RULES if one.name == row.rule)
        self.end((row.wearable, its))
        self.now_ns += seconds * SECOND_NS
        self.begin((row.wearable, its))
        self.deliver(True, "nothing")

    @rule(its=st.sampled_from(RULES), snoozes=st.booleans(), anew=st.booleans())
    def see_while_it_is_sent(self, its: Rule, snoozes: bool, anew: bool) -> None:
        """Somebody sees an alert at the moment in which it is being sent, which fails, or the process ends."""
        self.begin(("w1", its))
        sent = [one for ids in self.deliveries.due(self.now_ns).values() for one in ids]
        taken = [one for one in sent if self.deliveries.take(one, self.now_ns) is not None]
        self.now_ns += 1
        (alert,) = [row.id for row in self._rows(ALERT) if (row.rule, row.resolved_ns) == (its.name, None)]
        if snoozes:
            self.promised["w1", its.name] = self.now_ns + 3600 * SECOND_NS
            self.before_promise = range(len(self.called))
            self.keeper.snooze(alert, self.now_ns, "Ann", self.promised["w1", its.name])
        else:
            self.keeper.acknowledge(alert, self.now_ns, "Ann")
            self.promised.pop(("w1", its.name), None)
        if anew:
            self.start_anew()
        else:
            for one in taken:
                self.deliveries.log(one, False, "no line", self.now_ns)
        self.now_ns += 10 * SECOND_NS
        self.deliver(True, "nothing")

    @rule(seconds=st.sampled_from((1, 59, 61, 299, 301, 900, 3600, 36_000)))
    def wait(self, seconds: int) -> None:
        self.now_ns += seconds * SECOND_NS
        self.keeper.attend(self.now_ns)
        for row in self._rows(ALERT):
            if row.resolved_ns is None:
                assert row.state != State.SNOOZED or row.snoozed_ns > self.now_ns
                if row.rule != "by-day":
                    assert row.state != State.RAISED  # somebody was told
                if row.rule == "rising" and row.state in CALLING:
                    due = sum(self.now_ns - row.told_ns >= one.after_s * SECOND_NS for one in RULES[1].escalation)
                    assert row.level >= min(1, due)

    @rule(works=st.booleans(), ends=st.sampled_from(("nothing", "before", "after")))
    def deliver(self, works: bool, ends: str) -> None:
        """Deliver what is due; the process may end in the middle of it, before the receiver heard it or after."""
        for channel, ids in self.deliveries.due(self.now_ns).items():
            for one in ids:
                message = self.deliveries.take(one, self.now_ns)
                if message is None:
                    continue
                if ends == "before":
                    return self.start_anew()
                if works:
                    self.called.append((self.now_ns, message, channel))
                if ends == "after":
                    return self.start_anew()
                self.deliveries.log(one, works, "said", self.now_ns)
        return None

    @rule()
    def start_anew(self) -> None:
        self.store.close()
        self.store = open_store(self.settings)
        self._open()
        self.deliveries.recover(self.now_ns)

    @invariant()
    def nobody_is_called_who_was_promised_quiet(self) -> None:
        for number, (at_ns, message, _) in enumerate(self.called):
            if at_ns == self.now_ns and message.calls:
                hour = datetime.fromtimestamp(message.at_ms / 1000, UTC).hour
                assert message.alert["rule"] != "by-day" or 7 <= hour < 22
                until_ns = self.promised.get((message.alert["wearable"], message.alert["rule"]), 0)
                assert message.alert["calling"]
                # What was sent when the promise was made had come before it.
                assert until_ns <= at_ns or number in self.before_promise

    @invariant()
    def rows_tell_one_story(self) -> None:
        alerts = {row.id: row for row in self._rows(ALERT)}
        there = [(row.wearable, row.rule) for row in alerts.values() if row.resolved_ns is None]
        assert len(there) == len(set(there))
        steps = defaultdict(list)
        for row in self._rows(STEP, STEP.c.alert, STEP.c.number):
            steps[row.alert].append(row)
        assert set(steps) == set(alerts)
        for alert, rows in steps.items():
            assert [row.number for row in rows] == list(range(1, len(rows) + 1))
            assert alerts[alert].state == rows[-1].state
            assert (alerts[alert].resolved_ns is None) == (rows[-1].state != State.RESOLVED)
            states: list[State | None] = [None, *(State(row.state) for row in rows)]
            for before, after in itertools.pairwise(states):
                assert after in FOLLOWED_BY[before]
            times = [row.at_ns for row in rows]
            assert times == sorted(times)

    @invariant()
    def what_is_to_be_said_is_in_the_log(self) -> None:
        deliveries = self._rows(DELIVERY)
        calls = {(row.alert, row.step, row.channel) for row in deliveries if row.calls}
        for row in self._rows(STEP):
            if row.state == State.NOTIFIED:
                assert (row.alert, row.number, "phone") in calls
        attempts = defaultdict(list)
        for row in self._rows(ATTEMPT, ATTEMPT.c.number):
            attempts[row.delivery].append(row.ok)
        for row in deliveries:
            assert len(attempts[row.id]) == row.attempts
            assert (row.state == SENT) == (True in attempts[row.id])
            assert (row.ended_ns is not None) == (row.state in (SENT, CANCELLED, FAILED))

"""Alerts under kill -9: a hub's desk of alerts is killed again and again in the midst of its work, and nothing promised is broken.

A worker runs the desk, the deliveries and the store of a hub. A wearable's number crosses thresholds several times a second, people
acknowledge and snooze as fast as they can, a channel fails now and then. The worker is killed at random moments and started anew on
the same store; at last one runs to its end. Then the store and what the receiver got are held to each other:

- what a person was told is done, is a row; steps of each alert follow each other without a gap, and at most one is open a rule;
- nobody is called before a snooze is over: no call is begun within one, by any process;
- every call that was due was received, or cancelled because somebody had seen the alert; nothing is left in between.

    python bench/alert_kills.py [--kills 200] [--seed 0]
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import select

from thermo_core.errors import UsageError
from thermo_core.recording.session import Session
from thermo_core.signals import Signal
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_core.wire.management import Hello, SensorState
from thermo_hub.alerts.channels.channel import DeliveryError, Message
from thermo_hub.alerts.deliveries import Deliveries
from thermo_hub.alerts.desk import Desk
from thermo_hub.alerts.keeper import CANCELLED, SENT, Keeper
from thermo_hub.alerts.life import CALLING, SECOND_NS, State
from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.alerts.rules import Escalation, Rule, RuleSet
from thermo_hub.alerts.tables import ALERT, ATTEMPT, DELIVERY, STEP
from thermo_hub.alerts.watches import SignalWatch
from thermo_hub.bus import Bus
from thermo_hub.events import Joined, Sampled
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store, open_store

WEARABLE = "patch"
RECEIVED, DONE = "received", "done"
STEP_S = 0.01
SNOOZE_S = 0.4
RULES = RuleSet(
    rules=tuple(
        Rule(
            name=f"hot-{at}",
            watch=SignalWatch(signal="spots", element=at),
            when="> 34 degC",
            clear="< 33.5 degC",
            channels=("log",),
            escalation=(Escalation(after_s=1, channels=("log",)),),
        )
        for at in range(4)
    )
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", nargs=2, metavar=("FOLDER", "SECONDS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        asyncio.run(_work(Path(arguments.worker[0]), float(arguments.worker[1]), arguments.seed))
        return
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(arguments.kills):
            with _worker(folder, 3600, arguments.seed + number) as worker:
                time.sleep(rng.uniform(0, 0.6))
                worker.send_signal(signal.SIGKILL)
        with _worker(folder, 3, arguments.seed + arguments.kills) as worker:
            if worker.wait():
                sys.exit("The last worker failed.")
        print(f"{arguments.kills} kills: {_checked(folder)}")


@contextlib.contextmanager
def _worker(folder: Path, seconds: float, seed: int) -> Any:
    """One that has begun its work."""
    worker = subprocess.Popen(
        [sys.executable, __file__, "--worker", str(folder), str(seconds), "--seed", str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    if not worker.stdout.readline():
        sys.exit("A worker did not start.")
    try:
        yield worker
    finally:
        worker.wait()
        worker.stdout.close()


class _Receiver:
    """Writes what it is told into a file that a kill does not tear, and fails now and then."""

    follows = False
    what = "a file"

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.name = "log"
        self._rng = rng
        self._file = os.open(folder / RECEIVED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def send(self, message: Message) -> str:
        if self._rng.random() < 0.2:
            raise DeliveryError("no line")
        await asyncio.sleep(self._rng.uniform(0, 0.02))
        os.write(self._file, f"{message.delivery}\n".encode())
        return "written"


def _session() -> tuple[Session, Signal]:
    profile = file.read(resolve("breast-patch")).profile
    sensors = tuple(SensorState(kind=one.kind, rate_hz=getattr(one, "rate_hz", 0.0)) for one in profile.sensors)
    hello = Hello(
        name="bench",
        serial="0",
        software="0",
        platform="",
        profile=profile.name,
        profile_sha256=bytes(32),
        sensors=sensors,
    )
    session = Session(hello, profile, {}, {})
    return session, session.plan.signals["spots"]


async def _work(folder: Path, seconds: float, seed: int) -> None:
    rng = random.Random(seed)
    store = open_store(msgspec.structs.replace(Settings(), folder=str(folder)))
    bus = Bus(asyncio.get_running_loop())
    receiver = _Receiver(folder, rng)
    files = RuleFiles(folder / "rules", {"log": receiver})
    if not files.versions():
        files.add(lambda before: msgspec.structs.replace(RULES, version=before.version), "bench")
    keeper = Keeper(store, lambda: UTC)
    deliveries = Deliveries(store, {"log": receiver}, keeper.lock)
    desk = Desk(store, bus, keeper, files, deliveries)
    desk.start()
    tasks = [asyncio.create_task(one) for one in (desk.run(), deliveries.run())]
    await asyncio.sleep(0)
    session, signal_ = _session()
    bus.publish(Joined(WEARABLE, session, time.time_ns()))
    print("ready", flush=True)
    done = os.open(folder / DONE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    people = asyncio.create_task(_people(desk, store, rng, done))
    end = time.monotonic() + seconds
    values = np.full(4, 33.0, np.float32)
    while time.monotonic() < end:
        values = np.where(rng.random() < 0.3, np.array([rng.uniform(32, 36) for _ in range(4)], np.float32), values)
        now_ns = time.time_ns()
        bus.publish(Sampled(WEARABLE, signal_, now_ns, now_ns, values, 0))
        await asyncio.sleep(STEP_S)
    people.cancel()
    # What is over calls nobody, and what could not be delivered is tried again.
    for at in range(4):
        await desk.change(lambda now, at=at: desk.keeper.resolve(WEARABLE, f"hot-{at}", now))  # type: ignore[misc]
    until = time.monotonic() + 60
    while _unfinished(store) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, people, return_exceptions=True)
    store.close()


async def _people(desk: Desk, store: Store, rng: random.Random, done: int) -> None:
    """Acknowledge and snooze what is open; what the hub said is done goes into a file."""
    while True:
        await asyncio.sleep(rng.uniform(0, 0.05))
        with store.read() as connection:
            rows = connection.execute(select(ALERT.c.id).where(ALERT.c.resolved_ns.is_(None))).all()
        if not rows:
            continue
        alert, snoozes = rng.choice(rows).id, rng.random() < 0.7

        def write(now_ns: int, alert: str = alert, snoozes: bool = snoozes) -> Any:
            if snoozes:
                return desk.keeper.snooze(alert, now_ns, "Ann", now_ns + round(SNOOZE_S * SECOND_NS))
            return desk.keeper.acknowledge(alert, now_ns, "Ann")

        with contextlib.suppress(UsageError):
            kept = await desk.change(write)
            for step in kept.steps:
                os.write(done, (json.dumps([alert, step.state, step.at_ns]) + "\n").encode())


def _unfinished(store: Store) -> bool:
    with store.read() as connection:
        wanted = select(DELIVERY.c.id).where(DELIVERY.c.state.not_in([SENT, CANCELLED])).limit(1)
        return connection.execute(wanted).first() is not None


def _checked(folder: Path) -> str:
    """Hold the store to what was received and promised; what was found, in words."""
    store = open_store(msgspec.structs.replace(Settings(), folder=str(folder)))
    with store.read() as connection:
        alerts = {row.id: row for row in connection.execute(select(ALERT))}
        steps = connection.execute(select(STEP).order_by(STEP.c.alert, STEP.c.number)).all()
        deliveries = connection.execute(select(DELIVERY)).all()
        attempts = connection.execute(select(ATTEMPT)).all()
    store.close()
    received = (folder / RECEIVED).read_text().split() if (folder / RECEIVED).exists() else []
    promised = (folder / DONE).read_text().splitlines() if (folder / DONE).exists() else []
    there = {(row.alert, row.state, row.at_ns) for row in steps}
    for line in promised:
        if line.endswith("]"):
            _hold(tuple(json.loads(line)) in there, f"what was said to be done is no row: {line}")
    by_alert = defaultdict(list)
    for row in steps:
        by_alert[row.alert].append(row)
    for alert, rows in by_alert.items():
        _hold([row.number for row in rows] == list(range(1, len(rows) + 1)), f"steps of {alert} have a gap")
        _hold(rows[-1].state == alerts[alert].state, f"{alert} stands elsewhere than its last step")
    _hold(set(by_alert) == set(alerts), "an alert without steps")
    open_ones = [(row.wearable, row.rule) for row in alerts.values() if row.resolved_ns is None]
    _hold(len(open_ones) == len(set(open_ones)), "two open alerts of one rule")
    # Of each rule the times in which nobody may be called: from a snooze to its end, or to what ended it before.
    calm = defaultdict(list)
    for rule in {row.rule for row in alerts.values()}:
        mine = sorted((row for row in steps if alerts[row.alert].rule == rule), key=lambda row: (row.at_ns, row.number))
        for place, row in enumerate(mine):
            if row.state == State.SNOOZED:
                later = [one.at_ns for one in mine[place + 1 :] if one.state in (State.ACKNOWLEDGED, State.SNOOZED)]
                calm[rule].append((row.at_ns, min([row.until_ns, *later])))
    calls = {row.id: row for row in deliveries if row.calls}
    for row in attempts:
        if row.delivery in calls:
            rule = alerts[calls[row.delivery].alert].rule
            _hold(not any(a < row.at_ns < b for a, b in calm[rule]), f"{rule} was called in a snooze at {row.at_ns}")
    for row in steps:
        if row.state in CALLING:
            mine = [one for one in calls.values() if (one.alert, one.step) == (row.alert, row.number)]
            _hold(len(mine) == 1, f"a step of {row.alert} has {len(mine)} calls")
    got = set(received)
    for one in deliveries:
        _hold(one.state in (SENT, CANCELLED), f"a delivery is left {one.state}")
        _hold(one.state != SENT or one.id in got, "a delivery that counts as sent was not received")
    _hold(got <= {one.id for one in deliveries}, "something was received that nobody sent")
    unknown = sum(row.ok is None for row in attempts)
    return (
        f"{len(alerts)} alerts, {len(steps)} steps, {len(deliveries)} deliveries ({len(received) - len(got)} received twice under "
        f"the same id, {unknown} tries cut by a kill), {len(promised)} promises kept, 0 calls in {sum(map(len, calm.values()))} snoozes"
    )


def _hold(true: bool, what: str) -> None:
    if not true:
        sys.exit(f"Broken: {what}.")


if __name__ == "__main__":
    main()

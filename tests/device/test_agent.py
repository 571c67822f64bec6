"""The agent's parts below the protocol: lease, queue, worker."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from thermo_core.errors import (
    BusTimeoutError,
    ThermoError,
    UsageError,
)
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, TelemetryFrame
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord
from thermo_device.telemetry import FrameQueue, Lease, Outbox
from thermo_device.worker import Worker


class Time:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_runs_out_and_is_never_longer_than_allowed() -> None:
    time = Time()
    lease = Lease(10.0, time)
    assert (lease.held, lease.left_s) == (False, 0.0)
    assert lease.grant(3.0) == 3.0
    time.now += 2.0
    assert lease.left_s == pytest.approx(1.0)
    assert lease.grant(1e9) == 10.0
    time.now += 10.5
    assert (lease.held, lease.left_s) == (True, 0.0)
    lease.end()
    assert not lease.held


def test_a_full_queue_drops_the_oldest_and_counts_them() -> None:
    queue = FrameQueue(100)
    assert queue.put([bytes([n]) * 10 for n in range(10)]) == 0
    assert queue.put([b"x" * 25]) == 3
    assert queue.dropped == 3
    assert queue.take(25) == b"\x03" * 10 + b"\x04" * 10
    assert queue.take(1) == b"\x05" * 10, "a frame longer than asked for still leaves whole"
    queue.clear()
    assert queue.take(1000) == b"" and queue.dropped == 3
    assert queue.put([b"y" * 101]) == 1 and len(queue) == 0


def decoded(data: bytes) -> list[records.Record]:
    return [records.decode(f.record)[1] for f in Demultiplexer().feed(data) if isinstance(f, TelemetryFrame)]


def test_events_and_alerts_wait_for_a_host_and_clock_records_are_completed() -> None:
    time = Time()
    queue, lease = FrameQueue(), Lease(10.0, time)
    woken: list[int] = []
    outbox = Outbox(queue, lease, lambda: woken.append(1))
    clock = ClockRecord(5, 0, 0, 0, captured=7, lost=1)
    outbox.publish([clock])
    outbox.notice("request_refused", "No.", 6)
    outbox.notice("request_refused", "No again.", 7)
    alert = AlertRecord(8, AlertChange(0, AlertState.RAISED, 8, 0.75, 0))
    outbox.publish([alert])
    assert len(queue) == 0 and not woken
    lease.grant(4.0)
    outbox.publish([clock])
    first, second, raised, told = decoded(queue.take(1 << 16))
    assert raised == alert
    assert isinstance(first, EventRecord) and isinstance(second, EventRecord)
    assert [(e.code, e.count, e.text) for e in (first, second)] == [(100, 1, "No."), (100, 2, "No again.")]
    assert told == ClockRecord(5, 0, 4000, 0, 7, 1) and woken


class Stumbling:
    """A pipeline that fails at its first start and at its third step."""

    def __init__(self) -> None:
        self.starts = self.steps = self.resumes = 0

    def start(self) -> None:
        self.starts += 1
        if self.starts == 1:
            raise ThermoError("Not yet.")

    def resume(self) -> None:
        self.resumes += 1

    def step(self) -> list[int]:
        self.steps += 1
        if self.steps == 3:
            raise ThermoError("Stumbled.")
        return [self.steps]


def test_a_worker_survives_failures_and_does_work_in_between() -> None:
    pipeline = Stumbling()
    published: list[int] = []
    failures: list[str] = []
    enough = threading.Event()

    def publish(new: Sequence[Any]) -> None:
        published.extend(new)
        if len(published) >= 5:
            enough.set()

    worker = Worker(pipeline, publish, lambda: True, lambda error: failures.append(str(error)))
    worker.start()
    assert enough.wait(30)
    assert worker.call(lambda: threading.current_thread().name, 30.0) == "pipeline"

    def broken() -> None:
        raise UsageError("No.")

    with pytest.raises(UsageError):
        worker.call(broken, 30.0)
    worker.stop()
    assert failures == ["Not yet.", "Stumbled."] and pipeline.starts == 3
    assert published[:4] == [1, 2, 4, 5]


def test_a_worker_rests_while_nobody_listens() -> None:
    pipeline = Stumbling()
    pipeline.starts = 1
    listening = threading.Event()
    published = threading.Event()
    worker = Worker(pipeline, lambda new: published.set(), listening.is_set, lambda error: None)
    worker.start(5.0)
    assert worker.call(lambda: pipeline.steps, 30.0) == 0
    listening.set()
    worker.wake()
    assert published.wait(30) and pipeline.resumes == 1
    worker.stop()


def test_what_waits_for_a_bus_that_hangs_is_bounded() -> None:
    pipeline = Stumbling()
    hangs, entered = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        hangs.wait(60)

    worker = Worker(pipeline, lambda new: None, lambda: False, lambda error: None)
    worker.start(5.0)
    threading.Thread(target=lambda: worker.call(hang, 60.0), daemon=True).start()
    assert entered.wait(30)
    for _ in range(10_000):
        worker.wake()
    refused = 0
    for _ in range(100):
        with pytest.raises(BusTimeoutError) as raised:
            worker.call(lambda: None, 0.001)
        refused += "before" in str(raised.value)
    assert worker._work.qsize() < 20 and refused > 80
    hangs.set()
    worker.stop()

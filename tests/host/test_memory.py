"""Memory by count: what listens for a night keeps no more after thousands of records than after hundreds."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from scripted_peer import ScriptedWearable

from thermo_core.recording.layout import Gap
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.wire.records import decode, encode
from thermo_host.link.items import Telemetry
from thermo_host.link.wearable import Wearable
from thermo_host.screen.view import View
from thermo_host.sinks import recorder as recording_module
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.sinks.summary import Summary

pytestmark = pytest.mark.lengthy

Take = Callable[[int], list[Telemetry]]
PERIOD_NS = 62_500_000


def endless(items: list[Telemetry]) -> Iterator[Telemetry]:
    """The same records over and over, with running numbers and times that go on."""
    subpages = sum(isinstance(item.record, Block) and item.record.sensor == 0 for item in items)
    span_us, count = subpages * PERIOD_NS // 1000, 0
    while True:
        for item in items:
            record = replace(item.record, time_us=item.record.time_us + count * span_us)
            if isinstance(record, Block):
                record = replace(record, index=record.index + count * subpages)
            shift_ns = count * span_us * 1000
            data = encode(record, item.header.sequence)
            header, record = decode(data)
            yield Telemetry(item.received_ns + shift_ns, item.captured_ns + shift_ns, header, record, data)
        count += 1


def growth(step: Callable[[], None], warm_up: int, steps: int) -> int:
    """Bytes that Python holds more after `steps` than before, once `warm_up` steps have filled what has a bound.

    The least of three stretches: what is kept for ever grows in every one, while a thread caught in the middle of its
    work, or a table that doubles, shows in one.
    """
    tracemalloc.start(1)
    try:
        for _ in range(warm_up):
            step()
        held = []
        for _ in range(4):
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
            if len(held) < 4:
                for _ in range(steps):
                    step()
        return min(after - before for before, after in pairwise(held))
    finally:
        tracemalloc.stop()


def test_a_recorder_keeps_nothing_of_what_it_wrote(
    tmp_path: Path, session: Session, telemetry: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "FLUSH_S", 0.0)
    items = endless(telemetry(60))
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        # A chunk each: 1000 of them are four minutes of a recording.
        assert growth(lambda: recorder.add(next(items)), 200, 1000) < 10_000


def test_what_is_shown_of_a_night_is_the_newest(session: Session, telemetry: Take) -> None:
    items = endless(telemetry(60))
    monitor, summary = Monitor(session), Summary(session)
    view = View(monitor, "")

    def step() -> None:
        item = next(items)
        summary.take(item, monitor.push(item))
        monitor.count_bytes(0)
        monitor.push(Gap(from_ns=item.received_ns, to_ns=item.received_ns + 1, reason="again"))
        view.line()

    assert growth(step, 1500, 3000) < 20_000


def test_requests_leave_nothing_behind(session: Session) -> None:
    peer = ScriptedWearable(session)
    try:
        with Wearable.open(peer.port, timeout_s=20.0) as wearable:

            def step() -> None:
                wearable.hello()
                wearable.counters()
                wearable.images()
                peer.requests.clear()

            assert growth(step, 300, 300) < 10_000
            assert not wearable.line._pending
    finally:
        peer.unplug()

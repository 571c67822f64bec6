"""The cable is pulled, and no estimate is missing and none doubled: on the agent, as a program and on a microcontroller.

The agent's ten minutes pass at 15 times their speed; boards, which run in real time, lose half a minute here and ten minutes in
test_firmware_kept.
"""

import contextlib
import threading
import time
from pathlib import Path

import pytest
import seldom
from patience import WAIT_S
from running import KINDS, started

from thermo_core.recording.layout import Gap
from thermo_core.wire.records import ClockRecord, FindingRecord
from thermo_host.flash import flash, load
from thermo_host.link.items import Item, Lost, Telemetry
from thermo_host.link.session import fetch
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.listen import listen
from thermo_host.stream.playback import Recording

pytestmark = pytest.mark.lengthy

SPEED = 15
AWAY_S = {"agent": 40.0, "host": 20.0, "mps2-an386": 20.0}
LEAST = {"agent": 60, "host": 3, "mps2-an386": 3}
"""Findings of a model made meanwhile, of 600 s and of 20 s; a machine that stands still leaves some of a hurried agent out."""


def findings(items: list[Item], model: int) -> list[FindingRecord]:
    told = [one.record for one in items if isinstance(one, Telemetry)]
    return [one for one in told if isinstance(one, FindingRecord) and one.model == model]


def heard(found: list[FindingRecord]) -> list[FindingRecord]:
    """Those that came by themselves; what waits in the line of a busy host when it asks is fetched before it is heard, and comes once."""
    return [one for one in found if not one.fetched]


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_lost_line_nothing_is_missing(kind: str, tmp_path: Path) -> None:
    more = ("--speed", str(SPEED)) if kind == "agent" else ()
    toml = str(seldom.write(tmp_path))
    path = tmp_path / "recording.mcap"
    with started(kind, tmp_path, *more, wearable=toml) as running, running.open() as host:
        if more:  # which `started` leaves to the test
            (tmp_path / "signed.img").write_bytes(running.image)
            flash(host, load(tmp_path / "signed.img"))
        session = fetch(host)
        monitor = Monitor(session)
        items: list[Item] = []
        with contextlib.closing(listen(host, session, reconnect=True)) as stream, Recorder(path, session) as recorder:
            pulled, end = False, time.monotonic() + AWAY_S[kind] + WAIT_S
            for item in stream:
                assert time.monotonic() < end, [type(one).__name__ for one in items[-5:]]
                if item is None:
                    continue
                items.append(item)
                monitor.push(item)
                recorder.add(item)
                if not pulled and all(heard(findings(items, model)) for model in (0, 1)):
                    pulled = True
                    pull = threading.Thread(
                        target=running.laboratory, args=("unplug",), kwargs={"seconds": AWAY_S[kind]}, daemon=True
                    )
                    pull.start()
                back = next((at for at, one in enumerate(items) if isinstance(one, Gap)), len(items))
                if all(len(heard(findings(items[back:], model))) >= 2 for model in (0, 1)):
                    break
    at = next(place for place, one in enumerate(items) if isinstance(one, Gap))
    assert any(isinstance(one, Lost) for one in items[:at])
    for model in (0, 1):
        found = findings(items, model)
        times = [one.time_us for one in found]
        assert times == sorted(set(times)), "in their order, and none doubled"
        # By readings, of each of which there is a finding, and not by time: a busy machine keeps a hurried chip waiting.
        readings = [(place, dict(one.newest)[0]) for place, one in enumerate(found) if not one.fetched]
        assert len({reading - place for place, reading in readings}) == 1, "none is missing"
        assert sum(one.fetched for one in findings(items[at:], model)) >= LEAST[kind]
        assert not more or times[-1] - times[0] > 1e6 * SPEED * AWAY_S[kind], "ten minutes passed"
        assert heard(findings(items[:at], model))
        recorded = [
            one.record
            for one in Recording(path)
            if isinstance(one, Telemetry) and isinstance(one.record, FindingRecord) and one.record.model == model
        ]
        assert recorded == found, "the recording has them in the same order, and knows which were fetched"
        newest = monitor.findings[model]
        assert newest.record == found[-1]
    assert any(isinstance(one, Telemetry) and isinstance(one.record, ClockRecord) for one in items)

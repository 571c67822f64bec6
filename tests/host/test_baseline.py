"""What a wearable learned before a host came: in its session, in recordings, and the same when it is computed again."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_sessions import came
from recorded import BAND, band_records, recording, session
from rich.console import Console
from scripted_peer import ScriptedWearable

from thermo_core.errors import ManagementError
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.wire.smp import Group
from thermo_core.wire.table import Command
from thermo_host.link import management
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.rerun import Rerun, Wanted
from thermo_host.screen.layout import layout
from thermo_host.screen.panel import sections
from thermo_host.screen.words import learned
from thermo_host.sinks.monitor import Monitor

WORN: dict[str, Any] = BAND | {
    "stages": [
        {"op": "reference", "of": "wrist", "gives": "unusual", "least_s": 30.0},
        {"op": "own_baseline", "of": "wrist", "gives": "scaled", "learn_s": 20.0, "least_spread": 0.01},
    ]
}


def worn(seconds: int = 60) -> Session:
    """After so many seconds of wear."""
    whole = session(WORN)
    engine = whole.engine()
    for record in band_records(seconds):
        if isinstance(record, Block):
            engine.push(record)
    return replace(whole, learned=engine.learners.save())


def signals(whole: Session, seconds: int) -> list[bytes]:
    engine = whole.engine()
    return [
        produced[name].values.tobytes()
        for record in band_records(seconds)
        if isinstance(record, Block)
        for produced in engine.push(record).passes
        for name in ("unusual", "scaled")
        if name in produced
    ]


def test_a_recording_of_who_was_known_gives_the_same_bytes_again(tmp_path: Path) -> None:
    before = worn()
    recorded = recording(tmp_path / "worn.mcap", before, came(list(band_records(40))))
    assert recorded.session.learned == before.learned
    found: list[bytes] = []
    rerun = Rerun(
        recorded.session,
        Wanted(),
        lambda item, outcome: found.extend(
            produced[name].values.tobytes()
            for produced in outcome.passes
            for name in ("unusual", "scaled")
            if name in produced
        ),
    )
    for item in recorded:
        rerun.push(item)
    assert found == signals(before, 40)
    assert np.isfinite(np.frombuffer(found[0], "<f4")).all(), "from the first moment on"
    assert signals(replace(before, learned=b""), 40) != found


def test_who_is_known_is_on_screen_with_its_age() -> None:
    whole = worn()
    monitor = Monitor(whole)
    assert learned(monitor) == [
        "unusual: learned 1 min 0 s, 59 s old",
        "scaled: learned 1 min 0 s, 59 s old",
    ]
    console = Console(width=60, record=True)
    for section in sections(monitor, layout(monitor.decoding.plan)):
        console.print(section.content)
    assert "unusual: learned 1 min 0 s" in console.export_text()
    fresh = Monitor(replace(whole, learned=b""))
    assert learned(fresh)[0] == "unusual: learned 0 s, not ready"


def test_it_is_fetched_once_before_a_stream_and_again_where_it_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management, "REST_S", 0.01)
    whole = worn()
    peer = ScriptedWearable(whole)
    torn = [True]

    def part(asked: Any) -> Any:
        given = peer.part(asked, whole.learned)
        if torn:
            torn.pop()
            given["data"] = bytes(len(given["data"]))
        return given

    peer.bodies[Group.THERMO, Command.LEARNED] = part
    try:
        with Wearable.open(peer.port, timeout_s=20) as wearable:
            assert fetch(wearable).learned == whole.learned and not torn
            assert fetch(wearable, partly=True).learned == b""
            peer.bodies[Group.THERMO, Command.LEARNED] = lambda asked: peer.part(asked, whole.learned[:-1] + b"x")
            with pytest.raises(ManagementError, match="goes on learning"):
                fetch(wearable)
    finally:
        peer.unplug()


def test_a_recording_with_another_head_learns_from_its_start(tmp_path: Path) -> None:
    """Bytes in a file that somebody made: the host shows what it learns itself, and nothing falls over."""
    before = worn()
    for data in (b"TLRN", before.learned[:-1], struct.pack("<4sBBHI", b"TLRN", 1, 200, 0, 0)):
        recorded = recording(tmp_path / f"{len(data)}.mcap", replace(before, learned=data), came(list(band_records(9))))
        assert signals(recorded.session, 9) == signals(replace(before, learned=b""), 9)

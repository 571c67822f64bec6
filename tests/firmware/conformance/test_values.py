"""What a wearable measures and finds is what core makes of the same blocks."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import CAMERA, SCORE, SPOTS, blocks
from running import PATIENCE, Running, hear, of

from thermo_core.graph.plan import plan
from thermo_core.image import parse
from thermo_core.quality import Quality
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wire.records import (
    ClockRecord,
    FindingRecord,
    Record,
    SignalRecord,
)
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.screen.view import View
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.listen import listen
from thermo_host.stream.signals import named

pytestmark = pytest.mark.lengthy


def test_pictures_and_thermistors_are_of_what_is_there(wearable: Running, host: Wearable) -> None:
    wearable.laboratory("blackbody", celsius=37.0)
    try:
        engine = wearable.engine(host)
        heard = hear(host, lambda records: len(blocks(records)) >= 24 and bool(blocks(records, SPOTS)[1:]), "blocks")
        said: dict[str, list[Any]] = {"skin": [], "spots": []}
        for block in of(Block, heard):
            for produced in engine.push(block).passes:
                for name in said.keys() & produced.keys():
                    said[name].append(produced[name].values)
        assert not any(engine.undecodable) and len(said["skin"]) >= 4
        assert abs(np.mean(said["skin"][2:]) - 37.0) < 1.5  # the sensor's own error, uncalibrated
        np.testing.assert_allclose(said["spots"][-1], 37.0, atol=0.6)
        assert of(ClockRecord, heard)
        indices = [block.index for block in blocks(heard)]
        assert indices == sorted(set(indices))
    finally:
        wearable.laboratory("scene")


def compare_findings(wearable: Running, host: Wearable, within: float, least: int = 8) -> None:
    """Findings of a fresh start are what core makes of the same blocks, and rest on the blocks it says."""
    host.reset(30.0 * PATIENCE)  # so that neither has seen anything before
    engine = wearable.engine(host)
    heard = hear(host, lambda records: len(of(FindingRecord, records)) >= least + 4, "findings", 120.0)
    wanted = {
        (one.finding.model, one.finding.time_us): one for block in of(Block, heard) for one in engine.push(block).said
    }
    both = [
        (one, wanted[one.model, one.time_us]) for one in of(FindingRecord, heard) if (one.model, one.time_us) in wanted
    ]
    assert len(both) >= least
    number = int.from_bytes(parse(wearable.image).sha256[:4], "little")
    for theirs, ours in both:
        np.testing.assert_allclose(theirs.values, ours.finding.values, atol=within)
        assert (theirs.bundle, theirs.newest) == (number, ours.newest)
        assert theirs.flags & ~Quality.FAST_KERNELS == ours.finding.flags


def test_findings_are_what_core_makes_of_the_same_blocks(wearable: Running, host: Wearable) -> None:
    compare_findings(wearable, host, SCORE)


def test_signals_come_while_they_are_asked_for(wearable: Running, host: Wearable) -> None:
    names = list(plan(wearable.bundle.profile).signals)
    wanted = [names.index("spots"), names.index("skin.ta")]
    engine = wearable.engine(host)
    heard: list[Record] = []
    end = time.monotonic() + 60 * PATIENCE
    with host.stream(key_interval=4) as stream:
        assert list(host.choose_signals(wanted)) == wanted
        while len(of(SignalRecord, heard)) < 60:
            assert time.monotonic() < end
            seen = stream.get(5.0)
            heard += [] if seen is None else [seen.record]
    theirs = {
        (names.index(name), sample.time_us): sample
        for block in of(Block, heard)
        for produced in engine.push(block).passes
        for name, sample in produced.items()
    }
    compared = 0
    for one in of(SignalRecord, heard):
        assert one.signal in wanted
        if (one.signal, one.time_us) in theirs:
            np.testing.assert_allclose(one.values, theirs[one.signal, one.time_us].values.ravel(), atol=0.01)
            compared += 1
    assert compared >= 4


def test_a_stage_and_what_a_network_gives_are_shown_as_the_wearable_computes_them(
    wearable: Running, host: Wearable
) -> None:
    """The host has no network, so what it shows of one can only be what it asked for."""
    session = fetch(host)
    wanted = named(session.plan, ["above", "lesion"], "--show")
    monitor = Monitor(session, sent=wanted)
    numbers = [session.plan.number_of(name) for name in wanted]
    end = time.monotonic() + 60 * PATIENCE
    with contextlib.closing(listen(host, session, signals=numbers)) as items:
        for item in items:
            if item is not None:
                monitor.push(item)
            if set(wanted) <= set(monitor.signals):
                break
            assert time.monotonic() < end, set(wanted) - set(monitor.signals)
    line = View(monitor, "", wanted=wanted).line()
    assert "above min" in line and "lesion.raw[0]" in line
    assert monitor.signals["lesion.raw"].sample.values.sum() == pytest.approx(1, abs=0.01)


def test_calibrate_record_and_replay_as_a_user_does(wearable: Running, tmp_path: Path) -> None:
    def command(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "thermo_host.cli", *words, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    line, session = str(wearable.link), str(tmp_path / "session.mcap")
    points = ["--set-points", "30,38", "--hold-out", "34.7", "--pictures", "16"]
    figures = command("calibrate", line, "--quick", *points, "--yes", "--output", str(tmp_path / "calibration"))
    assert figures
    with wearable.open() as host:
        camera, spots = host.hello().sensors
        assert camera.corrected and spots.corrected
    command("record", line, "--seconds", "3", "--output", session)
    command("replay", session, "--summary")
    with wearable.open() as host:
        host.write_correction(CAMERA, PixelCorrection.identity(Stamp(camera.id)))
        host.write_correction(SPOTS, CurveCorrection((None,) * 4, Stamp(spots.id)))
        assert not any(state.corrected for state in host.hello().sensors)

"""Findings, signals and alerts of the firmware's main loop: those that core makes of the same blocks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bundles import IMAGE, breast_patch
from firmware_wearable import FirmwareWearable
from unfit import FIT, UNFIT
from wearable_asked import CAMERA, Make, blocks, engine_for, identity, of, write

from thermo_core.graph.plan import plan
from thermo_core.image import parse
from thermo_core.quality import Quality
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wire.management import Alerts
from thermo_core.wire.management import read as message
from thermo_core.wire.records import (
    AlertRecord,
    FindingRecord,
    Record,
    SignalRecord,
)
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command, GroupError, OutputKind


@pytest.mark.parametrize("calibrated", [False, True])
def test_findings_and_alerts_are_those_core_makes_of_the_same_blocks(make: Make, calibrated: bool) -> None:
    wearable = make()
    correction = None
    if calibrated:
        rng = np.random.default_rng(5)
        wearable.run(0.5)
        correction = PixelCorrection(
            offset=rng.normal(0, 0.4, (24, 32)).astype(np.float32),
            gain=rng.normal(1, 0.01, (24, 32)).astype(np.float32),
            ta_slope=rng.normal(0, 0.01, (24, 32)).astype(np.float32),
            bad=rng.random((24, 32)) < 0.01,
            stamp=Stamp(identity(wearable)),
        )
        assert "err" not in write(wearable, to_bytes(correction))
    wearable.listen(lease_ms=10_000)
    found = wearable.run(9.0)
    engine = engine_for(wearable, correction)
    wanted = {said.finding.time_us: said for block in of(Block, found) for said in engine.push(block).said}
    ours = of(FindingRecord, found)
    assert len(ours) > 30
    assert {one.time_us for one in ours} == set(wanted)
    number = int.from_bytes(parse(IMAGE.read_bytes()).sha256[:4], "little")
    off = []
    for one in ours:
        other = wanted[one.time_us]
        assert (one.model, one.kind, one.bundle, one.newest) == (0, OutputKind.SCORES, number, other.newest)
        assert one.flags == other.finding.flags
        assert bool(one.flags & Quality.UNCALIBRATED) == (not calibrated)
        assert 0 <= one.inference_us <= one.latency_us
        off.append(max(abs(a - b) for a, b in zip(one.values, other.finding.values, strict=True)))
    # Single precision moves a few inputs by one step, and a score by few of its own.
    assert np.mean(off) < 2 / 256
    assert max(off) < 8 / 256


def test_signals_come_as_core_decodes_them(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    wearable.run(1.0)
    names = list(plan(breast_patch().profile).signals)
    wanted = [names.index(name) for name in ("skin.ta", "spots", "above")]
    assert wearable.ask(Command.SIGNALS, {"signals": wanted}, Op.WRITE) == {"signals": wanted}
    wearable.listen(lease_ms=10_000)  # a new stream has key frames, and no signals
    assert not of(SignalRecord, wearable.run(1.0))
    wearable.ask(Command.SIGNALS, {"signals": wanted}, Op.WRITE)
    before = len(wearable.telemetry)
    wearable.listen(lease_ms=10_000)
    wearable.ask(Command.SIGNALS, {"signals": wanted}, Op.WRITE)
    wearable.run(6.0)
    found = [record for _, record in wearable.telemetry[before:]]
    engine = engine_for(wearable)
    theirs: dict[tuple[int, int], Any] = {}
    for block in of(Block, found):
        for produced in engine.push(block).passes:
            theirs |= {(names.index(name), sample.time_us): sample for name, sample in produced.items()}
    whole: dict[tuple[int, int], list[float]] = {}
    for part in of(SignalRecord, found):
        assert part.signal in wanted
        assert part.first == len(whole.setdefault((part.signal, part.time_us), []))
        whole[part.signal, part.time_us] += part.values.tolist()
    compared = 0
    for key, values in whole.items():
        if key in theirs and key[0] != names.index("above"):
            np.testing.assert_allclose(values, theirs[key].values.ravel(), atol=0.01)
            compared += 1
    assert compared > 50
    assert {key[0] for key in whole} == set(wanted)
    assert all(len(values) == 768 for key, values in whole.items() if key[0] == names.index("above"))
    assert wearable.ask(Command.SIGNALS, {"signals": [200]}, Op.WRITE)["err"]["rc"] == GroupError.NO_SUCH


@pytest.mark.parametrize(("harm", "flag"), UNFIT.values(), ids=UNFIT)
def test_pictures_that_are_none_move_no_alert_and_say_so(make: Make, harm: Callable[..., None], flag: Quality) -> None:
    wearable = make()
    harm(wearable.hardware)
    wearable.listen(lease_ms=10_000)
    found = wearable.run(5.0)
    assert len(blocks(found, CAMERA)) > 30
    findings = of(FindingRecord, found)
    undecodable = wearable.ask(Command.COUNTERS)["counters"].get("undecodable", 0)
    assert findings or undecodable >= 15
    assert all(one.flags & flag for one in findings)
    assert not [one for one in of(AlertRecord, found) if one.change.state]


@pytest.mark.parametrize("harm", FIT.values(), ids=FIT)
def test_a_few_pixels_and_a_warm_die_cost_no_finding(make: Make, harm: Callable[..., None]) -> None:
    wearable = make()
    harm(wearable.hardware)
    wearable.listen(lease_ms=10_000)
    findings = of(FindingRecord, wearable.run(5.0))
    assert findings
    assert not any(one.flags & (Quality.MISSING | Quality.OUT_OF_RANGE) for one in findings)


def test_alerts_stand_where_a_host_that_comes_is_told(make: Make) -> None:
    wearable = make()
    wearable.listen()
    wearable.run(0.2)
    told = of(AlertRecord, [record for _, record in wearable.telemetry])
    assert [(one.change.alert, one.change.state) for one in told] == [(0, 0)]
    answer = message(Alerts, wearable.ask(Command.ALERTS))
    assert [one.state for one in answer.alerts] == [0]
    assert wearable.ask(Command.ALERTS, {"alert": 0}, Op.WRITE)["alerts"] == [{"state": 0, "time_us": 0}]
    assert wearable.ask(Command.ALERTS, {"alert": 1}, Op.WRITE)["err"]["rc"] == GroupError.NO_SUCH


def stream(wearable: FirmwareWearable, seconds: int) -> list[Record]:
    """What a host that renews its lease hears."""
    heard: list[Record] = []
    for _ in range(0, seconds, 4):
        wearable.ask(Command.STREAM, {"op": 2, "lease_ms": 10_000}, Op.WRITE)
        heard += wearable.run(4.0)
    return heard


@pytest.mark.parametrize("rate_hz", [1.0, 4.0, 32.0])
def test_findings_at_another_rate_are_those_core_makes_of_the_same_blocks(make: Make, rate_hz: float) -> None:
    """A camera that is slower than its profile says is none with gaps, while it streams and for the next host."""
    wearable = make()
    seconds = 8 + round(50 / rate_hz)
    wearable.listen(lease_ms=10_000)
    wearable.run(2.0)
    wearable.ask(Command.RATE, {"rate_hz": rate_hz, "sensor": CAMERA}, Op.WRITE)
    assert len(of(FindingRecord, stream(wearable, seconds))) >= 7
    wearable.run(15.0)  # the lease runs out, and the sensors rest
    wearable.listen(lease_ms=10_000)
    found = stream(wearable, seconds)
    engine = engine_for(wearable, rates_hz=[rate_hz])
    wanted = {said.finding.time_us: said.finding for block in of(Block, found) for said in engine.push(block).said}
    ours = {one.time_us: one for one in of(FindingRecord, found)}
    assert len(wanted) >= 7
    assert set(ours) == set(wanted)
    for time_us, finding in wanted.items():
        assert ours[time_us].flags == finding.flags
        assert ours[time_us].values == pytest.approx(finding.values, abs=2 / 256)

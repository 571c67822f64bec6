"""Findings and alerts of the pipeline: those that core makes of the same blocks, whatever goes on beside."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from msgspec.structs import replace as changed
from pipeline_patch import SKIN, SPOTS, Patch, findings
from unfit import FIT, UNFIT

from thermo_core.bundle import Bundle
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.engine import Engine
from thermo_core.graph.rates import plan_at
from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import Alert, Duration
from thermo_core.wire.records import AlertRecord, FindingRecord
from thermo_core.wire.table import OutputKind
from thermo_device.background import Background
from thermo_device.bundled import Bundled
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.hardware import SimulatedHardware


def engine_of(patch: Patch, bundle: Bundle, rates_hz: Sequence[float] = ()) -> Engine:
    """A host's engine over the same wearable, whose sensors are set to these rates."""
    networks = {name: Int8Network(data) for name, data in bundle.networks.items()}
    engine = Engine(plan_at(patch.profile, rates_hz), networks, int(Quality.SIMULATED))
    for sensor in range(len(patch.profile.sensors)):
        found = patch.pipeline.found(sensor)
        assert found is not None
        constants = SensorConstants(found.sighting.number, found.constants)
        engine.open(sensor, constants, None)
    return engine


def test_findings_are_those_of_the_host_s_own_path(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.pipeline.start()
    patch.run(3.0)
    said = patch.of(FindingRecord)
    assert len(said) >= 10
    assert len({one.values for one in said}) > 1
    engine = engine_of(patch, bundle)
    blocks = [record for record in patch.records if isinstance(record, Block)]
    expected = [(block, one) for block in blocks for one in engine.push(block).said]
    assert len(expected) == len(said)
    for one, (block, wanted) in zip(said, expected, strict=True):
        assert (one.time_us, one.model, one.values) == (block.time_us, 0, wanted.finding.values)
        assert one.flags == wanted.finding.flags == Quality.SIMULATED | Quality.UNCALIBRATED
        assert one.newest == ((SKIN, block.index),)
        assert one.bundle == 0x04030201
        assert one.kind is OutputKind.SCORES
        assert 15_000 < one.latency_us < 30_000
    assert not patch.pipeline.corrected(SKIN)
    assert patch.pipeline.counters.get("findings") == len(said)


def test_concluding_beside_the_acquisition_gives_the_same_findings(bundle: Bundle) -> None:
    inline, beside = Patch(bundle), Patch(bundle, inline=False)
    inline.run(2.0)
    while beside.simulated.clock.now_us() < inline.simulated.clock.now_us():
        beside.records += beside.pipeline.step()
        settle(beside)
    beside.records += beside.pipeline.step()
    beside.pipeline.close()
    first = [(one.newest, one.values) for one in inline.of(FindingRecord)]
    second = [(one.newest, one.values) for one in beside.of(FindingRecord)]
    assert len(first) > 5
    assert second[: len(first)] == first


def settle(patch: Patch) -> None:
    """Wait until all that was captured is concluded."""
    done = threading.Event()
    while not patch.pipeline._concluder._background.submit(done.set, source=99):
        time.sleep(0.001)
    assert done.wait(20)


def test_a_busy_network_skips_blocks_and_counts_them_but_streams_all_of_them(bundle: Bundle) -> None:
    patch = Patch(bundle, inline=False)
    patch.run(1.0)
    settle(patch)
    free, begun = threading.Event(), threading.Event()

    def busy() -> None:
        begun.set()
        free.wait(20)

    assert patch.pipeline._concluder._background.submit(busy, source=99)
    assert begun.wait(20)
    before = len(patch.blocks())
    records = patch.run(2.0)
    assert len(patch.blocks(among=records)) >= 30
    assert not findings(records[-10:])
    assert patch.pipeline.counters.by_sensor()["blocks_skipped", SKIN] >= 25
    assert ("blocks_skipped", SPOTS) not in patch.pipeline.counters.by_sensor(), "each sensor has room of its own"
    indices = [block.index for block in patch.blocks()]
    assert indices == list(range(indices[0], indices[0] + len(indices)))
    assert before > 0
    free.set()
    patch.pipeline.close()


def test_work_beside_is_done_in_order_and_none_after_the_end() -> None:
    background: Background[int] = Background(capacity=100)
    results = []
    for n in range(50):
        assert background.submit(partial(lambda n: n if n % 2 else None, n))
    done = threading.Event()
    background.submit(done.set)
    assert done.wait(20)
    results += background.results()
    assert results == list(range(1, 50, 2))
    background.close()
    assert not background.submit(lambda: 1)
    assert background.results() == []


def test_an_alert_needs_as_many_findings_in_a_row_as_the_profile_says(bundle: Bundle) -> None:
    plain = Patch(bundle)
    plain.run(4.0)
    said = plain.of(FindingRecord)
    threshold = float(np.median([one.values[1] for one in said]))
    for many in (1, 2, 3):
        alert = Alert(name="warm", when=f"lesion.lesion >= {threshold:.9f}", after=Duration(findings=many))
        patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
        patch.run(4.0)
        machine = AlertMachine(patch.pipeline.plan.alerts[0], 0)
        expected = [change for one in said if (change := machine.push(one.values[1], one.flags, one.time_us))]
        assert [record.change for record in patch.of(AlertRecord)] == expected
        assert any(change.state is AlertState.RAISED for change in expected)


def test_a_host_that_begins_to_listen_hears_where_alerts_stand(bundle: Bundle) -> None:
    alert = Alert(name="warm", when="lesion.lesion >= 0", clear="lesion.lesion < 0")
    patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
    patch.run(2.0)
    assert [record.change.state for record in patch.of(AlertRecord)] == [AlertState.RAISED]
    patch.pipeline.listen()
    (told,) = [record for record in patch.run(0.5) if isinstance(record, AlertRecord)]
    assert told.change == patch.of(AlertRecord)[0].change
    step = patch.pipeline.acknowledge(0)
    assert step is not None and step.change.state is AlertState.ACKNOWLEDGED
    assert patch.pipeline.acknowledge(0) is None
    assert [change.state for change in patch.pipeline.alerts()] == [AlertState.ACKNOWLEDGED]


@pytest.mark.parametrize(("harm", "flag"), UNFIT.values(), ids=UNFIT)
def test_findings_of_pictures_that_are_none_are_doubtful_and_move_no_alert(
    bundle: Bundle, harm: Callable[[SimulatedHardware], None], flag: Quality
) -> None:
    alert = Alert(name="any", when="lesion.lesion >= 0")
    patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
    harm(patch.simulated)
    records = patch.run(3.0)
    assert len(patch.blocks(among=records)) >= 30
    assert all(one.flags & flag & DOUBTFUL for one in findings(records))
    assert patch.of(AlertRecord) == []
    patch.simulated.set_scene()
    patch.simulated.set_ambient(25.0)
    later = patch.run(3.0)
    assert not findings(later)[-1].flags & DOUBTFUL
    assert [record.change.state for record in patch.of(AlertRecord)] == [AlertState.RAISED]


@pytest.mark.parametrize("harm", FIT.values(), ids=FIT)
def test_a_few_pixels_and_a_warm_die_cost_no_finding(bundle: Bundle, harm: Callable[[SimulatedHardware], None]) -> None:
    patch = Patch(bundle)
    harm(patch.simulated)
    assert any(not one.flags & DOUBTFUL for one in findings(patch.run(3.0)))


@pytest.mark.parametrize("rate_hz", [1.0, 2.0, 64.0])
def test_findings_go_on_at_another_rate_and_alerts_stand(bundle: Bundle, rate_hz: float) -> None:
    """A camera that is slower than its profile says is none with gaps."""
    alert = Alert(name="any", when="lesion.lesion >= 0", clear="lesion.lesion < 0")
    patch = Patch(changed(bundle, profile=changed(bundle.profile, alerts=(alert,))))
    patch.run(2.0)
    patch.pipeline.set_rate(SKIN, rate_hz)
    records = patch.run(5 + 20 / rate_hz)
    said = findings(records)
    assert len(said) >= 7
    engine = engine_of(patch, bundle, [rate_hz])
    wanted = [one.finding for record in records if isinstance(record, Block) for one in engine.push(record).said]
    assert [(one.time_us, one.flags, one.values) for one in said] == [
        (one.time_us, one.flags, one.values) for one in wanted
    ]
    assert [change.state for change in patch.pipeline.alerts()] == [AlertState.RAISED]


def test_a_rate_that_the_bus_cannot_carry_costs_no_findings(bundle: Bundle) -> None:
    simulated = SimulatedHardware.from_profile(seed=6, bus_hz=400_000, warm_up_tau_s=0)
    hardware = Hardware(simulated.bus, simulated.clock, "patch", "0001", simulated=True)
    skin, spots = bundle.profile.sensors
    profile = changed(bundle.profile, sensors=(changed(skin, rate_hz=64.0), spots))
    pipeline = Pipeline(hardware, profile, Bundled(bundle.networks), inline=True)
    said: list[FindingRecord] = []
    while simulated.clock.now_us() < 6_000_000:
        said += findings(pipeline.step())
    assert pipeline.rate_hz(SKIN) == 16 and pipeline.counters.get("rate_lowered") == 1
    assert len(said) > 6 * 8 - 10


def test_fast_kernels_are_flagged(bundle: Bundle) -> None:
    patch = Patch(bundle, kernels="fast")
    patch.run(2.0)
    assert all(one.flags & Quality.FAST_KERNELS for one in patch.of(FindingRecord))
    assert patch.pipeline.counters.get("kernels_compared") >= 1


def test_what_was_waived_at_signing_is_flagged(bundle: Bundle) -> None:
    patch = Patch(bundle)
    hardware = Hardware(patch.simulated.bus, patch.simulated.clock, "patch", "0001", simulated=True)
    pipeline = Pipeline(hardware, bundle.profile, Bundled(bundle.networks, waived=True), inline=True)
    records = [record for _ in range(60) for record in pipeline.step()]
    assert findings(records) and all(one.flags & Quality.GATE_FAILED for one in findings(records))


def test_at_64_hz_with_a_model_no_page_is_lost(bundle: Bundle) -> None:
    patch = Patch(bundle, rate_hz=64)
    patch.run(5.0)
    assert patch.pipeline.counters.get("blocks_lost") == 0
    assert len(patch.of(FindingRecord)) > 120

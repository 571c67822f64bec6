"""A model is tried the whole way before it runs, and what one record cannot say costs its neighbours nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import breast_patch
from msgspec.structs import replace

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, WireError
from thermo_core.graph.plan import plan
from thermo_core.signals import Sample
from thermo_core.stages.average import Average
from thermo_core.stages.centre import Centre
from thermo_core.stages.scale import Scale
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Model, Quantity
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, TelemetryFrame
from thermo_core.wire.records import EventRecord, FindingRecord, Record
from thermo_core.wire.table import OutputKind, Severity
from thermo_device.bare import DEFAULT
from thermo_device.bundled import Bundled
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.networks import open_networks
from thermo_device.pipeline import Pipeline
from thermo_device.rehearsal import rehearse
from thermo_device.telemetry import FrameQueue, Lease, Outbox
from thermo_sim.hardware import SimulatedHardware


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return breast_patch()


def finding(index: int, latency_us: int = 9) -> FindingRecord:
    return FindingRecord(7, 0, 0, 1, latency_us, 3, ((0, index),), OutputKind.SCORES, (0.25, 0.75))


def _sent(queue: FrameQueue) -> list[tuple[int, Record]]:
    found = []
    for frame in Demultiplexer().feed(queue.take(1 << 16)):
        assert isinstance(frame, TelemetryFrame)
        header, record = records.decode(frame.record)
        found.append((header.sequence, record))
    return found


def test_a_record_that_does_not_fit_takes_neither_its_batch_nor_kept_events() -> None:
    queue, lease = FrameQueue(), Lease(10.0)
    told: list[Any] = []
    outbox = Outbox(queue, lease, lambda: None, told.append)
    kept = [EventRecord(n, 100, Severity.WARNING, None, n, f"Event {n}.") for n in range(3)]
    outbox.publish(kept)
    lease.grant(5.0)
    assert outbox.publish([finding(1), finding(2, latency_us=1 << 32), finding(3)]) == 0
    sent = _sent(queue)
    assert [sequence for sequence, _ in sent] == [0, 1, 2, 3, 4], "a record that was left out is no gap"
    assert [record for _, record in sent[:3]] == kept
    newest = [record.newest for _, record in sent[3:] if isinstance(record, FindingRecord)]
    assert newest == [((0, 1),), ((0, 3),)]
    assert len(told) == 1 and isinstance(told[0], WireError)
    outbox.publish([finding(4)])
    assert [sequence for sequence, _ in _sent(queue)] == [5]


def test_a_kept_event_that_cannot_be_sent_is_told_once() -> None:
    queue, lease = FrameQueue(), Lease(10.0)
    told: list[Any] = []
    outbox = Outbox(queue, lease, lambda: None, told.append)
    outbox.publish([EventRecord(1, 1 << 17, Severity.WARNING, None, 1, "No such code.")])
    lease.grant(5.0)
    for index in range(3):
        outbox.publish([finding(index)])
    assert len(told) == 1 and len(_sent(queue)) == 3


def test_the_shipped_model_gives_a_finding_on_what_sensors_typically_say(bundle: Bundle) -> None:
    counters = Counters()
    networks = open_networks(bundle.networks, "reference", counters)
    said = rehearse(plan(bundle.profile), networks)
    label, score = said["lesion"].rsplit(" ", 1)
    assert label.strip("'") in ("no lesion", "lesion") and 0.5 <= float(score) <= 1
    assert counters.snapshot() == {}


def make_pipeline(bundle: Bundle, *stages: Stage) -> Pipeline:
    simulated = SimulatedHardware.from_profile(seed=6, bus_hz=1_000_000, warm_up_tau_s=0)
    hardware = Hardware(simulated.bus, simulated.clock, "patch", "0001", simulated=True)
    (model,) = bundle.profile.models
    profile = replace(bundle.profile, stages=stages, models=(replace(model, read=None),)) if stages else bundle.profile
    return Pipeline(hardware, profile, Bundled(bundle.networks), inline=True)


@pytest.mark.parametrize("pictures", [1, 255, 256])
def test_a_mean_of_any_number_that_a_profile_may_have_gives_a_finding(bundle: Bundle, pictures: int) -> None:
    calm = Average(of="skin", gives="calm", pictures=pictures)
    make_pipeline(bundle, calm, Centre(of="calm", gives="above", by="median")).close()


def test_a_model_whose_features_lie_beyond_its_input_does_not_start(bundle: Bundle) -> None:
    """Degrees where the network was trained on kelvin above the median: every feature is at the end of its input."""
    with pytest.raises(ModelError, match='100 % of the features of "lesion" lie at the ends'):
        make_pipeline(bundle, Scale(of="skin", gives="above"))


def test_a_model_that_never_says_anything_does_not_start(bundle: Bundle) -> None:
    networks = open_networks(bundle.networks, "reference", Counters())
    model = Model(
        name="lesion", inputs=("skin",), quantities=(Quantity(name="a", unit="", low=0, high=1),) * 1, read="x"
    )
    profile = replace(
        DEFAULT,
        stages=(Average(of="lesion.raw", gives="x", pictures=2),),
        models=(replace(model, quantities=(model.quantities or ()) + (Quantity(name="b", unit="", low=0, high=1),)),),
    )
    with pytest.raises(ModelError, match="lie at the ends"):
        rehearse(plan(profile, {"lesion": (2,)}), networks)


def test_the_self_test_makes_a_finding_of_what_the_sensors_say(bundle: Bundle) -> None:
    pipeline = make_pipeline(bundle)
    pipeline.start()
    model = next(result for result in pipeline.self_test() if result.name == "model lesion")
    assert model.passed and "of what the sensors say it says '" in model.detail
    pipeline.close()


def test_what_was_seen_stands_in_for_what_is_typical(bundle: Bundle) -> None:
    networks = open_networks(bundle.networks, "reference", Counters())
    graph = plan(bundle.profile)
    flat = Sample(0, np.full((24, 32), 34.0, np.float32))
    row, column = np.mgrid[0:24, 0:32]
    spot = flat.values + (3.0 * np.exp(-((row - 12.0) ** 2 + (column - 16.0) ** 2) / 18)).astype(np.float32)
    said = [rehearse(graph, networks, {"skin": Sample(0, values)})["lesion"] for values in (flat.values, spot)]
    assert said[0] != said[1]
    nothing = Sample(0, np.full((24, 32), np.nan, np.float32))
    assert rehearse(graph, networks, {"skin": nothing}) == rehearse(graph, networks)


def test_a_model_of_no_picture_does_not_start(shared_dir: Path) -> None:
    words = (shared_dir / "third_party_models/mlperf_tiny_kws_dscnn_int8.tflite").read_bytes()
    model = Model(name="words", inputs=("skin",), scores=tuple(f"word {n}" for n in range(12)))
    bundle = Bundle(profile=replace(DEFAULT, models=(model,)), networks={"words": words}, card="For tests.")
    with pytest.raises(ModelError, match=r"\(24, 32\) do not fit an input of \(49, 10, 1\)"):
        make_pipeline(bundle)

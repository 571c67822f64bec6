"""A model is tried the whole way before it runs, and what one record cannot say costs its neighbours nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from thermo_core.profile import Preprocessing, Profile
from thermo_core.typical import typical_pictures
from thermo_device.inference import Classifier
from thermo_device.verdicts import rehearse

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, WireError
from thermo_core.image import Version, parse
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, TelemetryFrame
from thermo_core.wire.records import EventRecord, Record, Severity, VerdictRecord
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_device.telemetry import FrameQueue, Lease, Outbox
from thermo_sim.hardware import SimulatedHardware

ARTIFACTS = Path(__file__).resolve().parents[2] / "models" / "thermo_models" / "wearables"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.from_payload(parse((ARTIFACTS / "breast-patch" / "bundle.img").read_bytes()).payload)


def verdict(index: int, pictures: int = 16) -> VerdictRecord:
    return VerdictRecord(7, index, pictures, False, False, False, True, 1, (0.25, 0.75), 9, 3, (1, 0, 0, 0))


def _sent(queue: FrameQueue) -> list[tuple[int, Record]]:
    found = []
    for frame in Demultiplexer().feed(queue.take(1 << 16)):
        assert isinstance(frame, TelemetryFrame)
        header, record = records.decode(frame.record)
        found.append((header.sequence, record))
    return found


def test_a_record_that_does_not_fit_takes_neither_its_batch_nor_kept_events() -> None:
    queue, lease, told = FrameQueue(), Lease(10.0), []
    outbox = Outbox(queue, lease, lambda: None, told.append)
    kept = [EventRecord(n, 100, Severity.WARNING, n, f"Event {n}.") for n in range(3)]
    outbox.publish(kept)
    lease.grant(5.0)
    assert outbox.publish([verdict(1), verdict(2, pictures=256), verdict(3)]) == 0
    sent = _sent(queue)
    assert [sequence for sequence, _ in sent] == [0, 1, 2, 3, 4], "a record that was left out is no gap"
    assert [record for _, record in sent[:3]] == kept
    assert [record.index for _, record in sent[3:] if isinstance(record, VerdictRecord)] == [1, 3]
    assert len(told) == 1 and isinstance(told[0], WireError)
    outbox.publish([verdict(4)])
    assert [sequence for sequence, _ in _sent(queue)] == [5]


def test_a_kept_event_that_cannot_be_sent_is_told_once() -> None:
    queue, lease, told = FrameQueue(), Lease(10.0), []
    outbox = Outbox(queue, lease, lambda: None, told.append)
    outbox.publish([EventRecord(1, 1 << 17, Severity.WARNING, 1, "No such code.")])
    lease.grant(5.0)
    for index in range(3):
        outbox.publish([verdict(index)])
    assert len(told) == 1 and len(_sent(queue)) == 3


def test_the_shipped_model_gives_a_verdict_on_a_typical_picture(bundle: Bundle) -> None:
    counters = Counters()
    classifier = Classifier(bundle, counters=counters)
    said = rehearse(bundle.profile, classifier, typical_pictures()["skin"])
    label, score = said.rsplit(", ", 1)
    assert label.strip("'") in bundle.profile.labels and 0.5 <= float(score) <= 1
    assert counters.snapshot() == {}


def make_pipeline(bundle: Bundle, profile: Profile) -> Pipeline:
    simulated = SimulatedHardware.from_profile(seed=6, bus_hz=1_000_000, warm_up_tau_s=0)
    hardware = Hardware(simulated.bus, simulated.clock, "patch", "0001", simulated=True)
    return Pipeline(hardware, profile, replace(bundle, profile=profile), model_version=Version(1), inline=True)


def test_a_mean_of_255_pictures_gives_a_verdict_and_one_of_256_does_not_start(bundle: Bundle) -> None:
    def profile(pictures: int) -> Profile:
        return replace(bundle.profile, preprocessing=replace(bundle.profile.preprocessing, average_pictures=pictures))

    make_pipeline(bundle, profile(255)).close()
    with pytest.raises(ModelError, match="verdicts cannot be sent"):
        make_pipeline(bundle, profile(256))


def test_a_model_of_no_picture_does_not_start(shared_dir: Path, bundle: Bundle) -> None:
    """Its network is sound and its contract true; the profile's preprocessing makes something else."""
    from thermo_core.contract import InputContract, OutputContract
    from thermo_quantize.reference import Reference

    model = (shared_dir / "third_party_models/mlperf_tiny_kws_dscnn_int8.tflite").read_bytes()
    own = Reference(model)
    assert isinstance(own.input, InputContract) and isinstance(own.output, OutputContract)
    profile = replace(bundle.profile, labels=tuple(f"word {n}" for n in range(12)), alert=None)
    words = Bundle(profile, own.input, own.output, model, "For tests.")
    assert Classifier(words).self_test() == ""
    with pytest.raises(ModelError, match=r"\(24, 32, 1\) do not fit an input of \(49, 10, 1\)"):
        make_pipeline(words, profile)


def test_the_self_test_makes_a_verdict_of_the_sensors_own_picture(bundle: Bundle) -> None:
    pipeline = make_pipeline(bundle, bundle.profile)
    pipeline.start()
    model = next(result for result in pipeline.self_test() if result.name == "model")
    assert model.passed and "a picture of the sensor gives '" in model.detail
    pipeline.close()


def test_the_self_test_fails_where_most_features_lie_beyond_the_input(bundle: Bundle) -> None:
    """Degrees where the network was trained on kelvin above the median: every feature is at the end of its input."""
    with pytest.raises(ModelError, match="100 % of a picture's features lie at the ends"):
        make_pipeline(bundle, replace(bundle.profile, preprocessing=Preprocessing(2, "none", 1.0)))
    classifier = Classifier(bundle)
    hot = np.full((24, 32), 34.0, np.float32)
    assert rehearse(bundle.profile, classifier, hot)

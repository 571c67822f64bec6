"""The pipeline from a simulated bus to records, in simulated time; the core's own reading of the blocks is the judge."""

import numpy as np
import pytest
from msgspec.structs import replace as changed
from pipeline_patch import SKIN, SPOTS, Patch

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, UsageError
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.signals import Values
from thermo_core.stages.centre import Centre
from thermo_core.wire.records import ClockRecord, SignalRecord
from thermo_device.bare import DEFAULT


def test_what_is_sent_decodes_to_the_scene() -> None:
    patch = Patch()
    patch.pipeline.start()
    patch.run(3.0)
    assert 35 <= len(patch.blocks()) <= 40
    picture = patch.moments()[-1]["skin"]
    scene = patch.simulated.scene.celsius(picture.time_us / 1e6)
    assert np.abs(np.median(picture.values) - np.median(scene)) < 1.0
    assert len(patch.identity()) == 6
    assert patch.pipeline.fault(SKIN) == ""


def test_thermistors_and_clock_come_at_their_rates_and_pictures_are_not_late_for_them() -> None:
    patch = Patch(rate_hz=64)
    patch.pipeline.start()
    patch.run(5.0)
    scans = patch.moments(SPOTS)
    assert 9 <= len(scans) <= 11
    assert scans[-1]["spots"].values == pytest.approx(33.5, abs=1.0)
    clocks = patch.of(ClockRecord)
    assert len(clocks) in (5, 6)
    assert clocks[-1].unix_us == 0, "a simulated device does not know the time of day"
    before = patch.records[: patch.records.index(clocks[-1])]
    assert clocks[-1].captured == len([record for record in before if isinstance(record, Block)]) > 200
    assert clocks[-1].lost == 0
    assert patch.pipeline.counters.get("blocks_lost") == 0


def test_signals_are_sent_while_they_are_asked_for(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(1.0)
    assert patch.of(SignalRecord) == []
    names = list(patch.pipeline.plan.signals)
    wanted = ("skin", "above", "spots")
    patch.pipeline.send_signals(tuple(names.index(name) for name in wanted))
    patch.run(2.0)
    parts = patch.of(SignalRecord)
    assert {names[part.signal] for part in parts} == set(wanted)
    pictures: dict[int, list[Values]] = {}
    for part in parts:
        if names[part.signal] == "skin":
            pictures.setdefault(part.time_us, []).append(part.values)
    read = {moment["skin"].time_us: moment["skin"].values for moment in patch.moments()}
    assert len(pictures) >= 14
    for time_us, values in pictures.items():
        np.testing.assert_array_equal(np.concatenate(values), read[time_us].ravel())
    patch.pipeline.listen()
    assert not [record for record in patch.run(1.0) if isinstance(record, SignalRecord)]


def test_signals_of_a_wearable_without_models_are_sent_too() -> None:
    patch = Patch()
    patch.run(1.0)
    patch.pipeline.send_signals((0,))
    patch.run(1.0)
    assert {part.signal for part in patch.of(SignalRecord)} == {0}


def is_key(block: Block) -> bool:
    return codec.decode(block.data, block.index).key


def test_keys_restart_on_request() -> None:
    patch = Patch()
    patch.run(2.0)
    assert not is_key(patch.blocks()[-1])
    patch.pipeline.restart_keys()
    after = patch.blocks(among=patch.run(0.5))
    assert [is_key(block) for block in after[:4]] == [True, True, False, False]
    patch.pipeline.listen(1)
    assert all(map(is_key, patch.blocks(among=patch.run(0.5))))
    with pytest.raises(UsageError, match="key interval"):
        patch.pipeline.listen(0)


def test_after_a_pause_it_goes_on_with_keys_and_without_a_loss(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(2.0)
    last = patch.blocks()[-1]
    patch.simulated.clock.sleep_until_us(patch.simulated.clock.now_us() + 10_000_000)
    patch.pipeline.resume()
    after = patch.blocks(among=patch.run(1.0))
    assert after[0].index == last.index + 1
    assert is_key(after[0])
    assert patch.pipeline.counters.get("blocks_lost") == 0


def test_a_new_rate_changes_the_stream() -> None:
    patch = Patch()
    patch.run(1.5)
    assert patch.pipeline.set_rate(SKIN, 32) == 32
    assert patch.pipeline.rate_hz(SKIN) == 32
    assert len(patch.blocks(among=patch.run(2.0))) in range(60, 66)
    with pytest.raises(UsageError):
        patch.pipeline.set_rate(SKIN, 33)
    with pytest.raises(UsageError, match="profile"):
        patch.pipeline.set_rate(SPOTS, 4)


def test_a_profile_with_impossible_thermistors_is_refused() -> None:
    channel = Thermistor(name="t", curve=(0.001, 1e-9, -0.5))
    profile = changed(
        DEFAULT, sensors=(DEFAULT.sensors[0], Ads1115NtcSettings(name="spots", path=(0x48,), channels=(channel,)))
    )
    with pytest.raises(ModelError, match="thermistor"):
        Patch(profile=profile)


def test_a_profile_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ModelError, match="no such signal"):
        Patch(profile=changed(DEFAULT, stages=(Centre(of="nothing", gives="it", by="median"),)))


def test_a_profile_of_a_camera_alone_has_no_blocks_of_others() -> None:
    patch = Patch(profile=changed(DEFAULT, sensors=(Mlx90640Settings(name="skin", path=(0x33,)),)))
    patch.run(2.0)
    assert patch.blocks() and not patch.blocks(SPOTS)
    assert all(result.name.startswith("skin: ") for result in patch.pipeline.self_test())

"""What the pipeline makes of corrections, and of constants that are not those they were."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pipeline_patch import SKIN, SPOTS, Patch, events, findings

from thermo_core.bundle import Bundle
from thermo_core.quality import Quality
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wire.events import FAULTS
from thermo_core.wire.records import EventRecord, FindingRecord
from thermo_core.wire.table import Severity


def correction_of(patch: Patch, offset: float = 3.0) -> PixelCorrection:
    identity = PixelCorrection.identity(Stamp(patch.identity()))
    return replace(identity, offset=np.full((24, 32), offset, np.float32))


def test_a_correction_changes_findings_and_their_flag_from_the_next_picture_on(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(2.0)
    rng = np.random.default_rng(0)
    slanted = replace(correction_of(patch), offset=rng.normal(0, 3, (24, 32)).astype(np.float32))
    before = patch.of(FindingRecord)[-1]
    patch.pipeline.set_correction(SKIN, slanted)
    assert patch.pipeline.corrected(SKIN) and not patch.pipeline.corrected(SPOTS)
    after = findings(patch.run(2.0))[-1]
    assert before.flags & Quality.UNCALIBRATED and not after.flags & Quality.UNCALIBRATED
    assert before.values != after.values
    patch.pipeline.set_correction(SKIN, PixelCorrection.identity(Stamp(patch.identity())))
    last = findings(patch.run(2.0))[-1]
    assert last.flags & Quality.UNCALIBRATED
    assert not patch.pipeline.corrected(SKIN)


def test_a_correction_of_another_sensor_is_not_used(bundle: Bundle) -> None:
    other = replace(PixelCorrection.identity(Stamp(b"other!")), offset=np.ones((24, 32), np.float32))
    patch = Patch(bundle, corrections={SKIN: other})
    patch.run(2.0)
    assert patch.of(FindingRecord)[-1].flags & Quality.UNCALIBRATED
    assert not patch.pipeline.corrected(SKIN)
    (event,) = patch.of(EventRecord)
    assert (event.code, event.sensor) == (FAULTS["correction_mismatch"].code, SKIN)
    assert event.severity is Severity.ERROR


def test_a_correction_of_other_constants_is_not_used(bundle: Bundle) -> None:
    first = Patch(bundle)
    first.run(1.0)
    found = first.pipeline.found(SKIN)
    assert found is not None
    made = correction_of(first)
    for crc, usable in ((found.sighting.fingerprint, True), (found.sighting.fingerprint ^ 1, False), (0, True)):
        held = replace(made, stamp=replace(made.stamp, constants_crc32=crc))
        patch = Patch(bundle, corrections={SKIN: held})
        patch.run(1.0)
        assert patch.pipeline.corrected(SKIN) == usable
        assert bool(events(patch.records, "correction_mismatch")) != usable


def test_calibrated_thermistors_use_their_own_curves() -> None:
    patch = Patch()
    patch.run(1.0)
    spots: Any = patch.simulated.chips["spots"]
    curves = tuple(SteinhartHart(ntc.a, ntc.b, ntc.c) for ntc in spots.ntcs)
    correction = CurveCorrection(curves, Stamp(patch.identity(SPOTS)))
    patch.pipeline.set_correction(SPOTS, correction)
    patch.run(2.0)
    assert patch.pipeline.corrected(SPOTS)
    assert patch.moments(SPOTS, correction)[-1]["spots"].values == pytest.approx(33.5, abs=0.15)


def test_a_chip_without_identity_is_known_by_its_place_in_this_device() -> None:
    one, same = Patch(), Patch()
    for patch in (one, same):
        patch.run(1.0)
    assert one.identity(SPOTS) == same.identity(SPOTS)
    assert len(one.identity(SPOTS)) == 8


def test_pixels_a_correction_calls_bad_are_not_there(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(1.0)
    bad = np.zeros(768, np.bool_)
    bad[::6] = True
    patch.pipeline.set_correction(SKIN, replace(correction_of(patch, 0.1), bad=bad.reshape(24, 32)))
    said = findings(patch.run(3.0))
    assert len(said) > 10 and all(one.flags & Quality.MISSING for one in said[-10:])


def test_words_that_no_sensor_holds_are_told_and_flagged(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.simulated.chip.cells.words[0x31] ^= 0x0400
    records = patch.run(2.0)
    assert patch.blocks() and events(records, "constants_doubtful")
    assert "EEPROM word 0x2431" in patch.pipeline.warning(SKIN)
    assert all(one.flags & Quality.SUSPECT for one in findings(records))
    results = {result.name: result for result in patch.pipeline.self_test()}
    assert not results["skin: constants"].passed
    assert "EEPROM word 0x2431" in results["skin: constants"].detail
    assert "PTAT reference" in results["skin: constants"].detail


def test_constants_that_have_changed_are_told_and_flagged_until_a_calibration_vouches_for_them(bundle: Bundle) -> None:
    patch = Patch(bundle)
    patch.run(2.0)
    before = patch.identity()
    patch.simulated.change("rot", {"address": 0x2440 + 100, "bit": 3})
    patch.simulated.chip.power_on(patch.simulated.clock.now_us())
    patch.run(3.0)
    found = patch.pipeline.found(SKIN)
    assert found is not None and found.identity == before and found.sighting.number == 2
    assert patch.blocks()[-1].constants == 2
    assert events(patch.records, "constants_changed")
    assert patch.pipeline.warning(SKIN) == FAULTS["constants_changed"].text
    assert patch.of(FindingRecord)[-1].flags & Quality.SUSPECT
    made = correction_of(patch, 0.5)
    vouching = replace(made, stamp=replace(made.stamp, constants_crc32=found.sighting.fingerprint))
    patch.pipeline.set_correction(SKIN, vouching)
    assert patch.pipeline.warning(SKIN) == ""
    assert not findings(patch.run(2.0))[-1].flags & Quality.SUSPECT

"""Corrections are checked, stored, used, rolled back, and stay with their sensor."""

from dataclasses import replace

import numpy as np
import pytest
from conformance import CAMERA, SPOTS, blocks, pixels
from running import PATIENCE, SEED, Running, hear

from thermo_core.errors import RefusedError
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Correction, Stamp, to_bytes
from thermo_core.sensors.correction import fingerprint as fingerprint_of
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_host.link.wearable import Wearable
from thermo_sim.chips.mlx90640.eeprom import generate


def test_a_correction_is_checked_stored_used_and_rolled_back(host: Wearable) -> None:
    mine = Stamp(host.hello().sensors[CAMERA].id)
    first, second = pixels(0.5, mine), pixels(-0.5, mine)
    with pytest.raises(RefusedError, match="of sensor"):
        host.write_correction(CAMERA, PixelCorrection.identity(Stamp(b"others")))
    host.write_correction(CAMERA, first)
    assert host.hello().sensors[CAMERA].corrected
    host.write_correction(CAMERA, second)
    assert host.correction_bytes(CAMERA, 0) == to_bytes(second) and host.correction_bytes(CAMERA, 1) == to_bytes(first)
    host.reset(30.0 * PATIENCE)
    assert host.hello().sensors[CAMERA].corrected and host.correction_bytes(CAMERA, 0) == to_bytes(second)
    host.rollback(CAMERA)
    assert host.correction_bytes(CAMERA, 0) == to_bytes(first)
    host.write_correction(CAMERA, PixelCorrection.identity(mine))
    assert not host.hello().sensors[CAMERA].corrected


def test_a_correction_that_no_sensor_needs_is_refused_with_the_figure(host: Wearable) -> None:
    hear(host, lambda records: bool(blocks(records, SPOTS)), "a scan")
    camera, spots = host.hello().sensors
    stamp = Stamp(camera.id)
    same = PixelCorrection.identity(stamp)
    host.write_correction(CAMERA, same)
    before = host.correction_bytes(CAMERA)
    crc = fingerprint_of(host.constants(CAMERA, "mlx90640").data)
    warm = SteinhartHart(1.9e-3, 2.341077e-4, 8.775468e-8)
    wrong: list[tuple[int, Correction, str]] = [
        (CAMERA, pixels(5.0, stamp), r"by \+5\.00 K on average"),
        (CAMERA, pixels(-1000.0, stamp), r"by -1000\.00 K on average"),
        (CAMERA, replace(same, gain=np.full((24, 32), 0.3, np.float32)), r"row 0, column 0"),
        (CAMERA, replace(same, bad=np.arange(768).reshape(24, 32) < 100), "calls 100 of 768 pixels bad"),
        (CAMERA, pixels(0.1, Stamp(camera.id, constants_crc32=crc ^ 1)), "held something else"),
        (SPOTS, CurveCorrection((None, warm, None, None), Stamp(spots.id)), "moves thermistor"),
    ]
    for sensor, correction, says in wrong:
        with pytest.raises(RefusedError, match=says):
            host.write_correction(sensor, correction)
    assert host.correction_bytes(CAMERA) == before and not host.hello().sensors[CAMERA].corrected


def test_another_sensor_is_told_and_numbered(wearable: Running, host: Wearable) -> None:
    first = host.hello().sensors[CAMERA]
    assert first.constants >= 1 and first.warning == ""
    host.write_correction(CAMERA, pixels(0.5, Stamp(first.id)))
    try:
        wearable.laboratory("exchange", seed=SEED + 1)
        heard = hear(host, lambda records: len(blocks(records)) >= 12, "blocks")
        other = host.hello().sensors[CAMERA]
        assert other.constants > first.constants and not other.corrected and other.warning == ""
        assert {block.constants for block in blocks(heard)[-8:]} == {other.constants}
        assert other.id == generate(SEED + 1)[7:10].astype(">u2").tobytes()
        assert host.counters()["sensor_changed"] >= 1
        constants = host.constants(CAMERA, "mlx90640")
        assert constants.number == other.constants
        assert constants.data == generate(SEED + 1).astype("<u2").tobytes()
    finally:
        wearable.laboratory("exchange", seed=SEED)
        hear(host, lambda records: len(blocks(records)) >= 12, "blocks")
        host.write_correction(CAMERA, PixelCorrection.identity(Stamp(first.id)))

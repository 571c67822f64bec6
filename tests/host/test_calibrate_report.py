"""What a calibration leaves: its report, and corrections that are verified and written."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from calibrations import CREATED, QUICK, laboratory, page_of
from rich.console import Console

from thermo_core.errors import CalibrationFailedError, CorrectionError, RefusedError
from thermo_core.sensors.correction import Correction, to_bytes
from thermo_core.sensors.kinds import correction_of
from thermo_core.wearable.profile import NOTICE
from thermo_host.calibrate import report
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.procedure import conclude, verify
from thermo_host.calibrate.reference import EXACT
from thermo_host.calibrate.write import write


def test_the_report_holds_everything_and_needs_nothing_else(quick: Outcome, tmp_path: Path) -> None:
    report_json, report_html = report.save(quick, True, tmp_path)
    data = json.loads(report_json.read_text())
    assert data["accepted"] and data["written"]
    assert data["after"]["rmse_k"] == pytest.approx(quick.camera.after.rmse, abs=1e-4)
    np.testing.assert_allclose(data["maps"]["gain"], quick.camera.correction.gain, atol=1e-5)
    assert data["created"] == "2026-09-21T14:13:20+00:00"
    assert len(data["uncertainty"]["components"]) == 8
    again = conclude(
        quick.subject,
        quick.reference,
        EXACT,
        quick.settings,
        CREATED,
        report.load_observations(report_json, quick.subject, 0),
    )
    assert again.camera.after.rmse == pytest.approx(quick.camera.after.rmse, abs=1e-3)
    page = report_html.read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3 * len(quick.camera.hold_outs) + 4
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?://|<script", page)
    assert NOTICE in page
    console = Console(width=120, record=True, file=(tmp_path / "terminal.txt").open("w"))
    console.print(report.terminal(quick))
    text = console.export_text()
    assert f"{quick.camera.before.rmse:.3f}" in text
    assert f"{quick.camera.after.rmse:.3f}" in text
    assert NOTICE in text


def test_names_from_the_wearable_cannot_inject_markup(quick: Outcome) -> None:
    subject = replace(quick.subject, name="<script>alert(1)</script>")
    assert "<script>" not in page_of(replace(quick, subject=subject))


def test_verify_measures_the_stored_corrections_and_finds_a_wrong_one(quick: Outcome) -> None:
    lab = laboratory()
    good = verify(lab, lab, QUICK, quick.corrections, CREATED, 0.1)
    assert good.objections == ()
    assert good.camera is not None and good.camera.after.rmse <= 0.08
    (spots,) = good.sensors
    assert all(fit.hold_out_after < 0.02 < fit.hold_out_before for fit in spots.numbers[:1])
    assert "Verification report" in page_of(good)
    stored = quick.camera.correction
    shifted = {**quick.corrections, 0: replace(stored, offset=stored.offset + np.float32(1))}
    assert "calibrate anew" in verify(lab, lab, QUICK, shifted, CREATED, 0.1).objections[0]
    assert "makes it worse" in verify(lab, lab, QUICK, shifted, CREATED, 5.0).objections[0]
    foreign = replace(stored, stamp=replace(stored.stamp, sensor_id=bytes(6)))
    with pytest.raises(CorrectionError, match="belongs to sensor"):
        verify(lab, lab, QUICK, {0: foreign}, CREATED, 0.1)


class Store:
    """A device's memory of corrections.

    Attributes:
        flipped: a byte that it stores wrong.
        refuses: a sensor of which it takes none.
    """

    def __init__(self, flipped: int | None = None, refuses: int | None = None) -> None:
        self.flipped, self.refuses = flipped, refuses
        self.stored: dict[int, bytes] = {}

    def write_correction(self, sensor: int, correction: Correction, progress: object = None) -> None:
        if sensor == self.refuses:
            raise RefusedError("It belongs to another sensor.")
        data = bytearray(to_bytes(correction))
        if self.flipped is not None:
            data[self.flipped] ^= 1
        self.stored[sensor] = bytes(data)

    def correction_bytes(self, sensor: int, slot: int = 0) -> bytes:
        return self.stored[sensor]


def test_each_sensor_gets_its_own_correction_and_what_reads_back_differently_is_a_failure(quick: Outcome) -> None:
    store = Store()
    write(store, quick.corrections)
    assert {sensor: correction_of(data).kind for sensor, data in store.stored.items()} == {
        0: "mlx90640",
        1: "ads1115-ntc",
    }
    with pytest.raises(CalibrationFailedError, match="another correction of sensor 0 than was written"):
        write(Store(flipped=5000), quick.corrections)
    with pytest.raises(RefusedError, match=r"another sensor\. Those of sensors 0 were written before and hold"):
        write(Store(refuses=1), quick.corrections)

"""The procedures for wearables without a camera: thermopiles, contact sensors, accelerometers."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibrations import CREATED, QUICK, page_of
from laboratory import SLEEVE, Laboratory
from rich.console import Console

from thermo_core.errors import CalibrationFailedError, UsageError
from thermo_core.sensors.linear_correction import LinearCorrection
from thermo_host.calibrate import report
from thermo_host.calibrate.choice import choose
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.measure import Silent
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.positions import calibrate_positions, verify_positions
from thermo_host.calibrate.procedure import calibrate, conclude, verify
from thermo_host.calibrate.reference import EXACT
from thermo_host.calibrate.settings import paced


@pytest.fixture(scope="module")
def sleeve() -> Outcome:
    """A calibration of a wearable without a camera, all thermometers at once."""
    lab = Laboratory(SLEEVE)
    settings = replace(QUICK, set_points=(25.0, 33.0, 41.0), hold_out=(29.0, 37.0))
    return calibrate(lab, lab, settings, CREATED)


def test_a_wearable_without_a_camera_can_be_calibrated(sleeve: Outcome) -> None:
    assert sleeve.camera is None
    assert sleeve.objections == ()
    fits = {fit.target.settings.name: fit for fit in sleeve.sensors}
    assert list(fits) == ["wrist", "ear", "arm", "air"]
    for name, fit in fits.items():
        assert isinstance(fit.correction, LinearCorrection)
        assert fit.correction.stamp.sensor_id == fit.target.id
        for one in fit.numbers:
            assert one.hold_out_after < 0.03, name
            assert one.hold_out_after < one.hold_out_before
    assert len(fits["ear"].numbers) == 2
    # The humidity stays as the factory trimmed it.
    assert fits["air"].correction.lines[1] == (0.0, 1.0, 0.0)
    assert fits["wrist"].correction.lines[0].slope == 0


def test_a_thermopile_is_right_at_another_temperature_of_its_own(sleeve: Outcome) -> None:
    lab = Laboratory(SLEEVE)
    lab.ambient_celsius = 31.0
    ear = next(fit for fit in sleeve.sensors if fit.target.settings.name == "ear")
    procedure = PROCEDURES["mlx90614"]
    raw = np.array([lab.raw(ear.target, 36.0) for _ in range(64)])
    shown = procedure.shown(ear.target.settings, procedure.constants(ear.correction), raw).mean(axis=0)
    np.testing.assert_allclose(shown, 36.0, atol=0.05)


def test_two_ambients_measure_the_slope_of_a_thermopile() -> None:
    lab = Laboratory(SLEEVE, names=("ear",))
    settings = replace(QUICK, ambients=(20.0, 32.0), pictures=32, hold_out_pictures=32)
    outcome = calibrate(lab, lab, settings, CREATED)
    (ear,) = outcome.sensors
    assert "slope from 2 ambients" in ear.numbers[0].how
    assert ear.hold_out < 0.05


def test_the_report_of_a_wearable_without_a_camera(sleeve: Outcome, tmp_path: Path) -> None:
    report_json, report_html = report.save(sleeve, True, tmp_path)
    data = json.loads(report_json.read_text())
    assert [one["name"] for one in data["sensors"]] == ["wrist", "ear", "arm", "air"]
    assert "before" not in data
    page = report_html.read_text(encoding="utf-8")
    assert "ear (mlx90614)" in page and "data:image" not in page
    observations = report.load_observations(report_json, sleeve.subject, 0)
    again = conclude(sleeve.subject, "", EXACT, sleeve.settings, CREATED, observations)
    for one, other in zip(sleeve.sensors, again.sensors, strict=True):
        assert other.hold_out == pytest.approx(one.hold_out, abs=1e-3)
    console = Console(width=120, record=True, file=(tmp_path / "terminal.txt").open("w"))
    console.print(report.terminal(sleeve))
    assert "ear second object: " in console.export_text()


def test_verify_of_a_wearable_without_a_camera(sleeve: Outcome) -> None:
    lab = Laboratory(SLEEVE)
    good = verify(lab, lab, QUICK, sleeve.corrections, CREATED, 0.1)
    assert good.objections == ()
    wrist: Any = sleeve.sensors[0].correction
    line = wrist.lines[0]
    wrong = {0: replace(wrist, lines=(line._replace(offset=line.offset + 0.5),))}
    (objection,) = verify(lab, lab, QUICK, wrong, CREATED, 0.1).objections
    assert "(wrist) is 0.50" in objection


def test_a_contact_sensor_that_is_not_in_the_bath_is_told_so() -> None:
    lab = Laboratory(SLEEVE, names=("wrist",), bath=20.0)
    with pytest.raises(
        CalibrationFailedError, match=r"wrist shows .* where the bath reads 30\.0; check that the sensor is in it"
    ):
        calibrate(lab, lab, QUICK, CREATED)


def test_six_positions_give_offsets_gains_and_skew() -> None:
    lab = Laboratory(SLEEVE, names=("motion",))
    outcome = calibrate_positions(lab, lab, QUICK, CREATED, Silent())
    (fit,) = outcome.sensors
    found: Any = fit.correction
    assert found is not None and outcome.objections == ()
    np.testing.assert_allclose(found.offset_g, lab.zero_g, atol=0.003)
    np.testing.assert_allclose(np.reshape(found.matrix, (3, 3)), lab.matrix, atol=0.004)
    assert fit.numbers[0].hold_out_after < 0.004 < fit.numbers[0].hold_out_before
    assert fit.correction.stamp.residual_rms == pytest.approx(fit.numbers[0].hold_out_after)
    assert " g at hold-out points" in str(fit.numbers[0])
    assert "motion (lis3dh)" in page_of(outcome)
    good = verify_positions(lab, lab, QUICK, found, CREATED, Silent())
    assert good.objections == ()
    wrong = replace(found, offset_g=tuple(value + 0.1 for value in found.offset_g))
    assert "calibrate anew" in verify_positions(lab, lab, QUICK, wrong, CREATED, Silent()).objections[0]


def test_a_wrong_position_and_a_restless_one_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Laboratory(SLEEVE, names=("motion",))
    monkeypatch.setattr(lab, "lay", lambda position, g: setattr(lab, "up", np.array([1.0, 0, 0])))
    with pytest.raises(CalibrationFailedError, match=r"With x down the accelerometer feels .* pointing down"):
        calibrate_positions(lab, lab, QUICK, CREATED, Silent())
    shaken = Laboratory(SLEEVE, names=("motion",))
    still = shaken.next_reading

    def moving() -> Any:
        shaken.up = np.array([1.0, 0, 0.3 * np.sin(shaken.now_us / 1e5)])
        return still()

    monkeypatch.setattr(shaken, "next_reading", moving)
    with pytest.raises(CalibrationFailedError, match="firm surface"):
        calibrate_positions(shaken, shaken, replace(QUICK, patience_s=5.0), CREATED, Silent())


def test_sensors_of_one_run_go_together() -> None:
    profile = Laboratory(SLEEVE).profile
    assert choose(profile, ()) == [0, 1, 2, 3]
    assert choose(profile, ("arm",)) == [2]
    assert choose(profile, ("motion",)) == [4]
    for names, word in ((("pulse",), "no sensor 'pulse' that can be"), (("motion", "arm"), "one accelerometer")):
        with pytest.raises(UsageError, match=word):
            choose(profile, names)


def test_a_slow_sensor_is_read_as_long_as_a_camera() -> None:
    assert paced(QUICK, 1.0).pictures == 16
    assert paced(replace(QUICK, pictures=256), 4.0).pictures == 128

"""The procedures for cameras and thermistors against simulated sensors in virtual time, with the simulator's blackbody."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from calibrations import CREATED, QUICK, laboratory, page_of
from laboratory import Laboratory

from thermo_core.errors import CalibrationFailedError
from thermo_core.sensors.correction import to_bytes
from thermo_core.sensors.kinds import correction_of
from thermo_host.calibrate import report
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.measure import Silent
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.procedure import calibrate, observe
from thermo_host.calibrate.reference import ReferenceUncertainty, TypedReference
from thermo_sim.chips.mlx90640.radiometry import ResponseError


def test_two_set_points_bring_seven_tenths_of_a_kelvin_below_eight_hundredths(quick: Outcome) -> None:
    assert 0.5 < quick.camera.before.rmse < 0.9
    assert quick.camera.after.rmse <= 0.08
    assert quick.camera.after.noise < quick.camera.after.rmse
    assert quick.objections == ()
    quick.require_accepted()
    assert quick.camera.correction.stamp.sensor_id == quick.subject.lead.id
    assert quick.camera.bad_pixels == ()


def test_the_noise_map_is_the_datasheets(quick: Outcome) -> None:
    """0.1 K at 1 Hz in the centre and the square root of the rate: 0.4 K at 16 subpages a second."""
    assert quick.camera.noise.centre == pytest.approx(0.4, rel=0.1)
    assert quick.camera.noise.netd[0, 0] > 1.3 * quick.camera.noise.centre


def test_the_fit_knows_the_errors_that_the_simulator_put_in(quick: Outcome) -> None:
    truth = ResponseError.random(1)
    assert quick.camera.fit is not None
    # a pixel that is too sensitive by g needs 1 / (1 + g)
    correlation = np.corrcoef(quick.camera.fit.gain.ravel(), (1 / (1 + truth.gain)).ravel())[0, 1]
    assert correlation > 0.9


def test_each_thermistor_is_fitted_from_the_bath(quick: Outcome) -> None:
    lab = laboratory()
    (spots,) = quick.sensors
    assert spots.correction is not None
    raw = np.array([lab.raw(spots.target, 32.0)])
    procedure = PROCEDURES["ads1115-ntc"]
    shown = procedure.shown(spots.target.settings, procedure.constants(spots.correction), raw)[0]
    np.testing.assert_allclose(shown, 32.0, atol=0.02)
    assert len(spots.numbers) == 4
    assert all(fit.constants is not None and fit.hold_out_after < 0.02 for fit in spots.numbers)
    assert max(fit.hold_out_before for fit in spots.numbers) > 0.05
    assert spots.correction.stamp.residual_rms < 0.02


def test_thermistors_outside_the_bath_are_left_alone() -> None:
    settings = replace(QUICK, pictures=16, hold_out_pictures=16)
    lab = laboratory(bath=20.0)
    outcome = calibrate(lab, lab, settings, CREATED)
    (spots,) = outcome.sensors
    assert all(fit.constants is None and "not in the bath" in fit.how for fit in spots.numbers)
    assert list(outcome.corrections) == [0]
    lab = laboratory(names=("skin",))
    assert calibrate(lab, lab, settings, CREATED).sensors == ()


def test_pixels_that_do_not_work_are_named_and_interpolated() -> None:
    error = ResponseError.random(4)
    gain, offset = error.gain.copy(), error.offset_k.copy()
    gain[10, 11] = -1.0
    offset[5, 20] = 15.0
    lab = laboratory(4, error=replace(error, gain=gain, offset_k=offset))
    outcome = calibrate(lab, lab, QUICK, CREATED)
    assert {(pixel.row, pixel.column): pixel.kind for pixel in outcome.camera.bad_pixels} == {
        (10, 11): "dead",
        (5, 20): "off",
    }
    assert outcome.camera.correction.bad.sum() == 2
    assert (
        abs(outcome.camera.hold_outs[0].error_before[10, 11]) > 1
        or abs(outcome.camera.hold_outs[0].error_before[5, 20]) > 10
    )
    assert abs(outcome.camera.hold_outs[0].error_after[10, 11]) < 0.2
    assert abs(outcome.camera.hold_outs[0].error_after[5, 20]) < 0.2
    assert outcome.camera.after.rmse <= 0.08
    stored: Any = correction_of(to_bytes(outcome.camera.correction))
    assert stored.bad[10, 11]


def test_a_cold_sensor_is_not_calibrated_until_it_is_warm_unless_that_is_asked_for() -> None:
    cold = laboratory(5, warm_up_tau_s=45.0)
    with pytest.raises(CalibrationFailedError, match=r"still warms up.*--skip-warm-up"):
        calibrate(cold, cold, replace(QUICK, patience_s=20.0), CREATED)
    patient = laboratory(5, warm_up_tau_s=45.0)
    outcome = calibrate(patient, patient, QUICK, CREATED)
    assert outcome.warm_ups[0].seconds > 60
    assert outcome.camera.after.rmse <= 0.08
    skipped = laboratory(5)
    outcome = calibrate(skipped, skipped, replace(QUICK, skip_warm_up=True, pictures=16, hold_out_pictures=16), CREATED)
    assert outcome.warm_ups[0].skipped
    assert report.summary(outcome, False)["warm_up"] == [
        {"skipped": True, "verdict": "undecided", "seconds": 0.0, "ta": None, "picture": None}
    ]
    assert "skipped on request" in page_of(outcome)


def test_a_warm_up_check_long_enough_proves_the_die_steady() -> None:
    lab = laboratory(6)
    settings = replace(QUICK, pictures=16, hold_out_pictures=16, warm_up_s=120.0)
    _, (check,) = observe(lab, lab, settings, Silent())
    assert check.verdict == "steady"
    assert abs(check.ta.k_per_min) < 0.05
    assert abs(check.mean.k_per_min) + check.mean.uncertainty <= 0.02


def typed(lab: Laboratory, wrong: Callable[[float], float]) -> TypedReference:
    """Somebody who sets the blackbody when asked and types what `wrong` makes of it."""

    def ask(prompt: str) -> str:
        told = re.search(r"to ([\d.]+) degC", prompt)
        assert told is not None
        celsius = float(told[1])
        lab.set_point(celsius)
        return f"{wrong(celsius):.2f}"

    return TypedReference(ask, ReferenceUncertainty(), lambda line: None)


def test_readings_typed_in_are_the_truth_not_what_was_asked_for() -> None:
    lab = laboratory(7)
    settings = replace(QUICK, pictures=32, hold_out_pictures=32)
    outcome = calibrate(lab, typed(lab, lambda celsius: celsius + 0.4), settings, CREATED)
    assert [round(observation.reading - observation.nominal, 6) for observation in outcome.observations] == [0.4] * 3
    celsius = outcome.camera.hold_outs[0].observation
    shown = outcome.camera.correction.apply(celsius.celsius.astype(np.float32), celsius.ta).mean()
    assert shown == pytest.approx(celsius.nominal + 0.4, abs=0.05)


def test_a_hold_out_that_got_worse_is_not_written() -> None:
    lab = laboratory(8)
    wrong = typed(lab, lambda celsius: celsius + (1.5 if celsius > 36 else -1.5))
    outcome = calibrate(lab, wrong, replace(QUICK, pictures=32, hold_out_pictures=32), CREATED)
    assert outcome.objections
    with pytest.raises(CalibrationFailedError, match=r"Nothing was written.*hold-out"):
        outcome.require_accepted()
    (spots,) = outcome.sensors
    assert spots.correction is None
    assert all("would grow" in fit.how for fit in spots.numbers)
    page = page_of(outcome)
    assert "refused, not written" in page
    assert "Why it was refused" in page


def test_a_sensor_that_looks_elsewhere_is_told_so() -> None:
    lab = laboratory(9)
    reference = TypedReference(lambda prompt: "37.0" if "37" in prompt else "30.0", ReferenceUncertainty(), print)
    lab.set_point(20.0)
    with pytest.raises(CalibrationFailedError, match="fills the field of view"):
        calibrate(lab, reference, replace(QUICK, pictures=16, hold_out_pictures=16), CREATED)

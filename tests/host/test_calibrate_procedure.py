"""The procedures against simulated sensors in virtual time, with the simulator's blackbody."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from laboratory import PATCH, SLEEVE, Laboratory
from rich.console import Console

from thermo_core import files
from thermo_core.errors import CalibrationFailedError, CorrectionError, RefusedError, StorageError, UsageError
from thermo_core.sensors.correction import Correction, to_bytes
from thermo_core.sensors.kinds import correction_of
from thermo_core.sensors.linear_correction import LinearCorrection
from thermo_core.wearable.profile import NOTICE
from thermo_host.calibrate import html, measurements, report
from thermo_host.calibrate.choice import choose
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.measure import Silent
from thermo_host.calibrate.measurements import Measurements
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.positions import calibrate_positions, verify_positions
from thermo_host.calibrate.procedure import calibrate, conclude, observe, verify
from thermo_host.calibrate.reference import EXACT, ReferenceUncertainty, TypedReference
from thermo_host.calibrate.settings import Settings, paced
from thermo_host.calibrate.write import write
from thermo_sim.chips.mlx90640.radiometry import ResponseError

QUICK = Settings(pictures=64, hold_out_pictures=128, warm_up_s=0.0)
CREATED = 1_790_000_000


def laboratory(seed: int = 1, **changes: Any) -> Laboratory:
    return Laboratory(PATCH, seed=seed, **changes)


@pytest.fixture(scope="module")
def quick() -> Outcome:
    """A two-point calibration of one sensor, as `--quick` does it."""
    lab = laboratory()
    return calibrate(lab, lab, QUICK, CREATED)


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
    assert "skipped on request" in _page(outcome)


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
    page = _page(outcome)
    assert "refused, not written" in page
    assert "Why it was refused" in page


def test_a_sensor_that_looks_elsewhere_is_told_so() -> None:
    lab = laboratory(9)
    reference = TypedReference(lambda prompt: "37.0" if "37" in prompt else "30.0", ReferenceUncertainty(), print)
    lab.set_point(20.0)
    with pytest.raises(CalibrationFailedError, match="fills the field of view"):
        calibrate(lab, reference, replace(QUICK, pictures=16, hold_out_pictures=16), CREATED)


def test_runs_at_two_ambients_merge_through_their_reports(tmp_path: Path) -> None:
    lab = laboratory(10)
    settings = replace(QUICK, pictures=64, hold_out_pictures=64)
    lab.ambient(20.0)
    first = calibrate(lab, lab, settings, CREATED)
    report.prepare(tmp_path / "first")
    report_json, _ = report.save(first, False, tmp_path / "first")
    lab.ambient(32.0)
    earlier = report.load_observations(report_json, lab.subject, 1)
    merged = calibrate(lab, lab, settings, CREATED, earlier=earlier)
    assert merged.camera.fit is not None
    assert merged.camera.fit.ambients == 2
    assert merged.camera.fit.die_uncertainty is not None
    assert merged.camera.after.rmse <= 0.08
    assert len(merged.camera.hold_outs) == 2
    with pytest.raises(StorageError, match="merge runs of the same sensors only"):
        report.load_observations(report_json, other_chip(lab), 1)
    with pytest.raises(StorageError, match="held something else"):
        report.load_observations(report_json, other_constants(lab), 1)
    with pytest.raises(StorageError, match="earlier calibration"):
        report.prepare(tmp_path / "first")


def other_chip(lab: Laboratory) -> Any:
    return replace(lab.subject, lead=replace(lab.subject.lead, id=bytes(6)))


def other_constants(lab: Laboratory) -> Any:
    lead = lab.subject.lead
    data = bytes(len(lead.constants.data))
    return replace(lab.subject, lead=replace(lead, constants=replace(lead.constants, data=data)))


class Interrupted(Laboratory):
    """Somebody presses Ctrl-C, or the cable is pulled, before a point is measured."""

    stop_at = 3
    points = 0

    def set_point(self, celsius: float) -> float:
        self.points += 1
        if self.points == self.stop_at:
            raise KeyboardInterrupt
        return super().set_point(celsius)


@pytest.mark.parametrize("stop_at", [1, 2, 3, 5, 6])
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path, stop_at: int) -> None:
    settings = replace(QUICK, pictures=64, hold_out_pictures=64, ambients=(20.0, 32.0))
    lab = Interrupted(PATCH, seed=10)
    lab.stop_at = stop_at
    kept = Measurements(tmp_path, lab.subject, settings)
    with pytest.raises(KeyboardInterrupt):
        calibrate(lab, lab, settings, CREATED, keep=kept.keep)
    measured = stop_at - 1
    assert len(kept.observations) == measured
    assert kept.give_up() == (measured > 0)
    if not measured:
        assert not tmp_path.exists()
        return
    assert [path.name for path in tmp_path.iterdir()] == ["measurements.json"]
    again = Measurements.resume(tmp_path, lab.subject)
    assert again.settings == settings
    lab.points, lab.stop_at = 0, 99
    outcome = calibrate(lab, lab, again.settings, CREATED, done=tuple(again.observations), keep=again.keep)
    assert lab.points == 6 - measured
    assert len(outcome.observations) == 6
    assert [(each.role, each.nominal) for each in outcome.observations] == [
        (role, celsius) for _ in range(2) for role, celsius in (("fit", 30.0), ("fit", 37.0), ("hold-out", 34.7))
    ]
    assert outcome.camera.fit is not None and outcome.camera.fit.ambients == 2
    assert outcome.camera.after.rmse <= 0.08
    report.save(outcome, False, tmp_path)
    again.forget()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_measurements_of_another_sensor_or_none_are_refused(tmp_path: Path, quick: Outcome) -> None:
    with pytest.raises(StorageError, match="no measurements to go on with"):
        Measurements.resume(tmp_path, quick.subject)
    kept = Measurements(tmp_path, quick.subject, QUICK)
    kept.keep(quick.observations[0])
    with pytest.raises(StorageError, match="belongs to sensor"):
        Measurements.resume(tmp_path, other_chip(laboratory()))
    with pytest.raises(StorageError, match="held something else"):
        Measurements.resume(tmp_path, other_constants(laboratory()))
    path = tmp_path / "measurements.json"
    whole = json.loads(path.read_text())
    for damage in (
        b"",
        b"[" * 50_000,
        b"{}",
        json.dumps({**whole, "version": 9}).encode(),
        json.dumps({**whole, "settings": {**whole["settings"], "pictures": 2}}).encode(),
        json.dumps({**whole, "settings": {**whole["settings"], "set_points": "30"}}).encode(),
        json.dumps({**whole, "observations": [{}]}).encode(),
        path.read_bytes().replace(b'"ta_c": ', b'"ta_c": 1e999, "x": '),
    ):
        path.write_bytes(damage)
        with pytest.raises(StorageError) as caught:
            Measurements.resume(tmp_path, quick.subject)
        assert "\n" not in str(caught.value)


def test_a_disk_that_fills_takes_nothing_that_was_measured(
    tmp_path: Path, quick: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    kept = Measurements(tmp_path, quick.subject, QUICK, notes.append)
    room = tmp_path / ".room"
    assert room.stat().st_blocks * 512 >= 4 << 20
    real = files.write_file

    def cramped(path: Path, data: bytes) -> None:
        if room.exists():
            raise StorageError("No space is left.")
        real(path, data)

    monkeypatch.setattr(measurements, "write_file", cramped)
    for observation in quick.observations:
        kept.keep(observation)
    assert not room.exists()
    assert not notes
    assert len(Measurements.resume(tmp_path, quick.subject).observations) == len(quick.observations)

    def full(path: Path, data: bytes) -> None:
        raise StorageError("No space is left.")

    monkeypatch.setattr(measurements, "write_file", full)
    kept.keep(quick.observations[0])
    assert "goes on" in notes[0]
    assert len(kept.observations) == len(quick.observations) + 1


def test_a_full_disk_is_said_before_anything_is_measured(
    tmp_path: Path, quick: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("thermo_host.calibrate.measurements.os.posix_fallocate", full)
    with pytest.raises(StorageError, match="no space left on device"):
        Measurements(tmp_path, quick.subject, QUICK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": "x"}', b"\xff\xfe"])
def test_what_is_no_report_cannot_be_merged(tmp_path: Path, quick: Outcome, damage: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(damage)
    with pytest.raises(StorageError, match=r"report\.json"):
        report.load_observations(path, quick.subject, 1)


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
    assert "<script>" not in _page(replace(quick, subject=subject))


def test_verify_measures_the_stored_corrections_and_finds_a_wrong_one(quick: Outcome) -> None:
    lab = laboratory()
    good = verify(lab, lab, QUICK, quick.corrections, CREATED, 0.1)
    assert good.objections == ()
    assert good.camera is not None and good.camera.after.rmse <= 0.08
    (spots,) = good.sensors
    assert all(fit.hold_out_after < 0.02 < fit.hold_out_before for fit in spots.numbers[:1])
    assert "Verification report" in _page(good)
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
    assert "motion (lis3dh)" in _page(outcome)
    good = verify_positions(lab, lab, QUICK, found, CREATED, Silent())
    assert good.objections == ()
    wrong = replace(found, offset_g=tuple(value + 0.1 for value in found.offset_g))
    assert "calibrate anew" in verify_positions(lab, lab, QUICK, wrong, CREATED, Silent()).objections[0]


def test_a_wrong_position_and_a_restless_one_are_told() -> None:
    lab = Laboratory(SLEEVE, names=("motion",))
    lab.lay = lambda position, g: setattr(lab, "up", np.array([1.0, 0, 0]))  # type: ignore[method-assign]
    with pytest.raises(CalibrationFailedError, match=r"With x down the accelerometer feels .* pointing down"):
        calibrate_positions(lab, lab, QUICK, CREATED, Silent())
    shaken = Laboratory(SLEEVE, names=("motion",))
    still = shaken.next_reading

    def moving() -> Any:
        shaken.up = np.array([1.0, 0, 0.3 * np.sin(shaken.now_us / 1e5)])
        return still()

    shaken.next_reading = moving  # type: ignore[method-assign]
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


def _page(outcome: Outcome) -> str:
    return html.page(outcome, False)

"""The procedure against simulated hardware in virtual time: device acquisition as source, the simulator's blackbody."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from thermo_core.correction import Correction
from thermo_core.profile import NOTICE, Profile

from thermo_core.errors import CalibrationFailedError, CorrectionError, StorageError
from thermo_core.sensors.ads1115_ntc.thermistor import ThermistorChannel
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Picture
from thermo_device.acquisition import PictureSensor
from thermo_device.counters import Counters
from thermo_device.thermistors import ThermistorArray
from thermo_host.calibrate import html, measurements, report
from thermo_host.calibrate.measure import Silent
from thermo_host.calibrate.measurements import Measurements
from thermo_host.calibrate.procedure import Outcome, calibrate, conclude, observe, verify, write
from thermo_host.calibrate.reference import EXACT, ReferenceUncertainty, TypedReference
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Subject
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.radiometry import ResponseError

QUICK = Settings(pictures=64, hold_out_pictures=128, warm_up_s=0.0)
CREATED = 1_790_000_000


class Laboratory:
    """Source and reference in one: hardware, the device's drivers on it, and its blackbody."""

    name = "simulator"
    uncertainty = EXACT

    def __init__(self, hardware: SimulatedHardware) -> None:
        profile = Profile.bare()
        self.hardware = hardware
        self._sensor = PictureSensor(hardware.bus, hardware.clock, profile.picture_sensor, Counters())
        self._sensor.start()
        self._thermistors = ThermistorArray(hardware.bus, hardware.clock, profile.thermistors, Counters())
        calibration = self._sensor.calibration
        assert calibration is not None
        self.decoder = Decoder(calibration, profile.picture_sensor.emissivity)
        self._assembler = PictureAssembler(self.decoder)
        self._from_us = 0
        self._counts: list[list[float]] = []
        self.subject = Subject(
            sensor_id=calibration.device_id,
            name="laboratory",
            serial="1",
            software="test",
            profile="bare",
            simulated=True,
            pictures_per_second=8.0,
            emissivity=profile.picture_sensor.emissivity,
            reflected=None,
            thermistors=profile.thermistors.channels,
            fingerprint=0x12345678,
        )

    def restart(self) -> None:
        self._from_us = self.hardware.clock.now_us()
        self._counts = [[float(channel.counts) for channel in self._thermistors.scan().channels] for _ in range(8)]

    def pause(self) -> None:
        """Virtual time stands still by itself."""

    def next_picture(self) -> Picture:
        while True:
            picture = self._assembler.push(self._sensor.next_subpage())
            if picture is not None and picture.time_us - 140_000 > self._from_us:
                return picture

    def thermistor_counts(self) -> tuple[float, ...]:
        return tuple(float(value) for value in np.mean(self._counts, axis=0))

    def set_point(self, celsius: float) -> float:
        self.hardware.set_blackbody(celsius)
        return celsius

    def ambient(self, celsius: float) -> None:
        self.hardware.set_ambient(celsius)

    def close(self) -> None:
        """Nothing is open."""


def laboratory(seed: int = 1, **changes: object) -> Laboratory:
    options: dict[str, object] = {"warm_up_tau_s": 0.0} | changes
    return Laboratory(SimulatedHardware.from_profile("breast-patch", seed, **options))


@pytest.fixture(scope="module")
def quick() -> Outcome:
    """A two-point calibration of one sensor, as `--quick` does it."""
    lab = laboratory()
    return calibrate(lab, lab, QUICK, CREATED)


def test_two_set_points_bring_seven_tenths_of_a_kelvin_below_eight_hundredths(quick: Outcome) -> None:
    assert 0.5 < quick.before.rmse < 0.9
    assert quick.after.rmse <= 0.08
    assert quick.after.noise < quick.after.rmse
    assert quick.objections == ()
    quick.require_accepted()
    assert quick.correction.sensor_id == quick.subject.sensor_id
    assert quick.bad_pixels == ()


def test_the_noise_map_is_the_datasheets(quick: Outcome) -> None:
    """0.1 K at 1 Hz in the centre and the square root of the rate: 0.4 K at 16 subpages a second."""
    assert quick.noise.centre == pytest.approx(0.4, rel=0.1)
    assert quick.noise.netd[0, 0] > 1.3 * quick.noise.centre


def test_the_fit_knows_the_errors_that_the_simulator_put_in(quick: Outcome) -> None:
    truth = ResponseError.random(1)
    assert quick.fit is not None
    # a pixel that is too sensitive by g needs 1 / (1 + g)
    correlation = np.corrcoef(quick.fit.gain.ravel(), (1 / (1 + truth.gain)).ravel())[0, 1]
    assert correlation > 0.9


def test_each_thermistor_is_fitted_from_the_bath(quick: Outcome) -> None:
    lab = laboratory()
    lab.hardware.set_thermistors(32.0)
    lab.restart()
    assert len(quick.thermistors) == len(quick.correction.thermistors) == 4
    for fit, settings, counts in zip(quick.thermistors, lab.subject.thermistors, lab.thermistor_counts(), strict=True):
        assert fit.curve is not None
        assert fit.hold_out_after < 0.02
        calibrated = replace(ThermistorChannel.from_settings(settings), curve=fit.curve)
        assert calibrated.celsius(round(counts))[0] == pytest.approx(32.0, abs=0.02)
    assert max(fit.hold_out_before for fit in quick.thermistors) > 0.05


def test_thermistors_outside_the_bath_are_left_alone() -> None:
    lab = laboratory()
    lab.hardware.set_thermistors(20.0)
    settings = replace(QUICK, pictures=16, hold_out_pictures=16)
    outcome = calibrate(lab, lab, settings, CREATED)
    assert all(fit.curve is None and "not in the bath" in fit.how for fit in outcome.thermistors)
    assert outcome.correction.thermistors == (None,) * 4
    alone = calibrate(lab, lab, replace(settings, thermistors=False), CREATED)
    assert alone.thermistors == ()


def test_pixels_that_do_not_work_are_named_and_interpolated() -> None:
    error = ResponseError.random(4)
    gain, offset = error.gain.copy(), error.offset_k.copy()
    gain[10, 11] = -1.0
    offset[5, 20] = 15.0
    lab = laboratory(4, error=replace(error, gain=gain, offset_k=offset))
    outcome = calibrate(lab, lab, QUICK, CREATED)
    assert {(pixel.row, pixel.column): pixel.kind for pixel in outcome.bad_pixels} == {(10, 11): "dead", (5, 20): "off"}
    assert outcome.correction.bad.sum() == 2
    assert abs(outcome.hold_outs[0].error_before[10, 11]) > 1 or abs(outcome.hold_outs[0].error_before[5, 20]) > 10
    assert abs(outcome.hold_outs[0].error_after[10, 11]) < 0.2
    assert abs(outcome.hold_outs[0].error_after[5, 20]) < 0.2
    assert outcome.after.rmse <= 0.08
    assert Correction.from_bytes(outcome.correction.to_bytes()).bad[10, 11]


def test_a_cold_sensor_is_not_calibrated_until_it_is_warm_unless_that_is_asked_for() -> None:
    cold = laboratory(5, warm_up_tau_s=45.0)
    with pytest.raises(CalibrationFailedError, match=r"still warms up.*--skip-warm-up"):
        calibrate(cold, cold, replace(QUICK, patience_s=20.0), CREATED)
    patient = laboratory(5, warm_up_tau_s=45.0)
    outcome = calibrate(patient, patient, QUICK, CREATED)
    assert outcome.warm_ups[0].seconds > 60
    assert outcome.after.rmse <= 0.08
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
        celsius = float(re.search(r"to ([\d.]+) degC", prompt)[1])
        lab.set_point(celsius)
        return f"{wrong(celsius):.2f}"

    return TypedReference(ask, ReferenceUncertainty(), lambda line: None)


def test_readings_typed_in_are_the_truth_not_what_was_asked_for() -> None:
    lab = laboratory(7)
    settings = replace(QUICK, pictures=32, hold_out_pictures=32)
    outcome = calibrate(lab, typed(lab, lambda celsius: celsius + 0.4), settings, CREATED)
    assert [round(observation.reading - observation.nominal, 6) for observation in outcome.observations] == [0.4] * 3
    celsius = outcome.hold_outs[0].observation
    shown = outcome.correction.apply(celsius.celsius.astype(np.float32), celsius.ta).mean()
    assert shown == pytest.approx(celsius.nominal + 0.4, abs=0.05)


def test_a_hold_out_that_got_worse_is_not_written() -> None:
    lab = laboratory(8)
    wrong = typed(lab, lambda celsius: celsius + (1.5 if celsius > 36 else -1.5))
    outcome = calibrate(lab, wrong, replace(QUICK, pictures=32, hold_out_pictures=32), CREATED)
    assert outcome.objections
    with pytest.raises(CalibrationFailedError, match=r"Nothing was written.*hold-out"):
        outcome.require_accepted()
    assert outcome.correction.thermistors == (None,) * 4
    assert all("would grow" in fit.how for fit in outcome.thermistors)
    page = _page(outcome)
    assert "refused, not written" in page
    assert "Why it was refused" in page


def test_a_sensor_that_looks_elsewhere_is_told_so() -> None:
    lab = laboratory(9)
    reference = TypedReference(lambda prompt: "37.0" if "37" in prompt else "30.0", ReferenceUncertainty(), print)
    lab.hardware.set_blackbody(20.0)
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
    assert merged.fit is not None
    assert merged.fit.ambients == 2
    assert merged.fit.die_uncertainty is not None
    assert merged.after.rmse <= 0.08
    assert len(merged.hold_outs) == 2
    with pytest.raises(StorageError, match="merge runs of one sensor only"):
        report.load_observations(report_json, replace(lab.subject, sensor_id=bytes(6)), 1)
    with pytest.raises(StorageError, match="held something else"):
        report.load_observations(report_json, replace(lab.subject, fingerprint=1), 1)
    with pytest.raises(StorageError, match="earlier calibration"):
        report.prepare(tmp_path / "first")


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
    lab = Interrupted(laboratory(10).hardware)
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
    assert outcome.fit is not None and outcome.fit.ambients == 2
    assert outcome.after.rmse <= 0.08
    report.save(outcome, False, tmp_path)
    again.forget()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_measurements_of_another_sensor_or_none_are_refused(tmp_path: Path, quick: Outcome) -> None:
    with pytest.raises(StorageError, match="no measurements to go on with"):
        Measurements.resume(tmp_path, quick.subject)
    kept = Measurements(tmp_path, quick.subject, QUICK)
    kept.keep(quick.observations[0])
    with pytest.raises(StorageError, match="belongs to sensor"):
        Measurements.resume(tmp_path, replace(quick.subject, sensor_id=bytes(6)))
    with pytest.raises(StorageError, match="held something else"):
        Measurements.resume(tmp_path, replace(quick.subject, fingerprint=7))
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
    real = measurements.write_whole

    def cramped(path: Path, data: bytes) -> None:
        if room.exists():
            raise StorageError("No space is left.")
        real(path, data)

    monkeypatch.setattr(measurements, "write_whole", cramped)
    for observation in quick.observations:
        kept.keep(observation)
    assert not room.exists()
    assert not notes
    assert len(Measurements.resume(tmp_path, quick.subject).observations) == len(quick.observations)

    def full(path: Path, data: bytes) -> None:
        raise StorageError("No space is left.")

    monkeypatch.setattr(measurements, "write_whole", full)
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
    assert data["after"]["rmse_k"] == pytest.approx(quick.after.rmse, abs=1e-4)
    np.testing.assert_allclose(data["maps"]["gain"], quick.correction.gain, atol=1e-5)
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
    assert again.after.rmse == pytest.approx(quick.after.rmse, abs=1e-3)
    page = report_html.read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3 * len(quick.hold_outs) + 4
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?://|<script", page)
    assert NOTICE in page
    console = Console(width=120, record=True, file=(tmp_path / "terminal.txt").open("w"))
    console.print(report.terminal(quick))
    text = console.export_text()
    assert f"{quick.before.rmse:.3f}" in text
    assert f"{quick.after.rmse:.3f}" in text
    assert NOTICE in text


def test_names_from_the_wearable_cannot_inject_markup(quick: Outcome) -> None:
    subject = replace(quick.subject, name="<script>alert(1)</script>")
    assert "<script>" not in _page(replace(quick, subject=subject))


def test_verify_measures_the_stored_calibration_and_finds_a_wrong_one(quick: Outcome) -> None:
    lab = laboratory()
    good = verify(lab, lab, QUICK, quick.correction, CREATED, 0.1)
    assert good.objections == ()
    assert good.after.rmse <= 0.08
    assert "Verification report" in _page(good)
    shifted = replace(quick.correction, offset=quick.correction.offset + np.float32(1))
    assert "calibrate anew" in verify(lab, lab, QUICK, shifted, CREATED, 0.1).objections[0]
    assert "makes it worse" in verify(lab, lab, QUICK, shifted, CREATED, 5.0).objections[0]
    with pytest.raises(CorrectionError, match="belongs to sensor"):
        verify(lab, lab, QUICK, replace(quick.correction, sensor_id=bytes(6)), CREATED, 0.1)


def test_what_reads_back_differently_is_a_failure(quick: Outcome) -> None:
    class Forgetful:
        """A device that stores one bit wrong."""

        stored = b""

        def write_calibration(self, correction: Correction, progress: object = None) -> None:
            data = bytearray(correction.to_bytes())
            data[5000] ^= 1
            self.stored = bytes(data)

        def calibration_bytes(self, slot: int = 0) -> bytes:
            return self.stored

    with pytest.raises(CalibrationFailedError, match="another calibration than was written"):
        write(Forgetful(), quick.correction)


def _page(outcome: Outcome) -> str:
    return html.page(outcome, False)

"""Measurements of a calibration that are kept, taken up again, merged and refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calibrations import CREATED, QUICK, laboratory
from laboratory import PATCH, Laboratory

from thermo_core import files
from thermo_core.errors import StorageError
from thermo_host.calibrate import measurements, report
from thermo_host.calibrate.measurements import Measurements
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.procedure import calibrate


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

"""Calibrating a wearable from its page: as `thermo-host calibrate`, with questions that whoever looks at the page answers."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from thermo_core.errors import UsageError
from thermo_core.files import file_name
from thermo_host.calibrate import report
from thermo_host.calibrate.choice import choose
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.procedure import calibrate
from thermo_host.calibrate.reference import (
    Reference,
    ReferenceUncertainty,
    SimulatedReference,
    TypedReference,
    simulator_socket,
)
from thermo_host.calibrate.settings import Settings, default_hold_out, paced, pictures_of
from thermo_host.calibrate.wearable_source import WearableSource, subject_of
from thermo_host.calibrate.write import write
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.describe import counted
from thermo_hub.devices.jobs import Talk

WRITE, LEAVE = "Write it", "Leave it"


class PageListener:
    """Tells a page what a calibration does.

    Args:
        talk: to it.
    """

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._stage = "Calibration"

    def stage(self, text: str) -> None:
        """As `measure.Listener`."""
        self._stage = text
        self._talk(text, 0.0)

    def progress(self, done: int, total: int) -> None:
        """As `measure.Listener`."""
        self._talk(self._stage, done / max(total, 1))

    def note(self, text: str) -> None:
        """As `measure.Listener`."""
        self._talk.note(text)


def calibrated(
    wearable: Wearable, talk: Talk, set_points: Sequence[float], quick: bool, uncertainty_k: float, folder: Path
) -> dict[str, Any]:
    """Measure, fit, judge, ask, write; the report is kept in a folder of its own.

    Args:
        wearable: to be calibrated, without its stream.
        talk: to whoever looks.
        set_points: degC; of a simulated wearable they are brought about by themselves.
        quick: fewer readings.
        uncertainty_k: expanded (k = 2), of a blackbody's reading that is typed.
        folder: of all reports.

    Returns:
        `report.summary`, and where the report is.

    Raises:
        UsageError: the points are none, somebody ended it, or a wearable has to be laid into positions.
        CalibrationFailedError: no constants can be had.
        LinkError, SensorError, StorageError: as they say.
    """
    session = fetch(wearable)
    subject = subject_of(session, choose(session.profile, ()))
    procedure = PROCEDURES[subject.lead.settings.kind]
    if procedure.apparatus == "positions":
        raise UsageError(
            f"{subject.lead.settings.name} is laid into six positions; calibrate it with thermo-host calibrate."
        )
    points = tuple(set_points)
    settings = Settings(set_points=points, hold_out=default_hold_out(points), **pictures_of(quick))
    settings = replace(settings, sensors=tuple(target.settings.name for target in subject.targets))
    if not procedure.is_camera:
        settings = paced(settings, subject.readings_per_second)
    now = int(time.time())
    place = folder / f"{file_name(session.hello.serial)}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}"
    report.prepare(place)
    listener = PageListener(talk)
    reference = _reference(wearable, talk, ReferenceUncertainty(expanded=uncertainty_k), procedure.apparatus)
    try:
        with contextlib.closing(reference), WearableSource(wearable, subject) as source:
            outcome = calibrate(source, reference, settings, now, listener)
    except BaseException:
        with contextlib.suppress(OSError):
            place.rmdir()  # nothing came of it
        raise
    report.save(outcome, False, place)
    written = False
    if not outcome.objections:
        said = f"{_found(outcome)} Write this calibration to the wearable?"
        written = talk.ask(said, (WRITE, LEAVE)) == WRITE
    if written:
        talk.past_ending()
        write(wearable, outcome.corrections, lambda done, total: talk("Writing to the wearable", done / max(total, 1)))
        report.save(outcome, True, place)
    return {**report.summary(outcome, written), "report": str(place / "report.html")}


def _found(outcome: Outcome) -> str:
    """Errors at points that were not fitted, before and after."""
    parts = []
    if outcome.camera is not None:
        before, after = outcome.camera.before.rmse, outcome.camera.after.rmse
        parts.append(f"{outcome.subject.lead.settings.name} {before:.3f} K before and {after:.3f} K after")
    if outcome.sensors:
        parts.append(counted(len(outcome.sensors), "more sensor" if parts else "sensor"))
    return f"At points that were not fitted: {', '.join(parts)}."


def _reference(wearable: Wearable, talk: Talk, uncertainty: ReferenceUncertainty, apparatus: str) -> Reference:
    path = simulator_socket(wearable.port)
    if path is not None and wearable.hello().simulated:
        return SimulatedReference(path)
    return TypedReference(talk.ask, uncertainty, talk.note, apparatus)

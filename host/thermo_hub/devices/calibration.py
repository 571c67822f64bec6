"""Calibrating a wearable from its page: as `thermo-host calibrate`, with questions that whoever looks at the page answers."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from thermo_core.files import file_name
from thermo_host.calibrate import report
from thermo_host.calibrate.choice import choose
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.positions import Positioner, calibrate_positions
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
LIES = "It lies so"


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
    wearable: Wearable,
    talk: Talk,
    set_points: Sequence[float],
    quick: bool,
    uncertainty_k: float,
    folder: Path,
    sensor: str = "",
) -> dict[str, Any]:
    """Measure, fit, judge, ask, write; the report is kept in a folder of its own.

    Args:
        wearable: to be calibrated, without its stream.
        talk: to whoever looks.
        set_points: degC; of a simulated wearable they are brought about by themselves. An accelerometer has none.
        quick: fewer readings.
        uncertainty_k: expanded (k = 2), of a blackbody's reading that is typed.
        folder: of all reports.
        sensor: that the run is about, as an accelerometer, which is laid into positions; "" for the thermometers that go together.

    Returns:
        `report.summary`, and where the report is.

    Raises:
        UsageError: the points are none, there is no such sensor, or somebody ended it.
        CalibrationFailedError: no constants can be had.
        LinkError, SensorError, StorageError: as they say.
    """
    session = fetch(wearable)
    subject = subject_of(session, choose(session.profile, (sensor,) if sensor else ()))
    procedure = PROCEDURES[subject.lead.settings.kind]
    points = tuple(set_points)
    settings = Settings(set_points=points, hold_out=default_hold_out(points), **pictures_of(quick))
    settings = replace(settings, sensors=tuple(target.settings.name for target in subject.targets))
    if not procedure.is_camera:
        settings = paced(settings, subject.readings_per_second)
    now = int(time.time())
    when, lead = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)), subject.lead.settings.name
    place = folder / f"{file_name(session.hello.serial)}-{when}-{file_name(lead)}"
    report.prepare(place)
    listener = PageListener(talk)
    try:
        with WearableSource(wearable, subject) as source:
            if procedure.apparatus == "positions":
                with contextlib.closing(_positioner(wearable, talk)) as positioner:
                    outcome = calibrate_positions(source, positioner, settings, now, listener)
            else:
                expanded = ReferenceUncertainty(expanded=uncertainty_k)
                with contextlib.closing(_reference(wearable, talk, expanded, procedure.apparatus)) as reference:
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


class PagePositions:
    """A wearable laid down by hand, as whoever looks at its page is asked.

    Args:
        talk: to them.
    """

    name = "laid by hand"

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def lay(self, position: str, g: tuple[float, float, float]) -> None:
        """As `positions.Positioner`."""
        self._talk.ask(
            f"Lay the wearable down so that it rests: {position}. x, y and z are the accelerometer's axes.", (LIES,)
        )

    def close(self) -> None:
        """As `positions.Positioner`."""


def _found(outcome: Outcome) -> str:
    """Errors at points or in positions that were not fitted, before and after."""
    parts = []
    if outcome.camera is not None:
        before, after = outcome.camera.before.rmse, outcome.camera.after.rmse
        parts.append(f"{outcome.subject.lead.settings.name} {before:.3f} K before and {after:.3f} K after")
    laid = [fit for fit in outcome.sensors if PROCEDURES[fit.target.settings.kind].apparatus == "positions"]
    for fit in laid:  # of all axes at once: the length of what is felt
        one = fit.numbers[0]
        name = fit.target.settings.name
        parts.append(f"{name} {one.hold_out_before:.4f} g before and {one.hold_out_after:.4f} g after")
    others = len(outcome.sensors) - len(laid)
    if others:
        parts.append(counted(others, "more sensor" if parts else "sensor"))
    return f"{'In positions' if laid else 'At points'} that were not fitted: {', '.join(parts)}."


def _positioner(wearable: Wearable, talk: Talk) -> Positioner:
    return _simulated(wearable) or PagePositions(talk)


def _reference(wearable: Wearable, talk: Talk, uncertainty: ReferenceUncertainty, apparatus: str) -> Reference:
    return _simulated(wearable) or TypedReference(talk.ask, uncertainty, talk.note, apparatus)


def _simulated(wearable: Wearable) -> SimulatedReference | None:
    path = simulator_socket(wearable.port)
    return SimulatedReference(path) if path is not None and wearable.hello().simulated else None

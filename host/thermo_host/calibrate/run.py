"""One run of the procedure on a wearable: what it has measured is kept as it goes on, and a later run can go on with it."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from thermo_core.correction import Correction

from thermo_core.errors import CalibrationFailedError, StorageError
from thermo_host.calibrate import report
from thermo_host.calibrate.console import ConsoleListener
from thermo_host.calibrate.measurements import Measurements
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.procedure import Outcome, calibrate, verify
from thermo_host.calibrate.reference import Reference
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Subject
from thermo_host.calibrate.wearable_source import WearableSource
from thermo_host.commands.common import Output
from thermo_host.link.wearable import Wearable


@dataclass(slots=True)
class Run:
    """A measurement with bars, which leaves stream and blackbody as they were found.

    Attributes:
        wearable: to be calibrated.
        output: where words go.
        settings: as chosen.
        make_reference: the blackbody, once there is somebody to ask.
        merge: reports of earlier runs.
        folder: of the report; None names one.
        resume: folder of the run to go on with.
        measurements: what is kept meanwhile.
    """

    wearable: Wearable
    output: Output
    settings: Settings
    make_reference: Callable[[ConsoleListener], Reference]
    merge: Sequence[Path]
    folder: Path | None
    resume: Path | None
    measurements: Measurements | None = None

    def measure(self) -> tuple[Outcome, Path]:
        """Calibrate; what was found, and the folder for it."""
        now = int(time.time())
        with WearableSource(self.wearable) as source, ConsoleListener(self.output.progress) as listener:
            earlier = _earlier(self.merge, source.subject)
            kept = self._begin(source.subject, now, listener)
            try:
                blackbody = self.make_reference(listener)
                try:
                    outcome = calibrate(
                        source, blackbody, kept.settings, now, listener, earlier, tuple(kept.observations), kept.keep
                    )
                finally:
                    blackbody.close()
            except BaseException:
                if kept.give_up():
                    listener.note(self._how_to_go_on(kept.folder))
                raise
        return outcome, kept.folder

    def verify(self, limit_k: float) -> tuple[Outcome, Path]:
        """Hold the stored calibration against the hold-out points."""
        now = int(time.time())
        with WearableSource(self.wearable) as source, ConsoleListener(self.output.progress) as listener:
            stored = _stored(self.wearable)
            folder = self._folder(source.subject, now)
            try:
                blackbody = self.make_reference(listener)
                try:
                    return verify(source, blackbody, self.settings, stored, now, limit_k, listener), folder
                finally:
                    blackbody.close()
            except BaseException:
                with contextlib.suppress(OSError):
                    folder.rmdir()
                raise

    def save(self, outcome: Outcome, written: bool, directory: Path) -> tuple[Path, Path]:
        """Write the report, which holds what was measured.

        Raises:
            StorageError: it cannot be written; what was measured is still there.
        """
        if self.measurements is None:
            return report.save(outcome, written, directory)
        self.measurements.release_room()
        try:
            files = report.save(outcome, written, directory)
        except StorageError as error:
            raise StorageError(f"{error} {self._how_to_go_on(directory)}") from error
        self.measurements.forget()
        return files

    def _begin(self, subject: Subject, now: int, listener: ConsoleListener) -> Measurements:
        if self.resume is not None:
            kept = Measurements.resume(self.resume, subject, listener.note)
            listener.note(f"{len(kept.observations)} points were measured before; the others follow.")
        else:
            kept = Measurements(self._folder(subject, now), subject, self.settings, listener.note)
        self.measurements = kept
        return kept

    def _folder(self, subject: Subject, now: int) -> Path:
        if self.folder is not None:
            return self.folder
        when = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = Path(f"calibration-{subject.sensor_id.hex()}-{when}")
        report.prepare(folder)
        return folder

    def _how_to_go_on(self, folder: Path) -> str:
        return f"What was measured so far is kept; go on with: thermo-host calibrate {self.wearable.port} --resume {folder}"


def _stored(wearable: Wearable) -> Correction:
    stored = wearable.calibration()
    if stored is None:
        raise CalibrationFailedError(
            f"The wearable on {wearable.port} holds no calibration to verify; calibrate it first."
        )
    return stored


def _earlier(paths: Sequence[Path], subject: Subject) -> list[Observation]:
    found: list[Observation] = []
    for run, path in enumerate(paths, start=1):
        found += report.load_observations(path, subject, run)
    return found

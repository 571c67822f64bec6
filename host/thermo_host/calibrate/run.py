"""One run of a procedure on a wearable: what it has measured is kept as it goes on, and a later run can go on with it."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from thermo_core.errors import CalibrationFailedError, StorageError
from thermo_core.sensors.correction import Correction
from thermo_host.calibrate import report
from thermo_host.calibrate.console import ConsoleListener
from thermo_host.calibrate.measurements import Measurements
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.positions import Positioner, calibrate_positions, verify_positions
from thermo_host.calibrate.procedure import calibrate, verify
from thermo_host.calibrate.reference import Reference
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Subject
from thermo_host.calibrate.wearable_source import WearableSource
from thermo_host.commands.common import Output
from thermo_host.link.wearable import Wearable


@dataclass(slots=True)
class Run:
    """A measurement with bars, which leaves stream and reference as they were found.

    Attributes:
        wearable: to be calibrated.
        subject: what of it.
        output: where words go.
        settings: as chosen.
        make_reference: the blackbody or bath, once there is somebody to ask.
        make_positioner: whoever lays it down.
        merge: reports of earlier runs.
        folder: of the report; None names one.
        resume: folder of the run to go on with.
        measurements: what is kept meanwhile.
    """

    wearable: Wearable
    subject: Subject
    output: Output
    settings: Settings
    make_reference: Callable[[ConsoleListener], Reference]
    make_positioner: Callable[[ConsoleListener], Positioner]
    merge: Sequence[Path]
    folder: Path | None
    resume: Path | None
    measurements: Measurements | None = None

    def measure(self) -> tuple[Outcome, Path]:
        """Calibrate before a blackbody or in a bath; what was found, and the folder for it."""
        now = int(time.time())
        with (
            WearableSource(self.wearable, self.subject) as source,
            ConsoleListener(self.output.progress) as listener,
        ):
            earlier = _earlier(self.merge, source.subject)
            kept = self._begin(now, listener)
            try:
                reference = self.make_reference(listener)
                try:
                    outcome = calibrate(
                        source, reference, kept.settings, now, listener, earlier, tuple(kept.observations), kept.keep
                    )
                finally:
                    reference.close()
            except BaseException:
                if kept.give_up():
                    listener.note(self._how_to_go_on(kept.folder))
                raise
        return outcome, kept.folder

    def verify(self, limit_k: float) -> tuple[Outcome, Path]:
        """Hold the stored corrections against the hold-out points."""
        now = int(time.time())
        stored = self._stored()
        with (
            WearableSource(self.wearable, self.subject) as source,
            ConsoleListener(self.output.progress) as listener,
            self._own_folder(now) as folder,
            contextlib.closing(self.make_reference(listener)) as reference,
        ):
            return verify(source, reference, self.settings, stored, now, limit_k, listener), folder

    def lay(self, verifies: bool) -> tuple[Outcome, Path]:
        """Calibrate in positions, or hold the stored correction against others."""
        now = int(time.time())
        stored = self._stored() if verifies else {}
        with (
            WearableSource(self.wearable, self.subject) as source,
            ConsoleListener(self.output.progress) as listener,
            self._own_folder(now) as folder,
            contextlib.closing(self.make_positioner(listener)) as positioner,
        ):
            if verifies:
                correction = stored[self.subject.lead.number]
                return verify_positions(source, positioner, self.settings, correction, now, listener), folder
            return calibrate_positions(source, positioner, self.settings, now, listener), folder

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

    def _begin(self, now: int, listener: ConsoleListener) -> Measurements:
        if self.resume is not None:
            kept = Measurements.resume(self.resume, self.subject, listener.note)
            listener.note(f"{len(kept.observations)} points were measured before; the others follow.")
        else:
            kept = Measurements(self._folder(now), self.subject, self.settings, listener.note)
        self.measurements = kept
        return kept

    def _folder(self, now: int) -> Path:
        if self.folder is not None:
            return self.folder
        when = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        lead = self.subject.lead
        folder = Path(f"calibration-{lead.id.hex() or lead.settings.name}-{when}")
        report.prepare(folder)
        return folder

    @contextlib.contextmanager
    def _own_folder(self, now: int) -> Iterator[Path]:
        """The report's folder, which goes again where nothing comes of it."""
        folder = self._folder(now)
        try:
            yield folder
        except BaseException:
            with contextlib.suppress(OSError):
                folder.rmdir()
            raise

    def _stored(self) -> dict[int, Correction]:
        found = {}
        for target in self.subject.targets:
            correction = self.wearable.correction(target.number)
            if correction is not None:
                found[target.number] = correction
        if self.subject.lead.number not in found:
            raise CalibrationFailedError(
                f"The wearable on {self.wearable.port} holds no correction of {self.subject.lead.settings.name} to verify; "
                "calibrate it first."
            )
        return found

    def _how_to_go_on(self, folder: Path) -> str:
        return f"What was measured so far is kept; go on with: thermo-host calibrate {self.wearable.port} --resume {folder}"


def _earlier(paths: Sequence[Path], subject: Subject) -> list[Observation]:
    found: list[Observation] = []
    for run, path in enumerate(paths, start=1):
        found += report.load_observations(path, subject, run)
    return found

"""What a calibration found, and whether it may be written."""

from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.errors import CalibrationFailedError
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_host.calibrate.agreement import Agreement
from thermo_host.calibrate.fit import PixelFit, count_ambients
from thermo_host.calibrate.numbers import SensorFit
from thermo_host.calibrate.observation import Floats, Observation
from thermo_host.calibrate.pixels import BadPixel, NoiseMap
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Subject
from thermo_host.calibrate.stability import WarmUp
from thermo_host.calibrate.uncertainty import Budget


@dataclass(frozen=True, slots=True)
class HoldOut:
    """A hold-out point of a camera, uncorrected and corrected.

    Attributes:
        observation: as measured.
        before, after: figures.
        error_before, error_after: (24, 32) shown minus reference, K; interpolated where pixels are bad.
    """

    observation: Observation
    before: Agreement
    after: Agreement
    error_before: Floats
    error_after: Floats


@dataclass(frozen=True, slots=True)
class CameraFit:
    """All that a calibration found out about the camera.

    Attributes:
        noise, bad_pixels: of it.
        fit: the constants; None where a stored correction was only verified.
        correction: what is or would be written.
        hold_outs: each point; `before` and `after` pool them.
        budget: uncertainty; None where only verified.
    """

    noise: NoiseMap
    bad_pixels: tuple[BadPixel, ...]
    fit: PixelFit | None
    correction: PixelCorrection
    hold_outs: tuple[HoldOut, ...]
    before: Agreement
    after: Agreement
    budget: Budget | None

    def label(self, hold_out: HoldOut) -> str:
        """How to call a hold-out point in a table, degC; with the die's temperature where there were several ambients."""
        name = f"{hold_out.observation.reference:.2f}"
        if count_ambients([each.observation.ta for each in self.hold_outs]) > 1:
            name += f" (Ta {hold_out.observation.ta:.0f})"
        return name


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a calibration found.

    Attributes:
        subject: the wearable.
        reference: name of the reference.
        settings: as chosen.
        created_unix_s: when.
        verified: whether stored corrections were only held against the hold-out points.
        warm_ups: one check an ambient.
        observations: all set-points and hold-outs, merged ones included.
        camera: what was found of it; None where there is none.
        sensors: what was found of each other sensor.
        objections: why nothing must be written; empty when it may.
    """

    subject: Subject
    reference: str
    settings: Settings
    created_unix_s: int
    verified: bool
    warm_ups: tuple[WarmUp, ...]
    observations: tuple[Observation, ...]
    camera: CameraFit | None
    sensors: tuple[SensorFit, ...]
    objections: tuple[str, ...]

    @property
    def corrections(self) -> Mapping[int, Correction]:
        """What is or would be written, by sensor; the lead's first."""
        found: dict[int, Correction] = {}
        if self.camera is not None:
            found[self.subject.lead.number] = self.camera.correction
        found |= {one.target.number: one.correction for one in self.sensors if one.correction is not None}
        return found

    def require_accepted(self) -> None:
        """Raises CalibrationFailedError with every objection, if there is one."""
        if self.objections:
            raise CalibrationFailedError(("" if self.verified else "Nothing was written. ") + " ".join(self.objections))

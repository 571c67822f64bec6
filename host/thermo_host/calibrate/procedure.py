"""The procedure: measure set-points and hold-outs, fit, judge, and (apart) write to the device and read back.

What is measured is the mean of uncorrected temperatures, decoded with the wearable's own emissivity and reflected
temperature, because that is what the correction is applied to at the device and at the host (see `reference`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from thermo_core.errors import CalibrationFailedError, CorrectionError, RefusedError
from thermo_core.sensors.correction import Correction, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_host.calibrate.acceptance import objections
from thermo_host.calibrate.agreement import Agreement, agreement, pooled
from thermo_host.calibrate.fit import PixelFit, count_ambients, fit_pixels
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.measure import Listener, Silent, measure, measure_here, warm_up
from thermo_host.calibrate.numbers import SensorFit, Truth, check_numbers, fit_numbers
from thermo_host.calibrate.observation import Floats, Observation, Role
from thermo_host.calibrate.pixels import BadPixel, NoiseMap, bad_mask, find_bad_pixels, noise_map
from thermo_host.calibrate.reference import Reference, ReferenceUncertainty, apparent_celsius, emissivity_sensitivity
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Source, Subject, Target
from thermo_host.calibrate.stability import WarmUp
from thermo_host.calibrate.uncertainty import Budget, budget

Keep = Callable[[Observation], None]
WORSE_K = 0.02
"""An error below this may be larger than without a correction: it is noise."""


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


class CorrectionStore(Protocol):
    """What writing needs of a wearable."""

    def write_correction(
        self, sensor: int, correction: Correction, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Store it; the device keeps the previous one."""
        ...

    def correction_bytes(self, sensor: int, slot: int = 0) -> bytes:
        """What is stored."""
        ...


def observe(
    source: Source,
    reference: Reference,
    settings: Settings,
    listener: Listener,
    done: Sequence[Observation] = (),
    keep: Keep = lambda observation: None,
) -> tuple[tuple[Observation, ...], tuple[WarmUp, ...]]:
    """Measure every set-point and hold-out at every ambient.

    Args:
        source, reference, settings, listener: as `calibrate`.
        done: what an interrupted run has measured, in order; it is not measured again.
        keep: given each observation as soon as it is made.

    Raises CalibrationFailedError where something is not steady or the picture does not show the reference.
    """
    found: list[Observation] = []
    warm_ups: list[WarmUp] = []
    steps: list[tuple[float, Role]] = [(celsius, "fit") for celsius in settings.order]
    steps += [(celsius, "hold-out") for celsius in settings.hold_out]
    for ambient in settings.ambients or (None,):
        here = list(done[len(found) : len(found) + len(steps)])
        found += here
        left = steps[len(here) :]
        if not left:
            continue
        source.pause()
        if ambient is not None:
            listener.stage(f"Ambient {ambient:.1f} degC")
            reference.ambient(ambient)
        (first, role), *others = left
        reading = reference.set_point(first)
        source.restart()
        check, readings = warm_up(source, settings, listener)
        warm_ups.append(check)
        made = measure_here(source, first, reading, role, settings, listener, already=readings)
        keep(made)
        found.append(made)
        for celsius, role in others:
            made = measure(source, reference, celsius, role, settings, listener)
            keep(made)
            found.append(made)
    return tuple(found), tuple(warm_ups)


def calibrate(
    source: Source,
    reference: Reference,
    settings: Settings,
    created_unix_s: int,
    listener: Listener | None = None,
    earlier: Sequence[Observation] = (),
    done: Sequence[Observation] = (),
    keep: Keep = lambda observation: None,
) -> Outcome:
    """Measure and fit; nothing is written.

    Args:
        source: readings of the wearable.
        reference: the blackbody or bath.
        settings: what to measure.
        created_unix_s: stamped into the result, seconds since 1970.
        listener: told what goes on.
        earlier: observations of runs to merge; their hold-outs judge as well.
        done, keep: as `observe`.

    Raises CalibrationFailedError where no constants can be had at all; constants not worth writing have `objections`.
    """
    observations, warm_ups = observe(source, reference, settings, listener or Silent(), done, keep)
    return conclude(
        source.subject,
        reference.name,
        reference.uncertainty,
        settings,
        created_unix_s,
        (*earlier, *observations),
        warm_ups,
    )


def conclude(
    subject: Subject,
    reference: str,
    uncertainty: ReferenceUncertainty,
    settings: Settings,
    created_unix_s: int,
    observations: Sequence[Observation],
    warm_ups: tuple[WarmUp, ...] = (),
) -> Outcome:
    """Fit and judge what was measured. Raises as `calibrate`."""
    fitted = [observation for observation in observations if observation.role == "fit"]
    held = [observation for observation in observations if observation.role == "hold-out"]
    truth = _truth(settings)
    camera: CameraFit | None = None
    found: tuple[str, ...] = ()
    if PROCEDURES[subject.lead.settings.kind].is_camera:
        camera, found = _fit_camera(subject, uncertainty, created_unix_s, fitted, held)
    sensors = tuple(
        fit_numbers(target, fitted, held, truth, target.stamp(created_unix_s)) for target in _numbered(subject)
    )
    if camera is None:
        lead = sensors[0]
        left = [f"{one.name}: {one.how}" for one in lead.numbers if one.constants is None]
        if lead.correction is None:
            found = (f"{lead.target.settings.name} was left alone ({'; '.join(left)}): check where it is, and repeat.",)
    return Outcome(
        subject=subject,
        reference=reference,
        settings=settings,
        created_unix_s=created_unix_s,
        verified=False,
        warm_ups=warm_ups,
        observations=tuple(observations),
        camera=camera,
        sensors=sensors,
        objections=found,
    )


def verify(
    source: Source,
    reference: Reference,
    settings: Settings,
    corrections: Mapping[int, Correction],
    created_unix_s: int,
    limit_k: float,
    listener: Listener | None = None,
) -> Outcome:
    """Measure the hold-out points against stored corrections; nothing is written.

    `objections` says where an error exceeds `limit_k` or that of no correction at all.

    Args:
        source, reference, settings, listener: as `calibrate`.
        corrections: by sensor.
        created_unix_s: now.
        limit_k: largest RMSE that is accepted, K.
    """
    listener = listener or Silent()
    subject = source.subject
    for target in subject.targets:
        stored = corrections.get(target.number)
        if stored is not None and stored.stamp.sensor_id != target.id:
            raise CorrectionError(
                f"The stored correction of {target.settings.name} belongs to sensor {stored.stamp.sensor_id.hex()}, but this "
                f"wearable has {target.id.hex()}; calibrate it anew."
            )
    source.pause()
    first, *others = settings.hold_out
    reading = reference.set_point(first)
    source.restart()
    check, readings = warm_up(source, settings, listener)
    observations = [measure_here(source, first, reading, "hold-out", settings, listener, already=readings)]
    observations += [measure(source, reference, celsius, "hold-out", settings, listener) for celsius in others]
    camera = None
    stored = corrections.get(subject.lead.number)
    if isinstance(stored, PixelCorrection):
        noise = noise_map(observations)
        hold_outs = tuple(_judge(observation, stored) for observation in observations)
        before = pooled([hold_out.before for hold_out in hold_outs])
        after = pooled([hold_out.after for hold_out in hold_outs])
        bad = find_bad_pixels(observations, noise)
        camera = CameraFit(noise, bad, None, stored, hold_outs, before, after, None)
    sensors = tuple(
        check_numbers(target, corrections.get(target.number), observations, _truth(settings))
        for target in _numbered(subject)
    )
    return Outcome(
        subject=subject,
        reference=reference.name,
        settings=settings,
        created_unix_s=created_unix_s,
        verified=True,
        warm_ups=(check,),
        observations=tuple(observations),
        camera=camera,
        sensors=sensors,
        objections=_found_wrong(camera, sensors, limit_k),
    )


def write(
    store: CorrectionStore,
    corrections: Mapping[int, Correction],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write corrections to the device, read each back and compare every byte.

    The device takes one over when its last part has arrived and its checksum holds; ended before, it keeps the old one.

    Raises:
        RefusedError: the device refuses one, because it belongs to another sensor for example; it says which were written.
        CalibrationFailedError: what reads back differs.
    """
    done: list[int] = []
    for sensor, correction in corrections.items():
        try:
            store.write_correction(sensor, correction, progress)
        except RefusedError as error:
            if done:
                written = ", ".join(map(str, done))
                raise RefusedError(
                    f"{error} Those of sensors {written} were written before and hold.",
                    error.reason,
                    error.code,
                    error.group,
                ) from error
            raise
        if store.correction_bytes(sensor) != to_bytes(correction):
            raise CalibrationFailedError(
                f"The device gives back another correction of sensor {sensor} than was written; run calibrate --rollback and "
                "try again."
            )
        done.append(sensor)


def _fit_camera(
    subject: Subject,
    uncertainty: ReferenceUncertainty,
    created_unix_s: int,
    fitted: Sequence[Observation],
    held: Sequence[Observation],
) -> tuple[CameraFit, tuple[str, ...]]:
    """What was found, and why it must not be written."""
    noise = noise_map(fitted)
    bad = find_bad_pixels(fitted, noise)
    mask = bad_mask(bad)
    fit = fit_pixels(fitted, ~mask)
    stamp = subject.lead.stamp(created_unix_s)
    correction = PixelCorrection(
        # a bad pixel is interpolated from corrected neighbours; its own constants may be anything
        offset=np.where(mask, 0, fit.offset).astype(np.float32),
        gain=np.where(mask, 1, fit.gain).astype(np.float32),
        ta_slope=np.where(mask, 0, fit.ta_slope).astype(np.float32),
        bad=mask,
        stamp=stamp,
    )
    hold_outs = tuple(_judge(observation, correction) for observation in held)
    before = pooled([hold_out.before for hold_out in hold_outs])
    after = pooled([hold_out.after for hold_out in hold_outs])
    middle = float(np.mean([observation.reference for observation in held]))
    ta = float(np.mean([observation.ta for observation in held]))
    made = CameraFit(
        noise=noise,
        bad_pixels=bad,
        fit=fit,
        correction=replace(correction, stamp=replace(stamp, residual_rms=after.rmse)),
        hold_outs=hold_outs,
        before=before,
        after=after,
        budget=budget(
            uncertainty,
            emissivity_sensitivity(middle, subject.emissivity, ta, subject.reflected),
            noise.median,
            min(observation.pictures for observation in held),
            after.noise,
            after.without_noise,
            fit.die_uncertainty,
            [(observation.slope, observation.seconds) for observation in (*fitted, *held)],
        ),
    )
    return made, objections(fit, bad, ~mask, before, after, [observation.nominal for observation in fitted])


def _found_wrong(camera: CameraFit | None, sensors: Sequence[SensorFit], limit_k: float) -> tuple[str, ...]:
    judged = [] if camera is None else [("The stored correction", camera.before.rmse, camera.after.rmse)]
    judged += [
        (f"The stored correction of {one.name} ({fit.target.settings.name})", one.hold_out_before, one.hold_out_after)
        for fit in sensors
        for one in fit.numbers
        if one.constants is not None
    ]
    found = []
    for name, before, after in judged:
        if np.isnan(after):
            found.append(f"{name} cannot be judged: there was no reading; check the sensor with thermo-host info.")
        elif after > limit_k:
            found.append(f"{name} is {after:.3f} K off (at most {limit_k:g} K); calibrate anew.")
        elif after > max(before, WORSE_K):
            found.append(
                f"{name} makes it worse ({before:.3f} K without it, {after:.3f} K with it); calibrate anew or run "
                "calibrate --rollback."
            )
    return tuple(found)


def _numbered(subject: Subject) -> tuple[Target, ...]:
    """Sensors that are no camera."""
    return tuple(target for target in subject.targets if not PROCEDURES[target.settings.kind].is_camera)


def _truth(settings: Settings) -> Truth:
    """What each sensor should have shown: a bath's reading, or a blackbody's as an ideal sensor with its settings sees it."""

    def truth(target: Target, observation: Observation, ta: float) -> float:
        sensor = target.settings
        blackbody = settings.blackbody_emissivity
        if blackbody is None or PROCEDURES[sensor.kind].apparatus != "blackbody":
            return observation.reading
        emissivity = float(getattr(sensor, "emissivity", 1.0))
        # Left out, a thermopile's decoder takes its own temperature for what the skin reflects.
        reflected: float | None = getattr(sensor, "reflected_celsius", None)
        around = ta if reflected is None else reflected
        return apparent_celsius(observation.reading, blackbody, emissivity, ta, around)

    return truth


def _judge(observation: Observation, correction: PixelCorrection) -> HoldOut:
    """Apply the correction exactly as device and host do."""
    shown = observation.celsius.astype(np.float32)
    corrected = correction.apply(shown, observation.ta)
    error_before = shown - observation.reference
    error_after = corrected.astype(np.float64) - observation.reference
    noise_after = float(np.sqrt((observation.variance_of_mean * correction.gain.astype(np.float64) ** 2).mean()))
    return HoldOut(
        observation=observation,
        before=agreement(error_before, observation.noise_of_mean),
        after=agreement(error_after, noise_after),
        error_before=error_before.astype(np.float64),
        error_after=error_after,
    )

"""The procedure: measure set-points and hold-outs, fit, judge, and (apart) write to the device and read back.

What is measured is the mean of uncorrected temperatures, decoded with the wearable's own emissivity and reflected
temperature, because that is what the correction is applied to at the device and at the host (see `reference`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from thermo_core.correction import Correction

from thermo_core.errors import CalibrationFailedError, CorrectionError
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_host.calibrate.acceptance import objections
from thermo_host.calibrate.agreement import Agreement, agreement, pooled
from thermo_host.calibrate.fit import PixelFit, count_ambients, fit_pixels
from thermo_host.calibrate.measure import Listener, Silent, measure, measure_here, warm_up
from thermo_host.calibrate.observation import Floats, Observation, Role
from thermo_host.calibrate.pixels import BadPixel, NoiseMap, bad_mask, find_bad_pixels, noise_map
from thermo_host.calibrate.reference import Reference, ReferenceUncertainty, emissivity_sensitivity
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Source, Subject
from thermo_host.calibrate.stability import WarmUp
from thermo_host.calibrate.thermistors import ThermistorFit, fit_thermistors
from thermo_host.calibrate.uncertainty import Budget, budget

Keep = Callable[[Observation], None]


@dataclass(frozen=True, slots=True)
class HoldOut:
    """A hold-out point, uncorrected and corrected.

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
class Outcome:
    """All that a calibration found.

    Attributes:
        subject: the wearable.
        reference: name of the reference.
        settings: as chosen.
        created_unix_s: when.
        warm_ups: one check an ambient.
        observations: all set-points and hold-outs, merged ones included.
        noise, bad_pixels: of the picture sensor.
        fit: the constants; None where a stored calibration was only verified.
        correction: what is or would be written.
        thermistors: one a channel that was measured.
        hold_outs: each point; `before` and `after` pool them.
        budget: uncertainty; None where only verified.
        objections: why it must not be written; empty when it may.
    """

    subject: Subject
    reference: str
    settings: Settings
    created_unix_s: int
    warm_ups: tuple[WarmUp, ...]
    observations: tuple[Observation, ...]
    noise: NoiseMap
    bad_pixels: tuple[BadPixel, ...]
    fit: PixelFit | None
    correction: Correction
    thermistors: tuple[ThermistorFit, ...]
    hold_outs: tuple[HoldOut, ...]
    before: Agreement
    after: Agreement
    budget: Budget | None
    objections: tuple[str, ...]

    def label(self, hold_out: HoldOut) -> str:
        """How to call a hold-out point in a table, degC; with the die's temperature where there were several ambients."""
        name = f"{hold_out.observation.reference:.2f}"
        if count_ambients([each.observation.ta for each in self.hold_outs]) > 1:
            name += f" (Ta {hold_out.observation.ta:.0f})"
        return name

    def require_accepted(self) -> None:
        """Raises CalibrationFailedError with every objection, if there is one."""
        if self.objections:
            raise CalibrationFailedError(("Nothing was written. " if self.fit else "") + " ".join(self.objections))


class CalibrationStore(Protocol):
    """What writing needs of a wearable."""

    def write_calibration(self, correction: Correction, progress: Callable[[int, int], None] | None = None) -> None:
        """Store it; the device keeps the previous one."""
        ...

    def calibration_bytes(self, slot: int = 0) -> bytes:
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
        check, pictures = warm_up(source, settings, listener)
        warm_ups.append(check)
        made = measure_here(source, first, reading, role, settings, listener, already=pictures)
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
        source: pictures of the wearable.
        reference: the blackbody.
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
    noise = noise_map(fitted)
    bad = find_bad_pixels(fitted, noise)
    mask = bad_mask(bad)
    fit = fit_pixels(fitted, ~mask)
    thermistors = fit_thermistors(subject.thermistors, fitted, held) if settings.thermistors else ()
    correction = Correction(
        # a bad pixel is interpolated from corrected neighbours; its own constants may be anything
        offset=np.where(mask, 0, fit.offset).astype(np.float32),
        gain=np.where(mask, 1, fit.gain).astype(np.float32),
        ta_slope=np.where(mask, 0, fit.ta_slope).astype(np.float32),
        bad=mask,
        thermistors=_curves(subject, thermistors),
        sensor_id=subject.sensor_id,
        created_unix_s=created_unix_s,
        residual_rms_k=0.0,
        fingerprint=subject.fingerprint,
    )
    hold_outs = tuple(_judge(observation, correction) for observation in held)
    before = pooled([hold_out.before for hold_out in hold_outs])
    after = pooled([hold_out.after for hold_out in hold_outs])
    middle = float(np.mean([observation.reference for observation in held]))
    ta = float(np.mean([observation.ta for observation in held]))
    return Outcome(
        subject=subject,
        reference=reference,
        settings=settings,
        created_unix_s=created_unix_s,
        warm_ups=warm_ups,
        observations=tuple(observations),
        noise=noise,
        bad_pixels=bad,
        fit=fit,
        correction=replace(correction, residual_rms_k=after.rmse),
        thermistors=thermistors,
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
            [(observation.slope, observation.seconds) for observation in observations],
        ),
        objections=objections(fit, bad, ~mask, before, after, [observation.nominal for observation in fitted]),
    )


def verify(
    source: Source,
    reference: Reference,
    settings: Settings,
    correction: Correction,
    created_unix_s: int,
    limit_k: float,
    listener: Listener | None = None,
) -> Outcome:
    """Measure the hold-out points against a stored correction; nothing is written.

    `objections` says where its error exceeds `limit_k` or that of no correction at all.
    """
    listener = listener or Silent()
    if correction.sensor_id != source.subject.sensor_id:
        raise CorrectionError(
            f"The stored calibration belongs to sensor {correction.sensor_id.hex()}, but this wearable has "
            f"{source.subject.sensor_id.hex()}; calibrate it anew."
        )
    source.pause()
    first, *others = settings.hold_out
    reading = reference.set_point(first)
    source.restart()
    check, pictures = warm_up(source, settings, listener)
    observations = [measure_here(source, first, reading, "hold-out", settings, listener, already=pictures)]
    observations += [measure(source, reference, celsius, "hold-out", settings, listener) for celsius in others]
    hold_outs = tuple(_judge(observation, correction) for observation in observations)
    before = pooled([hold_out.before for hold_out in hold_outs])
    after = pooled([hold_out.after for hold_out in hold_outs])
    found = []
    if after.rmse > limit_k:
        found.append(f"The stored calibration is {after.rmse:.3f} K off (at most {limit_k:g} K); calibrate anew.")
    elif after.rmse > before.rmse:
        found.append(
            f"The stored calibration makes it worse ({before.rmse:.3f} K without it, {after.rmse:.3f} K with it); "
            "calibrate anew or run calibrate --rollback."
        )
    noise = noise_map(observations)
    return Outcome(
        subject=source.subject,
        reference=reference.name,
        settings=settings,
        created_unix_s=created_unix_s,
        warm_ups=(check,),
        observations=tuple(observations),
        noise=noise,
        bad_pixels=find_bad_pixels(observations, noise),
        fit=None,
        correction=correction,
        thermistors=(),
        hold_outs=hold_outs,
        before=before,
        after=after,
        budget=None,
        objections=tuple(found),
    )


def write(store: CalibrationStore, correction: Correction, progress: Callable[[int, int], None] | None = None) -> None:
    """Write a correction to the device, read it back and compare every byte.

    The device takes it over when the last chunk has arrived and its checksum holds; ended before, it keeps the old one.

    Raises:
        RefusedError: the device refuses, because it belongs to another sensor for example.
        CalibrationFailedError: what reads back differs.
    """
    store.write_calibration(correction, progress)
    if store.calibration_bytes() != correction.to_bytes():
        raise CalibrationFailedError(
            "The device gives back another calibration than was written; run calibrate --rollback and try again."
        )


def _judge(observation: Observation, correction: Correction) -> HoldOut:
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


def _curves(subject: Subject, thermistors: Sequence[ThermistorFit]) -> tuple[SteinhartHart | None, ...]:
    curves: list[SteinhartHart | None] = [None] * len(subject.thermistors)
    for fit in thermistors:
        curves[fit.channel] = fit.curve
    return tuple(curves)

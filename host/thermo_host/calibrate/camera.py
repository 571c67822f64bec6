"""A camera's part of a calibration: constants of each pixel, held against points that had no share in them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thermo_core.sensors.correction import Correction
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_host.calibrate.acceptance import objections
from thermo_host.calibrate.agreement import agreement, pooled
from thermo_host.calibrate.fit import fit_pixels
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.outcome import CameraFit, HoldOut
from thermo_host.calibrate.pixels import bad_mask, find_bad_pixels, noise_map
from thermo_host.calibrate.reference import ReferenceUncertainty, emissivity_sensitivity
from thermo_host.calibrate.source import Subject
from thermo_host.calibrate.uncertainty import budget


def fit_camera(
    subject: Subject,
    uncertainty: ReferenceUncertainty,
    created_unix_s: int,
    fitted: Sequence[Observation],
    held: Sequence[Observation],
) -> tuple[CameraFit, tuple[str, ...]]:
    """Fit and judge.

    Args:
        subject: the wearable, led by the camera.
        uncertainty: of the reference.
        created_unix_s: stamped into the correction, seconds since 1970.
        fitted: set-points.
        held: hold-outs.

    Returns:
        What was found, and why it must not be written.

    Raises:
        CalibrationFailedError: no constants can be had at all.
    """
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


def check_camera(stored: Correction | None, observations: Sequence[Observation]) -> CameraFit | None:
    """A stored correction against hold-out points; None where it is none of a camera."""
    if not isinstance(stored, PixelCorrection):
        return None
    noise = noise_map(observations)
    hold_outs = tuple(_judge(observation, stored) for observation in observations)
    before = pooled([hold_out.before for hold_out in hold_outs])
    after = pooled([hold_out.after for hold_out in hold_outs])
    return CameraFit(noise, find_bad_pixels(observations, noise), None, stored, hold_outs, before, after, None)

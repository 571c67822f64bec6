"""The procedure: measure set-points and hold-outs, fit and judge; `write` brings what came of it to the device.

What is measured is the mean of uncorrected temperatures, decoded with the wearable's own emissivity and reflected
temperature, because that is what the correction is applied to at the device and at the host (see `reference`).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from thermo_core.errors import CorrectionError
from thermo_core.sensors.correction import Correction
from thermo_host.calibrate.camera import check_camera, fit_camera
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.measure import Listener, Silent, measure, measure_here, warm_up
from thermo_host.calibrate.numbers import SensorFit, Truth, check_numbers, fit_numbers
from thermo_host.calibrate.observation import Observation, Role
from thermo_host.calibrate.outcome import CameraFit, Outcome
from thermo_host.calibrate.reference import Reference, ReferenceUncertainty, apparent_celsius
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Source, Subject, Target
from thermo_host.calibrate.stability import WarmUp

Keep = Callable[[Observation], None]
WORSE_K = 0.02
"""An error below this may be larger than without a correction: it is noise."""


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
        source: as `calibrate`.
        reference: as `calibrate`.
        settings: as `calibrate`.
        listener: as `calibrate`.
        done: what an interrupted run has measured, in order; it is not measured again.
        keep: given each observation as soon as it is made.

    Raises:
        CalibrationFailedError: something is not steady, or the picture does not show the reference.
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
        done: as `observe`.
        keep: as `observe`.

    Returns:
        What was found; constants that are not worth writing have `objections`.

    Raises:
        CalibrationFailedError: no constants can be had at all.
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
        camera, found = fit_camera(subject, uncertainty, created_unix_s, fitted, held)
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
        source: as `calibrate`.
        reference: as `calibrate`.
        settings: as `calibrate`.
        listener: as `calibrate`.
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
    camera = check_camera(corrections.get(subject.lead.number), observations)
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

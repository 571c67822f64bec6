"""Measuring: wait until sensor and reference are steady, then average exactly the pictures that were judged steady."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from thermo_core.errors import CalibrationFailedError
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.observation import Observation, Role, average
from thermo_host.calibrate.procedures import Reading
from thermo_host.calibrate.reference import Reference, apparent_celsius
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Source
from thermo_host.calibrate.stability import (
    MEAN_LIMIT_K_PER_MIN,
    TA_LIMIT_K_PER_MIN,
    Slope,
    SteadinessWatch,
    Verdict,
    WarmUp,
)

SET_POINT_MEAN_LIMIT = 0.1
SET_POINT_TA_LIMIT = 0.2
"""K/min at a set-point after warm-up: 0.05 K within half a minute, whose mean belongs to the middle of the window."""
FAR_K = 5.0
"""A picture whose mean is further from the reference than this does not look at it."""


class Listener(Protocol):
    """Told what goes on; any of it may be ignored."""

    def stage(self, text: str) -> None:
        """Something begins."""
        ...

    def progress(self, done: int, total: int) -> None:
        """How far it is; `total` stays the same within a stage."""
        ...

    def note(self, text: str) -> None:
        """A line worth keeping."""
        ...


_THERE = {"blackbody": "it fills the field of view", "bath": "the sensor is in it"}


class Silent:
    """A listener for those who want none."""

    def stage(self, text: str) -> None:
        """Ignored."""

    def progress(self, done: int, total: int) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""


def warm_up(source: Source, settings: Settings, listener: Listener) -> tuple[WarmUp, list[Reading]]:
    """Wait until die and picture hold still, in front of a steady reference.

    The window grows from that of one set-point to `warm_up_s`; the sooner the slopes are known well enough, the sooner
    it ends, and its pictures serve the first set-point. Where the longest window cannot resolve the limits, the slopes
    and their uncertainty stand in the report.

    Raises CalibrationFailedError where it still drifts when patience ends.
    """
    nothing = Slope(0.0, math.inf, 0.0)
    if settings.skip_warm_up:
        listener.note("Warm-up check skipped on request: the result may drift as the sensor warms up.")
        return WarmUp(True, nothing, nothing, 0.0, "undecided"), []
    rate = source.subject.readings_per_second
    longest = max(settings.pictures, round(settings.warm_up_s * rate))
    watch = SteadinessWatch(min(settings.pictures, longest), longest, TA_LIMIT_K_PER_MIN, MEAN_LIMIT_K_PER_MIN)
    listener.stage("Warm-up check")
    taken, verdict = _watch(source, watch, settings.patience_s, listener)
    ta, mean = watch.slopes()
    if verdict == "drifting":
        guilty = "the sensor still warms up" if ta.verdict(TA_LIMIT_K_PER_MIN) == "drifting" else "the picture drifts"
        raise CalibrationFailedError(
            f"After {taken / rate:.0f} s {guilty} (die {ta}, picture {mean}; limits {TA_LIMIT_K_PER_MIN:g} and "
            f"{MEAN_LIMIT_K_PER_MIN:g}); wait until wearable and blackbody are steady, or pass --skip-warm-up."
        )
    outcome = WarmUp(False, ta, mean, taken / rate, verdict)
    listener.note(f"Warm-up: {outcome}")
    return outcome, watch.pictures


def measure(
    source: Source,
    reference: Reference,
    celsius: float,
    role: Role,
    settings: Settings,
    listener: Listener,
    run: int = 0,
) -> Observation:
    """Bring the reference to `celsius` and measure there; see `measure_here`."""
    source.pause()
    reading = reference.set_point(celsius)
    source.restart()
    return measure_here(source, celsius, reading, role, settings, listener, run)


def measure_here(
    source: Source,
    nominal: float,
    reading: float,
    role: Role,
    settings: Settings,
    listener: Listener,
    run: int = 0,
    already: Sequence[Reading] = (),
) -> Observation:
    """Measure in front of a reference that reads `reading`; pictures `already` taken there count.

    Raises CalibrationFailedError where the picture drifts until patience ends, or does not show the reference.
    """
    place = PROCEDURES[source.subject.lead.settings.kind].apparatus
    count = settings.pictures if role == "fit" else settings.hold_out_pictures
    listener.stage(f"{'Set-point' if role == 'fit' else 'Hold-out'} {nominal:.1f} degC")
    watch = SteadinessWatch(count, count, SET_POINT_TA_LIMIT, SET_POINT_MEAN_LIMIT)
    for picture in already:
        watch.push(picture)
    _, verdict = _watch(source, watch, settings.patience_s, listener)
    pictures = watch.pictures
    _, mean = watch.slopes()
    if verdict == "drifting":
        raise CalibrationFailedError(
            f"At {nominal:.1f} degC the picture still drifts by {mean} after {settings.patience_s:g} s (limit "
            f"{SET_POINT_MEAN_LIMIT:g}); wait until the {place} is stable and repeat."
        )
    ta = sum(picture.ta for picture in pictures) / len(pictures)
    truth = reading
    if settings.blackbody_emissivity is not None:
        subject = source.subject
        truth = apparent_celsius(reading, settings.blackbody_emissivity, subject.emissivity, ta, subject.reflected)
    seen = average(pictures, role, nominal, reading, truth, mean.k_per_min, mean.uncertainty, source.beside(), run)
    shown = float(np.nanmean(seen.celsius))
    if not abs(shown - truth) <= FAR_K:
        raise CalibrationFailedError(
            f"{_what(source)} shows {shown:.1f} degC where the {place} reads {reading:.1f}; check that "
            f"{_THERE[place]} and that its reading was typed right."
        )
    return seen


def _watch(source: Source, watch: SteadinessWatch, patience_s: float, listener: Listener) -> tuple[int, Verdict]:
    """Push pictures until the verdict is good or patience ends; the number taken and the last verdict."""
    most = math.ceil(patience_s * source.subject.readings_per_second)
    taken = len(watch)
    while True:
        verdict = watch.verdict()
        listener.progress(len(watch), watch.longest)
        if verdict is not None and (verdict != "drifting" or taken >= most):
            return taken, verdict
        watch.push(source.next_reading())
        taken += 1


def _what(source: Source) -> str:
    """The lead, as sentences begin."""
    settings = source.subject.lead.settings
    return "The picture" if PROCEDURES[settings.kind].is_camera else settings.name

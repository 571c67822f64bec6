"""Thermistors in the same bath: a Steinhart-Hart curve for each channel that follows the set-points.

Three points or more that span SPAN_FOR_THREE_K determine all three constants. Two points, or close ones, determine two:
a and b are fitted, and c stays that of the profile's curve; between points a few kelvin apart it matters by millikelvins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from thermo_core.profile import ThermistorSettings

from thermo_core.errors import ThermistorError
from thermo_core.sensors.ads1115_ntc.thermistor import (
    KELVIN,
    Beta,
    ChannelState,
    Curve,
    SteinhartHart,
    ThermistorChannel,
    fit_steinhart_hart,
)
from thermo_host.calibrate.observation import Floats, Observation

SPAN_FOR_THREE_K = 10.0
FOLLOWS_K = 3.0
"""A channel further from the bath than this, decoded by its profile, is not in it."""

GOOD_ENOUGH_K = 0.02
"""Below this a hold-out error may grow: it is noise."""


@dataclass(frozen=True, slots=True)
class ThermistorFit:
    """One channel.

    Attributes:
        channel: its number; `name` as in the profile.
        curve: fitted; None where the channel was left alone.
        before, after: RMS error at the set-points by the profile's curve and by this one, K.
        hold_out_before, hold_out_after: the same at the hold-out points; NaN where none was measured.
        how: which constants were fitted, or why none.
    """

    channel: int
    name: str
    curve: SteinhartHart | None
    before: float
    after: float
    hold_out_before: float
    hold_out_after: float
    how: str

    def __str__(self) -> str:
        if self.curve is None:
            return f"left alone, {self.how}"
        return f"{self.hold_out_before:.3f} -> {self.hold_out_after:.3f} K at hold-out points ({self.how})"

    def cells(self) -> tuple[str, ...]:
        """For a table: name, figures, constants, how."""
        curve = self.curve
        constants = ("", "", "") if curve is None else (f"{curve.a:.6e}", f"{curve.b:.6e}", f"{curve.c:.3e}")
        figures = (self.before, self.after, self.hold_out_before, self.hold_out_after)
        return (self.name, *("" if np.isnan(value) else f"{value:.3f}" for value in figures), *constants, self.how)

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        curve = self.curve
        return {
            "channel": self.channel,
            "name": self.name,
            "steinhart_hart": None if curve is None else [curve.a, curve.b, curve.c],
            "before_k": _json(self.before),
            "after_k": _json(self.after),
            "hold_out_before_k": _json(self.hold_out_before),
            "hold_out_after_k": _json(self.hold_out_after),
            "how": self.how,
        }


def fit_thermistors(
    settings: Sequence[ThermistorSettings], fitted: Sequence[Observation], held: Sequence[Observation]
) -> tuple[ThermistorFit, ...]:
    """Fit every channel that was measured at two set-points or more and follows them.

    Args:
        settings: dividers and curves of the profile.
        fitted: set-points; the bath has the temperature of the blackbody's reading.
        held: hold-out points, which judge.
    """
    return tuple(_fit(channel, one, fitted, held) for channel, one in enumerate(settings))


def _fit(
    number: int, settings: ThermistorSettings, fitted: Sequence[Observation], held: Sequence[Observation]
) -> ThermistorFit:
    channel = ThermistorChannel.from_settings(settings)
    counts, bath = _points(number, fitted)
    nothing = float("nan")
    untouched = ThermistorFit(number, settings.name, None, nothing, nothing, nothing, nothing, "")
    ohm, state = channel.ohm(counts)
    if np.unique(bath).size < 2:
        return replace(untouched, how="no readings at two set-points")
    if (state != ChannelState.OK).any():
        return replace(untouched, how="open or shorted")
    before = _error(channel, counts, bath)
    if np.abs(before).max() > FOLLOWS_K:
        worst = int(np.abs(before).argmax())
        shown, there = before[worst] + bath[worst], bath[worst]
        return replace(untouched, before=_rms(before), how=f"not in the bath: shows {shown:.1f} at {there:.1f} degC")
    bead = bath + channel.self_heating_k_per_mw * channel.divider.milliwatt(ohm)
    try:
        curve, how = _curve(channel.curve, ohm, bead)
    except ThermistorError as error:
        return replace(untouched, before=_rms(before), how=str(error))
    calibrated = replace(channel, curve=curve)
    held_counts, held_bath = _points(number, held)
    fit = ThermistorFit(
        channel=number,
        name=settings.name,
        curve=curve,
        before=_rms(before),
        after=_rms(_error(calibrated, counts, bath)),
        hold_out_before=_rms(_error(channel, held_counts, held_bath)),
        hold_out_after=_rms(_error(calibrated, held_counts, held_bath)),
        how=how,
    )
    if fit.hold_out_after > max(fit.hold_out_before, GOOD_ENOUGH_K):
        return replace(fit, curve=None, how=f"the hold-out error would grow to {fit.hold_out_after:.3f} K")
    return fit


def _curve(profile: Curve, ohm: Floats, bead: Floats) -> tuple[SteinhartHart, str]:
    distinct = np.unique(np.round(bead, 1))
    if distinct.size >= 3 and np.ptp(distinct) >= SPAN_FOR_THREE_K:
        try:
            return fit_steinhart_hart(ohm, bead), f"a, b and c from {distinct.size} temperatures"
        except ThermistorError:
            # noise can turn the smallest constant's sign where the points say little about it
            pass
    start = profile.steinhart_hart() if isinstance(profile, Beta) else profile
    log = np.log(ohm)
    b, a = np.polyfit(log, 1 / (bead + KELVIN) - start.c * log**3, 1)
    return SteinhartHart(float(a), float(b), start.c), f"a and b from {distinct.size} temperatures, c as in the profile"


def _points(number: int, observations: Sequence[Observation]) -> tuple[Floats, Floats]:
    """Counts and bath temperatures of a channel, where it gave any."""
    points = [
        (observation.counts[number], observation.reading)
        for observation in observations
        if number < len(observation.counts) and not np.isnan(observation.counts[number])
    ]
    values = np.array(points, np.float64).reshape(-1, 2)
    return values[:, 0], values[:, 1]


def _error(channel: ThermistorChannel, counts: Floats, bath: Floats) -> Floats:
    celsius, _ = channel.celsius(counts)
    error: Floats = celsius - bath
    return error


def _rms(values: Floats) -> float:
    return float(np.sqrt((values**2).mean())) if values.size else float("nan")


def _json(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 5)

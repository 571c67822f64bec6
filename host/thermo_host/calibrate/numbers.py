"""Fits of sensors that say a few numbers, each by itself, and how well they do at points that were not fitted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thermo_core.errors import CorrectionError, ThermistorError
from thermo_core.sensors.correction import Correction, Stamp
from thermo_core.sensors.kinds import KINDS
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.procedures import Constants, Floats, LeftAlone
from thermo_host.calibrate.source import Target

Truth = Callable[[Target, Observation, float], float]
"""What an ideal sensor would show: (sensor, point, its own temperature, degC, NaN where it says none)."""

FOLLOWS_K = 3.0
"""A number further from the reference than this, uncorrected, does not measure it."""
GOOD_ENOUGH_K = 0.02
"""Below this a hold-out error may grow: it is noise."""
_NOT_THERE = {"bath": "not in the bath", "blackbody": "not before the blackbody"}
_NOTHING = float("nan")


@dataclass(frozen=True, slots=True)
class NumberFit:
    """One number of a sensor.

    Attributes:
        number: its place; `name` in words.
        constants: fitted; None where it was left alone.
        before, after: RMS error at the set-points without and with them, K.
        hold_out_before, hold_out_after: the same at the hold-out points; NaN where none was measured.
        how: which constants were fitted, or why none.
        unit: of the errors.
    """

    number: int
    name: str
    constants: Constants | None = None
    before: float = _NOTHING
    after: float = _NOTHING
    hold_out_before: float = _NOTHING
    hold_out_after: float = _NOTHING
    how: str = ""
    unit: str = "K"

    def __str__(self) -> str:
        if self.constants is None:
            return f"left alone, {self.how}"
        digits = 3 if self.unit == "K" else 4
        before, after = (f"{value:.{digits}f}" for value in (self.hold_out_before, self.hold_out_after))
        return f"{before} -> {after} {self.unit} at hold-out points ({self.how})"

    def cells(self) -> tuple[str, ...]:
        """For a table: name, figures, constants, how."""
        constants = "" if self.constants is None else ", ".join(f"{one:.6g}" for one in self.constants)
        figures = (self.before, self.after, self.hold_out_before, self.hold_out_after)
        return (
            self.name,
            *("" if np.isnan(value) else f"{value:.4f}" for value in figures),
            self.unit,
            constants,
            self.how,
        )

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        return {
            "number": self.number,
            "name": self.name,
            "constants": None if self.constants is None else list(self.constants),
            "unit": self.unit,
            "before": _json(self.before),
            "after": _json(self.after),
            "hold_out_before": _json(self.hold_out_before),
            "hold_out_after": _json(self.hold_out_after),
            "how": self.how,
        }


@dataclass(frozen=True, slots=True)
class SensorFit:
    """One sensor.

    Attributes:
        target: it.
        numbers: each of its numbers.
        correction: what is or would be written; None where all of it was left alone.
    """

    target: Target
    numbers: tuple[NumberFit, ...]
    correction: Correction | None

    @property
    def hold_out(self) -> float:
        """RMS error at the hold-out points over the numbers that are corrected, K; NaN where there is none."""
        found = [one.hold_out_after for one in self.numbers if one.constants is not None]
        return float(np.sqrt(np.mean(np.square(found)))) if found else _NOTHING

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        settings = self.target.settings
        return {
            "sensor": self.target.number,
            "name": settings.name,
            "kind": settings.kind,
            "corrected": self.correction is not None,
            "numbers": [one.to_map() for one in self.numbers],
        }


def fit_numbers(
    target: Target, fitted: Sequence[Observation], held: Sequence[Observation], truth: Truth, stamp: Stamp
) -> SensorFit:
    """Fit every number that was measured at two set-points or more and follows them.

    Args:
        target: the sensor.
        fitted: set-points.
        held: hold-out points, which judge.
        truth: what it should have shown.
        stamp: of the correction; its residual is set here.
    """
    procedure, settings = PROCEDURES[target.settings.kind], target.settings
    assert procedure.solve is not None and procedure.make is not None
    names = procedure.numbers(settings)
    fits = [_fit(target, number, name, fitted, held, truth) for number, name in enumerate(names)]
    while any(fit.constants is not None for fit in fits):
        whole = SensorFit(target, tuple(fits), None)
        constants = [fit.constants for fit in fits]
        try:
            correction = procedure.make(settings, constants, replace(stamp, residual_rms=whole.hold_out))
            objection = KINDS[settings.kind].objection
            problem = "" if objection is None else objection(settings, correction)
        except (CorrectionError, ThermistorError) as error:
            problem = str(error)
        if not problem:
            return replace(whole, correction=correction)
        fits = [fit if fit.constants is None else replace(fit, constants=None, how=problem) for fit in fits]
    return SensorFit(target, tuple(fits), None)


def check_numbers(
    target: Target, correction: Correction | None, held: Sequence[Observation], truth: Truth
) -> SensorFit:
    """How well a stored correction does at hold-out points."""
    procedure, settings = PROCEDURES[target.settings.kind], target.settings
    names = procedure.numbers(settings)
    stored = (None,) * len(names) if correction is None else procedure.constants(correction)
    rows = []
    for number, name in enumerate(names):
        raw, there = _points(target, number, held, truth)
        before, after = (_rms(_error(target, number, constants, raw, there)) for constants in (None, stored[number]))
        how = "as stored" if stored[number] is not None else "nothing is stored of it"
        rows.append(NumberFit(number, name, stored[number], hold_out_before=before, hold_out_after=after, how=how))
    return SensorFit(target, tuple(rows), correction)


def _fit(
    target: Target,
    number: int,
    name: str,
    fitted: Sequence[Observation],
    held: Sequence[Observation],
    truth: Truth,
) -> NumberFit:
    procedure = PROCEDURES[target.settings.kind]
    assert procedure.solve is not None
    raw, there = _points(target, number, fitted, truth)
    nothing = NumberFit(number, name)
    if np.unique(there).size < 2:
        return replace(nothing, how="no readings at two set-points")
    before = _error(target, number, None, raw, there)
    if np.isnan(before).any():
        return replace(nothing, how="open or shorted")
    if np.abs(before).max() > FOLLOWS_K:
        worst = int(np.abs(before).argmax())
        shown = before[worst] + there[worst]
        how = f"{_NOT_THERE[procedure.apparatus]}: shows {shown:.1f} at {there[worst]:.1f} degC"
        return replace(nothing, before=_rms(before), how=how)
    try:
        constants, how = procedure.solve(target.settings, number, raw, there)
    except LeftAlone as reason:
        return replace(nothing, before=_rms(before), how=str(reason))
    held_raw, held_there = _points(target, number, held, truth)
    fit = NumberFit(
        number,
        name,
        constants,
        before=_rms(before),
        after=_rms(_error(target, number, constants, raw, there)),
        hold_out_before=_rms(_error(target, number, None, held_raw, held_there)),
        hold_out_after=_rms(_error(target, number, constants, held_raw, held_there)),
        how=how,
    )
    if np.isnan(fit.hold_out_after):
        return replace(fit, constants=None, how="no reading at a hold-out point")
    if fit.hold_out_after > max(fit.hold_out_before, GOOD_ENOUGH_K):
        return replace(fit, constants=None, how=f"the hold-out error would grow to {fit.hold_out_after:.3f} K")
    return fit


def _points(target: Target, number: int, observations: Sequence[Observation], truth: Truth) -> tuple[Floats, Floats]:
    """Raw vectors and truth where the number has a value."""
    procedure = PROCEDURES[target.settings.kind]
    found, there = [], []
    for observation in observations:
        raw = observation.beside.get(target.number, ())
        if number < len(raw) and not np.isnan(raw[number]):
            found.append(raw)
            there.append(truth(target, observation, _NOTHING if procedure.ta is None else raw[procedure.ta]))
    width = len(found[0]) if found else 1
    return np.array(found, np.float64).reshape(-1, width), np.array(there, np.float64)


def _error(target: Target, number: int, constants: Constants | None, raw: Floats, truth: Floats) -> Floats:
    if not len(raw):
        return truth
    procedure: Any = PROCEDURES[target.settings.kind]
    every: list[Constants | None] = [None] * len(procedure.numbers(target.settings))
    every[number] = constants
    error: Floats = procedure.shown(target.settings, every, raw)[:, number] - truth
    return error


def _rms(values: Floats) -> float:
    return float(np.sqrt((values**2).mean())) if values.size else _NOTHING


def _json(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 5)

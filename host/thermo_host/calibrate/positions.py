"""Accelerometers: at rest in six positions, each axis up and down once, the device is told what 1 g is along each.

The forward model is truth = matrix (x - offset), fitted by least squares to the six (twelve constants from eighteen numbers; ST
application note AN4508). It is judged in positions that were not fitted, leant on an edge: whichever way it lies at rest, the length of
what it feels is 1 g.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from thermo_core.errors import CalibrationFailedError, CorrectionError
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.lis3dh.correction import AxesCorrection
from thermo_host.calibrate.measure import Listener
from thermo_host.calibrate.numbers import NumberFit, SensorFit
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.procedures import Floats
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Source, Target

AXES = ("x", "y", "z")
POSITIONS: Mapping[str, tuple[float, float, float]] = {
    "x up": (1.0, 0.0, 0.0),
    "x down": (-1.0, 0.0, 0.0),
    "y up": (0.0, 1.0, 0.0),
    "y down": (0.0, -1.0, 0.0),
    "z up": (0.0, 0.0, 1.0),
    "z down": (0.0, 0.0, -1.0),
}
"""What the chip feels at rest in each, g."""
_LEANT = 0.57735026919
HOLD_OUTS: Mapping[str, tuple[float, float, float]] = {
    "leant on an edge, all axes upwards": (_LEANT, _LEANT, _LEANT),
    "leant on the opposite edge, all axes downwards": (-_LEANT, -_LEANT, -_LEANT),
}
"""About so; only the length of what is felt is used."""
SAMPLES = 50
STILL_G = 0.06
"""Largest spread of an axis at rest, noise included."""
FAR = 0.3
"""g from where a position should be: another position was taken."""
LIMIT_G = 0.02
"""Length error at hold-outs that `--verify` accepts."""
GOOD_ENOUGH_G = 0.004


class Positioner(Protocol):
    """Whoever lays the wearable down."""

    @property
    def name(self) -> str:
        """For the report."""
        ...

    def lay(self, position: str, g: tuple[float, float, float]) -> None:
        """Have it laid so, at rest."""
        ...

    def close(self) -> None:
        """Leave things as they were found."""
        ...


@dataclass(frozen=True, slots=True)
class Felt:
    """What was felt in one position.

    Attributes:
        position: in words.
        truth: (3,) g.
        mean: (3,) g, not corrected.
    """

    position: str
    truth: Floats
    mean: Floats


def measure_positions(
    source: Source,
    positioner: Positioner,
    positions: Mapping[str, tuple[float, float, float]],
    settings: Settings,
    listener: Listener,
) -> list[Felt]:
    """What the chip feels in each position.

    Raises:
        CalibrationFailedError: it is not still until patience ends, or lies another way than was asked for.
    """
    found = []
    for name, g in positions.items():
        source.pause()
        positioner.lay(name, g)
        source.restart()
        listener.stage(name[:1].upper() + name[1:])
        mean = _still(source, settings, listener)
        felt = Felt(name, np.asarray(g, np.float64), mean)
        if positions is POSITIONS and float(np.abs(mean - felt.truth).max()) > FAR:
            shown = ", ".join(f"{axis} {value:+.2f}" for axis, value in zip(AXES, mean.tolist(), strict=True))
            raise CalibrationFailedError(
                f"With {name} the accelerometer feels {shown} g; lay it with that axis pointing {name.split()[1]} and repeat."
            )
        found.append(felt)
    return found


def calibrate_positions(
    source: Source, positioner: Positioner, settings: Settings, created_unix_s: int, listener: Listener
) -> Outcome:
    """Measure six positions and two hold-outs, and fit; nothing is written. Raises as `measure_positions`."""
    felt = measure_positions(source, positioner, POSITIONS, settings, listener)
    held = measure_positions(source, positioner, HOLD_OUTS, settings, listener)
    target = source.subject.lead
    try:
        correction = fit_axes(felt, target, created_unix_s)
    except CorrectionError as error:
        raise CalibrationFailedError(str(error)) from error
    before, after = length_error(held, None), length_error(held, correction)
    correction = replace(correction, stamp=replace(correction.stamp, residual_rms=after))
    fit = _fit(target, felt, correction, before, after)
    found: tuple[str, ...] = ()
    if after > max(before, GOOD_ENOUGH_G):
        found = (
            f"The hold-out error would grow from {before:.4f} to {after:.4f} g: repeat with the wearable on a level, firm "
            "surface.",
        )
    return _outcome(source, positioner, settings, created_unix_s, False, fit, found)


def verify_positions(
    source: Source,
    positioner: Positioner,
    settings: Settings,
    stored: Correction,
    created_unix_s: int,
    listener: Listener,
) -> Outcome:
    """Hold a stored correction against the hold-outs; nothing is written. Raises as `measure_positions`."""
    assert isinstance(stored, AxesCorrection)
    target = source.subject.lead
    if stored.stamp.sensor_id != target.id:
        raise CorrectionError(
            f"The stored correction of {target.settings.name} belongs to sensor {stored.stamp.sensor_id.hex()}, but this "
            f"wearable has {target.id.hex()}; calibrate it anew."
        )
    held = measure_positions(source, positioner, HOLD_OUTS, settings, listener)
    before, after = length_error(held, None), length_error(held, stored)
    fit = _fit(target, (), stored, before, after)
    found: tuple[str, ...] = ()
    if after > LIMIT_G:
        found = (f"The stored correction is {after:.4f} g off (at most {LIMIT_G:g} g); calibrate anew.",)
    elif after > max(before, GOOD_ENOUGH_G):
        found = (
            f"The stored correction makes it worse ({before:.4f} g without it, {after:.4f} g with it); calibrate anew or run "
            "calibrate --rollback.",
        )
    return _outcome(source, positioner, settings, created_unix_s, True, fit, found)


def fit_axes(felt: Sequence[Felt], target: Target, created_unix_s: int) -> AxesCorrection:
    """The correction that takes what was felt nearest to the truth.

    Raises:
        CorrectionError: it is beyond what a sound chip needs.
    """
    x = np.stack([one.mean for one in felt])
    truth = np.stack([one.truth for one in felt])
    weights = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), truth, rcond=None)[0]
    matrix = weights[:3].T
    offset = -np.linalg.solve(matrix, weights[3])
    return AxesCorrection(tuple(offset.tolist()), tuple(matrix.ravel().tolist()), target.stamp(created_unix_s))


def length_error(felt: Sequence[Felt], correction: AxesCorrection | None) -> float:
    """RMS of the length of what is felt, less 1 g."""
    x = np.stack([one.mean for one in felt]).astype(np.float32)
    shown = x if correction is None else correction.apply(x)
    lengths = np.linalg.norm(shown.astype(np.float64), axis=1)
    return float(np.sqrt(((lengths - 1.0) ** 2).mean()))


def _still(source: Source, settings: Settings, listener: Listener) -> Floats:
    rate = source.subject.readings_per_second
    most = max(4 * SAMPLES, round(settings.patience_s * rate))
    window: list[Floats] = []
    spread = 0.0
    for _ in range(most):
        window = [*window[-(SAMPLES - 1) :], source.next_reading().celsius.astype(np.float64)]
        listener.progress(len(window), SAMPLES)
        if len(window) == SAMPLES:
            spread = float(np.ptp(np.stack(window), axis=0).max())
            if spread <= STILL_G:
                return np.asarray(np.mean(window, axis=0), np.float64)
    raise CalibrationFailedError(
        f"The accelerometer feels changes of {spread:.2f} g (at most {STILL_G:g} at rest); lay the wearable on a firm surface "
        "and repeat."
    )


def _fit(target: Target, felt: Sequence[Felt], correction: AxesCorrection, before: float, after: float) -> SensorFit:
    rows = []
    for place, axis in enumerate(AXES):
        errors = (float("nan"), float("nan"))
        if felt:
            x = np.stack([one.mean for one in felt]).astype(np.float32)
            truth = np.stack([one.truth for one in felt])[:, place]
            errors = (_rms(x[:, place] - truth), _rms(correction.apply(x)[:, place] - truth))
        constants = (correction.offset_g[place], *correction.matrix[3 * place : 3 * place + 3])
        how = "as stored" if not felt else f"offset and gains from {len(felt)} positions"
        rows.append(NumberFit(place, axis, constants, *errors, before, after, how, "g"))
    return SensorFit(target, tuple(rows), correction)


def _outcome(
    source: Source,
    positioner: Positioner,
    settings: Settings,
    created_unix_s: int,
    verified: bool,
    fit: SensorFit,
    found: tuple[str, ...],
) -> Outcome:
    return Outcome(
        subject=source.subject,
        reference=positioner.name,
        settings=settings,
        created_unix_s=created_unix_s,
        verified=verified,
        warm_ups=(),
        observations=(),
        camera=None,
        sensors=(fit,),
        objections=found,
    )


def _rms(values: Floats) -> float:
    return float(np.sqrt((values.astype(np.float64) ** 2).mean()))

"""Sensors whose correction is a line for each number: y = offset + gain x + slope (ta - 25).

In a bath the line goes through the set-points. Before a blackbody the forward model is that of a pixel (`fit`): an error of
sensitivity acts on the difference to the sensor's own temperature, so that a line by one ambient says what the slope must be; two
ambients or more measure it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thermo_core.sensors.kind import Block, Moment
from thermo_core.sensors.linear_correction import REFERENCE_TA, Line
from thermo_host.calibrate.fit import AMBIENT_SPAN_K, SMALLEST_SPAN_K, count_ambients
from thermo_host.calibrate.procedures import Apparatus, Constants, Floats, LeftAlone, Procedure

Names = Callable[[Any], tuple[str, ...]]


def by_lines(
    apparatus: Apparatus,
    correction: Any,
    signals: Names,
    own: Callable[[Any], str | None] = lambda settings: None,
) -> Procedure:
    """The procedure of a kind.

    Args:
        apparatus: what the sensor is put in or before.
        correction: class of its correction.
        signals: (settings) -> signals that are calibrated, in the order of the correction's numbers, of which they are the first.
        own: (settings) -> signal of its own temperature; None where it says none.
    """

    def numbers(settings: Any) -> tuple[str, ...]:
        return tuple(correction.numbers[: len(signals(settings))])

    def raw(settings: Any, block: Block, moments: Sequence[Moment]) -> list[Constants]:
        names, ta = signals(settings), own(settings)
        return [
            (
                *(float(moment[name].values) for name in names),
                float(moment[ta].values) if ta is not None else float("nan"),
            )
            for moment in moments
        ]

    def shown(settings: Any, constants: Sequence[Constants | None], found: Floats) -> Floats:
        x = found.astype(np.float32)
        ta = x[:, -1] if own(settings) is not None else None
        lines = [Line() if one is None else Line(*one) for one in constants]
        return np.stack([line.apply(x[:, place], ta) for place, line in enumerate(lines)], axis=1).astype(np.float64)

    def solve(settings: Any, number: int, found: Floats, truth: Floats) -> tuple[Constants, str]:
        ta = found[:, -1] if own(settings) is not None else None
        return fit_line(found[:, number], truth, ta)

    def make(settings: Any, constants: Sequence[Constants | None], stamp: Any) -> Any:
        lines = [Line() if one is None else Line(*one) for one in constants]
        lines += [Line()] * (len(correction.numbers) - len(lines))
        return correction(tuple(lines), stamp)

    def constants_of(made: Any) -> tuple[Constants | None, ...]:
        return tuple(None if line == Line() else tuple(line) for line in made.lines)

    return Procedure(
        apparatus=apparatus,
        numbers=numbers,
        raw=raw,
        shown=shown,
        solve=solve,
        make=make,
        constants=constants_of,
        ta=-1,
    )


def fit_line(x: Floats, truth: Floats, ta: Floats | None) -> tuple[Constants, str]:
    """Offset, gain and slope, and how they were had.

    Args:
        x: (n,) what the sensor showed, in the unit of the number.
        truth: (n,) what it should have shown.
        ta: (n,) its own temperature, degC; None where it does not act on the number.

    Raises:
        LeftAlone: the points determine no gain.
    """
    span = float(np.ptp(truth)) if truth.size else 0.0
    if span < SMALLEST_SPAN_K:
        raise LeftAlone(f"its set-points span {span:.1f} K, and a gain needs {SMALLEST_SPAN_K:g}")
    points = np.unique(np.round(truth, 1)).size
    if ta is None:
        gain, offset = np.polyfit(x, truth, 1)
        return (float(offset), float(gain), 0.0), f"offset and gain from {points} temperatures"
    ambients = count_ambients(ta.tolist())
    truth_mean, ta_mean = float(truth.mean()), float(ta.mean())
    die = ta - ta_mean
    columns = [np.ones_like(truth), (truth - truth_mean) - die, *([die] if ambients > 1 else [])]
    design = np.stack(columns, axis=1)
    if np.linalg.matrix_rank(design, tol=0.5) < design.shape[1]:
        raise LeftAlone(
            f"set-points and ambients move together; measure two set-points at each ambient, {AMBIENT_SPAN_K:g} K apart"
        )
    found = np.linalg.lstsq(design, x - truth, rcond=None)[0]
    offset, sensitivity = found[:2]
    die_effect = found[2] if ambients > 1 else 0.0
    gain = 1.0 / (1.0 + sensitivity)
    slope = -(die_effect - sensitivity) * gain
    constant = (sensitivity * truth_mean - offset) * gain + slope * (REFERENCE_TA - ta_mean)
    how = f"offset and gain from {points} temperatures, slope " + (
        f"from {ambients} ambients" if ambients > 1 else "as the gain says"
    )
    return (float(constant), float(gain), float(slope)), how

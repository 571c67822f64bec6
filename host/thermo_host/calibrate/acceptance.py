"""Is a calibration worth writing? Each rule gives a sentence that says which figure is wrong and what to do."""

from collections.abc import Sequence

import numpy as np

from thermo_core.sensors.mlx90640.frames import PIXELS
from thermo_host.calibrate.agreement import Agreement
from thermo_host.calibrate.fit import PixelFit
from thermo_host.calibrate.observation import Flags
from thermo_host.calibrate.pixels import BadPixel

MOST_BAD_PIXELS = 16
"""2 % of the picture; the datasheet allows 4 before delivery."""
PLAUSIBLE_GAIN = (0.8, 1.25)
LARGEST_RESIDUAL_K = 0.3
LARGEST_SET_POINT_RESIDUAL_K = 0.15
LARGEST_BIAS_K = 0.3


def objections(
    fit: PixelFit, bad: Sequence[BadPixel], use: Flags, before: Agreement, after: Agreement, nominal: Sequence[float]
) -> tuple[str, ...]:
    """Reasons not to write, worst first; empty for a good calibration.

    Args:
        fit: what would be written.
        bad: pixels that would be interpolated.
        use: (24, 32) bool, the others.
        before: at the hold-out points, uncorrected.
        after: at the hold-out points, corrected.
        nominal: set-points of the fit, degC, to name the one that does not fit.
    """
    found = []
    if len(bad) > MOST_BAD_PIXELS:
        found.append(
            f"{len(bad)} of {PIXELS} pixels are bad ({_kinds(bad)}; at most {MOST_BAD_PIXELS} are plausible): "
            "check that the blackbody fills the field of view, else the sensor is damaged."
        )
    gain = float(np.median(fit.gain[use]))
    if not PLAUSIBLE_GAIN[0] <= gain <= PLAUSIBLE_GAIN[1]:
        found.append(
            f"The median gain is {gain:.2f} (plausible: {PLAUSIBLE_GAIN[0]:g} to {PLAUSIBLE_GAIN[1]:g}): "
            "check that each set-point was reached and its reading typed right."
        )
    residuals = np.abs(fit.set_point_residuals)
    worst = int(residuals.argmax())
    if residuals[worst] > LARGEST_SET_POINT_RESIDUAL_K:
        found.append(
            f"The set-point {nominal[worst]:g} degC is {residuals[worst]:.2f} K off the line through the others: "
            "check its reading and that the blackbody was stable, then repeat."
        )
    if fit.residual_rms > LARGEST_RESIDUAL_K:
        found.append(
            f"The fit leaves {fit.residual_rms:.2f} K at its own set-points (at most {LARGEST_RESIDUAL_K:g}): "
            "something moved or drifted; repeat with the wearable fixed before the blackbody."
        )
    if after.rmse >= before.rmse:
        found.append(
            f"The hold-out error would grow from {before.rmse:.3f} to {after.rmse:.3f} K: "
            "repeat with more --pictures, or check the reading typed at the hold-out point."
        )
    elif abs(after.bias) > LARGEST_BIAS_K:
        found.append(
            f"The hold-out stays {after.bias:+.2f} K off on average: check the reading typed at the hold-out point."
        )
    return tuple(found)


def _kinds(bad: Sequence[BadPixel]) -> str:
    counts: dict[str, int] = {}
    for pixel in bad:
        counts[pixel.kind] = counts.get(pixel.kind, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))

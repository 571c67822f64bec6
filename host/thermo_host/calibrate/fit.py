"""Per-pixel calibration: from set-points to the constants of T = a + b x + c (Ta - 25), and how well they are known.

The forward model says what a pixel shows, x, of a reference at T while its die is at Ta:

    x - T = o + g ((T - T0) - (Ta - A0)) + k (Ta - A0)

`o` is an offset, `g` an error of sensitivity, `k` what else the die does; T0 and A0 are the means over the
set-points. An error of sensitivity scales the radiation the pixel exchanges with its die, hence T - Ta: one ambient
tells the effect of Ta as far as `g` explains it, and `k` is then taken as 0; two ambients or more determine `k` too.

With a few dozen pictures a set-point the estimates of one pixel are noisy, but 768 pixels tell how much such
estimates differ in truth: parametric empirical Bayes (Efron & Morris, J. Am. Stat. Assoc. 70:311, 1975). The
covariance of the true parameters is that of the estimates less that of their noise, and each pixel is pulled towards
the mean of all by the share of noise in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from thermo_core.errors import CalibrationFailedError
from thermo_core.robust import mad_sigma
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS
from thermo_host.calibrate.observation import Flags, Floats, Observation

SMALLEST_SPAN_K = 3.0
"""Set-points closer together tell no gain."""
AMBIENT_SPAN_K = 3.0
"""Die temperatures that differ less count as one ambient."""
TA_ORIGIN = 25.0


@dataclass(frozen=True, slots=True)
class PixelFit:
    """The constants of every pixel and what is known of their quality.

    Attributes:
        offset, gain, ta_slope: (24, 32) float64: a (degC), b, c of T = a + b x + c (Ta - 25).
        uncertainty: (24, 32) float64, standard uncertainty that the noise of the fit leaves at the mean set-point, K.
        residual_rms: RMS over the used pixels of what the fit leaves at its own set-points, corrected for the degrees
            of freedom, K; NaN where there are as many parameters as set-points.
        set_point_residuals: mean over the used pixels of that residual, one a set-point, K: errors of the reference
            and drift show here.
        die_uncertainty: RMS over the used pixels of the standard uncertainty of `k`, K/K; None with a single ambient.
        shrinkage: share of the estimates' spread between pixels that was noise and was removed, for o, g (and k).
        ambients: number of distinct die temperatures.
        degrees_of_freedom: set-points less parameters.
    """

    offset: Floats
    gain: Floats
    ta_slope: Floats
    uncertainty: Floats
    residual_rms: float
    set_point_residuals: tuple[float, ...]
    die_uncertainty: float | None
    shrinkage: tuple[float, ...]
    ambients: int
    degrees_of_freedom: int

    def apply(self, celsius: Floats, ta: float) -> Floats:
        """(24, 32) corrected temperatures, degC; bad pixels are not interpolated here."""
        corrected: Floats = self.offset + self.gain * celsius + self.ta_slope * (ta - TA_ORIGIN)
        return corrected


def count_ambients(ta: Sequence[float]) -> int:
    """Number of groups of die temperatures that lie AMBIENT_SPAN_K or more apart."""
    ordered = sorted(ta)
    return 1 + sum(later - earlier >= AMBIENT_SPAN_K for earlier, later in pairwise(ordered))


def fit_pixels(observations: Sequence[Observation], use: Flags, shrink: bool = True) -> PixelFit:
    """Fit every pixel.

    Args:
        observations: the set-points; those whose role is "hold-out" are refused, so that none slips in.
        use: (24, 32) bool, pixels from which the spread between pixels is learnt; all are fitted.
        shrink: False gives each pixel its own least squares.

    Raises CalibrationFailedError where the set-points determine no gain.
    """
    if any(observation.role != "fit" for observation in observations):
        raise ValueError("a hold-out was given to the fit")
    if len(observations) < 2:
        raise CalibrationFailedError("One set-point determines no gain; give two or more with --set-points.")
    truth = np.array([observation.reference for observation in observations])
    span = float(np.ptp(truth))
    if span < SMALLEST_SPAN_K:
        raise CalibrationFailedError(
            f"The set-points span {span:.1f} K, too little to determine a gain; choose --set-points at least "
            f"{SMALLEST_SPAN_K:g} K apart, better 7 K."
        )
    if int(use.sum()) < PIXELS // 2:
        raise CalibrationFailedError(
            f"Only {int(use.sum())} of {PIXELS} pixels respond; check that the blackbody fills the field of view."
        )
    ta = np.array([observation.ta for observation in observations])
    ambients = count_ambients(ta.tolist())
    shown = np.stack([observation.celsius.ravel() for observation in observations])
    variance = np.stack([observation.variance_of_mean.ravel() for observation in observations])
    truth_mean, ta_mean = float(truth.mean()), float(ta.mean())
    die = ta - ta_mean
    columns = [np.ones_like(truth), (truth - truth_mean) - die]
    if ambients > 1:
        columns.append(die)
    design = np.stack(columns, axis=1)
    if np.linalg.matrix_rank(design, tol=0.5) < design.shape[1]:
        raise CalibrationFailedError(
            "Set-points and ambients move together, so that the influence of the die cannot be told from the gain; "
            "measure at least two set-points at each ambient."
        )
    pseudo = np.linalg.pinv(design)
    deviation = shown - truth[:, None]
    estimates = (pseudo @ deviation).T
    noise = np.einsum("pi,in,qi->npq", pseudo, variance, pseudo)
    used = use.ravel()
    residual = deviation - design @ estimates.T
    freedom = len(observations) - design.shape[1]
    residual_rms = float("nan")
    if freedom:
        residual_rms = float(np.sqrt((residual[:, used] ** 2).sum() / (used.sum() * freedom)))
    posterior = noise
    shrinkage = (0.0,) * design.shape[1]
    if shrink:
        estimates, posterior, shrinkage = _shrink(estimates, noise, used)
    offset, sensitivity = estimates[:, 0], estimates[:, 1]
    die_effect = estimates[:, 2] if ambients > 1 else np.zeros(PIXELS)
    # x = T + o + g (T - T0) + (k - g) (Ta - A0), solved for T
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = 1.0 / (1.0 + sensitivity)
    gain = np.where(np.isfinite(gain), gain, 1.0)
    ta_slope = -(die_effect - sensitivity) * gain
    constant = (sensitivity * truth_mean - offset) * gain + ta_slope * (TA_ORIGIN - ta_mean)
    return PixelFit(
        offset=constant.reshape(ROWS, COLUMNS),
        gain=gain.reshape(ROWS, COLUMNS),
        ta_slope=ta_slope.reshape(ROWS, COLUMNS),
        uncertainty=np.sqrt(posterior[:, 0, 0]).reshape(ROWS, COLUMNS),
        residual_rms=residual_rms,
        set_point_residuals=tuple(float(value) for value in residual[:, used].mean(axis=1)),
        die_uncertainty=float(np.sqrt(posterior[used, 2, 2].mean())) if ambients > 1 else None,
        shrinkage=shrinkage,
        ambients=ambients,
        degrees_of_freedom=freedom,
    )


def _shrink(estimates: Floats, noise: Floats, used: Flags) -> tuple[Floats, Floats, tuple[float, ...]]:
    """Posterior means (768, p), covariances (768, p, p), and the share of noise in the spread of each parameter.

    `estimates` (768, p) and their noise covariance `noise` (768, p, p); `used` (768,) pixels to learn from.
    """
    centre = np.median(estimates[used], axis=0)
    scale = mad_sigma(estimates[used], axis=0)
    # pixels far out would widen the prior for all the others
    inner = used & (np.abs(estimates - centre) <= 5.0 * np.maximum(scale, 1e-9)).all(axis=1)
    mean = estimates[inner].mean(axis=0)
    seen = np.atleast_2d(np.cov(estimates[inner], rowvar=False))
    noise_mean = noise[inner].mean(axis=0)
    unit = np.sqrt(np.maximum(np.diagonal(noise_mean), 1e-18))
    values, vectors = np.linalg.eigh((seen - noise_mean) / np.outer(unit, unit))
    prior = (vectors * np.maximum(values, 0.0)) @ vectors.T * np.outer(unit, unit)
    weight = np.linalg.solve(prior + noise + np.diag(unit**2) * 1e-9, prior[None])
    weight = weight.transpose(0, 2, 1)
    posterior_mean = mean + np.einsum("npq,nq->np", weight, estimates - mean)
    posterior = np.einsum("npq,nqr->npr", weight, noise)
    share = np.clip(np.diagonal(noise_mean) / np.maximum(np.diagonal(seen), 1e-18), 0.0, 1.0)
    return posterior_mean, posterior, tuple(float(value) for value in share)

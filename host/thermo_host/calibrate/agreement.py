"""How well pictures of a uniform reference agree with it: the figures of the before/after table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thermo_host.calibrate.observation import Floats


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures over all 768 pixels as displayed, interpolated ones included, K.

    Attributes:
        rmse: root mean square of shown minus reference, averaging noise included.
        largest: largest absolute difference.
        bias: mean difference.
        uniformity: standard deviation over the pixels.
        noise: the share of `rmse` that is noise left by averaging a finite number of pictures.
    """

    rmse: float
    largest: float
    bias: float
    uniformity: float
    noise: float

    @property
    def without_noise(self) -> float:
        """RMSE less the averaging noise, in squares, K: an estimate, shown beside `rmse` and never instead of it."""
        return float(np.sqrt(max(0.0, self.rmse**2 - self.noise**2)))

    def to_map(self) -> dict[str, float]:
        """As JSON-ready values, K."""
        return {
            "rmse_k": round(self.rmse, 5),
            "max_k": round(self.largest, 5),
            "bias_k": round(self.bias, 5),
            "uniformity_k": round(self.uniformity, 5),
            "averaging_noise_k": round(self.noise, 5),
        }


def agreement(error: Floats, noise: float) -> Agreement:
    """Figures of one picture's `error` (shown minus reference, (24, 32), K) with RMS averaging noise `noise`, K."""
    return Agreement(
        rmse=float(np.sqrt((error**2).mean())),
        largest=float(np.abs(error).max()),
        bias=float(error.mean()),
        uniformity=float(error.std()),
        noise=noise,
    )


def pooled(parts: Sequence[Agreement]) -> Agreement:
    """Of several set-points together: mean squares of RMSE, uniformity and noise, mean of bias, largest of all."""
    return Agreement(
        rmse=_rms([part.rmse for part in parts]),
        largest=max(part.largest for part in parts),
        bias=float(np.mean([part.bias for part in parts])),
        uniformity=_rms([part.uniformity for part in parts]),
        noise=_rms([part.noise for part in parts]),
    )


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))

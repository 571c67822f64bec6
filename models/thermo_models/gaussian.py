"""Gaussian-process regression with a linear and a smooth part: the teacher a small network is distilled from.

Rasmussen & Williams 2006, equations 2.25 (mean) and 5.12 (leave one out).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kernel:
    """k(a, b) = linear a.b / d + smooth exp(-|a - b|^2 / (2 d length^2)), with noise variance on the diagonal."""

    linear: float
    smooth: float
    length: float
    noise: float

    def __call__(self, a: Array, b: Array) -> Array:
        """(n, m) covariances of inputs (n, d) and (m, d)."""
        d = a.shape[1]
        product = a @ b.T / d
        square = (np.square(a).mean(1)[:, None] + np.square(b).mean(1)[None, :] - 2 * product).clip(0)
        covariance: Array = self.linear * product + self.smooth * np.exp(-square / (2 * self.length**2))
        return covariance


class GaussianProcess:
    """Fitted to inputs (n, d) and targets (n,).

    Attributes:
        left_out: (n,) errors, prediction minus target, each made without its own sample.
    """

    def __init__(self, kernel: Kernel, inputs: Array, targets: Array) -> None:
        self._kernel, self._inputs, self._mean = kernel, inputs, float(targets.mean())
        inverse = np.linalg.inv(kernel(inputs, inputs) + kernel.noise * np.eye(len(inputs)))
        self._weights = inverse @ (targets - self._mean)
        self.left_out: Array = -self._weights / np.diag(inverse)

    def __call__(self, inputs: Array) -> Array:
        """(m,) means for inputs (m, d)."""
        mean: Array = self._mean + self._kernel(inputs, self._inputs) @ self._weights
        return mean

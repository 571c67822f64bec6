"""Is it steady yet? Slopes with their uncertainty, and what warm-up and each set-point ask of them.

A sensor that warms up shows a changing die temperature Ta and a drifting picture. Practice: |dTa/dt| < 0.05 K/min and
the slope of the picture's mean < 0.02 K/min. A slope from a short window is uncertain, so a verdict has three values:
steady where the whole interval of the slope (k = 2) lies inside the limit, drifting where the slope exceeds both the
limit and its own uncertainty, and undecided in between.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from thermo_host.calibrate.procedures import Reading

TA_LIMIT_K_PER_MIN = 0.05
MEAN_LIMIT_K_PER_MIN = 0.02
Verdict = Literal["steady", "drifting", "undecided"]


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight line through a time series.

    Attributes:
        k_per_min: slope, K/min.
        uncertainty: expanded (k = 2), K/min; infinite with fewer than 8 samples.
        seconds: length of the series.
    """

    k_per_min: float
    uncertainty: float
    seconds: float

    def verdict(self, limit: float) -> Verdict:
        """Against a limit in K/min."""
        size = abs(self.k_per_min)
        if size + self.uncertainty <= limit:
            return "steady"
        return "drifting" if size > max(limit, self.uncertainty) else "undecided"

    def __str__(self) -> str:
        return f"{self.k_per_min:+.3f} ± {self.uncertainty:.3f} K/min"


def slope(time_us: Sequence[int], celsius: Sequence[float]) -> Slope:
    """Least squares slope; its uncertainty is widened by the residuals' correlation from sample to sample."""
    seconds = (time_us[-1] - time_us[0]) * 1e-6 if len(time_us) else 0.0
    if len(time_us) < 8 or seconds <= 0:
        return Slope(0.0, float("inf"), seconds)
    minutes = (np.asarray(time_us, np.float64) - time_us[0]) / 60e6
    values = np.asarray(celsius, np.float64)
    centred = minutes - minutes.mean()
    power = float((centred**2).sum())
    gradient = float((centred * values).sum() / power)
    residual = values - values.mean() - gradient * centred
    variance = float((residual**2).sum() / (len(values) - 2))
    correlation = 0.0
    if variance > 0:
        correlation = float((residual[1:] * residual[:-1]).mean() / (residual**2).mean())
    correlation = min(0.95, max(0.0, correlation))
    widened = variance * (1.0 + correlation) / (1.0 - correlation)
    return Slope(gradient, 2.0 * float(np.sqrt(widened / power)), seconds)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Outcome of a warm-up check.

    Attributes:
        skipped: it was not made because the user said so.
        ta, mean: slopes of the die temperature and of the picture's mean.
        seconds: how long was measured until the decision.
        verdict: "steady", or "undecided" where the window was too short to resolve the limits.
    """

    skipped: bool
    ta: Slope
    mean: Slope
    seconds: float
    verdict: Verdict

    def __str__(self) -> str:
        if self.skipped:
            return "skipped on request"
        text = f"die {self.ta}, readings {self.mean} over {self.mean.seconds:.0f} s"
        if self.verdict == "undecided":
            text += f" (too short to prove the limits of {TA_LIMIT_K_PER_MIN:g} and {MEAN_LIMIT_K_PER_MIN:g} K/min)"
        return text


class SteadinessWatch:
    """A sliding window of pictures and the verdict on it; the pictures it judges are those that are averaged.

    Args:
        shortest: no verdict before the window holds so many pictures.
        longest: older pictures leave the window; an undecided verdict at this length is final.
        ta_limit, mean_limit: K/min.

    Attributes:
        longest: as given.
    """

    def __init__(
        self,
        shortest: int,
        longest: int,
        ta_limit: float = TA_LIMIT_K_PER_MIN,
        mean_limit: float = MEAN_LIMIT_K_PER_MIN,
    ) -> None:
        self.longest = longest
        self._shortest = shortest
        self._limits = ta_limit, mean_limit
        self._window: deque[Reading] = deque(maxlen=longest)
        self._medians: deque[float] = deque(maxlen=longest)

    def push(self, picture: Reading) -> None:
        """Add a picture."""
        self._window.append(picture)
        self._medians.append(float(np.nanmedian(picture.celsius)))

    def __len__(self) -> int:
        return len(self._window)

    @property
    def pictures(self) -> list[Reading]:
        """The window, oldest first."""
        return list(self._window)

    def slopes(self) -> tuple[Slope, Slope]:
        """Of the die temperature and of the picture's median, which bad pixels cannot pull."""
        times = [picture.time_us for picture in self._window]
        ta = slope(times, [picture.ta for picture in self._window])
        return ta, slope(times, list(self._medians))

    def verdict(self) -> Verdict | None:
        """None while the window is too short, or undecided and not yet at its longest."""
        if len(self._window) < self._shortest:
            return None
        verdicts = {line.verdict(limit) for line, limit in zip(self.slopes(), self._limits, strict=True)}
        if "drifting" in verdicts:
            return "drifting"
        if verdicts == {"steady"}:
            return "steady"
        return "undecided" if len(self._window) == self.longest else None

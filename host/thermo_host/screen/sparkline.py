"""The past of a number in one line of characters."""

import math
from collections.abc import Sequence

import numpy as np

from thermo_core.signals import Values

BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
LEAST_SPANS = {"degC": 0.5, "K": 0.5, "%": 2.0, "bpm": 6.0, "V": 0.05, "g": 0.05}
"""Differences smaller than this, by unit, are noise and are not drawn as more than a flat line."""
LEAST_SHARE = 0.005
"""For other units: as a share of the number itself."""


MOST_COLUMNS = 8
"""Columns of a sample that get a line each."""


def curves(values: Values, width: int, unit: str) -> list[str]:
    """A sample of many numbers over their places: a line for each of a few columns, or one in all.

    Args:
        values: any shape; NaN where there is no value.
        width: characters of a line at most.
        unit: of the values.
    """
    few = values.ndim == 2 and values.shape[1] <= MOST_COLUMNS
    lines = []
    for line in np.asarray(values, np.float64).T if few else np.asarray(values, np.float64).reshape(1, -1):
        parts = [part[np.isfinite(part)] for part in np.array_split(line, min(width, len(line)))]
        lines.append(sparkline([float(part.mean()) if part.size else math.nan for part in parts], unit))
    return lines


def sparkline(values: Sequence[float], unit: str) -> str:
    """A character for each value, a space where it is NaN.

    Args:
        values: oldest first.
        unit: of them.
    """
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return " " * len(values)
    low, high = min(known), max(known)
    least = LEAST_SPANS.get(unit, LEAST_SHARE * max(abs(low), abs(high)) or 1.0)
    flat = high - low < least
    middle, span = (low + high) / 2, max(high - low, least)
    # Of an even number of bars none is in the middle: what is flat lies on the one below.
    place = (len(BARS) - 1) // 2 if flat else (len(BARS) - 1) / 2
    places = np.clip((np.asarray(values, np.float64) - middle) / span * (len(BARS) - 1) + place, 0, len(BARS) - 1)
    return "".join(" " if math.isnan(place) else BARS[round(place)] for place in places.tolist())

"""Places of a picture that stand out, each with its outline, its peak and how far it stands out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from thermo_core.signals import Values
from thermo_hub.anomaly.outlines import Line, outlines, padded

LEAST_PIXELS = 4
MOST = 6


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something stands out.

    Attributes:
        spreads: of a pixel at least.
        kelvin: of the peak at least: what is less is nothing that a person need look at, however still the picture is.
    """

    spreads: float
    kelvin: float


@dataclass(frozen=True, slots=True)
class Region:
    """One of them.

    Attributes:
        outline: polylines of (x, y), pixels from the top left.
        peak: (x, y) of the pixel that stands out most.
        kelvin: by how much it does.
        spreads: the same by how much it usually varies.
        pixels: of the region.
    """

    outline: tuple[Line, ...]
    peak: tuple[float, float]
    kelvin: float
    spreads: float
    pixels: int

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "outline": [[list(point) for point in line] for line in self.outline],
            "peak": list(self.peak),
            "kelvin": round(self.kelvin, 3),
            "z": round(self.spreads, 2),
            "pixels": self.pixels,
        }


def regions(spreads: Values, kelvin: Values, limits: Limits) -> tuple[Region, ...]:
    """Places that are warmer than they should be, the one that stands out most first.

    Args:
        spreads: (rows, columns) how far each pixel is from what it should be, by how much it usually varies.
        kelvin: the same in kelvin.
        limits: from where on it stands out.
    """
    out = np.nan_to_num(spreads, nan=0.0) >= limits.spreads
    labels, count = ndimage.label(out)
    found = []
    for number in range(1, count + 1):
        inside = labels == number
        pixels = int(inside.sum())
        if pixels < LEAST_PIXELS:
            continue
        masked = np.where(inside, kelvin, -np.inf)
        row, column = np.unravel_index(int(np.argmax(masked)), masked.shape)
        by = float(kelvin[row, column])
        if by < limits.kelvin:
            continue
        alone = np.where(ndimage.binary_dilation(inside) & ~(out & ~inside), np.nan_to_num(spreads, nan=0.0), 0.0)
        lines = tuple(
            tuple((round(x - 1, 2), round(y - 1, 2)) for x, y in line)
            for line in outlines(padded(alone.astype(np.float32), 0.0), limits.spreads)
        )
        found.append(Region(lines, (float(column) + 0.5, float(row) + 0.5), by, float(spreads[row, column]), pixels))
    return tuple(sorted(found, key=lambda region: -region.kelvin)[:MOST])

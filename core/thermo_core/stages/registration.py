"""Where a picture lies against another one, to a fraction of a pixel, and the picture moved there: float32 in a fixed order.

`device/firmware/stages/registration.c` does the same, bit for bit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.signals import Values

STEPS = 10
"""Most steps of the least squares."""
FAR = 3
"""Times the noise: a pixel that differs so much counts half."""
SETTLED = np.float32(0.01)
"""Pixels: a step shorter than this is the last one."""
LEAST_PIXELS = 16
"""Pixels that a step rests on at least."""
LEAST_SIDE = 6
"""Rows and columns of a picture that can be registered."""

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of a shift beforehand.

    Attributes:
        most: pixels along each axis; a shift that gets there is taken as unknown.
        variance: of one pixel's noise.
        damping: that over the square of the shift's usual size, half of the most.
        far: 1 over the square of `FAR` times the noise.
    """

    most: np.float32
    variance: np.float32
    damping: np.float32
    far: np.float32

    @classmethod
    def of(cls, most: float, noise: float) -> "Bounds":
        """Of pixels, and of a picture's noise in its unit."""
        return cls(
            np.float32(most), np.float32(noise**2), np.float32((2 * noise / most) ** 2), np.float32((FAR * noise) ** -2)
        )


@dataclass(frozen=True, slots=True)
class Registered:
    """A picture brought to lie as another one.

    Attributes:
        values: (rows, columns); without a value where the picture does not reach.
        shift: rows and columns that what it shows is moved against the other one.
        known: whether the shift is within its bounds.
    """

    values: Values
    shift: tuple[np.float32, np.float32]
    known: bool


def register(picture: Values, guide: Values, bounds: Bounds, share: np.float32) -> Registered:
    """Bring a picture to lie as a guide.

    The shift d makes x(p + d) - guide(p) - offset least (Gauss-Newton with the guide's gradients). After the first step each pixel is
    weighed by 1 / (1 + (what is left of it / `FAR` noise)^2), so that what is new in the picture does not move it. A usual shift of 0
    is known beforehand, and slopes that are the guide's own noise do not count: a picture without contours is not moved.

    Args:
        picture: (rows, columns).
        guide: likewise.
        bounds: of the shift.
        share: of a picture's noise variance that is left in the guide.
    """
    with np.errstate(all="ignore"):
        slopes = _slopes(guide)
        inner = np.s_[1:-1, 1:-1]
        shift, moved, offset = (_ZERO, _ZERO), picture, None
        for _ in range(STEPS):
            step = _step(slopes, moved[inner] - guide[inner], shift, offset, bounds, share)
            if step is None:
                break
            down, along, offset = step
            shift = (_bounded(shift[0] + down, bounds.most), _bounded(shift[1] + along, bounds.most))
            moved = warp(picture, shift)
            if abs(down) < SETTLED and abs(along) < SETTLED:
                break
    known = bool(abs(shift[0]) < bounds.most and abs(shift[1]) < bounds.most)
    return Registered(moved, shift, known)


def warp(picture: Values, shift: tuple[np.float32, np.float32]) -> Values:
    """(rows, columns) of the picture at p + shift, cubic (Catmull-Rom); without a value more than half a pixel beyond its edge."""
    if shift == (_ZERO, _ZERO):
        return picture
    rows, columns = picture.shape
    with np.errstate(all="ignore"):
        taps, weights, reached = _taps(columns, shift[1])
        line = _summed([picture[:, tap] * weight for tap, weight in zip(taps, weights, strict=True)])
        line[:, ~reached] = np.nan
        taps, weights, reached = _taps(rows, shift[0])
        moved = _summed([line[tap] * weight for tap, weight in zip(taps, weights, strict=True)])
        moved[~reached] = np.nan
    return moved


def _summed(parts: list[Values]) -> Values:
    summed: Values = ((parts[0] + parts[1]) + parts[2]) + parts[3]
    return summed


def _taps(length: int, shift: np.float32) -> tuple[list[NDArray[np.int64]], list[np.float32], NDArray[np.bool_]]:
    """Along an axis: four places for each new one, their weights, and which new ones are within the picture."""
    whole = int(np.floor(shift))
    f = shift - np.float32(whole)
    weights = [
        ((np.float32(2) - f) * f - _ONE) * f * _HALF,
        ((np.float32(3) * f - np.float32(5)) * f * f + np.float32(2)) * _HALF,
        ((np.float32(4) - np.float32(3) * f) * f + _ONE) * f * _HALF,
        (f - _ONE) * f * f * _HALF,
    ]
    places = np.arange(length)
    at = places.astype(np.float32) + shift
    reached = (at >= -_HALF) & (at <= np.float32(length) - _HALF)
    return [np.clip(places + whole + tap, 0, length - 1) for tap in (-1, 0, 1, 2)], weights, reached


def _slopes(guide: Values) -> tuple[Values, Values]:
    """Down columns and along rows, a pixel, of all pixels but those at the edge."""
    down = (guide[2:, 1:-1] - guide[:-2, 1:-1]) * _HALF
    along = (guide[1:-1, 2:] - guide[1:-1, :-2]) * _HALF
    return down, along


def _step(
    slopes: tuple[Values, Values],
    apart: Values,
    shift: tuple[np.float32, np.float32],
    offset: np.float32 | None,
    bounds: Bounds,
    share: np.float32,
) -> tuple[np.float32, np.float32, np.float32] | None:
    """Rows and columns to go on, and the offset there; None where the pixels do not say."""
    down, along = slopes
    usable = np.isfinite(down) & np.isfinite(along) & np.isfinite(apart)
    count = int(usable.sum())
    if count < LEAST_PIXELS:
        return None
    r, c, e = (np.where(usable, one, _ZERO).ravel() for one in (down, along, apart))
    weights = np.ones_like(e)
    if offset is not None:
        left = e - offset
        weights = _ONE / (_ONE + left * left * bounds.far)
    w = np.where(usable.ravel(), weights, _ZERO)
    wr, wc, we = w * r, w * c, w * e
    n, sr, sc, se, srr, src, scc, sre, sce = float32.total(
        np.stack([w, wr, wc, we, wr * r, wr * c, wc * c, wr * e, wc * e])
    )
    damping = bounds.damping + bounds.variance * share * n
    rr = srr - sr * sr / n + damping
    cc = scc - sc * sc / n + damping
    rc = src - sr * sc / n
    re = sre - sr * se / n + damping * shift[0]
    ce = sce - sc * se / n + damping * shift[1]
    determinant = rr * cc - rc * rc
    rows, columns = (rc * ce - cc * re) / determinant, (rc * re - rr * ce) / determinant
    if not (determinant > 0 and np.isfinite(rows) and np.isfinite(columns)):
        return None
    rows, columns = _bounded(rows, _ONE), _bounded(columns, _ONE)
    return rows, columns, (se + sr * rows + sc * columns) / n


def _bounded(value: np.float32, most: np.float32) -> np.float32:
    return np.float32(min(max(value, -most), most))

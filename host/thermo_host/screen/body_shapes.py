"""Where each segment of a body lies in a figure of it, from the front and from the back, and what that is in pixels."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from thermo_core.body import SEGMENTS

Points = tuple[tuple[float, float], ...]
WIDTH, HEIGHT = 72.0, 200.0
"""Of a figure, in the units of its points, from the top left; the pixels of a figure are as high as they are wide."""
FRONT, BACK = "front", "back"
NOTHING = -1

_HEAD: Points = (
    (36, 1),
    (41, 2),
    (45, 7),
    (46, 14),
    (44, 21),
    (40, 26),
    (32, 26),
    (28, 21),
    (26, 14),
    (27, 7),
    (31, 2),
)
_NECK: Points = ((32, 26), (40, 26), (41, 33), (31, 33))
_TRUNK: Points = ((24, 33), (48, 33), (51, 38), (49, 72), (23, 72), (21, 38))
_PELVIS: Points = ((23, 72), (49, 72), (52, 98), (37, 104), (35, 104), (20, 98))
_LIMBS: dict[str, Points] = {
    "shoulder": ((21, 35), (20, 42), (18, 68), (10, 68), (11, 45), (14, 37)),
    "arm": ((18, 68), (14, 97), (7, 96), (10, 68)),
    "hand": ((14, 97), (13, 107), (9, 113), (5, 109), (7, 96)),
    "thigh": ((20, 98), (35, 104), (34, 146), (23, 146)),
    "leg": ((23, 146), (34, 146), (32, 187), (25, 187)),
    "foot": ((25, 187), (32, 187), (34, 197), (21, 197)),
}
"""On the left of the figure."""


def parts(view: str) -> tuple[tuple[int, Points], ...]:
    """Segments that a view shows, by their place among `SEGMENTS`, each with the corners of its outline.

    Seen from the front, the left of the body is on the right.
    """
    left_of_figure, right_of_figure = ("right", "left") if view == FRONT else ("left", "right")
    trunk = "chest" if view == FRONT else "back"
    shapes = {"head": _HEAD, "neck": _NECK, trunk: _TRUNK, "pelvis": _PELVIS}
    for limb, points in _LIMBS.items():
        shapes[f"{left_of_figure} {limb}"] = points
        shapes[f"{right_of_figure} {limb}"] = tuple((WIDTH - x, y) for x, y in points)
    return tuple((SEGMENTS.index(name), points) for name, points in shapes.items())


@lru_cache(maxsize=32)
def pixels(view: str, rows: int) -> NDArray[np.int8]:
    """(rows, columns) place of the segment that each pixel shows, `NOTHING` beside the body.

    Args:
        view: `FRONT` or `BACK`.
        rows: pixels of the height; the width follows.
    """
    step = HEIGHT / rows
    columns = round(WIDTH / step)
    x, y = np.meshgrid((np.arange(columns) + 0.5) * WIDTH / columns, (np.arange(rows) + 0.5) * step)
    shown = np.full((rows, columns), NOTHING, np.int8)
    for segment, points in parts(view):
        shown[_within(x, y, points)] = segment
    return shown


def _within(x: NDArray[np.float64], y: NDArray[np.float64], points: Points) -> NDArray[np.bool_]:
    """Which places are within a polygon: a line to the right of them crosses its sides an odd number of times."""
    inside = np.zeros(x.shape, np.bool_)
    for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside

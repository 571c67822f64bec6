"""Lines along which a picture crosses a level, by marching squares (Lorensen and Cline 1987, in the plane), put together to polylines."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Values

Point = tuple[float, float]
Line = tuple[Point, ...]
_Edge = tuple[int, int, int]
"""Row and column of a grid point, and 0 for the edge to its right, 1 for the one below it."""


def outlines(values: Values, level: float) -> tuple[Line, ...]:
    """Polylines between what is below a level and what is not; closed ones end where they begin.

    Args:
        values: (rows, columns), at centres of pixels; no line runs beside a pixel without a value.
        level: it.

    Returns:
        Points (x, y) in pixels from the picture's top left corner, where the centre of the first pixel is (0.5, 0.5).
    """
    joined: dict[_Edge, list[_Edge]] = {}
    at: dict[_Edge, Point] = {}
    above = values >= level
    known = np.isfinite(values)
    mixed = above[:-1, :-1].astype(int) + above[:-1, 1:] + above[1:, :-1] + above[1:, 1:]
    whole = known[:-1, :-1] & known[:-1, 1:] & known[1:, :-1] & known[1:, 1:]
    for row, column in np.argwhere((mixed % 4 != 0) & whole).tolist():
        for first, second in _segments(values, above, row, column, level):
            for edge in (first, second):
                at.setdefault(edge, _crossing(values, edge, level))
            joined.setdefault(first, []).append(second)
            joined.setdefault(second, []).append(first)
    return tuple(tuple(at[edge] for edge in chain) for chain in _chains(joined))


def padded(values: Values, outside: float) -> Values:
    """The picture with a frame of one pixel more, so that what reaches its edge has an outline there too."""
    return np.pad(values, 1, constant_values=np.float32(outside))


def _segments(
    values: Values, above: NDArray[np.bool_], row: int, column: int, level: float
) -> list[tuple[_Edge, _Edge]]:
    """Pairs of edges of a cell that a line joins."""
    top, left = (row, column, 0), (row, column, 1)
    bottom, right = (row + 1, column, 0), (row, column + 1, 1)
    corners = [
        bool(above[row, column]),
        bool(above[row, column + 1]),
        bool(above[row + 1, column + 1]),
        bool(above[row + 1, column]),
    ]
    cut = [
        edge
        for edge, (one, other) in zip((top, right, bottom, left), ((0, 1), (1, 2), (2, 3), (3, 0)), strict=True)
        if corners[one] != corners[other]
    ]
    if len(cut) == 2:
        return [(cut[0], cut[1])]
    # A saddle: the mean of the corners says which two belong together.
    middle = float(values[row : row + 2, column : column + 2].mean()) >= level
    if middle == corners[0]:
        return [(top, right), (bottom, left)]
    return [(top, left), (bottom, right)]


def _crossing(values: Values, edge: _Edge, level: float) -> Point:
    row, column, down = edge
    one, other = float(values[row, column]), float(values[row + down, column + 1 - down])
    share = (level - one) / (other - one)
    return (
        round(column + 0.5 + (0.0 if down else share), 3),
        round(row + 0.5 + (share if down else 0.0), 3),
    )


def _chains(joined: dict[_Edge, list[_Edge]]) -> list[list[_Edge]]:
    """Edges in the order in which lines run over them: first lines that have ends, then rings."""
    found = []
    ends = [edge for edge, others in joined.items() if len(others) == 1]
    for start in [*ends, *joined]:
        if not joined[start]:
            continue
        chain = [start]
        while joined[chain[-1]]:
            following = joined[chain[-1]].pop()
            joined[following].remove(chain[-1])
            chain.append(following)
        found.append(chain)
    return found

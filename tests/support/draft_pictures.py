"""Stages that work on pictures, drawn at random."""

from collections.abc import Callable, Mapping
from typing import Any

from wearable_draft import Draft, Kind, Made

_LEVELS: dict[str, Any] = {"low": 18.3, "high": 41.7}


def _of_picture(draft: Draft, of: str, shape: tuple[int, ...] | None = None, **fields: Any) -> Made:
    """A stage that takes a picture, of which it makes another or something of that shape."""
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    return fields, Kind(kind.shape if shape is None else shape, kind.clock, False, kind.rated)


def _is_picture(kind: Kind) -> bool:
    return len(kind.shape) == 2 and not kind.timed and min(kind.shape) > 1


def _canny(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, high=draft.choices.one([0.5, 2.0]), low=draft.choices.one([0.01, 0.5]))


def _crop(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    row, column = (draft.choices.whole(0, length - 1) for length in kind.shape)
    rows, columns = kind.shape[0] - row, kind.shape[1] - column
    return _of_picture(draft, of, (rows, columns), row=row, column=column, rows=rows, columns=columns)


def _difference(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if _is_picture(kind) and draft.choices.one([False, True]):
        return _of_picture(draft, of, (kind.shape[0], kind.shape[1] // 2))
    first = draft.some(range(kind.elements), 1, 6)
    second = draft.some(range(kind.elements), len(first), len(first))
    return {"first": first, "second": second}, Kind((len(first),), kind.clock, False, kind.rated)


def _equalise(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    tiles = [1, 1] if draft.choices.one([False, True]) else [draft.choices.whole(1, min(n, 4)) for n in kind.shape]
    levels, clip = draft.choices.one([2, 64, 256]), draft.choices.one([0.0, 0.0, 1.0, 3.0])
    return _of_picture(draft, of, **_LEVELS, levels=levels, tile_rows=tiles[0], tile_columns=tiles[1], clip=clip)


def _gaussian(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, size=draft.choices.one([3, 5]), sigma=draft.choices.one([0.3, 0.8, 1.7]))


def _glcm(draft: Draft, of: str) -> Made:
    angles, levels = draft.some([0, 45, 90, 135], 1, 4), draft.choices.one([2, 8, 16])
    return _of_picture(draft, of, (len(angles), 4), **_LEVELS, levels=levels, angles=angles)


def _hot_spots(draft: Draft, of: str) -> Made:
    most = draft.choices.one([1, 4, 9])
    return _of_picture(draft, of, (most, 4), most=most, least_k=draft.choices.one([0.5, 4.0]))


def _median3(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, step=draft.choices.one([0.0078125, 0.01, 3.0]))


def _resize(draft: Draft, of: str) -> Made:
    kind = draft.kinds[of]
    if not _is_picture(kind):
        return None
    by = draft.choices.one(["area", "bilinear"])
    rows, columns = (draft.choices.whole(1, length if by == "area" else 20) for length in kind.shape)
    return _of_picture(draft, of, (rows, columns), rows=rows, columns=columns, by=by)


def _segment(draft: Draft, of: str) -> Made:
    flags: dict[str, Any] = {name: draft.choices.one([False, True]) for name in ("largest", "diagonal")}
    threshold: dict[str, Any] = (
        {} if draft.choices.one([False, True]) else {"threshold": draft.choices.one([28.0, 33.0])}
    )
    give, opening = draft.choices.one(["mask", "picture"]), draft.choices.one([0, 0, 1, 2])
    return _of_picture(draft, of, give=give, opening=opening, **flags, **threshold)


def _sobel(draft: Draft, of: str) -> Made:
    return _of_picture(draft, of, give=draft.choices.one(["magnitude", "x", "y"]))


STAGES: Mapping[str, Callable[[Draft, str], Made]] = {
    "canny": _canny,
    "crop": _crop,
    "difference": _difference,
    "equalise": _equalise,
    "gaussian": _gaussian,
    "glcm": _glcm,
    "hot_spots": _hot_spots,
    "median3": _median3,
    "resize": _resize,
    "segment": _segment,
    "sobel": _sobel,
}
"""By operation."""

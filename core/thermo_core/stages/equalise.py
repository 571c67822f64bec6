"""equalise: a picture by ranks, so that all its levels are used alike."""

import itertools
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import check_levels, leveled, picture, places_counted
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

_Tiles = Annotated[int, Meta(ge=1, le=16)]
_Real = Annotated[float, Meta(ge=-1e6, le=1e6)]


class Equalise(OneInput, frozen=True, tag="equalise"):
    """Each pixel by the share of pixels that are not above its level: contrast where most pixels are, none left of kelvin.

    With several tiles it is that within the tiles around the pixel, going evenly from the middle of one to that of the next, and with
    a clip noise in flat tiles stays small (CLAHE). Pixels without a value do not count and stay so; a tile without a value gives 0.

    Attributes:
        low: the lowest level, in the signal's unit; what is below counts as this.
        high: the highest level.
        levels: how many, evenly spaced.
        tile_rows: tiles from top to bottom; 1 for the whole picture.
        tile_columns: tiles from left to right.
        clip: most pixels of a level, in multiples of what each had if all were alike; what is above goes to all levels. 0 for no limit.
    """

    low: _Real
    high: _Real
    levels: Annotated[int, Meta(ge=2, le=256)] = 64
    tile_rows: _Tiles = 1
    tile_columns: _Tiles = 1
    clip: Annotated[float, Meta(ge=0, le=1000)] = 0.0


@dataclass(frozen=True, slots=True)
class Blend:
    """What a row or column goes between.

    Attributes:
        edges: where tiles begin, and the end.
        first: of each row or column, the tile before.
        second: the tile behind.
        share: of the tile behind.
    """

    edges: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]
    share: NDArray[np.float32]


def blend(length: int, tiles: int) -> Blend:
    """That of an axis."""
    at = np.arange(length) * tiles / length - 0.5
    before = np.floor(at)
    first, second = np.clip(before, 0, tiles - 1), np.clip(before + 1, 0, tiles - 1)
    edges = tuple(tile * length // tiles for tile in range(tiles + 1))
    return Blend(
        edges, tuple(first.astype(int).tolist()), tuple(second.astype(int).tolist()), (at - before).astype(np.float32)
    )


def limit(stage: Equalise, pixels: int) -> int:
    """Most pixels of a level in a tile of so many; 0 for no limit."""
    return max(1, int(stage.clip * pixels / stage.levels)) if stage.clip else 0


def _result(stage: Equalise, inputs: Signals) -> Signal:
    """That of the input, which is a picture, without a unit."""
    (signal,) = inputs
    rows, columns = picture(stage, signal)
    check_levels(stage, stage.low, stage.high, stage.levels)
    if stage.tile_rows > rows or stage.tile_columns > columns:
        raise stage.fail(
            f"has {stage.tile_rows} x {stage.tile_columns} tiles for {rows} x {columns} pixels; take fewer"
        )
    return Signal(stage.gives, signal.shape, "", signal.rate_hz, signal.clock)


def _table(stage: Equalise, levels: NDArray[np.int64]) -> Values:
    """(n, levels) share of the pixels (n, rows, columns) of a tile that are not above each level."""
    flat = levels.reshape(len(levels), -1)
    counts = places_counted(flat, stage.levels)
    most = limit(stage, flat.shape[1])
    if most:
        excess = np.maximum(counts - most, 0).sum(1, keepdims=True)
        counts = np.minimum(counts, most) + excess // stage.levels
        left = excess % stage.levels
        apart = np.maximum(stage.levels // np.maximum(left, 1), 1)
        place = np.arange(stage.levels)
        counts = counts + ((place % apart == 0) & (place // apart < left))
    below = counts.cumsum(1)
    share = np.float32(1) / np.maximum(below[:, -1:], 1).astype(np.float32)
    return np.asarray(below.astype(np.float32) * share, np.float32)


def _apply(stage: Equalise, inputs: Signals, values: Arrays) -> Values:
    (x,) = values
    levels = leveled(x, stage.low, stage.high, stage.levels)
    down, along = blend(x.shape[1], stage.tile_rows), blend(x.shape[2], stage.tile_columns)
    tiles = [
        [_table(stage, levels[:, top:bottom, left:right]) for left, right in itertools.pairwise(along.edges)]
        for top, bottom in itertools.pairwise(down.edges)
    ]
    tables = np.array(tiles, np.float32)  # tile rows, tile columns, n, levels
    moments = np.arange(len(x))[:, np.newaxis, np.newaxis]
    level = np.maximum(levels, 0)

    def share(rows: tuple[int, ...], columns: tuple[int, ...]) -> Values:
        found: Values = tables[np.array(rows)[:, np.newaxis], np.array(columns), moments, level]
        return found

    if tables.shape[:2] == (1, 1):
        made = share(down.first, along.first)
    else:
        right, below = along.share, down.share[:, np.newaxis]
        left, above = np.float32(1) - right, np.float32(1) - below
        upper = share(down.first, along.first) * left + share(down.first, along.second) * right
        lower = share(down.second, along.first) * left + share(down.second, along.second) * right
        made = upper * above + lower * below
    return np.where(levels < 0, np.float32(np.nan), made).astype(np.float32)


OP = Elementwise(
    Equalise,
    _result,
    _apply,
    "level = x * float32(1 / step) rounded half to even, less low * float32(1 / step) likewise, 0 to levels - 1; counts are whole, what a "
    "clip takes goes to all levels alike and its rest to levels evenly apart; float32(pixels not above) * (1 / float32(pixels)); between "
    "tiles (a (1 - u) + b u) (1 - v) + (c (1 - u) + d u) v in float32.",
)

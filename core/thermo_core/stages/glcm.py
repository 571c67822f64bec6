"""glcm: texture by how often levels stand beside one another."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import check_levels, leveled, picture, places_counted
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

Feature = Literal["contrast", "homogeneity", "energy", "correlation"]
FEATURES: tuple[Feature, ...] = ("contrast", "homogeneity", "energy", "correlation")
_Real = Annotated[float, Meta(ge=-1e6, le=1e6)]
_STEPS = {0: (0, 1), 45: (1, 1), 90: (1, 0), 135: (1, -1)}


class Glcm(OneInput, frozen=True, tag="glcm"):
    """Haralick's texture: values are brought to a few levels, and pairs of pixels so far apart are counted, both ways.

    Of the shares p of level i beside level j: contrast is the sum of p (i - j)^2, homogeneity that of p / (1 + (i - j)^2), energy the
    root of that of p^2, correlation that of levels beside one another (1 where all are alike). Pairs in which a pixel has no value do
    not count; where there is no pair there is no value.

    Attributes:
        low: middle of the lowest level, in the signal's unit; what is below counts as this.
        high: middle of the highest level.
        levels: how many, evenly spaced.
        distance: of a pair, pixels along rows and columns.
        angles: directions of pairs, degrees: 0 is to the right, 45 down to the right, 90 down, 135 down to the left.
    """

    low: _Real
    high: _Real
    levels: Annotated[int, Meta(ge=2, le=16)] = 8
    distance: Annotated[int, Meta(ge=1, le=64)] = 1
    angles: Annotated[tuple[Literal[0, 45, 90, 135], ...], Meta(min_length=1, max_length=4)] = (0, 45, 90, 135)


def offsets(stage: Glcm) -> list[tuple[int, int]]:
    """Rows and columns from one pixel of a pair to the other."""
    return [(stage.distance * _STEPS[angle][0], stage.distance * _STEPS[angle][1]) for angle in stage.angles]


def _result(stage: Glcm, inputs: Signals) -> Signal:
    """A row an angle, of contrast, homogeneity, energy and correlation; takes a picture that is larger than the distance."""
    (signal,) = inputs
    rows, columns = picture(stage, signal)
    check_levels(stage, stage.low, stage.high, stage.levels)
    if stage.distance >= min(rows, columns):
        raise stage.fail(f"has a distance of {stage.distance} pixels in a picture of {rows} x {columns}; shorten it")
    return Signal(stage.gives, (len(stage.angles), len(FEATURES)), "", signal.rate_hz, signal.clock)


def _apply(stage: Glcm, inputs: Signals, values: Arrays) -> Values:
    levels, count = leveled(values[0], stage.low, stage.high, stage.levels), stage.levels
    rows, columns = levels.shape[1:]
    i, j = np.indices((count, count)).reshape(2, -1)
    found = []
    for down, along in offsets(stage):
        one = levels[:, : rows - down, max(-along, 0) : columns - max(along, 0)].reshape(len(levels), -1)
        other = levels[:, down:, max(along, 0) : columns - max(-along, 0)].reshape(len(levels), -1)
        counts = places_counted(np.where((one < 0) | (other < 0), -1, one * count + other), count * count)
        pairs = counts.sum(1)
        by_distance = np.stack([counts[:, abs(i - j) == d].sum(1) for d in range(count)], axis=1)
        squares = np.arange(count) ** 2
        number = pairs.astype(np.float32)
        homogeneity = np.zeros(len(counts), np.float32)
        for distance in range(count):
            homogeneity = homogeneity + by_distance[:, distance].astype(np.float32) / np.float32(1 + squares[distance])
        both = counts + counts.reshape(-1, count, count).swapaxes(1, 2).reshape(counts.shape)
        sums, products, powers = ((counts * of).sum(1) for of in (i + j, i * j, i * i + j * j))
        covariance, variance = 4 * pairs * products - sums**2, 2 * pairs * powers - sums**2
        with np.errstate(all="ignore"):
            made = [
                (by_distance * squares).sum(1).astype(np.float32) / number,
                homogeneity / number,
                np.sqrt((both**2).sum(1).astype(np.float32)) / (number + number),
                np.where(variance == 0, np.float32(1), covariance.astype(np.float32) / variance.astype(np.float32)),
            ]
        found.append(np.where(pairs[:, np.newaxis] > 0, np.stack(made, axis=1), np.nan))
    return np.asarray(np.stack(found, axis=1), np.float32)


OP = Elementwise(
    Glcm,
    _result,
    _apply,
    "level = x * float32(1 / step) rounded half to even, less low * float32(1 / step) likewise, 0 to levels - 1; counts, their sums and "
    "products are whole and brought to float32; homogeneity sums float32(pairs i - j apart) / float32(1 + (i - j)^2) in the order of "
    "|i - j|; one float32 division at the end, of energy after a root.",
)

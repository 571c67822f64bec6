"""hot_spots: where a picture is warmer than the rest, and by how much."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import check_kelvin, components, picture, places_counted
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class HotSpots(OneInput, frozen=True, tag="hot_spots"):
    """The spots that stand out most from a picture's median: connected pixels, at corners too, that are at least so much warmer.

    Pixels without a value do not count. Each spot is four numbers: its contrast (its warmest pixel less the median, K), its area
    (pixels), and row and column of its warmest pixel, the first of equal ones, counted from 0 at the top left. The greatest contrast
    comes first; of what there is no spot for there is no value.

    Attributes:
        least_k: how much warmer than the median, K.
        most: spots that are given.
    """

    least_k: Annotated[float, Meta(ge=0.01, le=100)] = 0.5
    most: Annotated[int, Meta(ge=1, le=32)] = 4


def _result(stage: HotSpots, inputs: Signals) -> Signal:
    """`most` x 4; takes a picture in degC or K."""
    (signal,) = inputs
    picture(stage, signal)
    check_kelvin(stage, signal)
    return Signal(stage.gives, (stage.most, 4), "", signal.rate_hz, signal.clock)


def _apply(stage: HotSpots, inputs: Signals, values: Arrays) -> Values:
    (x,) = values
    count, pixels = len(x), x.shape[1] * x.shape[2]
    with np.errstate(invalid="ignore", over="ignore"):
        contrast = x.reshape(count, -1) - float32.median(x.reshape(count, -1))[:, np.newaxis]
    warm = contrast >= np.float32(stage.least_k)
    labels = components(warm.reshape(x.shape), diagonal=True).reshape(count, -1)
    areas = places_counted(labels, pixels)
    moments, places = np.nonzero(warm)
    spots = labels[moments, places]
    height = np.full((count, pixels), -np.inf, np.float32)
    np.maximum.at(height, (moments, spots), contrast[moments, places])
    peak = np.full((count, pixels), pixels)
    at_top = contrast[moments, places] == height[moments, spots]
    np.minimum.at(peak, (moments[at_top], spots[at_top]), places[at_top])
    most = min(stage.most, pixels)
    order = np.argsort(-height, axis=1, kind="stable")[:, :most]
    found = np.full((count, stage.most, 4), np.nan, np.float32)
    area, place = (np.take_along_axis(of, order, axis=1) for of in (areas, peak))
    columns = x.shape[2]
    of = np.stack([np.take_along_axis(height, order, axis=1), area, place // columns, place % columns], axis=-1)
    found[:, :most] = np.where(area[..., np.newaxis] > 0, of, np.nan)
    return found


OP = Elementwise(
    HotSpots,
    _result,
    _apply,
    "the median as that of `centre`; one float32 subtraction a pixel; the rest is copies and whole numbers. Of equal contrasts the spot "
    "whose first pixel comes first, row by row.",
)

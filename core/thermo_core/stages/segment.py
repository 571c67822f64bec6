"""segment: what of a picture is warm, as a mask or cut out."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.signals import Signal, Values
from thermo_core.stages.picture import components, picture, places_counted
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

BINS = 256


class Segment(OneInput, frozen=True, tag="segment"):
    """The warm part of a picture, as a body before a wall: above a threshold, cleaned, and the largest connected part of it.

    Otsu's threshold is the one of 255 between least and greatest that parts the pixels into the two groups farthest apart. Pixels
    without a value, and infinite ones, do not count and are never within. A picture of one value has nothing within.

    Attributes:
        threshold: within is what is above it, in the signal's unit; Otsu's where left out.
        opening: how often what is within is shrunk by 3 x 3 pixels and then grown again, which takes away what is thinner; the
            edges of the picture shrink nothing.
        largest: keeps only the largest connected part, the first of equal ones.
        diagonal: whether pixels that touch at a corner are connected.
        give: "mask", 1 within and 0 elsewhere, or "picture", the values within.
    """

    threshold: Annotated[float, Meta(ge=-1e6, le=1e6)] | None = None
    opening: Annotated[int, Meta(ge=0, le=8)] = 0
    largest: bool = True
    diagonal: bool = True
    give: Literal["mask", "picture"] = "mask"


def _result(stage: Segment, inputs: Signals) -> Signal:
    """That of the input, which is a picture; a mask has no unit."""
    (signal,) = inputs
    picture(stage, signal)
    unit = signal.unit if stage.give == "picture" else ""
    return Signal(stage.gives, signal.shape, unit, signal.rate_hz, signal.clock)


def _above_otsu(x: Values) -> NDArray[np.bool_]:
    """(n, pixels) what is above Otsu's threshold of each."""
    known = np.isfinite(x)
    low = np.where(known, x, np.float32(np.inf)).min(1, keepdims=True)
    high = np.where(known, x, np.float32(-np.inf)).max(1, keepdims=True)
    with np.errstate(all="ignore"):
        scale = np.float32(BINS) / (high - low)
        usable = (scale > 0) & np.isfinite(scale)
        steps = np.where(known & usable, (x - low) * scale, np.float32(0))
    bins = np.where(known, np.minimum(steps.astype(np.int64), BINS - 1), -1)
    counts = places_counted(bins, BINS)
    sums = (counts * np.arange(BINS)).cumsum(1)
    below = counts.cumsum(1)
    above = below[:, -1:] - below
    n1, n2 = below.astype(np.float32), above.astype(np.float32)
    with np.errstate(all="ignore"):
        apart = sums.astype(np.float32) / n1 - (sums[:, -1:] - sums).astype(np.float32) / n2
        score = (n1 * n2) * (apart * apart)
    threshold = np.where((below > 0) & (above > 0), score, np.float32(-1)).argmax(1)
    within: NDArray[np.bool_] = (bins > threshold[:, np.newaxis]) & usable
    return within


def _opened(mask: NDArray[np.bool_], times: int) -> NDArray[np.bool_]:
    for step in range(2 * times):
        join = np.logical_and if step < times else np.logical_or
        wide = np.pad(mask, ((0, 0), (1, 1), (1, 1)), mode="edge")
        down = join(join(wide[:, :-2], wide[:, 1:-1]), wide[:, 2:])
        mask = join(join(down[:, :, :-2], down[:, :, 1:-1]), down[:, :, 2:])
    return mask


def _largest(mask: NDArray[np.bool_], diagonal: bool) -> NDArray[np.bool_]:
    labels = components(mask, diagonal).reshape(len(mask), -1)
    areas = places_counted(labels, labels.shape[1])
    found: NDArray[np.bool_] = (labels >= 0) & (labels == areas.argmax(1)[:, np.newaxis])
    return found.reshape(mask.shape)


def _apply(stage: Segment, inputs: Signals, values: Arrays) -> Values:
    (x,) = values
    if stage.threshold is None:
        mask = _above_otsu(x.reshape(len(x), -1)).reshape(x.shape)
    else:
        mask = (x > np.float32(stage.threshold)) & np.isfinite(x)
    mask = _opened(mask, stage.opening)
    if stage.largest:
        mask = _largest(mask, stage.diagonal)
    if stage.give == "mask":
        return mask.astype(np.float32)
    return np.where(mask, x, np.float32(np.nan)).astype(np.float32)


OP = Elementwise(
    Segment,
    _result,
    _apply,
    "copies, 0 and 1. Otsu: bin = whole part of (x - least) * (float32(256) / (greatest - least)), 255 at most; counts and sums of bins are "
    "whole; score = (float32(n1) * float32(n2)) * d * d with d the float32 difference of the groups' mean bins; the first of the greatest.",
)

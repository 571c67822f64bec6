"""A picture in characters: two rows of pixels a line in colours, and without colours in shades of letters."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from thermo_core.signals import Values
from thermo_host.screen.palette import LEVELS, TABLE, levels

UPPER_HALF, LEFT_HALF = "\u2580", "\u258c"
SHADES = " .:-=+*#%@"
"""Coldest first, for terminals without colours."""
STYLES = 4096
"""Pairs of colours that are remembered; a picture shows about 400."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A picture in half blocks, two rows of pixels a line.

    Attributes:
        values: (rows, columns); NaN where there is no value.
        low, high: values of the palette's ends.
        factor: characters per pixel in width; lines are half as many as rows times this.
        grey: shown without colour, as what is not of now.
    """

    values: Values
    low: float
    high: float
    factor: float = 2.0
    grey: bool = False

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = round(self.values.shape[1] * self.factor)
        return Measurement(width, width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        image = resampled(self.values, self.factor)
        if len(image) % 2:
            image = np.concatenate((image, image[-1:]))
        if has_colours(console) and has_blocks(console):
            rows = levels(image, self.low, self.high).tolist()
            for upper, lower in zip(rows[0::2], rows[1::2], strict=True):
                for above, below in zip(upper, lower, strict=True):
                    yield Segment(UPPER_HALF, _style(above, below, self.grey))
                yield Segment.line()
            return
        halves = (image[0::2] + image[1::2]) / 2
        for row in levels(halves, self.low, self.high).tolist():
            if has_colours(console):
                for level in row:
                    yield Segment(" ", _style(level, level, self.grey))
            else:
                yield Segment("".join(SHADES[level * len(SHADES) // LEVELS] for level in row))
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """The palette as a bar with the values of its ends, and some between, under it.

    Attributes:
        low, high: of its ends.
        width: columns.
        grey: as the map.
        unit: of the values, as people write it.
    """

    low: float
    high: float
    width: int
    grey: bool = False
    unit: str = "°C"

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width, self.width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        steps = np.linspace(0, LEVELS - 1, 2 * self.width).round().astype(np.intp).tolist()
        for left, right in zip(steps[0::2], steps[1::2], strict=True):
            if has_colours(console):
                yield Segment(LEFT_HALF if has_blocks(console) else " ", _style(left, right, self.grey))
            else:
                yield Segment(SHADES[left * len(SHADES) // LEVELS])
        yield Segment.line()
        marks = [" "] * self.width
        count = 5 if self.width >= 48 else 3
        digits = max(1, min(5, 1 - math.floor(math.log10(max(self.high - self.low, 1e-5)))))
        labels = [f"{value:.{digits}f}" for value in np.linspace(self.low, self.high, count)]
        labels[-1] = f"{labels[-1]} {self.unit}".rstrip()
        for at, label in enumerate(labels):
            start = round(at / (count - 1) * (self.width - len(label)))
            marks[start : start + len(label)] = label
        yield Text("".join(marks))


def has_colours(console: Console) -> bool:
    """Whether a terminal shows colours, and may."""
    return console.color_system is not None and not console.no_color


def has_blocks(console: Console) -> bool:
    """Whether its character set has half blocks."""
    return console.encoding.lower().startswith("utf")


def resampled(values: Values, factor: float) -> Values:
    """Larger by bilinear interpolation between the pixels' centres; NaN where most of what counts is."""
    rows, columns = (_weights(size, round(size * factor)) for size in values.shape)
    known = np.isfinite(values)
    if known.all():
        return (rows @ values @ columns.T).astype(np.float32)
    share = rows @ known @ columns.T
    sums = rows @ np.where(known, values, 0.0) @ columns.T
    return np.where(share >= 0.5, sums / np.maximum(share, 0.5), np.nan).astype(np.float32)


@lru_cache(maxsize=8)
def _weights(size: int, wanted: int) -> NDArray[np.float64]:
    centres = (np.arange(wanted) + 0.5) * size / wanted - 0.5
    return np.stack([np.interp(centres, np.arange(size), unit) for unit in np.eye(size)], axis=1)


@lru_cache(maxsize=STYLES)
def _style(foreground: int, background: int, grey: bool) -> Style:
    return Style(color=_hex(foreground, grey), bgcolor=_hex(background, grey))


def _hex(level: int, grey: bool) -> str:
    red, green, blue = TABLE[level].tolist()
    if grey:
        red = green = blue = round(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return f"#{red:02x}{green:02x}{blue:02x}"

"""A body in characters: front and back beside each other, two rows of pixels a line in colours, else shades of letters."""

from dataclasses import dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from thermo_core.signals import Values
from thermo_host.screen.body_shapes import BACK, FRONT, HEIGHT, NOTHING, WIDTH, pixels
from thermo_host.screen.heatmap import SHADES, UPPER_HALF, has_blocks, has_colours
from thermo_host.screen.palette import LEVELS, TABLE, levels

LOWER_HALF = "\u2584"
BETWEEN = 4
"""Columns between front and back."""
LEAST_LINES, MOST_LINES = 12, 36
UNKNOWN = "#5a5a5a"
_NO_VALUE = "?"


def columns_of(lines: int) -> int:
    """How wide a figure of so many lines is."""
    return 2 * round(WIDTH * 2 * lines / HEIGHT) + BETWEEN


@dataclass(frozen=True, slots=True)
class BodyBlocks:
    """A body from the front and from the back.

    Attributes:
        values: (17,) degC in the order of `thermo_core.body.SEGMENTS`; NaN where there is no value.
        low, high: values of the palette's ends.
        lines: of the figure, without the words under it.
        grey: shown without colour, as what is not of now.
    """

    values: Values
    low: float
    high: float
    lines: int
    grey: bool = False

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(columns_of(self.lines), columns_of(self.lines))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        gap = np.full((2 * self.lines, BETWEEN), NOTHING, np.int8)
        shown = np.concatenate([pixels(FRONT, 2 * self.lines), gap, pixels(BACK, 2 * self.lines)], axis=1)
        if has_colours(console) and has_blocks(console):
            for upper, lower in zip(shown[0::2].tolist(), shown[1::2].tolist(), strict=True):
                for above, below in zip(upper, lower, strict=True):
                    yield self._pair(above, below)
                yield Segment.line()
        else:
            for row in shown[0::2].tolist():
                yield Segment("".join(self._letter(segment) for segment in row))
                yield Segment.line()
        width = (shown.shape[1] - BETWEEN) // 2
        yield Segment(f"{FRONT:^{width}}{'':{BETWEEN}}{BACK:^{width}}")
        yield Segment.line()
        sides = ("R".ljust(width - 1) + "L", "L".ljust(width - 1) + "R")
        yield Segment(f"{sides[0]}{'':{BETWEEN}}{sides[1]}")
        yield Segment.line()

    def _pair(self, above: int, below: int) -> Segment:
        if above == below == NOTHING:
            return Segment(" ")
        if above == NOTHING:
            return Segment(LOWER_HALF, Style(color=self._colour(below)))
        if below == NOTHING:
            return Segment(UPPER_HALF, Style(color=self._colour(above)))
        return Segment(UPPER_HALF, Style(color=self._colour(above), bgcolor=self._colour(below)))

    def _colour(self, segment: int) -> str:
        return colour_of(float(self.values[segment]), self.low, self.high, self.grey)

    def _letter(self, segment: int) -> str:
        if segment == NOTHING:
            return " "
        value = self.values[segment]
        if not np.isfinite(value):
            return _NO_VALUE
        level = int(levels(value, self.low, self.high))
        # The coldest shade is a blank, which would be no body.
        return SHADES[1 + level * (len(SHADES) - 1) // LEVELS]


def colour_of(value: float, low: float, high: float, grey: bool = False) -> str:
    """Colour of a temperature as "#rrggbb"; what has no value is grey."""
    if not np.isfinite(value):
        return UNKNOWN
    red, green, blue = TABLE[int(levels(np.array(value, np.float32), low, high))].tolist()
    if grey:
        red = green = blue = round(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return f"#{red:02x}{green:02x}{blue:02x}"

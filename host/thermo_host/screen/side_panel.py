"""Sections under one another in a frame, as many as fit."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

WIDTH = 44


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the panel.

    Attributes:
        content: what is shown.
        rank: of two that do not fit, the one with the higher goes.
    """

    content: RenderableType
    rank: int


class SidePanel:
    """As many sections as fit under one another; what does not fit goes whole, the least important first.

    Args:
        sections: in their order from the top.
        height: lines it may have, border included.
        width: columns, border included.
    """

    def __init__(self, sections: Sequence[Section], height: int, width: int = WIDTH) -> None:
        self._sections = sections
        self._height = height
        self._width = width

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        # Else a grid takes it for as wide as can be, and cuts the map beside it.
        return Measurement(self._width, self._width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.framed(console, options)

    def framed(self, console: Console, options: ConsoleOptions, height: int | None = None) -> Panel:
        """The panel, as high as its content or as is said."""
        inner = options.update(width=self._width - 4, height=None)
        lines = [len(console.render_lines(section.content, inner, pad=False)) for section in self._sections]
        kept = list(range(len(self._sections)))
        while len(kept) > 1 and sum(lines[at] for at in kept) > self._height - 2:
            kept.remove(max(kept, key=lambda at: self._sections[at].rank))
        spare = self._height - 2 - sum(lines[at] for at in kept)
        parts: list[RenderableType] = []
        for number, at in enumerate(kept):
            if number and spare > 0:
                parts.append(Text())
                spare -= 1
            parts.append(self._sections[at].content)
        return Panel(Group(*parts), width=self._width, height=height, border_style="dim")


class Abreast:
    """Panels beside one another, all as high as the highest."""

    def __init__(self, *panels: SidePanel) -> None:
        self._panels = panels

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        free = options.update(height=None)
        heights = [len(console.render_lines(panel.framed(console, free), free)) for panel in self._panels]
        grid = Table.grid(padding=(0, 1))
        grid.add_row(*(panel.framed(console, free, max(heights)) for panel in self._panels))
        yield grid

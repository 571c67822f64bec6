"""The terminal, as every command writes to it: text is shown and never obeyed, by Rich or by the terminal."""

import errno
import os
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from thermo_core.text import clean


class PlainConsole(Console):
    """A Rich console without markup and emoji codes in strings, which lets no control character of a text through."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of anything that can be shown; those that are not Rich's own control codes are printable."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                lines = segment.text.split("\n")
                yield Segment("\n".join(line if line.isprintable() else clean(line) for line in lines), segment.style)

    def on_broken_pipe(self) -> None:
        """Whoever reads our output has left, which the command line treats the same for words and for JSON."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

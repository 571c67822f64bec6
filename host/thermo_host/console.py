"""The terminal, as every command writes to it: text is shown and never obeyed, by Rich or by the terminal."""

import errno
import os
from collections.abc import Iterable
from functools import partial

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from thermo_core.text import clean

SUBSTITUTES = {
    **dict(zip("\u2581\u2582\u2583\u2584\u2585\u2586\u2587", "__--==#", strict=True)),
    "\u2665": "*",
    "\u2588": "#",
    "\u2591": "-",
    "\u2580": "#",
    "\u258c": "|",
    "\u25cf": "*",
    "\u2026": "~",
    "\u00b1": "+",
    "\u00b0": "'",
}
"""What an old character set gets in place of what it lacks."""


class PlainConsole(Console):
    """A Rich console without markup and emoji codes in strings, which lets no control character of a text through."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of anything that can be shown; those that are not Rich's own control codes are printable."""
        encoding = self.encoding
        whole = encoding.startswith("utf")
        for segment in super().render(renderable, options):
            text = segment.text
            if not segment.control and not text.isprintable():
                text = "\n".join(line if line.isprintable() else clean(line) for line in text.split("\n"))
            if not whole:
                text = _within(text, encoding)
            yield segment if text is segment.text else Segment(text, segment.style, segment.control)

    def on_broken_pipe(self) -> None:
        """Whoever reads our output has left, which the command line treats the same for words and for JSON."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _within(text: str, encoding: str) -> str:
    """The text in characters that an encoding has, as wide as it was."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(map(partial(_substitute, encoding), text))
    except LookupError:
        return text
    return text


def _substitute(encoding: str, character: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return SUBSTITUTES.get(character, "?")
    return character

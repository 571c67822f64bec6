"""What a command that takes long says meanwhile, on standard error: a line that changes, or on no terminal one now and then."""

import math
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

FRAMES_PER_SECOND = 4
LINE_S = 60.0
FIRST_LINE_S = 3.0


class ProgressLine:
    """One line that says how far it is. Use it in a `with` block.

    Args:
        console: of standard error.
        every_s: how often it is written where it cannot change in place; None never does.
    """

    def __init__(self, console: Console, every_s: float | None = LINE_S) -> None:
        self._console = console
        self._every_s = math.inf if every_s is None else every_s
        self._live: Live | None = None
        self._next = 0.0
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, auto_refresh=False, transient=True)
        elif every_s is not None:
            self._next = time.monotonic() + min(every_s, FIRST_LINE_S)
        else:
            self._next = math.inf

    def __enter__(self) -> "ProgressLine":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    @property
    def due(self) -> bool:
        """Whether it is time to say something."""
        return time.monotonic() >= self._next

    def show(self, text: str, style: str = "") -> None:
        """Say it."""
        if self._live is not None:
            self._next = time.monotonic() + 1 / FRAMES_PER_SECOND
            self._live.update(Text(text, style=style, overflow="ellipsis", no_wrap=True), refresh=True)
        else:
            self._next = time.monotonic() + self._every_s
            self._console.print(text)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"

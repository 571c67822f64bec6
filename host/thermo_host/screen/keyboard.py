"""Single keys of whoever watches, without Enter; the terminal is given back as it was."""

import contextlib
import os
import select
import sys
import termios
import time
import tty
from types import TracebackType
from typing import Any

QUIT = (b"q", b"Q")
MARK = b"mM"


class Keyboard:
    """Use it in a `with` block. Where standard input is no terminal of ours, no key ever comes.

    Args:
        wanted: whether keys are wanted at all.

    Attributes:
        quit: whether somebody has pressed q.
        marks: how often somebody has pressed m and it was not taken yet.
    """

    def __init__(self, wanted: bool = True) -> None:
        self.quit = False
        self.marks = 0
        self._wanted = wanted
        self._descriptor = -1
        self._before: list[Any] = []

    def __enter__(self) -> "Keyboard":
        # In the background a terminal stops whoever reads from it or changes it.
        with contextlib.suppress(OSError, ValueError, termios.error, AttributeError):
            descriptor = sys.stdin.fileno()
            if self._wanted and os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp():
                self._before = termios.tcgetattr(descriptor)
                tty.setcbreak(descriptor, termios.TCSANOW)
                self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
            self._descriptor = -1

    @property
    def listens(self) -> bool:
        """Whether a key can come."""
        return self._descriptor >= 0

    def take_marks(self) -> int:
        """How often m was pressed since this was asked last."""
        taken, self.marks = self.marks, 0
        return taken

    def sleep(self, seconds: float) -> None:
        """Wait so long, or until q is pressed."""
        until = time.monotonic() + seconds
        while not self.poll(until - time.monotonic()) and time.monotonic() < until:
            pass

    def poll(self, seconds: float = 0.0) -> bool:
        """Look for keys, for at most so long; whether q has been pressed."""
        if self._descriptor < 0:
            time.sleep(max(0.0, seconds))
            return self.quit
        if select.select([self._descriptor], [], [], max(0.0, seconds))[0]:
            try:
                pressed = os.read(self._descriptor, 64)
            except OSError:
                pressed = b""
            if not pressed:  # the terminal is gone
                self._descriptor = -1
            self.quit = self.quit or any(key in pressed for key in QUIT)
            self.marks += sum(key in MARK for key in pressed)
        return self.quit

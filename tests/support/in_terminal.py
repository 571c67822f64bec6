"""Runs a command in a pseudo-terminal of its own, as somebody at a keyboard does."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from patience import WAIT_S


@dataclass
class Terminal:
    """A command in a terminal.

    Attributes:
        process: the command.
        shown: every byte it has written so far.
    """

    process: "subprocess.Popen[bytes]"
    master: int
    shown: bytearray = field(default_factory=bytearray)

    def read(self, until: Callable[[bytes], bool], within_s: float = WAIT_S) -> bytes:
        """Read until what was shown satisfies `until`, or the command has ended."""
        end = time.monotonic() + within_s
        while not until(bytes(self.shown)) and time.monotonic() < end:
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:  # nobody holds the other side any more
                break
            if not data:
                break
            self.shown += data
        return bytes(self.shown)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.master, keys)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self.master)
        self.master = -1

    def end(self, within_s: float = WAIT_S) -> int:
        """Read to the end; the exit code."""
        if self.master >= 0:
            self.read(lambda shown: self.process.poll() is not None and self._drained(), within_s)
        return self.process.wait(within_s)

    def _drained(self) -> bool:
        return not select.select([self.master], [], [], 0.1)[0]

    def attributes(self) -> list[object]:
        """Settings of the terminal."""
        return termios.tcgetattr(self.master)


def run_in_terminal(
    command: Sequence[str], width: int = 100, height: int = 40, environment: Mapping[str, str] | None = None
) -> Terminal:
    """Start a command as leader of a new session with a controlling terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    usual = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONIOENCODING": "utf-8"}
    inherited = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")}

    def lead() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # Whoever runs the tests under nohup leaves it ignored, and so a closed window.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=inherited | usual | dict(environment or {}),
        preexec_fn=lead,
    )
    os.close(slave)
    return Terminal(process, master)


def ended(terminal: Terminal) -> None:
    """Make sure that it is gone."""
    with contextlib.suppress(ProcessLookupError):
        terminal.process.kill()
    terminal.process.wait()
    if terminal.master >= 0:
        os.close(terminal.master)

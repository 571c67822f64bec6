"""The calibration in a terminal: a progress bar a set-point, questions in between, and lines that stay."""

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class ConsoleListener:
    """Shows stages on `console`; use it in a `with` block, so that the cursor comes back.

    Args:
        console: where, standard error say.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description:<22}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            TimeRemainingColumn(),
            console=console,
        )
        self._stage: str | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> "ConsoleListener":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, text: str) -> None:
        """A bar appears with the first progress."""
        self._stage, self._task = text, None

    def progress(self, done: int, total: int, unit: str = "readings") -> None:
        """Move the bar of this stage."""
        if self._task is None:
            self._task = self._bar.add_task(self._stage or "", total=total, unit=unit)
        self._bar.update(self._task, completed=done, total=total)

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(text)

    def ask(self, prompt: str) -> str:
        """Ask for a line. Raises EOFError where standard input has ended."""
        self._bar.stop()
        self._console.print(prompt, end="", soft_wrap=True)
        line = sys.stdin.readline()
        if not line:
            self._console.print()
            raise EOFError
        self._bar.start()
        return line.rstrip("\n")

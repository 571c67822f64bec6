"""Putting the live view on whatever standard output is: a terminal, or a pipe that gets a line each second."""

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.text import Text

from thermo_core.errors import UsageError
from thermo_core.graph.engine import Outcome
from thermo_host.commands.common import Output
from thermo_host.link.items import Item
from thermo_host.moments import utc
from thermo_host.screen.keyboard import Keyboard
from thermo_host.screen.view import View
from thermo_host.sinks.describe import counted
from thermo_host.sinks.monitor import Monitor

FRAMES_PER_SECOND = 6
LINE_S = 1.0

Span = tuple[float, float]


class Screen:
    """Shows a monitor until the `with` block ends; the last picture stays.

    Args:
        monitor: what to show.
        output: where; with JSON nothing is shown.
        span: ends of the scale, degC; None follows the pictures.
        now: UTC in nanoseconds, by which what is shown grows old, and since when what came last has waited; None where it does
            not grow old, as in a recording.
        hint: which keys do what.
        wanted: names of signals to show in place of the sensors'.
        warning: what is not as it should be beside the wearable, in words; "" where all is.

    Attributes:
        keyboard: tells whether somebody pressed q, while a view is on the screen.
    """

    def __init__(
        self,
        monitor: Monitor,
        output: Output,
        span: Span | None,
        now: Callable[[], tuple[int, int | None]] | None = None,
        hint: str = "q ends it",
        wanted: Sequence[str] = (),
        warning: Callable[[], str] = lambda: "",
    ) -> None:
        hello = monitor.session.hello
        self._monitor = monitor
        self._now = now
        self._console = output.words
        self._silent = output.as_json
        self._warning = warning
        self._live: Live | None = None
        self._next = 0.0
        # A dumb terminal cannot move its cursor up, so it gets lines as a pipe does.
        if not self._silent and self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self.keyboard = Keyboard(self._live is not None)
        hint = hint if self._live is not None and sys.stdin is not None and sys.stdin.isatty() else ""
        self._view = View(monitor, f"{hello.profile}, {hello.name} {hello.serial}", span, hint, wanted)

    def __enter__(self) -> "Screen":
        self.keyboard.__enter__()
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._live is not None:
                try:
                    self._draw(self._live)
                finally:
                    self._live.stop()
            elif not self._silent:
                self._console.print(self._view.line())
        finally:
            self.keyboard.__exit__(kind, value, traceback)

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`; the monitor has it already."""

    def idle(self) -> None:
        """As `Sink`."""
        self.update()

    def update(self) -> None:
        """Show what is new, if it is time to."""
        now = time.monotonic()
        if self._silent or now < self._next or (self._live is None and not self._view.begun):
            return
        if self._live is not None:
            self._next = now + 1 / FRAMES_PER_SECOND
            self._draw(self._live)
        else:
            self._next = now + LINE_S
            self._tick()
            self._console.print(" | ".join(filter(None, (self._warning(), self._view.line()))))

    def _tick(self) -> None:
        if self._now is not None:
            self._monitor.tick(*self._now())

    def _draw(self, live: Live) -> None:
        self._tick()
        width, height, warning = self._console.width, self._console.height, self._warning()
        shown = self._view.render(width, height - bool(warning))
        if warning:
            shown = Group(Text(warning, style="bold red", overflow="ellipsis", no_wrap=True), shown)
        live.update(shown, refresh=True)


def parse_span(text: str | None) -> Span | None:
    """Ends of a scale from "LOW,HIGH".

    Raises:
        UsageError: it is not two temperatures in order.
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise UsageError(f"--range {text!r} is not two temperatures in order; write for example --range 30,38.")
    return low, high


def summary_words(monitor: Monitor) -> str:
    """What a stream or a recording came to, in a few lines."""
    numbers = monitor.statistics()
    latency = ""
    if numbers.latency_s is not None and numbers.latency_p99_s is not None:
        latency = f", latency {numbers.latency_s * 1000:.0f} ms (99 % within {numbers.latency_p99_s * 1000:.0f} ms)"
    each = [
        f"{name} {counted(count, 'sample')} ({numbers.moments_per_second[name]:.1f}/s at the end)"
        for name, count in numbers.moments.items()
    ]
    found = f", {counted(numbers.findings, 'finding')}" if monitor.session.profile.models else ""
    lines = [f"{', '.join(each)}{found}, {counted(numbers.missing, 'block')} lost{latency}."]
    if numbers.markers:
        lines.append(f"{counted(numbers.markers, 'marker')}.")
    if numbers.gaps:
        lines.append(f"{counted(numbers.gaps, 'gap')}, {numbers.gap_s:.1f} s in all.")
    for change in monitor.changes:
        lines.append(
            f"Changed at {utc(change.utc_ns)[:19]} UTC: {', '.join(change.what)}. What came later is decoded with it."
        )
    return "\n".join(lines)


def changes(monitor: Monitor) -> list[dict[str, Any]]:
    """For JSON: what was not as at the start, and since when."""
    return [{"utc": utc(change.utc_ns), "what": list(change.what)} for change in monitor.changes]

"""The live view in a terminal: heat map in half blocks, scale, verdict, thermistors and numbers of the stream."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from thermo_core.frames import COLUMNS, ROWS, Celsius, Picture
from thermo_core.profile import NOTICE
from thermo_core.wire.records import Severity, VerdictRecord
from thermo_host.describe import CHANNEL_STATES, channel_names, label_names, utc
from thermo_host.monitor import Monitor
from thermo_host.palette import LEVELS, TABLE, levels

UPPER_HALF, LEFT_HALF, FULL, SHADE = "\u2580", "\u258c", "\u2588", "\u2591"
SIDE_WIDTH = 44
GAP = 2
MAP_LINES = 17
"""Title, map at one character a pixel, an empty line, scale and time."""
FACTORS = (2.0, 1.5)
MIN_SPAN_K = 3.0
SCORE_WIDTH = 16
_SEVERITY = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}
_STATE = {"ok": "green", "open": "red", "shorted": "red", "missing": "dim"}


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A picture in half blocks, two rows of pixels a line.

    Attributes:
        celsius: (24, 32) degC.
        low, high: degC of the palette's ends.
        factor: characters per pixel in width; lines are half as many as rows times this.
    """

    celsius: Celsius
    low: float
    high: float
    factor: float = 2.0

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = round(self.celsius.shape[1] * self.factor)
        return Measurement(width, width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        image = _resampled(self.celsius, self.factor)
        rows = levels(image, self.low, self.high).tolist()
        for upper, lower in zip(rows[0::2], rows[1::2], strict=True):
            for above, below in zip(upper, lower, strict=True):
                yield Segment(UPPER_HALF, _style(above, below))
            yield Segment.line()


class View:
    """Renders a monitor; remembers the scale so that it does not flicker.

    Args:
        monitor: what to show.
        title: who it is.
        span: fixed ends of the scale, degC; None follows the pictures.
    """

    def __init__(self, monitor: Monitor, title: str, span: tuple[float, float] | None = None) -> None:
        self._monitor = monitor
        self._title = title
        self._fixed = span is not None
        self._low, self._high = span if span is not None else (0.0, 0.0)

    def render(self, width: int, height: int) -> RenderableType:
        """The view for a terminal of so many columns and lines; what does not fit goes, the verdict last of all."""
        picture = self._monitor.picture
        left: RenderableType = Text("Waiting for the first picture ...", style="dim")
        if picture is not None:
            self._follow(picture)
            fits = (f for f in FACTORS if width >= COLUMNS * f + GAP + SIDE_WIDTH and height >= ROWS * f / 2 + 6)
            factor = next(fits, 1.0)
            columns = round(COLUMNS * factor)
            left = Group(
                Text(self._title, style="bold", justify="center", overflow="ellipsis", no_wrap=True),
                HeatMap(picture.celsius, self._low, self._high, factor),
                Text(),
                scale_bar(self._low, self._high, columns),
                Text(f"{utc(self._monitor.picture_utc_ns)[:23]} UTC", style="dim", justify="center"),
            )
        if width < COLUMNS + GAP + SIDE_WIDTH:
            brief = Text(" | ".join([*self._verdict_words(), *self._facts()]))
            return Group(left, brief) if width >= COLUMNS and height > MAP_LINES else brief
        grid = Table.grid(padding=(0, 1))
        grid.add_column(min_width=COLUMNS)
        grid.add_row(left, self._side())
        return grid

    def line(self) -> str:
        """The same in one line, for logs and pipes."""
        return " | ".join([*self._facts(), *self._verdict_words()])

    def _facts(self) -> list[str]:
        monitor, numbers = self._monitor, self._monitor.statistics()
        picture = monitor.picture
        if picture is None:
            return ["waiting for the first picture"]
        shown = picture.celsius[picture.valid]
        parts = [
            utc(monitor.picture_utc_ns)[:23] + "Z",
            f"min {shown.min():.2f} mean {shown.mean():.2f} max {shown.max():.2f} degC",
            f"{numbers.pictures_per_second:.1f} pictures/s",
            f"lost {numbers.lost_subpages}",
        ]
        if numbers.latency_s is not None:
            parts.append(f"latency {numbers.latency_s * 1000:.0f} ms")
        for number, record in sorted(monitor.thermistors.items()):
            names = channel_names(monitor.session, number, len(record.channels))
            parts += [f"{name} {_degrees(c.celsius)}" for name, c in zip(names, record.channels, strict=True)]
        return parts

    def _verdict_words(self) -> list[str]:
        verdict, session = self._monitor.verdict, self._monitor.session
        if verdict is None or self._monitor.picture is None:
            return []
        label, score = _winner(verdict, label_names(session, len(verdict.scores)))
        return [f"{label} {score:.0%}{' ALERT' if verdict.alert else ''} ({NOTICE})"]

    def _follow(self, picture: Picture) -> None:
        if self._fixed:
            return
        low, high = np.percentile(picture.celsius, (0.5, 99.5))
        missing = max(0.0, MIN_SPAN_K - (high - low)) / 2
        low, high = float(low) - missing, float(high) + missing
        first = self._low == self._high
        keep = 0.0 if first else 0.9
        self._low = keep * self._low + (1 - keep) * low
        self._high = keep * self._high + (1 - keep) * high

    def _side(self) -> RenderableType:
        sections: list[RenderableType] = []
        if self._monitor.picture is not None:
            sections += [self._temperatures(self._monitor.picture), Text()]
        sections += [self._verdict(), Text()]
        if self._monitor.thermistors:
            sections += [self._thermistors(), Text()]
        sections.append(self._numbers())
        for event in self._monitor.events.values():
            sections.append(Text(event.text, style=_SEVERITY[event.severity], overflow="fold"))
        return Panel(Group(*sections), width=SIDE_WIDTH, border_style="dim")

    def _temperatures(self, picture: Picture) -> RenderableType:
        shown = picture.celsius[picture.valid]
        table = Table.grid(padding=(0, 2), expand=True)
        for _ in range(3):
            table.add_column(justify="center")
        table.add_row(*(Text(name, style="dim") for name in ("min", "mean", "max")))
        table.add_row(*(Text(f"{value:.2f} °C", style="bold") for value in (shown.min(), shown.mean(), shown.max())))
        correction = "calibrated" if self._monitor.corrected else "not calibrated"
        die = Text(f"die {picture.ta:.1f} °C, {picture.vdd:.2f} V, {correction}", style="dim", justify="center")
        return Group(table, die)

    def _verdict(self) -> RenderableType:
        verdict, session = self._monitor.verdict, self._monitor.session
        if verdict is None:
            return Text("no verdict: no model runs" if not session.hello.model else "no verdict yet", style="dim")
        names = label_names(session, len(verdict.scores))
        table = Table.grid(padding=(0, 1))
        for at, (name, score) in enumerate(zip(names, verdict.scores, strict=True)):
            wins = at == verdict.label
            filled = round(score * SCORE_WIDTH)
            bar = Text(FULL * filled, style="bright_magenta" if wins else "grey50")
            bar.append(SHADE * (SCORE_WIDTH - filled), style="grey30")
            table.add_row(Text(name, style="bold" if wins else "dim"), bar, f"{score:6.1%}")
        notes = [f"model {session.hello.model}"]
        notes += ["simulated"] * verdict.simulated + ["uncalibrated"] * verdict.uncalibrated
        notes += ["fast kernels"] * verdict.fast_kernels
        lines: list[RenderableType] = [table]
        if verdict.alert:
            lines.append(Text.assemble((" ALERT ", "bold white on red")))
        lines.append(Text(", ".join(notes) + f", {verdict.inference_us / 1000:.1f} ms", style="dim"))
        lines.append(Text(NOTICE, style="bold yellow"))
        return Group(*lines)

    def _thermistors(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        for number, record in sorted(self._monitor.thermistors.items()):
            names = channel_names(self._monitor.session, number, len(record.channels))
            for name, channel in zip(names, record.channels, strict=True):
                state = CHANNEL_STATES[channel.state]
                table.add_row(name, f"{_degrees(channel.celsius)} °C", Text(state, style=_STATE[state]))
        return table

    def _numbers(self) -> RenderableType:
        numbers = self._monitor.statistics()
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim")
        table.add_column()
        table.add_row("pictures", f"{numbers.pictures}, {numbers.pictures_per_second:.1f}/s")
        lost = numbers.lost_subpages + numbers.invalid_subpages
        table.add_row("lost subpages", Text(str(lost), style="yellow" if lost else "green"))
        if numbers.gaps:
            table.add_row("gaps", Text(f"{numbers.gaps}, {numbers.gap_s:.1f} s in all", style="yellow"))
        if numbers.latency_s is not None and numbers.latency_p99_s is not None:
            text = f"{numbers.latency_s * 1000:.0f} ms, 99 % within {numbers.latency_p99_s * 1000:.0f} ms"
            table.add_row("latency", text)
        if numbers.bytes_per_second is not None:
            table.add_row("line", f"{numbers.bytes_per_second / 1000:.2f} kB/s")
        return table


def scale_bar(low: float, high: float, width: int) -> RenderableType:
    """The palette as a bar with temperatures under it."""
    steps = np.linspace(0, LEVELS - 1, 2 * width).round().astype(np.intp).tolist()
    bar = Text()
    for left, right in zip(steps[0::2], steps[1::2], strict=True):
        bar.append(LEFT_HALF, _style(left, right))
    marks = [" "] * width
    count = 5 if width >= 48 else 3
    labels = [f"{value:.1f}" for value in np.linspace(low, high, count)]
    labels[-1] += " °C"
    for at, label in enumerate(labels):
        start = round(at / (count - 1) * (width - len(label)))
        marks[start : start + len(label)] = label
    return Group(bar, Text("".join(marks)))


def _winner(verdict: VerdictRecord, names: list[str]) -> tuple[str, float]:
    if verdict.label >= len(names):
        return "no label", 0.0
    return names[verdict.label], verdict.scores[verdict.label]


def _degrees(celsius: float | None) -> str:
    return "-" if celsius is None else f"{celsius:.2f}"


def _resampled(celsius: Celsius, factor: float) -> Celsius:
    """Larger by bilinear interpolation between the pixels' centres."""
    rows, columns = (_weights(size, round(size * factor)) for size in celsius.shape)
    return (rows @ celsius @ columns.T).astype(np.float32)


@lru_cache(maxsize=8)
def _weights(size: int, wanted: int) -> NDArray[np.float64]:
    centres = (np.arange(wanted) + 0.5) * size / wanted - 0.5
    return np.stack([np.interp(centres, np.arange(size), unit) for unit in np.eye(size)], axis=1)


@lru_cache(maxsize=LEVELS * LEVELS)
def _style(foreground: int, background: int) -> Style:
    return Style(color=_hex(foreground), bgcolor=_hex(background))


def _hex(level: int) -> str:
    red, green, blue = TABLE[level].tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"

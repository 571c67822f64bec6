"""The live view in a terminal: heat map, scale, and the panel beside it; and the same in one line, for logs and pipes."""

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from thermo_core.profile import NOTICE

from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS, Picture
from thermo_host.screen import panel
from thermo_host.screen.heatmap import HeatMap, ScaleBar
from thermo_host.screen.panel import SidePanel
from thermo_host.sinks.describe import channel_names, label_names, utc
from thermo_host.sinks.monitor import Monitor

GAP = 2
MAP_LINES = 17
"""Title, map at one character a pixel, an empty line, scale and time."""
FACTORS = (2.0, 1.5)
MIN_SPAN_K = 3.0


class View:
    """Renders a monitor; remembers the scale so that it does not flicker.

    Args:
        monitor: what to show.
        title: who it is.
        span: fixed ends of the scale, degC; None follows the pictures.
        hint: how to end it, "" for no word of that.
    """

    def __init__(self, monitor: Monitor, title: str, span: tuple[float, float] | None = None, hint: str = "") -> None:
        self._monitor = monitor
        self._title = title
        self._hint = hint
        self._fixed = span is not None
        self._low, self._high = span if span is not None else (0.0, 0.0)

    def render(self, width: int, height: int) -> RenderableType:
        """The view for a terminal of so many columns and lines; what does not fit goes, the verdict last of all."""
        picture = self._monitor.picture
        fits = (f for f in FACTORS if width >= COLUMNS * f + GAP + panel.WIDTH and height >= ROWS * f / 2 + 6)
        factor = next(fits, 1.0)
        columns = round(COLUMNS * factor)
        left: RenderableType = Text("Waiting for the first picture ...", style="dim")
        if picture is not None:
            self._follow(picture)
            left = self._map(picture, factor, height)
        if width < COLUMNS + GAP + panel.WIDTH:
            brief = Text(" | ".join([*self._verdict_words(), *self._facts()]))
            return Group(left, brief) if width >= COLUMNS and height > MAP_LINES else brief
        # A line is left for the cursor, which else would scroll the first one away.
        side = SidePanel(panel.sections(self._monitor), height - 1)
        if height <= MAP_LINES:
            return side
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=columns)
        grid.add_row(left, side)
        return grid

    def line(self) -> str:
        """The same in one line, for logs and pipes."""
        return " | ".join([*self._facts(), *self._verdict_words()])

    def _map(self, picture: Picture, factor: float, height: int) -> RenderableType:
        monitor = self._monitor
        columns = round(COLUMNS * factor)
        age_s = monitor.picture_age_s
        shown = f"{utc(monitor.picture_utc_ns)[:23]} UTC"
        lines: list[RenderableType] = [
            Text(self._title, style="bold", justify="center", overflow="ellipsis", no_wrap=True),
            HeatMap(picture.celsius, self._low, self._high, factor, grey=age_s is not None),
            Text(),
            ScaleBar(self._low, self._high, columns, grey=age_s is not None),
            Text(shown, style="dim", justify="center")
            if age_s is None
            else Text(f"{panel.old(age_s)}, {shown[11:19]}", style="bold red", justify="center"),
        ]
        if self._hint and height > ROWS * factor / 2 + 7:
            lines.append(Text(self._hint, style="dim", justify="center"))
        return Group(*lines)

    def _facts(self) -> list[str]:
        monitor, numbers = self._monitor, self._monitor.statistics()
        parts = []
        if (silent_s := monitor.silent_s) is not None:
            parts.append(panel.silence(monitor, silent_s))
        picture = monitor.picture
        if picture is None:
            return [*parts, "waiting for the first picture"]
        shown = picture.celsius[picture.valid]
        parts.append(utc(monitor.picture_utc_ns)[:23] + "Z")
        if (age_s := monitor.picture_age_s) is not None:
            parts.append(f"last picture {panel.old(age_s)}")
        parts.append(
            f"min {shown.min():.2f} mean {shown.mean():.2f} max {shown.max():.2f} degC"
            if shown.size
            else "no valid pixel"
        )
        parts += ["simulated"] * (monitor.verdict is None and monitor.session.hello.simulated)
        parts += ["uncalibrated"] * (not monitor.corrected)
        parts += [f"{numbers.pictures_per_second:.1f} pictures/s", f"lost {numbers.missing}"]
        if numbers.gaps:
            parts.append(f"gaps {numbers.gaps}, {numbers.gap_s:.1f} s")
        if numbers.latency_s is not None:
            parts.append(f"latency {numbers.latency_s * 1000:.0f} ms")
        for number, record in sorted(monitor.thermistors.items()):
            if monitor.thermistors_age_s(number) is None:
                names = channel_names(monitor.session, number, len(record.channels))
                parts += [
                    f"{name} {panel.degrees(channel.celsius)}"
                    for name, channel in zip(names, record.channels, strict=True)
                ]
        return parts

    def _verdict_words(self) -> list[str]:
        monitor = self._monitor
        verdict = monitor.verdict
        if verdict is None or monitor.picture is None:
            return []
        label, score = panel.winner(verdict, label_names(monitor.session, len(verdict.scores)))
        if (age_s := monitor.verdict_age_s) is not None:
            return [f"last verdict {panel.old(age_s)}: {label} {score:.0%} ({NOTICE})"]
        alert = " ALERT" if verdict.alert else ""
        return [f"{label} {score:.0%}{alert}, {', '.join(panel.marks(monitor, verdict))} ({NOTICE})"]

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

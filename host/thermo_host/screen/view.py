"""The live view in a terminal, laid out from the profile: heat maps and a panel beside them; and the same in one line."""

from collections.abc import Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.quality import Quality, in_words
from thermo_core.signals import Signal, Values
from thermo_core.wearable.profile import NOTICE
from thermo_host.screen import panel, words
from thermo_host.screen.heatmap import HeatMap, ScaleBar
from thermo_host.screen.layout import Channel, Layout, layout
from thermo_host.screen.side_panel import WIDTH, Section, SidePanel
from thermo_host.sinks.describe import utc
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.summary import shown_unit

GAP = 2
AROUND = 5
"""Lines around a map: title, an empty one, scale, its numbers, time."""
FACTORS = (2.0, 1.5, 1.0, 0.75, 0.5)
MIN_SPAN_K = 3.0
WIDEST = 76
"""Columns of the channels of a wearable without pictures."""
LONGEST_SPARK = 40


class View:
    """Renders a monitor; remembers the scales so that they do not flicker.

    Args:
        monitor: what to show.
        title: who it is.
        span: fixed ends of the scales, degC; None follows the pictures.
        hint: how to end it, "" for no word of that.
    """

    def __init__(self, monitor: Monitor, title: str, span: tuple[float, float] | None = None, hint: str = "") -> None:
        self._monitor = monitor
        self._title = title
        self._hint = hint
        self._fixed = span
        self._spans: dict[str, tuple[float, float]] = {}

    def render(self, width: int, height: int) -> RenderableType:
        """The view for a terminal of so many columns and lines; what does not fit goes, alerts and findings last of all."""
        shown = layout(self._monitor.decoding.plan)
        if shown.pictures:
            return self._with_pictures(shown, width, height)
        return self._without_pictures(shown, width, height)

    def line(self) -> str:
        """The same in one line, for logs and pipes."""
        return " | ".join([*self._facts(), *self._finding_words()])

    @property
    def begun(self) -> bool:
        """Whether there is anything to show yet."""
        return bool(self._monitor.signals or self._monitor.findings)

    def _with_pictures(self, shown: Layout, width: int, height: int) -> RenderableType:
        # A line is left for the cursor, which else would scroll the first one away.
        beside = _fit(shown.pictures, width - GAP - WIDTH, height - 1)
        side = SidePanel(panel.sections(self._monitor, shown), height - 1)
        if beside is not None:
            grid = Table.grid(padding=(0, 1))
            grid.add_row(self._maps(shown.pictures, *beside, height), side)
            return grid
        if width >= shown.pictures[0].shape[1] + GAP + WIDTH:
            return side
        brief = Text(" | ".join([*self._finding_words(), *self._facts()]))
        alone = _fit(shown.pictures[:1], width, height - 1)
        return brief if alone is None else Group(self._maps(shown.pictures[:1], *alone, height), brief)

    def _without_pictures(self, shown: Layout, width: int, height: int) -> RenderableType:
        if width < WIDTH:
            return Text(" | ".join([*self._finding_words(), *self._facts()]))
        left = min(WIDEST, width - WIDTH - 1)
        if left < WIDTH or not shown.channels:
            return SidePanel(panel.sections(self._monitor, shown), height - 1)
        spark = min(LONGEST_SPARK, max(8, left - 36))
        title = Text(self._title, style="bold", overflow="ellipsis", no_wrap=True)
        rows = [Section(title, 0)]
        room = height - 5
        by_sensor: dict[str, list[Channel]] = {}
        for channel in shown.channels:
            by_sensor.setdefault(channel.signal.name.partition(".")[0], []).append(channel)
        for number, channels in enumerate(by_sensor.values()):
            rows.append(Section(panel.channel_table(self._monitor, channels[:room], spark), 1 + number))
        if self._hint:
            rows.append(Section(Text(self._hint, style="dim"), 100))
        grid = Table.grid(padding=(0, 1))
        side = SidePanel(panel.sections(self._monitor, shown, with_channels=False), height - 1)
        grid.add_row(SidePanel(rows, height - 1, left), side)
        return grid

    def _maps(self, pictures: Sequence[Signal], factor: float, across: int, height: int) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        for first in range(0, len(pictures), across):
            grid.add_row(
                *(self._map(picture, factor, len(pictures) > 1) for picture in pictures[first : first + across])
            )
        lines: list[RenderableType] = [grid]
        rows = -(-len(pictures) // across)
        taken = rows * (round(pictures[0].shape[0] * factor / 2) + AROUND)
        if self._hint and height > taken + 2:
            lines.append(Text(self._hint, style="dim", justify="center"))
        return Group(*lines)

    def _map(self, picture: Signal, factor: float, several: bool) -> RenderableType:
        monitor = self._monitor
        columns = round(picture.shape[1] * factor)
        newest = monitor.signals.get(picture.name)
        name = f"{picture.name}: {self._title}" if several else self._title
        title = Text(name, style="bold", justify="center", overflow="ellipsis", no_wrap=True)
        if newest is None:
            waiting = Text("Waiting for the first picture ...".ljust(columns)[:columns], style="dim")
            return Group(title, waiting)
        low, high = self._span(picture.name, newest.sample.values)
        age_s = monitor.signal_age_s(picture.name)
        taken = f"{utc(newest.utc_ns)[:23]} UTC"
        return Group(
            title,
            HeatMap(newest.sample.values, low, high, factor, grey=age_s is not None),
            Text(),
            ScaleBar(low, high, columns, grey=age_s is not None),
            Text(taken, style="dim", justify="center")
            if age_s is None
            else Text(f"{words.old(age_s)}, {taken[11:19]}", style="bold red", justify="center"),
        )

    def _facts(self) -> list[str]:
        monitor, numbers = self._monitor, self._monitor.statistics()
        parts = []
        if (silent_s := monitor.silent_s) is not None:
            parts.append(words.silence(monitor, silent_s))
        parts += words.faults(monitor)
        if not monitor.signals:
            return [*parts, "waiting for the first block"]
        plan = monitor.decoding.plan
        shown = layout(plan)
        parts.append(utc(max(newest.utc_ns for newest in monitor.signals.values()))[:23] + "Z")
        flags = 0
        for picture in shown.pictures:
            if picture.name in monitor.signals:
                parts.append(self._picture_words(picture, several=len(shown.pictures) > 1))
                flags |= monitor.signals[picture.name].sample.flags
        for channel in (*shown.hearts, *shown.channels):
            newest = monitor.signals.get(channel.signal.name)
            if newest is not None and monitor.signal_age_s(channel.signal.name) is None:
                value = float(newest.sample.values.reshape(-1)[channel.element])
                parts.append(f"{channel.name} {words.figure(value, channel.signal.unit)}")
                flags |= newest.sample.flags
        known = flags & ~int(Quality.SIMULATED) if monitor.findings else flags
        parts += in_words(known)
        rates = ", ".join(f"{name} {rate:.1f}/s" for name, rate in numbers.moments_per_second.items())
        parts += [rates, f"lost {numbers.missing}"]
        if numbers.gaps:
            parts.append(f"gaps {numbers.gaps}, {numbers.gap_s:.1f} s")
        if numbers.latency_s is not None:
            parts.append(f"latency {numbers.latency_s * 1000:.0f} ms")
        return parts

    def _picture_words(self, picture: Signal, several: bool) -> str:
        values = self._monitor.signals[picture.name].sample.values
        known = values[np.isfinite(values)]
        name = f"{picture.name} " if several else ""
        age_s = self._monitor.signal_age_s(picture.name)
        aged = f"last picture {words.old(age_s)}, " if age_s is not None else ""
        if not known.size:
            return f"{name}{aged}no valid pixel"
        return f"{name}{aged}min {known.min():.2f} mean {known.mean():.2f} max {known.max():.2f} {shown_unit(picture.unit)}"

    def _finding_words(self) -> list[str]:
        monitor = self._monitor
        parts = []
        for number, newest in sorted(monitor.findings.items()):
            told = words.finding_words(monitor, number, newest)
            if (age_s := monitor.finding_age_s(number)) is not None:
                parts.append(f"last finding {words.old(age_s)}: {told}")
            else:
                parts.append(f"{told}, {', '.join(words.marks(monitor, newest.record))}")
        if monitor.silent_s is None:
            parts += [f"ALERT {alert.text or alert.name}" for alert in words.raised(monitor)]
        if parts:
            parts[-1] += f" ({NOTICE})"
        return parts

    def _span(self, name: str, values: Values) -> tuple[float, float]:
        if self._fixed is not None:
            return self._fixed
        known = values[np.isfinite(values)]
        if not known.size:
            return self._spans.get(name, (0.0, MIN_SPAN_K))
        low, high = (float(value) for value in np.percentile(known, (0.5, 99.5)))
        missing = max(0.0, MIN_SPAN_K - (high - low)) / 2
        low, high = low - missing, high + missing
        if name in self._spans:
            before = self._spans[name]
            low, high = 0.9 * before[0] + 0.1 * low, 0.9 * before[1] + 0.1 * high
        self._spans[name] = low, high
        return low, high


def _fit(pictures: Sequence[Signal], width: int, height: int) -> tuple[float, int] | None:
    """Greatest factor at which pictures fit, and how many stand beside one another; None where they do not."""
    tallest, widest = max(one.shape[0] for one in pictures), max(one.shape[1] for one in pictures)
    for factor in FACTORS if len(pictures) > 1 else FACTORS[:3]:
        for across in range(1, len(pictures) + 1):
            down = -(-len(pictures) // across)
            lines = down * (round(tallest * factor / 2) + AROUND)
            if across * (round(widest * factor) + 1) - 1 <= width and lines <= height:
                return factor, across
    return None

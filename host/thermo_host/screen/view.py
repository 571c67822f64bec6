"""The live view in a terminal, laid out from the profile: heat maps and a panel beside them; and the same in one line."""

from collections.abc import Sequence

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.quality import Quality, in_words
from thermo_core.signals import Signal, Values
from thermo_core.wearable.profile import NOTICE
from thermo_host.moments import utc
from thermo_host.screen import panel, words
from thermo_host.screen.body_blocks import LEAST_LINES, MOST_LINES, BodyBlocks, columns_of
from thermo_host.screen.heatmap import HeatMap, ScaleBar
from thermo_host.screen.layout import Channel, Layout, layout, picture, picture_shape
from thermo_host.screen.side_panel import WIDTH, Abreast, Section, SidePanel
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.summary import shown_unit

GAP = 2
AROUND = 5
"""Lines around a map: title, an empty one, scale, its numbers, time."""
AROUND_BODY = 6
"""Lines around a body: title, two of words under it, scale, its numbers, time."""
FACTORS = (3.0, 2.5, 2.0, 1.5, 1.0, 0.75, 0.5)
LARGE = 32
"""Rows and columns of a picture that bears to be shown smaller than it is."""
MIN_SPAN_K = 3.0
WIDEST = 76
"""Columns of the channels of a wearable without pictures."""
VALUE_WIDTH = 10
"""Columns of the values of a wearable without pictures."""


class View:
    """Renders a monitor; remembers the scales so that they do not flicker.

    Args:
        monitor: what to show.
        title: who it is.
        span: fixed ends of the scales, degC; None follows the pictures.
        hint: how to end it, "" for no word of that.
        wanted: names of signals to show in place of the sensors'.
    """

    def __init__(
        self,
        monitor: Monitor,
        title: str,
        span: tuple[float, float] | None = None,
        hint: str = "",
        wanted: Sequence[str] = (),
    ) -> None:
        self._monitor = monitor
        self._title = title
        self._hint = hint
        self._fixed = span
        self._wanted = wanted
        self._spans: dict[str, tuple[float, float]] = {}

    def render(self, width: int, height: int) -> RenderableType:
        """The view for a terminal of so many columns and lines; what does not fit goes, alerts and findings last of all."""
        shown = self._layout()
        if shown.pictures:
            return self._with_pictures(shown, width, height)
        lines = _lines_of_body(width, height) if shown.bodies else 0
        if lines:
            side = self._side(shown, width - columns_of(lines) - GAP, height)
            grid = Table.grid(padding=(0, 1))
            grid.add_row(Group(*self._body(shown.bodies[0], lines)), side)
            return grid
        return self._without_pictures(shown, width, height)

    def line(self) -> str:
        """The same in one line, for logs and pipes."""
        return " | ".join([*self._facts(), *self._finding_words()])

    @property
    def begun(self) -> bool:
        """Whether there is anything to show yet."""
        return bool(self._monitor.signals or self._monitor.findings)

    def _layout(self) -> Layout:
        return layout(self._monitor.decoding.plan, self._wanted)

    def _with_pictures(self, shown: Layout, width: int, height: int) -> RenderableType:
        # A line is left for the cursor, which else would scroll the first one away.
        beside = _fit(shown.pictures, width - GAP - WIDTH, height - 1)
        if beside is not None:
            factor, across = beside
            taken = across * (round(max(picture_shape(one.shape)[1] for one in shown.pictures) * factor) + 1) - 1
            grid = Table.grid(padding=(0, 1))
            grid.add_row(
                self._maps(shown.pictures, factor, across, height), self._side(shown, width - taken - GAP, height)
            )
            return grid
        side = self._side(shown, WIDTH, height)
        if width >= picture_shape(shown.pictures[0].shape)[1] + GAP + WIDTH:
            return side
        # What was found matters more than the picture, and the picture more than the facts.
        found = len(_wrapped(self._finding_words(), width))
        alone = _fit(shown.pictures[:1], width, height - 1 - found)
        brief = _wrapped([*self._finding_words(), *self._facts()], width)
        if alone is None:
            return Group(*brief[: height - 1])
        taken = round(picture_shape(shown.pictures[0].shape)[0] * alone[0] / 2) + AROUND
        return Group(self._maps(shown.pictures[:1], *alone, taken), *brief[: height - 1 - taken])

    def _without_pictures(self, shown: Layout, width: int, height: int) -> RenderableType:
        if width < WIDTH:
            return Group(*_wrapped([*self._finding_words(), *self._facts()], width)[: height - 1])
        left = min(WIDEST, width - WIDTH - 1)
        if left < WIDTH or not (shown.channels or shown.rows):
            return self._alone(shown, width, height)
        spark = min(panel.LONGEST_SPARK, max(8, left - panel.BESIDE_SPARK))
        rows = [Section(self._heading(), 0)]
        room = height - 5
        by_sensor: dict[str, list[Channel]] = {}
        for channel in shown.channels:
            by_sensor.setdefault(channel.signal.name.partition(".")[0], []).append(channel)
        names = max((len(channel.name) for channel in shown.channels), default=0)
        for number, channels in enumerate(by_sensor.values()):
            table = panel.channel_table(self._monitor, channels[:room], spark, names, VALUE_WIDTH)
            rows.append(Section(table, 1 + number))
        rows += [Section(panel.curve(self._monitor, signal, left - 4), 50) for signal in shown.rows]
        if self._hint:
            rows.append(Section(Text(self._hint, style="dim"), 100))
        beside = min(WIDEST, width - left - 1)
        side = SidePanel(panel.sections(self._monitor, shown, beside, with_channels=False), height - 1, beside)
        return Abreast(SidePanel(rows, height - 1, left), side)

    def _heading(self) -> Text:
        return Text(self._title, style="bold", overflow="ellipsis", no_wrap=True)

    def _alone(self, shown: Layout, width: int, height: int) -> SidePanel:
        """All in one panel, where two have no room beside one another."""
        width = min(WIDEST, width)
        rows = [Section(self._heading(), 90), *panel.sections(self._monitor, shown, width)]
        if self._hint:
            rows.append(Section(Text(self._hint, style="dim"), 100))
        return SidePanel(rows, height - 1, width)

    def _side(self, shown: Layout, width: int, height: int) -> SidePanel:
        width = max(WIDTH, min(WIDEST, width))
        return SidePanel(panel.sections(self._monitor, shown, width), height - 1, width)

    def _maps(self, pictures: Sequence[Signal], factor: float, across: int, height: int) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        for first in range(0, len(pictures), across):
            grid.add_row(*(self._map(one, factor, len(pictures) > 1) for one in pictures[first : first + across]))
        lines: list[RenderableType] = [grid]
        rows = -(-len(pictures) // across)
        taken = rows * (round(picture_shape(pictures[0].shape)[0] * factor / 2) + AROUND)
        if self._hint and height > taken + 2:
            lines.append(Text(self._hint, style="dim", justify="center"))
        return Group(*lines)

    def _map(self, signal: Signal, factor: float, several: bool) -> RenderableType:
        monitor = self._monitor
        columns = round(picture_shape(signal.shape)[1] * factor)
        newest = monitor.signals.get(signal.name)
        name = f"{signal.name}: {self._title}" if several or self._wanted else self._title
        title = Text(name, style="bold", justify="center")
        title.truncate(columns, overflow="ellipsis")
        if newest is None:
            waiting = Text("Waiting for the first picture ...".ljust(columns)[:columns], style="dim")
            return Group(title, waiting)
        values = picture(newest.sample.values)
        low, high = self._span(signal, values)
        age_s = monitor.signal_age_s(signal.name)
        return Group(
            title,
            HeatMap(values, low, high, factor, grey=age_s is not None),
            Text(),
            ScaleBar(low, high, columns, grey=age_s is not None, unit=shown_unit(signal.unit)),
            self._taken(newest.utc_ns, age_s, columns),
        )

    def _body(self, signal: Signal, lines: int) -> list[RenderableType]:
        columns, newest = columns_of(lines), self._monitor.signals.get(signal.name)
        title = Text(self._title, style="bold", justify="center")
        title.truncate(columns, overflow="ellipsis")
        if newest is None:
            return [title, Text("Waiting for the first map of the body ...".ljust(columns)[:columns], style="dim")]
        age_s = self._monitor.signal_age_s(signal.name)
        grey = age_s is not None
        low, high = self._span(signal, newest.sample.values)
        return [
            title,
            BodyBlocks(newest.sample.values, low, high, lines, grey),
            ScaleBar(low, high, columns, grey, shown_unit(signal.unit)),
            self._taken(newest.utc_ns, age_s, columns),
        ]

    @staticmethod
    def _taken(utc_ns: int, age_s: float | None, columns: int) -> Text:
        """When something was taken, or how long ago that was where it is old."""
        moment = utc(utc_ns)[:23]
        if age_s is not None:
            return Text(f"{words.old(age_s)}, {moment[11:19]}", style="bold red", justify="center")
        return Text(f"{moment if columns >= len(moment) + 4 else moment[11:19]} UTC", style="dim", justify="center")

    def _facts(self) -> list[str]:
        monitor, numbers = self._monitor, self._monitor.statistics()
        parts = []
        if (silent_s := monitor.silent_s) is not None:
            parts.append(words.silence(monitor, silent_s))
        parts += words.faults(monitor)
        if not monitor.signals:
            return [*parts, "waiting for the first block"]
        shown = self._layout()
        parts.append(utc(max(newest.utc_ns for newest in monitor.signals.values()))[:23] + "Z")
        flags = 0
        for one in shown.pictures:
            if one.name in monitor.signals:
                parts.append(self._picture_words(one, several=len(shown.pictures) > 1 or bool(self._wanted)))
                flags |= monitor.signals[one.name].sample.flags
        for one in (*shown.rows, *shown.bodies):
            if one.name in monitor.signals:
                parts.append(self._picture_words(one, several=True))
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
        if late := words.behind(monitor):
            parts.append(f"this computer is {late}")
        return parts

    def _picture_words(self, signal: Signal, several: bool) -> str:
        values = picture(self._monitor.signals[signal.name].sample.values)
        known = values[np.isfinite(values)]
        name = f"{signal.name} " if several else ""
        age_s = self._monitor.signal_age_s(signal.name)
        aged = f"last picture {words.old(age_s)}, " if age_s is not None else ""
        if not known.size:
            return f"{name}{aged}no valid {'pixel' if values.ndim == 2 else 'number'}"
        return f"{name}{aged}min {known.min():.2f} mean {known.mean():.2f} max {known.max():.2f} {shown_unit(signal.unit)}".rstrip()

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

    def _span(self, signal: Signal, values: Values) -> tuple[float, float]:
        name, least = signal.name, MIN_SPAN_K if signal.unit == "degC" else 0.0
        if self._fixed is not None and signal.unit == "degC":
            return self._fixed
        known = values[np.isfinite(values)]
        if not known.size:
            return self._spans.get(name, (0.0, least or 1.0))
        low, high = (float(value) for value in np.percentile(known, (0.5, 99.5)))
        least = least or max(1e-3 * max(abs(low), abs(high)), 1e-6)
        missing = max(0.0, least - (high - low)) / 2
        low, high = low - missing, high + missing
        if name in self._spans:
            before = self._spans[name]
            low, high = 0.9 * before[0] + 0.1 * low, 0.9 * before[1] + 0.1 * high
        self._spans[name] = low, high
        return low, high


def _lines_of_body(width: int, height: int) -> int:
    """Most lines of a figure that fit, with a panel beside it; 0 where it would be too small."""
    for lines in range(min(MOST_LINES, height - 1 - AROUND_BODY), LEAST_LINES - 1, -1):
        if columns_of(lines) + GAP + WIDTH <= width:
            return lines
    return 0


def _wrapped(parts: Sequence[str], width: int) -> list[Text]:
    """Words in lines of at most so many columns."""
    return list(Text(" | ".join(parts)).wrap(Console(width=width), width)) if parts else []


def _fit(pictures: Sequence[Signal], width: int, height: int) -> tuple[float, int] | None:
    """Greatest factor at which pictures fit, and how many stand beside one another; None where they do not."""
    shapes = [picture_shape(one.shape) for one in pictures]
    tallest, widest = max(shape[0] for shape in shapes), max(shape[1] for shape in shapes)
    small = len(pictures) > 1 or min(widest, tallest) > LARGE
    for factor in FACTORS if small else (one for one in FACTORS if one >= 1.0):
        for across in range(1, len(pictures) + 1):
            down = -(-len(pictures) // across)
            lines = down * (round(tallest * factor / 2) + AROUND)
            if across * (round(widest * factor) + 1) - 1 <= width and lines <= height:
                return factor, across
    return None

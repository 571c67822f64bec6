"""What stands beside the picture: temperatures, verdict, thermistors, numbers of the stream, events."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from thermo_core.profile import NOTICE

from thermo_core.sensors.mlx90640.frames import Picture
from thermo_core.wire.records import Severity, VerdictRecord
from thermo_host.sinks.describe import CHANNEL_STATES, channel_names, label_names
from thermo_host.sinks.monitor import Monitor, ShownEvent

WIDTH = 44
SCORE_WIDTH = 16
FULL, SHADE = "\u2588", "\u2591"
_SEVERITY = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}
_STATE = {"ok": "green", "open": "red", "shorted": "red", "missing": "dim"}
_OLD = "dim"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the panel.

    Attributes:
        content: what is shown.
        rank: of two that do not fit, the one with the higher goes.
    """

    content: RenderableType
    rank: int


class SidePanel:
    """As many sections as fit under one another; what does not fit goes whole, the least important first.

    Args:
        sections: in their order from the top.
        height: lines it may have, border included.
    """

    def __init__(self, sections: list[Section], height: int) -> None:
        self._sections = sections
        self._height = height

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner = options.update(width=WIDTH - 4, height=None)
        lines = [len(console.render_lines(section.content, inner, pad=False)) for section in self._sections]
        kept = list(range(len(self._sections)))
        while len(kept) > 1 and sum(lines[at] for at in kept) > self._height - 2:
            kept.remove(max(kept, key=lambda at: self._sections[at].rank))
        spare = self._height - 2 - sum(lines[at] for at in kept)
        parts: list[RenderableType] = []
        for number, at in enumerate(kept):
            if number and spare > 0:
                parts.append(Text())
                spare -= 1
            parts.append(self._sections[at].content)
        yield Panel(Group(*parts), width=WIDTH, border_style="dim")


def sections(monitor: Monitor) -> list[Section]:
    """Everything that is known, from the top."""
    found: list[Section] = []
    silent_s = monitor.silent_s
    if silent_s is not None:
        found.append(Section(_silence(monitor, silent_s), 0))
    if monitor.picture is not None:
        found.append(Section(_temperatures(monitor, monitor.picture), 2))
    found.append(Section(_verdict(monitor), 1))
    if monitor.thermistors:
        found.append(Section(_thermistors(monitor), 4))
    found.append(Section(_numbers(monitor), 3))
    for number, event in enumerate(reversed(monitor.events.values())):
        found.append(Section(_event(event), 5 + number + 10 * event.before))
    return found


def old(seconds: float) -> str:
    """How long ago, for people."""
    if seconds < 60:
        return f"{seconds:.0f} s ago"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s ago"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min ago"


def silence(monitor: Monitor, silent_s: float) -> str:
    """What is wrong while nothing comes."""
    reason = monitor.lost.reason if monitor.lost is not None else "the wearable is silent"
    return f"NO DATA, the last came {old(silent_s)}: {reason}" + ("; waiting for it" if monitor.lost else "")


def winner(verdict: VerdictRecord, names: list[str]) -> tuple[str, float]:
    """Name and score of the label that a verdict names."""
    if verdict.label >= len(names):
        return "no label", 0.0
    return names[verdict.label], verdict.scores[verdict.label]


def marks(monitor: Monitor, verdict: VerdictRecord) -> list[str]:
    """What a reader of a verdict must know of how it came about."""
    known = [f"model {monitor.session.hello.model}"]
    known += ["simulated"] * verdict.simulated + ["uncalibrated"] * verdict.uncalibrated
    known += ["sensor doubtful"] * verdict.doubtful
    return known + ["fast kernels"] * verdict.fast_kernels


def degrees(celsius: float | None) -> str:
    """Two decimals, or a dash."""
    return "-" if celsius is None else f"{celsius:.2f}"


def _silence(monitor: Monitor, silent_s: float) -> RenderableType:
    return Text(silence(monitor, silent_s), style="bold white on red")


def _temperatures(monitor: Monitor, picture: Picture) -> RenderableType:
    age_s = monitor.picture_age_s
    shown = picture.celsius[picture.valid]
    table = Table.grid(padding=(0, 2), expand=True)
    for _ in range(3):
        table.add_column(justify="center")
    table.add_row(*(Text(name, style="dim") for name in ("min", "mean", "max")))
    values = (shown.min(), shown.mean(), shown.max()) if shown.size else (None, None, None)
    style = "bold" if age_s is None else _OLD
    table.add_row(*(Text(f"{degrees(value)} °C", style=style) for value in values))
    correction = "calibrated" if monitor.corrected else "not calibrated"
    words = f"die {picture.ta:.1f} °C, {picture.vdd:.2f} V, {correction}" + (
        f", {old(age_s)}" if age_s is not None else ""
    )
    return Group(table, Text(words, style="dim", justify="center"))


def _verdict(monitor: Monitor) -> RenderableType:
    verdict, session = monitor.verdict, monitor.session
    if verdict is None:
        return Text("no verdict: no model runs" if not session.hello.model else "no verdict yet", style="dim")
    age_s = monitor.verdict_age_s
    names = label_names(session, len(verdict.scores))
    table = Table.grid(padding=(0, 1))
    for at, (name, score) in enumerate(zip(names, verdict.scores, strict=True)):
        wins = at == verdict.label and age_s is None
        filled = round(score * SCORE_WIDTH)
        bar = Text(FULL * filled, style="bright_magenta" if wins else "grey50")
        bar.append(SHADE * (SCORE_WIDTH - filled), style="grey30")
        table.add_row(
            Text(name, style="bold" if wins else "dim"), bar, Text(f"{score:6.1%}", style="" if wins else _OLD)
        )
    lines: list[RenderableType] = [table]
    if age_s is not None:
        lines.append(Text(f"of {old(age_s)}" + (", with an alert then" if verdict.alert else ""), style=_OLD))
    elif verdict.alert:
        lines.append(Text.assemble((" ALERT ", "bold white on red")))
    lines.append(Text(", ".join(marks(monitor, verdict)) + f", {verdict.inference_us / 1000:.1f} ms", style="dim"))
    lines.append(Text(NOTICE, style="bold yellow"))
    return Group(*lines)


def _thermistors(monitor: Monitor) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="ellipsis", no_wrap=True, max_width=WIDTH - 26)
    table.add_column(justify="right")
    for number, record in sorted(monitor.thermistors.items()):
        age_s = monitor.thermistors_age_s(number)
        names = channel_names(monitor.session, number, len(record.channels))
        for name, channel in zip(names, record.channels, strict=True):
            state = CHANNEL_STATES[channel.state]
            shown = Text(state, style=_STATE[state]) if age_s is None else Text(old(age_s), style=_OLD)
            table.add_row(name, Text(f"{degrees(channel.celsius)} °C", style="" if age_s is None else _OLD), shown)
    return table


def _numbers(monitor: Monitor) -> RenderableType:
    numbers = monitor.statistics()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    table.add_row("pictures", f"{numbers.pictures}, {numbers.pictures_per_second:.1f}/s")
    table.add_row("lost subpages", Text(str(numbers.missing), style="yellow" if numbers.missing else "green"))
    if numbers.gaps:
        table.add_row("gaps", Text(f"{numbers.gaps}, {numbers.gap_s:.1f} s in all", style="yellow"))
    if numbers.latency_s is not None and numbers.latency_p99_s is not None:
        table.add_row("latency", f"{numbers.latency_s * 1000:.0f} ms, 99 % < {numbers.latency_p99_s * 1000:.0f} ms")
    if numbers.bytes_per_second is not None:
        table.add_row("line", f"{numbers.bytes_per_second / 1000:.2f} kB/s")
    return table


def _event(event: ShownEvent) -> RenderableType:
    if event.before:
        text = Text(f"before this session: {event.record.text}", style=_OLD, overflow="ellipsis", no_wrap=True)
    else:
        text = Text(event.record.text, style=_SEVERITY[event.record.severity], overflow="fold")
    return text

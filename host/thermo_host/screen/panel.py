"""What stands beside the pictures: findings, alerts, channels with their past, numbers of the stream, events."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.body import SEGMENTS
from thermo_core.graph.alerts import AlertState
from thermo_core.quality import Quality, in_words
from thermo_core.signals import Signal
from thermo_core.wearable.profile import NOTICE, Alert, Model
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import Severity
from thermo_host.screen.layout import Channel, Layout, picture
from thermo_host.screen.side_panel import WIDTH, Section
from thermo_host.screen.sparkline import curves, sparkline
from thermo_host.screen.words import behind, faults, figure, learned, marks, old, silence, spread_words, winner
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.newest import NewestFinding, ShownEvent

SCORE_WIDTH = 16
SPARK_WIDTH = 12
LONGEST_NAME = 20
LONGEST_SPARK = 40
BESIDE_SPARK = 38
"""Columns of a panel that a channel needs beside its past."""
FULL, SHADE = "\u2588", "\u2591"
HEART = "\u2665"
_SEVERITY = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}
_ALERT = {"info": "bold black on cyan", "warning": "bold white on red", "urgent": "bold white on red"}
_OLD = "dim"
_OF_ALL = Quality.SIMULATED | Quality.UNCALIBRATED | Quality.FAST_KERNELS | Quality.GATE_FAILED
"""Flags that are told once and not with each number."""
_OF_NO_VALUE = Quality.OPEN | Quality.SHORTED | Quality.MISSING
"""Flags that are told of the numbers that have no value, among several."""


def sections(monitor: Monitor, shown: Layout, width: int = WIDTH, with_channels: bool = True) -> list[Section]:
    """Everything that is known, from the top; what matters most has the lowest rank.

    Args:
        monitor: what is known.
        shown: what of it is shown.
        width: of the panel, columns.
        with_channels: whether channels and curves are among it.
    """
    spark = min(LONGEST_SPARK, max(SPARK_WIDTH, width - BESIDE_SPARK))
    found: list[Section] = []
    silent_s = monitor.silent_s
    if silent_s is not None:
        found.append(Section(Text(silence(monitor, silent_s), style="bold white on red"), 0))
    for number, alert in enumerate(monitor.session.profile.alerts):
        if (line := _alert(monitor, number, alert)) is not None:
            found.append(Section(line, 1))
    for fault in faults(monitor):
        found.append(Section(Text(fault, style="bold red", overflow="fold"), 2))
    for one in shown.pictures:
        if one.name in monitor.signals:
            found.append(Section(_picture_numbers(monitor, shown, one.name), 4))
    for one in shown.bodies:
        if one.name in monitor.signals:
            found.append(Section(_body_numbers(monitor, one.name), 4))
    found.append(Section(_findings(monitor, spark), 3))
    for heart in shown.hearts:
        found.append(Section(_heart(monitor, heart, spark), 3))
    if with_channels and shown.channels:
        found.append(Section(channel_table(monitor, shown.channels, spark), 6))
    if with_channels:
        found += [Section(curve(monitor, signal, width - 4), 6) for signal in shown.rows]
    if known := learned(monitor):
        found.append(Section(Text("\n".join(known), overflow="fold"), 5))
    found.append(Section(_numbers(monitor), 5))
    for at, event in enumerate(reversed(monitor.events.values())):
        found.append(Section(_event(event), 7 + at + 10 * event.before))
    return found


def channel_table(
    monitor: Monitor, channels: Sequence[Channel], spark: int, names: int = 0, values: int = 0
) -> RenderableType:
    """A line for each channel: name, value, past; where something is wrong with it that, beside or in place of its past.

    Args:
        monitor: what is known.
        channels: to show.
        spark: columns of the past.
        names: least columns of names, by which several tables are aligned.
        values: likewise, of values.
    """
    roomy = spark > SPARK_WIDTH
    most = LONGEST_NAME if roomy else 14
    table = Table.grid(padding=(0, 1))
    table.add_column(overflow="ellipsis", no_wrap=True, min_width=min(names, most), max_width=most)
    table.add_column(justify="right", no_wrap=True, min_width=values)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for channel in channels:
        name, value, past, wrong = _channel(monitor, channel, spark)
        if roomy:
            table.add_row(name, value, Text.assemble(past, " ", wrong) if past.plain.strip() else wrong)
        else:
            table.add_row(name, value, wrong if wrong.plain else past)
    return table


def curve(monitor: Monitor, signal: Signal, width: int) -> RenderableType:
    """The newest sample of a signal of many numbers over their places: a line for each of a few columns, or one in all."""
    newest, age_s = monitor.signals.get(signal.name), monitor.signal_age_s(signal.name)
    size = " x ".join(map(str, signal.shape))
    if newest is None:
        return Text(f"{signal.name} ({size}): nothing yet", style="dim")
    values = newest.sample.values
    known = values[np.isfinite(values)]
    ends = (
        f"{figure(float(known.min()), '')} to {figure(float(known.max()), signal.unit)}" if known.size else "no value"
    )
    words = [f"{signal.name} ({size}): {ends}", *in_words(newest.sample.flags & ~int(_OF_ALL))]
    lines = [Text(", ".join(words if age_s is None else [*words, old(age_s)]), style="" if age_s is None else _OLD)]
    style = "cyan" if age_s is None else _OLD
    return Group(*lines, *(Text(line, style=style, no_wrap=True) for line in curves(values, width, signal.unit)))


def _alert(monitor: Monitor, number: int, alert: Alert) -> RenderableType | None:
    state = monitor.alert_state(number)
    if state in (None, AlertState.CLEAR):
        return None
    text = alert.text or alert.name
    if monitor.silent_s is not None or monitor.alert_age_s(number) is not None:
        return Text(f"alert then: {text}", style=_OLD)
    if state is AlertState.PENDING:
        return Text(f"{alert.name}: pending", style="yellow")
    if state is AlertState.ACKNOWLEDGED:
        return Text(f"{alert.name}: acknowledged, still there. {alert.text or ''}".rstrip(), style="yellow")
    return Text.assemble((" ALERT ", _ALERT[alert.severity]), f" {text}")


def _picture_numbers(monitor: Monitor, shown: Layout, name: str) -> RenderableType:
    newest, age_s = monitor.signals[name], monitor.signal_age_s(name)
    values = picture(newest.sample.values)
    known = values[np.isfinite(values)]
    table = Table.grid(padding=(0, 2), expand=True)
    for _ in range(3):
        table.add_column(justify="center")
    table.add_row(*(Text(word, style="dim") for word in ("min", "mean", "max")))
    unit = monitor.decoding.plan.signals[name].unit
    figures = (known.min(), known.mean(), known.max()) if known.size else (None, None, None)
    style = "bold" if age_s is None else _OLD
    table.add_row(*(Text(figure(None if value is None else float(value), unit), style=style) for value in figures))
    words = [name] if len(shown.pictures) > 1 else []
    for part in shown.beside[name]:
        if part.name in monitor.signals:
            value = float(monitor.signals[part.name].sample.values)
            words.append(f"{part.name.partition('.')[2]} {figure(value, part.unit)}")
    words.append("not calibrated" if newest.sample.flags & Quality.UNCALIBRATED else "calibrated")
    words += in_words(newest.sample.flags & ~_OF_ALL)
    words += [old(age_s)] if age_s is not None else []
    return Group(table, Text(", ".join(words), style="dim", justify="center"))


def _body_numbers(monitor: Monitor, name: str) -> RenderableType:
    """Temperatures by segment: those of the middle in a line, those of both sides beside each other, left first."""
    newest, age_s = monitor.signals[name], monitor.signal_age_s(name)
    values = dict(zip(SEGMENTS, newest.sample.values.tolist(), strict=True))
    style = "" if age_s is None else _OLD
    table = Table.grid(padding=(0, 1))
    table.add_row(*(Text(word, style="dim", justify="right") for word in ("", "left", "right", "", "")))
    middle = [one for one in SEGMENTS if " " not in one]
    sides = [one.removeprefix("left ") for one in SEGMENTS if one.startswith("left ")]
    for limb, trunk in zip_longest(sides, middle, fillvalue=""):
        table.add_row(
            Text(limb, style="dim"),
            *(Text(_short(values.get(f"{side} {limb}")), style=style, justify="right") for side in ("left", "right")),
            Text(f"  {trunk}", style="dim"),
            Text(_short(values.get(trunk)), style=style, justify="right"),
        )
    said = [name, *in_words(newest.sample.flags & ~int(_OF_ALL)), *([old(age_s)] if age_s is not None else [])]
    return Group(table, Text(", ".join(said), style="dim"))


def _short(celsius: float | None) -> str:
    return "" if celsius is None else f"{celsius:.1f}" if np.isfinite(celsius) else "-"


def _findings(monitor: Monitor, spark: int) -> RenderableType:
    models = monitor.session.profile.models
    if not models:
        return Text("no findings: the wearable has no model", style="dim")
    lines: list[RenderableType] = []
    for number, model in enumerate(models):
        newest = monitor.findings.get(number)
        if newest is None:
            lines.append(Text(f"{model.name}: no finding yet", style="dim"))
            continue
        age_s = monitor.finding_age_s(number)
        record = newest.record
        if not record.values:
            lines.append(Text(f"{model.name}: no value", style="yellow"))
        elif model.scores is not None:
            lines.append(_scores(model, record, age_s is None))
        else:
            lines.append(_quantities(model, newest, age_s is None, spark))
        if age_s is not None:
            lines.append(Text(f"of {old(age_s)}", style=_OLD))
        took = [] if record.fetched else [f"{record.inference_us / 1000:.1f} ms"]
        lines.append(Text(", ".join([*marks(monitor, record), *took]), style="dim"))
    if monitor.findings:
        lines.append(Text(NOTICE, style="bold yellow"))
    return Group(*lines)


def _scores(model: Model, record: FindingRecord, now: bool) -> RenderableType:
    best, _ = winner(record, model)
    table = Table.grid(padding=(0, 1))
    for name, score in zip(model.scores or (), record.values, strict=False):
        wins = name == best and now
        filled = round(score * SCORE_WIDTH)
        bar = Text(FULL * filled, style="bright_magenta" if wins else "grey50")
        bar.append(SHADE * (SCORE_WIDTH - filled), style="grey30")
        table.add_row(
            Text(name, style="bold" if wins else "dim"), bar, Text(f"{score:6.1%}", style="" if wins else _OLD)
        )
    return table


def _quantities(model: Model, newest: NewestFinding, now: bool, spark: int) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for at, (one, value) in enumerate(zip(model.quantities or (), newest.record.values, strict=False)):
        table.add_row(
            Text(one.name, style="bold" if now else "dim"),
            Text(figure(value, one.unit), style="bold bright_magenta" if now else _OLD),
            Text(spread_words(one.spread), style="dim"),
            Text(sparkline(newest.history.means(at, spark), one.unit).lstrip(), style="magenta" if now else _OLD),
        )
    return table


def _heart(monitor: Monitor, channel: Channel, spark: int) -> RenderableType:
    name, value, past, wrong = _channel(monitor, channel, spark)
    now = monitor.signal_age_s(channel.signal.name) is None
    head = Text(f"{HEART} ", style="bold red" if now else _OLD)
    return Text.assemble(head, name, " ", value, "  ", past, " ", wrong)


def _channel(monitor: Monitor, channel: Channel, spark: int) -> tuple[Text, Text, Text, Text]:
    signal = channel.signal
    newest, age_s = monitor.signals.get(signal.name), monitor.signal_age_s(signal.name)
    if newest is None:
        return Text(channel.name), Text(figure(None, signal.unit), style=_OLD), Text(" " * spark), Text()
    value = float(newest.sample.values.reshape(-1)[channel.element])
    style = "" if age_s is None else _OLD
    past = Text(
        sparkline(newest.history.means(channel.element, spark), signal.unit).lstrip(),
        style="cyan" if age_s is None else _OLD,
    )
    flags = newest.sample.flags & ~int(_OF_ALL)
    if np.isfinite(value) and signal.elements > 1:
        flags &= ~int(_OF_NO_VALUE)
    wrong = Text(", ".join(in_words(flags)), style="red") if age_s is None else Text(old(age_s), style=_OLD)
    return Text(channel.name, style=style), Text(figure(value, signal.unit), style=style), past, wrong


def _numbers(monitor: Monitor) -> RenderableType:
    numbers = monitor.statistics()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", overflow="ellipsis", no_wrap=True, max_width=16)
    table.add_column()
    for (name, count), state in zip(numbers.moments.items(), monitor.session.hello.sensors, strict=False):
        # What has no rate comes when something happens.
        table.add_row(name, f"{count}, {numbers.moments_per_second[name]:.1f}/s" if state.rate_hz else f"{count}")
    table.add_row("lost blocks", Text(str(numbers.missing), style="yellow" if numbers.missing else "green"))
    if numbers.gaps:
        table.add_row("gaps", Text(f"{numbers.gaps}, {numbers.gap_s:.1f} s in all", style="yellow"))
    if numbers.markers:
        table.add_row("markers", str(numbers.markers))
    if numbers.latency_s is not None and numbers.latency_p99_s is not None:
        table.add_row("latency", f"{numbers.latency_s * 1000:.0f} ms, 99 % < {numbers.latency_p99_s * 1000:.0f} ms")
    if late := behind(monitor):
        table.add_row("this computer", Text(late, style="yellow"))
    if numbers.bytes_per_second is not None:
        table.add_row("line", f"{numbers.bytes_per_second / 1000:.2f} kB/s")
    return table


def _event(event: ShownEvent) -> RenderableType:
    if event.before:
        return Text(f"before this session: {event.record.text}", style=_OLD, overflow="ellipsis", no_wrap=True)
    return Text(event.record.text, style=_SEVERITY[event.record.severity], overflow="fold")

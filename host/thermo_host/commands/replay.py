"""`thermo-host replay`: a recording in the same view as a live stream, at any speed."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from thermo_host.about import about, about_words
from thermo_host.commands.common import (
    EmissivityOption,
    JsonOption,
    Output,
    ReflectedOption,
    ShowOption,
    UncorrectedOption,
)
from thermo_host.commands.progress import ProgressLine
from thermo_host.commands.screen import Screen, changes, parse_span, summary_words
from thermo_host.moments import utc
from thermo_host.sinks.json_lines import JsonLines
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.summary import Summary
from thermo_host.stream.decoding import DecodeSettings
from thermo_host.stream.playback import Recording, announced, play
from thermo_host.stream.pump import Sink, pump
from thermo_host.stream.signals import named, networks_under


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.mcap).")],
    speed: Annotated[float, typer.Option(help="2 plays twice as fast, 0 as fast as possible.", min=0.0)] = 1.0,
    summary: Annotated[bool, typer.Option("--summary", help="Show nothing but what was measured, at once.")] = False,
    span: Annotated[
        str | None,
        typer.Option("--range", help="Temperatures of the scale's ends, such as 30,38.", show_default="follows"),
    ] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    uncorrected: UncorrectedOption = False,
    show: ShowOption = None,
    whole: Annotated[bool, typer.Option("--whole", help="With --json, every number of every sample.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Play a recording, at the pace at which it was made or another one.

    What a killed recorder left behind plays up to its last quarter of a second.
    """
    output = Output(as_json)
    recording = Recording(path)
    plan = recording.session.plan
    wanted = named(plan, show or (), "--show")
    sent = [name for name in wanted if networks_under(plan, name)]
    monitor = Monitor(recording.session, DecodeSettings(emissivity, reflected, not uncorrected), sent)
    measured = Summary(recording.session)
    with contextlib.ExitStack() as stack:
        screen = None if summary else stack.enter_context(Screen(monitor, output, parse_span(span), wanted=wanted))
        sleep = time.sleep if screen is None else screen.keyboard.sleep
        progress = None
        if summary and not as_json:
            progress = stack.enter_context(ProgressLine(output.progress, every_s=None))
        items = announced(recording.items(progress=_told(progress)), monitor.decoding.expect)
        sinks: list[Sink] = [measured]
        if as_json and not summary:
            sinks.append(JsonLines(output.json, monitor, whole))
        if screen is not None:
            sinks.append(screen)
        played = play(items, None if summary or speed == 0 else speed, sleep=sleep)
        pump(played, monitor.push, sinks, lambda: screen is not None and screen.keyboard.poll())
    data = {
        "type": "summary",
        "file": str(path),
        "started": utc(recording.session.started_ns),
        "complete": recording.complete,
        "damaged": recording.damaged,
        **asdict(monitor.statistics()),
        "changes": changes(monitor),
        **about(monitor.session, monitor.decoding.profile, monitor.decoding.engine),
        **measured.to_map(),
    }
    words = f"{summary_words(monitor)}\n{about_words(monitor.session, monitor.decoding.profile, monitor.decoding.engine)}\n{measured.words()}"
    if not recording.complete and not (screen is not None and screen.keyboard.quit):
        words += "\nThe recording was cut off: everything before the cut is here."
    if recording.damaged:
        words += f"\n{recording.damaged} damaged pieces were left out."
    output.result(data, words)


def _told(progress: ProgressLine | None) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if progress is not None and progress.due:
            progress.show(f"reading, {done / max(1, total):.0%}")

    return tell

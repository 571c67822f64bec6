"""`thermo-host export` and `decode`: recordings and raw dumps to arrays, tables, traces and pictures."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from thermo_core.errors import UsageError
from thermo_core.recording.layout import LATEST_NS
from thermo_core.signals import Values
from thermo_host.commands.common import EmissivityOption, JsonOption, Output, ReflectedOption, UncorrectedOption
from thermo_host.commands.progress import ProgressLine
from thermo_host.commands.screen import parse_span
from thermo_host.exports import dumps, target
from thermo_host.exports.decoding import ALL, Choice, Decoding
from thermo_host.exports.rows import Track
from thermo_host.exports.totals import Totals
from thermo_host.moments import parse_moment
from thermo_host.screen.heatmap import HeatMap, ScaleBar, has_colours
from thermo_host.sinks.describe import counted
from thermo_host.stream.playback import Recording

PREVIEW_FACTOR = 2.0
PICTURES = (".png", ".mp4", ".svg")
BODIES = ".svg"
ENDINGS = ", ".join(target.WRITERS)
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
SpanOption = Annotated[
    str | None,
    typer.Option(
        "--range", help="Ends of the scale of .png, .mp4 and .svg, such as 30,38.", show_default="of the pictures"
    ),
]


def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.mcap).")],
    to: Annotated[Path, typer.Argument(metavar="TARGET", help=f"What to write: {ENDINGS}.")],
    signals: Annotated[
        list[str] | None,
        typer.Option(
            "--signals",
            help=f"Names of signals, or {ALL}; repeatable, or with commas.",
            show_default="those of sensors",
        ),
    ] = None,
    from_moment: Annotated[
        str | None,
        typer.Option("--from", help="From a date, or [[H:]M:]S since the start.", show_default="the beginning"),
    ] = None,
    to_moment: Annotated[
        str | None, typer.Option("--to", help="To a date, or [[H:]M:]S since the start.", show_default="the end")
    ] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    uncorrected: UncorrectedOption = False,
    span: SpanOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decode a recording: signals of its graph, findings, alerts, events and markers, with UTC times and quality.

    .npz is one file; .csv and .parquet are a table each of every signal and of findings, alerts, events, markers and gaps, in
    files beside each other; .edf has the signals of even rate; .png the first picture, .mp4 all of them;
    .svg the first map of a body as a figure, from the front and from the back.
    """
    target.writer_of(to)
    options = _options(to, span)
    output = Output(as_json)
    recording = Recording(path)
    from_ns, to_ns = _window(from_moment, to_moment, recording.session.started_ns)
    names = tuple(name.strip() for one in signals or () for name in one.split(",") if name.strip())
    shown = to.suffix in PICTURES
    decoding = Decoding(
        recording, Choice(names, emissivity, reflected, not uncorrected, from_ns, to_ns, shown, to.suffix == BODIES)
    )
    if to.suffix in (".png", BODIES):
        options["wanted"] = sum(isinstance(one, Track) for one in decoding.known.values())
    target.check_target(to, decoding.known, force)
    with ProgressLine(output.progress) as progress:
        decoding.progress = lambda done, total: _tell(progress, decoding.totals, done, total)
        first = decoding.first
        written = target.write(decoding, to, first, force, **options)
    remark = (
        ""
        if recording.complete or not decoding.ended
        else " The recording was cut off: everything before the cut is here."
    )
    if recording.damaged:
        remark += f" {recording.damaged} damaged pieces were left out."
    extra = {"complete": recording.complete or not decoding.ended, "damaged": recording.damaged, **decoding.first.facts}
    _report(output, decoding.totals, written, extra, remark)


def decode(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="EEPROM and frames as .npz, .npy, CSV, C arrays, JSON, hex or bytes.")
    ],
    to: Annotated[Path | None, typer.Argument(metavar="[TARGET]", help=f"What to write: {ENDINGS}.")] = None,
    eeprom: Annotated[
        Path | None, typer.Option(help="The sensor's EEPROM, where FILE holds frames alone.", show_default=False)
    ] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    span: SpanOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decode raw EEPROM and frames that another tool dumped; without a target, show the last picture."""
    options = {} if to is None else _options(to, span)
    output = Output(as_json)
    dump = dumps.load(path, eeprom)
    decoding = dumps.DumpDecoding(dump, emissivity, reflected)
    if to is not None:
        target.check_target(to, decoding.known, force)
    for note in decoding.notes:
        output.progress.print(note)
    if to is not None:
        written = target.write(decoding, to, decoding.first, force, **options)
        _report(output, decoding.totals, written, decoding.about, "")
        return
    last: dict[str, Values] = {}
    for row in decoding:
        last[row.track.key] = row.sample.values
    output.result({**decoding.totals.to_map(), **decoding.about}, Preview(decoding.totals, last))


class Preview:
    """The last picture and its numbers; the numbers alone where no colours can be shown."""

    def __init__(self, totals: Totals, last: dict[str, Values]) -> None:
        self._totals = totals
        self._picture, self._ta, self._vdd = last.values()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        celsius = self._picture
        low, high = float(celsius.min()), float(celsius.max())
        parts: list[RenderableType] = []
        if console.is_terminal and has_colours(console):
            width = round(celsius.shape[1] * PREVIEW_FACTOR)
            parts = [HeatMap(celsius, low, high, PREVIEW_FACTOR), ScaleBar(low, high, width)]
        pictures = max(extent.samples for extent in self._totals.signals.values())
        parts.append(
            Text(
                f"{counted(pictures, 'picture')}; the last one {low:.2f} to {high:.2f} °C, mean {np.mean(celsius):.2f} °C, "
                f"die {float(self._ta):.2f} °C, {float(self._vdd):.3f} V."
            )
        )
        yield Group(*parts)


def _options(to: Path, span: str | None) -> dict[str, Any]:
    """Of the writer."""
    if span is None:
        return {}
    if to.suffix not in PICTURES:
        raise UsageError("--range is of the scale that .png, .mp4 and .svg have; leave it out.")
    return {"span": parse_span(span)}


def _window(from_moment: str | None, to_moment: str | None, started_ns: int) -> tuple[int, int]:
    from_ns = 0 if from_moment is None else parse_moment("--from", from_moment, started_ns)
    to_ns = LATEST_NS if to_moment is None else parse_moment("--to", to_moment, started_ns)
    if from_ns >= to_ns:
        raise UsageError(f"--from {from_moment} is not before --to {to_moment}; exchange them.")
    return from_ns, to_ns


def _tell(progress: ProgressLine, totals: Totals, done: int, total: int) -> None:
    if progress.due:
        progress.show(f"{done / max(1, total):.0%} read, {counted(totals.samples, 'sample')}")


def _report(output: Output, totals: Totals, written: list[Path], extra: dict[str, Any], remark: str) -> None:
    data = {"files": [str(path) for path in written], **totals.to_map(), **extra}
    parts = [f"{key} {counted(extent.samples, 'sample')}" for key, extent in totals.signals.items()]
    parts += [f"{key} {counted(rows, 'row')}" for key, rows in totals.rows.items()]
    what = ", ".join(parts) or "nothing"
    if totals.lost or totals.undecodable:
        what += f"; {counted(totals.lost, 'block')} lost, {totals.undecodable} not decodable"
    output.result(data, f"{what}: {', '.join(str(path) for path in written)}.{remark}")

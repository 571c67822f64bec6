"""`thermo-host export` and `decode`: recordings and raw dumps to arrays, tables, traces and pictures."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from thermo_core.errors import StorageError, UsageError
from thermo_core.recording.layout import LATEST_NS
from thermo_core.signals import Values
from thermo_core.wearable.profile import NOTICE
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


FILES = "FILE [TARGET]"
ONE_CALL = "`thermo-host export night.mcap night.csv`"


def export(
    files: Annotated[
        list[Path],
        typer.Argument(metavar=FILES, help=f"A recording (.mcap), and what to write: {ENDINGS}.", show_default=False),
    ],
    parquet: Annotated[
        Path | None,
        typer.Option(
            "--parquet",
            metavar="FOLDER",
            help="Write all FILEs into this folder, as KEY/wearable=SERIAL/date=DAY/*.parquet.",
            show_default=False,
        ),
    ] = None,
    foxglove: Annotated[
        bool, typer.Option("--foxglove", help="Write an .mcap for Foxglove; TARGET may be left out.")
    ] = False,
    zarr: Annotated[bool, typer.Option("--zarr", help="Write a Zarr store; TARGET may be left out.")] = False,
    float32: Annotated[
        bool, typer.Option("--float32", help="Pictures in a .zarr as float32, not in steps of 0.01 °C.")
    ] = False,
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
    """Decode recordings: signals of their graphs, findings, alerts, events and markers, with UTC times and quality.

    .npz is one file; .csv and .parquet are a table each of every signal and of findings, alerts, events, markers and gaps, in
    files beside each other; .edf has the signals of even rate; .zarr is a folder of chunked arrays; .mcap is for Foxglove; .png the
    first picture, .mp4 all of them; .svg the first map of a body as a figure, from the front and from the back.
    """
    names = tuple(name.strip() for one in signals or () for name in one.split(",") if name.strip())
    output = Output(as_json)
    if parquet is not None:
        if foxglove or zarr or float32 or span is not None or from_moment is not None or to_moment is not None:
            raise UsageError(
                "--parquet FOLDER writes whole recordings as tables; leave out --foxglove, --zarr, --float32, --range, --from and --to."
            )
        _export_all(output, files, parquet, Choice(names, emissivity, reflected, not uncorrected), force)
        return
    path, to = _named(files, foxglove, zarr)
    target.writer_of(to)
    options = _options(to, span)
    if float32:
        if to.suffix != ".zarr":
            raise UsageError("--float32 is of pictures in a .zarr, all other forms have them so; leave it out.")
        options["whole"] = True
    if to.exists() and path.exists() and to.samefile(path):
        raise UsageError(f"{to} is the recording itself; name another TARGET.")
    recording = Recording(path)
    from_ns, to_ns = _window(from_moment, to_moment, recording.session.started_ns)
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
    complete = recording.complete or not decoding.ended
    remark = "" if complete else " The recording was cut off: everything before the cut is here."
    if recording.damaged:
        remark += f" {counted(recording.damaged, 'damaged piece')} left out."
    extra = {"complete": complete, "damaged": recording.damaged, **decoding.first.facts}
    _report(output, decoding.totals, written, extra, remark)


def _named(files: list[Path], foxglove: bool, zarr: bool) -> tuple[Path, Path]:
    """The recording, and where it goes."""
    if foxglove and zarr:
        raise UsageError("--foxglove and --zarr are two exports; run it once for each.")
    wanted = ".mcap" if foxglove else ".zarr" if zarr else ""
    if len(files) == 1 and wanted:
        path = files[0]
        return path, path.with_name(f"{path.stem}-foxglove.mcap" if foxglove else f"{path.stem}.zarr")
    if len(files) == 1:
        raise UsageError(f"Say what to write beside {files[0]}: {ONE_CALL}, or --foxglove, --zarr or --parquet FOLDER.")
    if len(files) > 2:
        raise UsageError(
            f"An export takes one recording and one TARGET, and here are {len(files)} names; --parquet FOLDER takes many."
        )
    path, to = files
    if wanted and to.suffix != wanted:
        raise UsageError(f"{to} does not end in {wanted}; name it so, or leave it out.")
    return path, to


def _export_all(output: Output, files: list[Path], folder: Path, choice: Choice, force: bool) -> None:
    from thermo_host.exports import partitions  # with pyarrow, which takes memory that other exports spare

    with ProgressLine(output.progress) as progress:
        outcomes = partitions.export_all(
            files, folder, choice, force, lambda path, done, total: _of(progress, path, done, total)
        )
    taken = [one for one in outcomes if one.totals is not None]
    skipped = [one for one in outcomes if one.totals is None]
    if not taken:
        raise StorageError(f"None of {counted(len(files), 'recording')} could be exported: {skipped[0].reason}")
    samples = sum(one.totals.samples for one in taken if one.totals is not None)
    words = [
        f"{counted(len(taken), 'recording')}, {counted(samples, 'sample')}, {counted(sum(len(one.files) for one in taken), 'file')} in {folder}."
    ]
    words += [f"{one.path} has {counted(one.damaged, 'damaged piece')}, left out." for one in taken if one.damaged]
    words += [f"{one.path} was cut off: everything before the cut is here." for one in taken if not one.complete]
    words += [f"Passed over: {one.reason}" for one in skipped]
    data = {
        "folder": str(folder),
        "recordings": [
            {
                "file": str(one.path),
                "written": [str(path) for path in one.files],
                "damaged": one.damaged,
                "complete": one.complete,
                "reason": one.reason,
            }
            for one in outcomes
        ],
        "notice": NOTICE,
    }
    output.result(data, "\n".join(words))


def _of(progress: ProgressLine, path: Path, done: int, total: int) -> None:
    if progress.due:
        progress.show(f"{path.name}, {done / max(1, total):.0%} read")


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

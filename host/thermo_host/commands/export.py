"""`thermo-host export` and `decode`: recordings and raw dumps to arrays and tables."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from thermo_core.errors import UsageError
from thermo_core.recording.content import LATEST_NS
from thermo_core.sensors.mlx90640.frames import Picture
from thermo_host import dumps
from thermo_host import export as exporting
from thermo_host.commands.common import EmissivityOption, JsonOption, Output, ReflectedOption, UncorrectedOption
from thermo_host.commands.progress import ProgressLine
from thermo_host.export import Decoding, Totals, Window
from thermo_host.moments import parse_moment
from thermo_host.pictures import DecodeSettings
from thermo_host.screen.heatmap import HeatMap, ScaleBar, has_colours
from thermo_host.sinks.describe import counted
from thermo_host.stream.playback import Recording

PREVIEW_FACTOR = 2.0
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]


def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.mcap).")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="What to write, .npz or .csv.")],
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
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decode a recording to pictures in degC, with Ta, Vdd, validity, UTC times, thermistors and verdicts.

    A .csv gets a row for each picture; thermistors, verdicts and what they came from lie in files beside it.
    """
    exporting.check_target(target, force)
    output = Output(as_json)
    recording = Recording(path)
    window = _window(from_moment, to_moment, recording.session.started_ns)
    with ProgressLine(output.progress) as progress:
        decoding = Decoding(recording, DecodeSettings(emissivity, reflected, not uncorrected), window)
        decoding.progress = lambda done, total: _tell(progress, decoding.totals, done, total)
        written = exporting.write(decoding, target, decoding.about, decoding.eeproms, force)
    remark = "" if recording.complete else " The recording was cut off: everything before the cut is here."
    if recording.damaged:
        remark += f" {recording.damaged} damaged pieces were left out."
    extra = {"complete": recording.complete, "damaged": recording.damaged, **decoding.about}
    _report(output, decoding.totals, written, extra, remark)


def decode(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="EEPROM and frames as .npz, .npy, CSV, C arrays, JSON, hex or bytes.")
    ],
    target: Annotated[Path | None, typer.Argument(metavar="[TARGET]", help="What to write, .npz or .csv.")] = None,
    eeprom: Annotated[
        Path | None, typer.Option(help="The sensor's EEPROM, where FILE holds frames alone.", show_default=False)
    ] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decode raw EEPROM and frames that another tool dumped; without a target, show the last picture."""
    if target is not None:
        exporting.check_target(target, force)
    output = Output(as_json)
    dump = dumps.load(path, eeprom)
    decoding = dumps.DumpDecoding(dump, DecodeSettings(emissivity, reflected))
    for note in decoding.notes:
        output.progress.print(note)
    if target is not None:
        written = exporting.write(decoding, target, decoding.about, decoding.eeproms, force)
        _report(output, decoding.totals, written, decoding.about, "")
        return
    for _ in decoding:
        pass
    assert decoding.totals.last is not None
    output.result({**decoding.totals.to_map(), **decoding.about}, Preview(decoding.totals, decoding.totals.last))


class Preview:
    """The last picture and its numbers; the numbers alone where no colours can be shown."""

    def __init__(self, totals: Totals, last: Picture) -> None:
        self._totals = totals
        self._last = last

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        last = self._last
        low, high = float(last.celsius.min()), float(last.celsius.max())
        parts: list[RenderableType] = []
        if console.is_terminal and has_colours(console):
            width = round(last.celsius.shape[1] * PREVIEW_FACTOR)
            parts = [HeatMap(last.celsius, low, high, PREVIEW_FACTOR), ScaleBar(low, high, width)]
        parts.append(
            Text(
                f"{self._totals.pictures} pictures; the last one {low:.2f} to {high:.2f} °C, mean {last.celsius.mean():.2f} °C, "
                f"die {last.ta:.2f} °C, {last.vdd:.3f} V."
            )
        )
        yield Group(*parts)


def _window(from_moment: str | None, to_moment: str | None, started_ns: int) -> Window:
    from_ns = 0 if from_moment is None else parse_moment("--from", from_moment, started_ns)
    to_ns = LATEST_NS if to_moment is None else parse_moment("--to", to_moment, started_ns)
    if from_ns >= to_ns:
        raise UsageError(f"--from {from_moment} is not before --to {to_moment}; exchange them.")
    return Window(from_ns, to_ns)


def _tell(progress: ProgressLine, totals: Totals, done: int, total: int) -> None:
    if progress.due:
        progress.show(f"{done / max(1, total):.0%} read, {totals.pictures} pictures")


def _report(output: Output, totals: Totals, written: list[Path], extra: dict[str, Any], remark: str) -> None:
    data = {"files": [str(path) for path in written], **totals.to_map(), **extra}
    lost = (
        f", {counted(totals.lost, 'subpage')} lost, {totals.invalid} not decodable"
        if totals.lost or totals.invalid
        else ""
    )
    output.result(
        data, f"{counted(totals.pictures, 'picture')}{lost}: {', '.join(str(path) for path in written)}.{remark}"
    )

"""`thermo-host export` and `decode`: recordings and raw dumps to arrays and tables."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from thermo_host import dumps
from thermo_host import export as exporting
from thermo_host.commands.common import EmissivityOption, JsonOption, Output, ReflectedOption, UncorrectedOption
from thermo_host.heatmap import HeatMap, ScaleBar
from thermo_host.pictures import DecodeSettings
from thermo_host.playback import Recording

PREVIEW_FACTOR = 2.0


def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.mcap).")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="What to write, .npz or .csv.")],
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    uncorrected: UncorrectedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decode a recording to pictures in degC, with Ta, Vdd, validity, UTC times, thermistors and verdicts.

    A .csv gets a row for each picture; thermistors and verdicts lie in files beside it.
    """
    exporting.check_format(target)
    output = Output(as_json)
    recording = Recording(path)
    decoded = exporting.decode_recording(recording, DecodeSettings(emissivity, reflected, not uncorrected))
    written = exporting.write(decoded, target)
    cut = "" if recording.complete else " The recording was cut off: everything before the cut is here."
    _report(output, decoded, written, {"complete": recording.complete, "damaged": recording.damaged}, cut)


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
    as_json: JsonOption = False,
) -> None:
    """Decode raw EEPROM and frames that another tool dumped; without a target, show the last picture."""
    if target is not None:
        exporting.check_format(target)
    output = Output(as_json)
    dump = dumps.load(path, eeprom)
    for note in dump.notes:
        output.progress.print(note)
    decoded = dumps.decode(dump, DecodeSettings(emissivity, reflected))
    if target is not None:
        _report(output, decoded, exporting.write(decoded, target), {"notes": list(dump.notes)}, "")
    else:
        output.result({**_numbers(decoded), "notes": list(dump.notes)}, _preview(decoded, output.words.is_terminal))


def _numbers(decoded: exporting.Decoded) -> dict[str, Any]:
    shown = decoded.celsius[decoded.valid]
    return {
        "pictures": len(decoded.celsius),
        "min_c": round(float(shown.min()), 3) if shown.size else None,
        "mean_c": round(float(shown.mean()), 3) if shown.size else None,
        "max_c": round(float(shown.max()), 3) if shown.size else None,
        "ta_c": round(float(decoded.ta.mean()), 3) if decoded.ta.size else None,
        "vdd_v": round(float(decoded.vdd.mean()), 4) if decoded.vdd.size else None,
        "lost": decoded.lost,
        "invalid": decoded.invalid,
    }


def _preview(decoded: exporting.Decoded, colours: bool) -> RenderableType:
    last = decoded.celsius[-1]
    low, high = float(last.min()), float(last.max())
    numbers = _numbers(decoded)
    words = (
        f"{numbers['pictures']} pictures; the last one {low:.2f} to {high:.2f} °C, mean {last.mean():.2f} °C, "
        f"die {decoded.ta[-1]:.2f} °C, {decoded.vdd[-1]:.3f} V."
    )
    width = round(last.shape[1] * PREVIEW_FACTOR)
    if not colours:
        return Text(words)
    return Group(HeatMap(last, low, high, PREVIEW_FACTOR), ScaleBar(low, high, width), Text(words))


def _report(
    output: Output, decoded: exporting.Decoded, written: list[Path], extra: dict[str, Any], remark: str
) -> None:
    numbers = _numbers(decoded)
    data = {"files": [str(path) for path in written], **numbers, **extra}
    lost = f", {decoded.lost} subpages lost, {decoded.invalid} not decodable" if decoded.lost or decoded.invalid else ""
    output.result(data, f"{numbers['pictures']} pictures{lost}: {', '.join(str(path) for path in written)}.{remark}")

"""`thermo-host rerun`: a recording computed again, and where verdicts differ from those it holds."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.errors import UsageError
from thermo_core.files import read_file
from thermo_core.quality import in_words
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file as wearables
from thermo_core.wearable.library import resolve
from thermo_core.wearable.profile import NOTICE
from thermo_host import flash
from thermo_host.commands.common import (
    EmissivityOption,
    JsonOption,
    Output,
    ReflectedOption,
    ShowOption,
    UncorrectedOption,
)
from thermo_host.commands.progress import ProgressLine
from thermo_host.moments import parse_moment, utc
from thermo_host.rerun import Compared, Difference, Rerun, Wanted, of_bundle, seen_as
from thermo_host.screen.stills import Stills
from thermo_host.sinks.describe import counted, number
from thermo_host.stream.decoding import DecodeSettings
from thermo_host.stream.playback import Recording, announced
from thermo_host.stream.signals import named

SHOWN = 20


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.mcap).")],
    wearable: Annotated[
        str | None,
        typer.Option(
            help="Another wearable over the same sensors: a name, or a wearable.toml.", show_default="the recording's"
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="A signed image with the networks to run.", show_default="signals and alerts alone"),
    ] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    uncorrected: UncorrectedOption = False,
    show: ShowOption = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Moment to show: a date, or a time since the start.", show_default="the last"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute a recording's signals, findings and alerts again and say where verdicts differ.

    A bundle brings its own wearable, unless another one is named. With --show a stage is shown as it was computed: a picture as
    a picture, features as numbers.
    """
    output = Output(as_json)
    settings = DecodeSettings(emissivity, reflected, not uncorrected)
    wanted = _wanted(wearable, bundle, settings, output)
    recording = Recording(path)
    plan = seen_as(recording.session, wanted.profile or recording.session.profile)[0].plan
    at_ns = None if at is None else parse_moment("--at", at, recording.session.started_ns)
    stills = Stills(plan, named(plan, show or (), "--show"), at_ns)
    rerun = Rerun(recording.session, wanted, stills.take)
    with ProgressLine(output.progress, every_s=None) as progress:

        def tell(done: int, total: int) -> None:
            if progress.due:
                progress.show(f"reading, {done / max(1, total):.0%}")

        for item in announced(recording.items(progress=tell), rerun.expect):
            rerun.push(item)
    rerun.end()
    counts = rerun.decoding.counted
    names = [sensor.name for sensor in rerun.decoding.plan.profile.sensors]
    data: dict[str, Any] = {
        "file": str(path),
        "wearable": rerun.decoding.plan.profile.name,
        "complete": recording.complete,
        "damaged": recording.damaged,
        "blocks": {name: counts[at].blocks for at, name in enumerate(names)},
        "samples": {name: counts[at].moments for at, name in enumerate(names)},
        "models": {name: asdict(compared) for name, compared in rerun.models.items()},
        "alerts": {
            name: {"recorded": raised.recorded, "again": raised.again if rerun.computes(name) else None}
            for name, raised in rerun.alerts.items()
        },
        "different": rerun.different,
        "differences": [_difference(one) for one in rerun.differences],
        **({"shown": stills.to_map()} if show else {}),
        "notice": NOTICE,
    }
    words = _words(data, rerun)
    output.result(data, Group(stills.render(), words) if show else words)


def _wanted(wearable: str | None, bundle: Path | None, settings: DecodeSettings, output: Output) -> Wanted:
    profile, networks = None, {}
    if bundle is not None:
        whole = flash.load(bundle, output.progress.print).bundle
        profile, networks = whole.profile, dict(of_bundle(whole))
    if wearable is not None:
        read = wearables.read(resolve(wearable))
        read.plan()
        profile = read.profile
        if bundle is None:
            networks = {name: Int8Network(read_file(file)) for name, file in read.networks.items()}
        unknown = sorted(set(networks) - {model.name for model in profile.models})
        if unknown:
            raise UsageError(f"{wearable} has no model {', '.join(unknown)}, which {bundle} is for; name it so.")
    return Wanted(profile, networks, settings)


def _difference(one: Difference) -> dict[str, Any]:
    def verdict(which: Any) -> dict[str, Any]:
        return {
            "verdict": which.words,
            "values": [number(value, 5) for value in which.values],
            "flags": list(in_words(which.flags)),
        }

    return {"utc": utc(one.utc_ns), "model": one.model, "recorded": verdict(one.recorded), "again": verdict(one.again)}


def _words(data: dict[str, Any], rerun: Rerun) -> RenderableType:
    lines: list[RenderableType] = []
    samples = ", ".join(f"{name} {count}" for name, count in data["samples"].items())
    lines.append(Text(f"{data['wearable']}: {samples} samples again."))
    for name, compared in rerun.models.items():
        lines.append(Text(_compared(name, compared)))
    if not rerun.models:
        lines.append(Text("No findings to compare: the recording holds none, and no network ran."))
    for name, raised in rerun.alerts.items():
        computed = f"{counted(raised.again, 'time')} again" if rerun.computes(name) else "not computed again"
        lines.append(Text(f"Alert {name}: raised {counted(raised.recorded, 'time')} in the recording, {computed}."))
    if rerun.differences:
        table = Table(box=None, pad_edge=False)
        for column in ("UTC", "model", "recorded", "again"):
            table.add_column(column)
        for one in rerun.differences[:SHOWN]:
            table.add_row(utc(one.utc_ns)[:23], one.model, one.recorded.words, one.again.words)
        lines.append(table)
        if rerun.different > SHOWN:
            lines.append(Text(f"... and {rerun.different - SHOWN} more; --json has them."))
        if any(compared.recorded_only for compared in rerun.models.values()):
            lines.append(
                Text(
                    "Findings recorded alone rest on what came before or was lost, and so may those that differ soon after."
                )
            )
    if not data["complete"]:
        lines.append(Text("The recording was cut off: everything before the cut is here."))
    if data["damaged"]:
        lines.append(Text(f"{data['damaged']} damaged pieces were left out."))
    lines.append(Text(NOTICE, style="yellow"))
    return Group(*lines)


def _compared(name: str, compared: Compared) -> str:
    if not compared.both:
        fetched = f", {compared.fetched} fetched later" if compared.fetched else ""
        return f"{name}: nothing to compare; {counted(compared.recorded_only, 'finding')} recorded, {compared.again_only} again{fetched}."
    words = f"{name}: {compared.same} of {counted(compared.both, 'finding')} with the same verdict"
    words += f", values at most {compared.greatest:.2g} apart"
    if compared.recorded_only:
        words += f"; {compared.recorded_only} recorded alone"
    if compared.again_only:
        words += f"; {compared.again_only} computed alone"
    if compared.fetched:
        words += f"; {compared.fetched} fetched later, whose blocks never came"
    return words + "."

"""`thermo-host ports`: which serial ports are there and which could be a wearable."""

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from thermo_core.errors import LinkError
from thermo_host.commands.common import BaudOption, JsonOption, Output
from thermo_host.link import ports
from thermo_host.link.ports import Port
from thermo_host.link.wearable import Wearable

PROBE_S = 1.0


def command(
    probe: Annotated[bool, typer.Option("--probe", help="Open each free candidate and ask who it is.")] = False,
    baud: BaudOption = None,
    as_json: JsonOption = False,
) -> None:
    """List serial ports; the ones with a dot may be chosen when none is named."""
    output = Output(as_json)
    found = ports.find_ports()
    names = {port.path: _name(port, baud) if probe else "" for port in found}
    data: dict[str, Any] = {
        "ports": [port.to_map() | ({"wearable": names[port.path]} if probe else {}) for port in found]
    }
    if not found:
        output.result(
            data, "No serial port is here; plug a wearable in, or start `thermo-sim wearable --link /tmp/thermo0`."
        )
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "port", "kind", "description", "held by", *(["wearable"] if probe else [])):
        table.add_column(heading)
    for port in found:
        dot = Text("\u25cf", style="green") if port.candidate else Text("")
        row: list[str | Text] = [dot, port.path, port.kind, port.description, port.holder or "-"]
        table.add_row(*row, *([names[port.path] or "-"] if probe else []))
    output.result(data, table)


def _name(port: Port, baud: int | None) -> str:
    if not port.candidate or port.holder:
        return ""
    try:
        with Wearable.open(port.path, timeout_s=PROBE_S, baud=baud) as wearable:
            hello = wearable.hello()
    except LinkError as error:
        return f"({error})"
    return f"{hello.name} {hello.serial}, {hello.profile}"

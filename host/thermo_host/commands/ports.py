"""`thermo-host ports`: which serial ports are there and which could be a wearable."""

import contextlib
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from thermo_core.errors import LinkError, UsageError
from thermo_host.bootmode import drives, picoboot
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
    """List serial ports; the ones with a dot may be chosen when none is named. Boards in boot mode stand below them."""
    output = Output(as_json)
    found = ports.find_ports()
    names = {port.path: _name(port, baud) if probe else "" for port in found}
    boards = _boards()
    data: dict[str, Any] = {
        "ports": [port.to_map() | ({"wearable": names[port.path]} if probe else {}) for port in found],
        "boot_mode": [asdict(board) for board in boards],
    }
    if not found and not boards:
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
    for board in boards:
        table.add_row("", board.where, "boot mode", board.description, f"flash --via {board.via}")
    output.result(data, table)


@dataclass(frozen=True, slots=True)
class BootBoard:
    """A board that waits for a firmware.

    Attributes:
        where: folder of its drive, or its serial number.
        description: as it names itself.
        via: which way of `thermo-host flash` reaches it.
    """

    where: str
    description: str
    via: str


def _boards() -> list[BootBoard]:
    found = [BootBoard(str(one.path), f"{one.model} ({one.board})", "uf2") for one in drives.find()]
    with contextlib.suppress(UsageError, OSError):  # no pyusb, no libusb, or no USB at all
        found += [BootBoard(picoboot.serial_of(one) or "-", "RP2040 boot ROM", "picoboot") for one in picoboot.find()]
    return found


def _name(port: Port, baud: int | None) -> str:
    if not port.candidate or port.holder:
        return ""
    try:
        with Wearable.open(port.path, timeout_s=PROBE_S, baud=baud) as wearable:
            hello = wearable.hello()
    except LinkError as error:
        return f"({error})"
    return f"{hello.name} {hello.serial}, {hello.profile}"

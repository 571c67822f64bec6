"""`thermo-host person`: what a wearable knows of its wearer."""

from typing import Annotated

import typer
from rich.table import Table

from thermo_core.errors import UsageError
from thermo_core.wearable.person import FIELDS, problem
from thermo_host.commands.common import BaudOption, JsonOption, Output, TimeoutOption
from thermo_host.link.session import profile_of
from thermo_host.link.wearable import TIMEOUT_S, Wearable


def command(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PORT] [NAME=VALUE]...", help="Port, if more than one; what is to be known, age_years=40."
        ),
    ] = None,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Show what a wearable knows of its wearer, or tell it; it keeps it."""
    given = list(arguments or ())
    port = given.pop(0) if given and "=" not in given[0] else None
    wanted = dict(map(_parse, given))
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        asked = profile_of(wearable).person
        foreign = [name for name in wanted if name not in asked]
        if foreign:
            takes = f"asks for {', '.join(asked)}" if asked else "asks for nothing"
            raise UsageError(f"The wearable {takes}, and not for {', '.join(foreign)}; leave that out.")
        known = wearable.set_person(wanted) if wanted else wearable.person()
        name = wearable.port
    output.result({"port": name, "asks_for": list(asked), "person": known}, _table(asked, known))


def _parse(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError as error:
        raise UsageError(f"{text!r:.60} is no NAME=NUMBER; write for example age_years=40.") from error
    if wrong := problem(name, number):
        raise UsageError(wrong)
    return name, number


def _table(asked: tuple[str, ...], known: dict[str, float]) -> Table | str:
    if not asked:
        return "The wearable asks for nothing about its wearer."
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in asked:
        told = f"{known[name]:g} {FIELDS[name].unit}" if name in known else f"unknown; tell it {name}=..."
        table.add_row(name, told)
    return table

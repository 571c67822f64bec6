"""`thermo-host rate`, `self-test` and `reset`: small things to tell a wearable."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from thermo_core.recording.plain import to_plain

from thermo_core.errors import RefusedError, UsageError
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, TimeoutOption
from thermo_host.link.wearable import TIMEOUT_S, Wearable


def rate(
    arguments: Annotated[list[str], typer.Argument(metavar="[PORT] HZ", help="Port, if more than one; subpages/s.")],
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Set the sensor's refresh rate (0.5 to 64 subpages/s, two make a picture) until the next reset."""
    if len(arguments) > 2:
        raise UsageError(f"{len(arguments)} arguments were given; give at most a port and a rate.")
    port, text = (arguments[0] if len(arguments) == 2 else None), arguments[-1]
    try:
        wanted_hz = float(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no rate; give subpages per second, such as 16.") from error
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        rate_hz = wearable.set_rate(wanted_hz)
        name = wearable.port
    output.result({"port": name, "rate_hz": rate_hz}, f"{rate_hz:g} subpages/s, {rate_hz / 2:g} pictures/s.")


def self_test(
    port: PortArgument = None, baud: BaudOption = None, timeout: TimeoutOption = TIMEOUT_S, as_json: JsonOption = False
) -> None:
    """Have the wearable test its sensors, bus, storage and model."""
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        results = wearable.self_test()
        name = wearable.port
    failed = [result.name for result in results if not result.passed]
    table = Table(box=None, pad_edge=False, show_header=False)
    for result in results:
        verdict = Text("passed", style="green") if result.passed else Text("FAILED", style="bold red")
        table.add_row(result.name, verdict, result.detail)
    output.result({"port": name, "passed": not failed, "results": to_plain(results)}, table)
    if failed:
        raise RefusedError(
            f"The self-test failed: {', '.join(failed)}; docs/troubleshooting.md has the cures.", "failed"
        )


def reset(
    port: PortArgument = None,
    wait: Annotated[float, typer.Option(help="Seconds in which it must be back.", min=1.0)] = 30.0,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Restart the wearable and wait until it answers."""
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        hello = wearable.reset(wait)
        name = wearable.port
    model = f"model {hello.model}" if hello.model else "no model"
    output.result({"port": name, "model": hello.model, "profile": hello.profile}, f"{hello.name} is back with {model}.")

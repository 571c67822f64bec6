"""`thermo-host rate`, `self-test` and `reset`: small things to tell a wearable."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from thermo_core import schema
from thermo_core.errors import RefusedError, UsageError
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, SensorOption, TimeoutOption
from thermo_host.link.foreign import FASTEST_HZ
from thermo_host.link.session import profile_of, sensor_number
from thermo_host.link.wearable import TIMEOUT_S, Wearable


def rate(
    arguments: Annotated[list[str], typer.Argument(metavar="[PORT] HZ", help="Port, if more than one; rate in Hz.")],
    sensor: SensorOption = None,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Set a sensor's rate (of a camera 0.5 to 64 subpages/s, two make a picture) until the next reset."""
    if len(arguments) > 2:
        raise UsageError(f"{len(arguments)} arguments were given; give at most a port and a rate.")
    port, text = (arguments[0] if len(arguments) == 2 else None), arguments[-1]
    try:
        wanted_hz = float(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no rate; give a number in Hz, such as 16.") from error
    if not 0 < wanted_hz <= FASTEST_HZ:
        raise UsageError(f"{text} Hz is no rate; give a number above 0 and up to {FASTEST_HZ:g}, such as 16.")
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        profile = profile_of(wearable)
        number = 0 if sensor is None else sensor_number(profile, sensor)
        rate_hz = wearable.set_rate(number, wanted_hz)
        name = wearable.port
    told = profile.sensors[number].name
    output.result({"port": name, "sensor": told, "rate_hz": rate_hz}, f"{told}: {rate_hz:g} Hz.")


def self_test(
    port: PortArgument = None, baud: BaudOption = None, timeout: TimeoutOption = TIMEOUT_S, as_json: JsonOption = False
) -> None:
    """Have the wearable test its sensors, bus, storage and models."""
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        results = wearable.self_test()
        name = wearable.port
    failed = [result.name for result in results if not result.passed]
    table = Table(box=None, pad_edge=False, show_header=False)
    for result in results:
        verdict = Text("passed", style="green") if result.passed else Text("FAILED", style="bold red")
        table.add_row(result.name, verdict, result.detail)
    output.result({"port": name, "passed": not failed, "results": schema.to_readable(results)}, table)
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
    running = f"bundle {hello.bundle}" if hello.bundle else "no bundle"
    output.result(
        {"port": name, "bundle": hello.bundle, "profile": hello.profile}, f"{hello.name} is back with {running}."
    )

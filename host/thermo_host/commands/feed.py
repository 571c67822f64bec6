"""`thermo-host feed`: give a wearable what it has no sensor for, from a table."""

from typing import Annotated

import typer

from thermo_core.errors import UsageError
from thermo_host.commands.common import BaudOption, JsonOption, Output, TimeoutOption
from thermo_host.commands.progress import ProgressLine
from thermo_host.feeding import Feeding
from thermo_host.link.session import profile_of
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.sinks.describe import counted

LISTEN_S = 0.05


def command(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[PORT] SENSOR FILE", help="Port, if more than one; the sensor's name; a .csv, or - to read on."
        ),
    ],
    speed: Annotated[float, typer.Option(help="2 gives it twice as fast, 0 as fast as it is taken.", min=0.0)] = 1.0,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Give samples to a sensor of kind "external": a row of numbers each, after an optional heading.

    A first column headed "seconds" says when; without one rows follow at the sensor's rate, those of standard input as they
    come. A field that is empty or nan is no value. `stream` and `record` take --feed SENSOR=FILE.
    """
    if not 2 <= len(arguments) <= 3:
        raise UsageError(
            f"{counted(len(arguments), 'argument')} given; give a port if there are several, a sensor and a file."
        )
    port, name, source = (arguments[0] if len(arguments) == 3 else None), arguments[-2], arguments[-1]
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        feeding = Feeding(wearable, profile_of(wearable), name, source, speed)
        with wearable.stream() as stream, ProgressLine(output.progress) as progress, feeding:
            while not feeding.done:
                stream.get(LISTEN_S)
                if progress.due:
                    progress.show(feeding.told)
        told = wearable.port
    output.result({"port": told, "sensor": name, "samples": feeding.count}, f"{feeding.told}.")

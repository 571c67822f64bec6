"""What all commands share: the port argument, `--json`, and where words and JSON go."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from thermo_core.sensors.mlx90640.limits import EMISSIVITY
from thermo_core.wire.baud import BAUD_VARIABLE, DEFAULT_BAUD
from thermo_host.console import PlainConsole

PortArgument = Annotated[
    str | None,
    typer.Argument(help="Serial port of the wearable; may be left out where only one is attached.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", help="Seconds to wait for one answer.", min=0.1, max=600.0)]
BaudOption = Annotated[
    int | None,
    typer.Option(
        help="Baud rate of a real UART.",
        envvar=BAUD_VARIABLE,
        show_default=f"{DEFAULT_BAUD}, then others",
        min=50,
        max=20_000_000,
    ),
]
EmissivityOption = Annotated[
    float | None,
    typer.Option(
        help="Emissivity of what is looked at.", show_default="the wearable's", min=EMISSIVITY[0], max=EMISSIVITY[1]
    ),
]
ReflectedOption = Annotated[
    float | None, typer.Option(help="Temperature of what it reflects, degC.", show_default="the wearable's")
]
ShowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--show",
        metavar="STAGE",
        help="Show this stage or signal in place of the sensors; may be repeated.",
        show_default=False,
    ),
]
SensorOption = Annotated[str | None, typer.Option("--sensor", help="Its name.", show_default="the wearable's first")]
UncorrectedOption = Annotated[
    bool, typer.Option("--no-correction", help="Leave the sensors' corrections out.", show_default=False)
]


class Output:
    """Standard output for results, standard error for progress; with JSON nothing but JSON on standard output.

    Args:
        as_json: whether JSON is wanted.

    Attributes:
        words: console for people: standard output, or standard error with JSON.
        progress: console for what passes.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.words = PlainConsole(stderr=as_json, soft_wrap=not sys.stdout.isatty())
        self.progress = PlainConsole(stderr=True)

    def result(self, data: dict[str, Any], words: RenderableType) -> None:
        """Write a result one way or the other."""
        if self.as_json:
            self.json(data)
        else:
            self.words.print(words)

    def json(self, data: dict[str, Any]) -> None:
        """Write one line of JSON at once, so that a reader of a pipe sees it now."""
        sys.stdout.write(json.dumps(data) + "\n")
        sys.stdout.flush()

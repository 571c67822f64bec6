"""What the commands share."""

from pathlib import Path
from typing import Annotated

import typer

from thermo_core.wearable.profile import NOTICE
from thermo_host.console import PlainConsole
from thermo_hub.settings import PORT

HttpPortOption = Annotated[
    int | None,
    typer.Option(
        "--http-port", help="TCP port of the pages; 0 takes a free one.", min=0, max=65535, show_default=str(PORT)
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder", help="Where the database and recordings are kept.", show_default="~/.local/state/thermo-edge/hub"
    ),
]


def say_ready(link: str, more: str = "") -> None:
    """Tell where the pages are, on standard output."""
    console = PlainConsole(soft_wrap=True)
    console.print(f"Open {link}")
    console.print(
        "The link lets one browser in, once, within an hour; `thermo-hub link` prints another. Ctrl-C ends the hub."
    )
    if more:
        console.print(more)
    console.print(NOTICE, style="yellow")

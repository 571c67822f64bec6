"""`thermo-hub run`: the hub."""

from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import UsageError
from thermo_hub.commands.common import FolderOption, HttpPortOption, say_ready
from thermo_hub.settings import Settings, read_settings, with_changes


def command(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PORT...|hub.toml]",
            help="Serial ports of wearables, or a settings file; else every one that is found.",
        ),
    ] = None,
    http_port: HttpPortOption = None,
    folder: FolderOption = None,
) -> None:
    """Open live pages of every wearable that is plugged in or simulated, and print the link to them."""
    named = what or []
    files = [one for one in named if one.endswith(".toml")]
    if len(files) > 1:
        raise UsageError(f"{files[0]} and {files[1]} are both settings; name one.")
    settings = read_settings(Path(files[0])) if files else Settings()
    ports = tuple(one for one in named if one not in files)
    settings = with_changes(settings, ports=ports, port=http_port, folder=None if folder is None else str(folder))
    absent = [port for port in settings.ports if not Path(port).exists()]
    waited = (
        f"There is no port {', '.join(absent)} yet; it is waited for, and `thermo-host ports` lists those there are."
    )
    from thermo_hub.serve import serve  # Takes seconds to import: what is refused above is refused at once.

    serve(settings, lambda link: say_ready(link, waited if absent else ""))

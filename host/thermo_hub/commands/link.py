"""`thermo-hub link`: another way in."""

from pathlib import Path
from typing import Annotated

import typer

from thermo_hub.commands.common import FolderOption, say_ready
from thermo_hub.running import origin_of
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings, read_settings, with_changes
from thermo_hub.store.store import open_store


def command(
    file: Annotated[
        Path | None, typer.Argument(metavar="[hub.toml]", help="Settings with which the hub runs, where it has any.")
    ] = None,
    folder: FolderOption = None,
) -> None:
    """Print a new link into a hub that runs; it opens the pages once."""
    settings = Settings() if file is None else read_settings(file)
    settings = with_changes(settings, folder=None if folder is None else str(folder))
    origin = origin_of(settings)
    store = open_store(settings)
    try:
        say_ready(f"{origin}/enter?token={Door(store).token()}")
    finally:
        store.close()

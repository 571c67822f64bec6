"""`thermo-hub link`: another way in."""

from thermo_hub.commands.common import FolderOption, HttpPortOption, say_ready
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings, with_changes
from thermo_hub.store.store import open_store


def command(http_port: HttpPortOption = None, folder: FolderOption = None) -> None:
    """Print a new link into a hub that runs; it opens the pages once."""
    settings = with_changes(Settings(), port=http_port, folder=None if folder is None else str(folder))
    store = open_store(settings)
    try:
        say_ready(f"{settings.origin(settings.port)}/enter?token={Door(store).token()}")
    finally:
        store.close()

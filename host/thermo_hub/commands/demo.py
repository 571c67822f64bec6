"""`thermo-hub demo`: the hub with simulated wearables."""

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from thermo_hub.commands.common import FolderOption, HttpPortOption, say_ready
from thermo_hub.demo.crowd import CROWD, Crowd
from thermo_hub.demo.past import give_past
from thermo_hub.serve import serve
from thermo_hub.settings import Settings, with_changes
from thermo_hub.store.store import open_store

LEARN_S = 30.0
"""Nobody watches a demo for days."""


def command(
    http_port: HttpPortOption = None,
    folder: FolderOption = None,
    few: Annotated[int, typer.Option("--wearables", help="How many.", min=1, max=len(CROWD))] = len(CROWD),
) -> None:
    """Open live pages of five simulated wearables, so that each page has something to show."""
    with contextlib.ExitStack() as stack:
        links = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="thermo-hub-")))
        settings = with_changes(Settings(), port=http_port, folder=str(folder or links / "hub"), usual_learn_s=LEARN_S)
        store = stack.enter_context(contextlib.closing(open_store(settings)))
        crowd = stack.enter_context(Crowd(links, few, lambda serial, one: give_past(store, serial, one)))
        serve(
            settings,
            lambda link: say_ready(link, "Its wearables are simulated; each appears once it has its networks."),
            crowd.ports,
        )

"""`thermo-hub demo`: the hub with simulated wearables."""

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from thermo_hub.commands.common import FolderOption, HttpPortOption, say_ready
from thermo_hub.demo.crowd import CROWD, crowd
from thermo_hub.serve import serve
from thermo_hub.settings import Settings, with_changes

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
        if folder is None:
            folder = links / "hub"
        ports = stack.enter_context(crowd(links, few))
        settings = with_changes(
            Settings(), ports=tuple(ports), port=http_port, folder=str(folder), usual_learn_s=LEARN_S
        )
        serve(settings, lambda link: say_ready(link, "Its wearables are simulated, and what it keeps goes with it."))

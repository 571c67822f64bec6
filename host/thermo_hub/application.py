"""The application `thermo-hub`: its commands, of which only the one that is asked for is imported."""

import importlib
import logging
from collections.abc import Callable, Iterable
from typing import cast

import typer

from thermo_core import command_line

NAME = "thermo-hub"
COMMANDS = {
    "run": "Open live pages of every wearable that is plugged in or simulated, and print the link to them.",
    "demo": "Open live pages of five simulated wearables, so that each page has something to show.",
    "export": "Write what this hub keeps of a wearable of another hub as a recording; the hub may run meanwhile.",
    "fhir": "Write what is known of a wearable as a FHIR R4 bundle of a pseudonym, where its wearer agreed to sharing.",
    "link": "Print a new link into a hub that runs; it opens the pages once.",
    "labels": "Write what physicians said of recordings into a file that training takes; a hub may run meanwhile.",
}
"""Each command, which lives in a module of its name below `thermo_hub.commands`, and what it does in one line."""


def application(names: Iterable[str] = COMMANDS, whole: bool = True) -> typer.Typer:
    """The command line.

    Args:
        names: the commands it has; each is imported.
        whole: where False none is imported and each is only a name with its summary: enough for help and for typos.
    """
    app = command_line.application(
        NAME,
        "Live pages, alerts and trends of wearable thermal sensors. Informs only. Not a medical device.",
        quiet=logging.WARNING,
    )
    for name in names:
        app.command(name, help=None if whole else COMMANDS[name])(_command(name) if whole else _nothing)
    return app


def run(words: list[str]) -> int:
    """Run one command; returns its exit code."""
    name = next((word for word in words if not word.startswith("-")), "")
    known = name in COMMANDS and words[0] == name
    return command_line.run(
        NAME, lambda: application([name]) if known else application(whole=False), words or ["--help"]
    )


def _command(name: str) -> Callable[..., None]:
    return cast("Callable[..., None]", importlib.import_module(f"thermo_hub.commands.{name}").command)


def _nothing() -> None:
    """Stands for a command of which only the name is wanted."""

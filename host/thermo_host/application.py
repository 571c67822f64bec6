"""The application `thermo-host`: its commands, of which only the one that is asked for is imported."""

import logging
from collections.abc import Iterable

import typer

from thermo_core import command_line
from thermo_host.commands.table import COMMANDS

NAME = "thermo-host"


def application(names: Iterable[str] = COMMANDS, whole: bool = True) -> typer.Typer:
    """The command line.

    Args:
        names: the commands it has; each is imported.
        whole: where False none is imported and each is only a name with its summary: enough for help and for typos.
    """
    app = command_line.application(
        NAME, "Flash, calibrate, watch and record wearable thermal sensors. Informs only. Not a medical device."
    )
    for name in names:
        entry = COMMANDS[name]
        app.command(name, help=None if whole else entry.summary)(entry.load() if whole else _nothing)
    return app


def run(words: list[str]) -> int:
    """Run one command; returns its exit code."""
    # What a library logs of a wearable's answers is no word for a terminal; errors say what matters.
    logging.getLogger().addHandler(logging.NullHandler())
    # Everything together takes a second to import.
    name = next((word for word in words if not word.startswith("-")), "")
    known = name in COMMANDS and words[0] == name
    return command_line.run(
        NAME, lambda: application([name]) if known else application(whole=False), words or ["--help"]
    )


def _nothing() -> None:
    """Stands for a command of which only the name is wanted."""

"""`thermo-device`: the agent on a Raspberry Pi, and a look at its sensors and state without a host."""

import logging

import typer

from thermo_core import command_line
from thermo_core.exit_codes import ExitCode
from thermo_core.wearable.profile import NOTICE
from thermo_device import commands

NAME = "thermo-device"
EXIT_CODES = (
    ExitCode.OK,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.PORT_NOT_FOUND,
    ExitCode.PORT_BUSY,
    ExitCode.LINK,
    ExitCode.REFUSED,
    ExitCode.IMAGE,
    ExitCode.FILE,
    ExitCode.DATA,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)


def application() -> typer.Typer:
    """The command line."""
    what = f"Agent of a thermal wearable: reads the sensors, runs the models, serves a host. {NOTICE}"
    app = command_line.application(NAME, what, EXIT_CODES, quiet=logging.INFO)
    app.command("run")(commands.run)
    app.command("self-test")(commands.self_test)
    app.command("info")(commands.info)
    return app


def run(words: list[str]) -> int:
    """Run one command; returns its exit code."""
    return command_line.run(NAME, application, words)

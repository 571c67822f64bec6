"""`thermo-sim`: simulated wearables for a terminal, for scripts and for CI."""

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from thermo_core.errors import ThermoError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_sim import commands
from thermo_sim.faults import OVERVIEW

CODES = (
    "Exit codes:\n\n"
    + "\n\n".join(meanings())
    + ("\n\n`exec` returns the command's own code, and 127 where the command does not exist.")
)
FAULTS = (
    "Faults: a list such as nack@120,stuck:p=0.001,unplug@300+2s,drift:addr=0x3a:ch=2:by=0.5\n\n"
    "KIND[@[+]N][xCOUNT][+DURATION][:KEY=VALUE]...; N counts I2C transactions, @+N from now.\n\n"
    + OVERVIEW.replace("\n", "\n\n")
)
CONTROLS = (
    "Commands: blackbody celsius=37 | scene | ambient celsius=22 | bath celsius=35 | bath (contact thermometers follow the "
    "blackbody again) | unplug seconds=2 | fault spec=nack@+10 | exchange seed=7 sensor=skin (another chip) | status; and what the "
    "chips of the wearable take: rot address=9281 bit=3 (flip a bit of a camera's EEPROM, 9216 to 10047), "
    "wiring channel=0 state=open.\n\n"
    'The socket LINK.ctl takes the same as lines of JSON: {"cmd": "blackbody", "celsius": 37.0}'
)


def application() -> typer.Typer:
    """The command line."""
    app = typer.Typer(
        name="thermo-sim",
        help="Simulated thermal wearables: the real device agent on simulated sensors, behind a serial port.",
        epilog=CODES,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command("wearable", epilog=FAULTS)(commands.wearable)
    app.command("board", epilog=FAULTS)(commands.board)
    app.command("exec", epilog=f"Example: thermo-sim exec --speed max -- thermo-host info {{port}}\n\n{FAULTS}")(
        commands.execute
    )
    app.command("control", epilog=CONTROLS)(commands.steer)
    app.command("wearables")(commands.wearables)
    app.command("worlds")(commands.worlds)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        # Not the command's own `main`, which turns Ctrl-C into a code of its own.
        command = typer.main.get_command(application())
        code = int(ExitCode.OK)
        with contextlib.suppress(typer.Exit), command.make_context("thermo-sim", words) as context:
            code = int(command.invoke(context) or ExitCode.OK)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except TyperException as error:
        return _fail(ExitCode.USAGE, _sentence(error))
    except ThermoError as error:
        return _fail(exit_code(error), str(error))
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        # Nobody reads on, or there is no room; what is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return ExitCode.OK
        return _fail(ExitCode.FILE, f"Standard output takes no more ({error.strerror}).")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thermo-sim {software_version()}")
        raise typer.Exit


def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what the agent does to stderr.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Stands before all commands."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def _sentence(error: TyperException) -> str:
    text = " ".join(error.format_message().split())
    return text if text.endswith("?") else f"{text.rstrip('.')}; see thermo-sim --help."


def _fail(code: ExitCode, message: str) -> ExitCode:
    typer.echo(f"thermo-sim: {clean(message)}", err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())

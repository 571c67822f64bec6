"""`thermo-device`: the agent on a Raspberry Pi, and a look at its sensors and state without a host."""

import contextlib
import logging
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from thermo_core.errors import ThermoError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_core.wearable.profile import NOTICE
from thermo_device import commands

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
)


def application() -> typer.Typer:
    """The command line."""
    app = typer.Typer(
        name="thermo-device",
        help=f"Agent of a thermal wearable: reads the sensors, runs the models, serves a host. {NOTICE}",
        epilog="Exit codes:\n\n" + "\n\n".join(meanings(EXIT_CODES)),
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command("run")(commands.run)
    app.command("self-test")(commands.self_test)
    app.command("info")(commands.info)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        # Not the command's own `main`, which turns Ctrl-C into a code of its own.
        command = typer.main.get_command(application())
        with contextlib.suppress(typer.Exit), command.make_context("thermo-device", words) as context:
            return int(command.invoke(context) or ExitCode.OK)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except TyperException as error:
        return _fail(ExitCode.USAGE, _sentence(error))
    except ThermoError as error:
        return _fail(exit_code(error), str(error))
    return ExitCode.OK


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thermo-device {software_version()}")
        raise typer.Exit


def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more to stderr.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Stands before all commands."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def _sentence(error: TyperException) -> str:
    text = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    told = "thermo-device" if context is None else context.command_path
    return text if text.endswith("?") else f"{text.rstrip('.')}; see {told} --help."


def _fail(code: ExitCode, message: str) -> ExitCode:
    typer.echo(f"thermo-device: {clean(message)}", err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())

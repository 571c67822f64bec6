"""The application `thermo-host`: its commands, and how errors become one sentence, JSON and an exit code."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence

import typer
from rich.console import Console
from rich.traceback import Traceback
from typer.exceptions import TyperException

from thermo_core.errors import ThermoError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_host.calibrate import command as calibrate
from thermo_host.cli import Terminated
from thermo_host.commands import control, export, flash, info, keygen, ports, replay, stream

EPILOG = "Exit codes:\n\n" + "\n\n".join(meanings())


def application() -> typer.Typer:
    """The command line, for tests and documentation."""
    app = typer.Typer(
        name="thermo-host",
        help="Flash, calibrate, watch and record wearable thermal sensors. Informs only. Not a medical device.",
        epilog=EPILOG,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    commands: dict[str, Callable[..., None]] = {
        "ports": ports.command,
        "info": info.command,
        "flash": flash.command,
        "calibrate": calibrate.command,
        "stream": stream.stream,
        "record": stream.record,
        "replay": replay.command,
        "export": export.export,
        "decode": export.decode,
        "rate": control.rate,
        "self-test": control.self_test,
        "reset": control.reset,
        "keygen": keygen.command,
    }
    for name, function in commands.items():
        app.command(name)(function)
    return app


def run(arguments: Sequence[str]) -> ExitCode:
    """Run one command; errors are told on standard error, with `--json` on standard output too."""
    as_json = "--json" in arguments
    try:
        _invoke(list(arguments) or ["--help"])
    except ThermoError as error:
        return _fail(exit_code(error), type(error).__name__, str(error), as_json)
    except TyperException as error:
        return _fail(ExitCode.USAGE, "UsageError", _sentence(error), as_json)
    except Terminated:
        return _fail(ExitCode.TERMINATED, "Terminated", "ended by SIGTERM.", as_json)
    except (KeyboardInterrupt, EOFError):
        return _fail(ExitCode.INTERRUPTED, "Interrupted", "interrupted.", as_json)
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is left in the buffer must not fail again at exit.
        _discard_output()
        return ExitCode.OK
    except Exception as error:
        if isinstance(error, OSError) and (reason := _unwritable_output()):
            return _fail(ExitCode.FILE, "StorageError", f"Standard output takes no more ({reason}).", as_json=False)
        Console(stderr=True).print(Traceback.from_exception(type(error), error, error.__traceback__))
        return _fail(ExitCode.BUG, type(error).__name__, f"a bug in thermo-host ({error}): please report it.", as_json)
    return ExitCode.OK


def _unwritable_output() -> str:
    """Why standard output cannot be written, "" where it can; in the first case it is given up."""
    try:
        # A text file forgets what it could not write, so a flush alone would succeed.
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        _discard_output()
        return error.strerror or str(error)
    return ""


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(arguments: list[str]) -> None:
    # Not the command's own `main`, which turns Ctrl-C, SIGTERM and a closed pipe into codes of its own.
    command = typer.main.get_command(application())
    with contextlib.suppress(typer.Exit), command.make_context("thermo-host", arguments) as context:
        command.invoke(context)


def _sentence(error: TyperException) -> str:
    text = " ".join(error.format_message().split())
    if text.endswith("?"):
        return text
    return f"{text.rstrip('.')}; `thermo-host --help` lists the commands, COMMAND --help their arguments."


def _fail(code: ExitCode, kind: str, message: str, as_json: bool) -> ExitCode:
    if as_json:
        answer = {"error": {"kind": kind, "message": message, "exit_code": int(code)}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    Console(stderr=True, soft_wrap=True).print(f"thermo-host: {message}", markup=False, highlight=False)
    return code

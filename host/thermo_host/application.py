"""The application `thermo-host`: its commands, and how errors become one sentence, JSON and an exit code."""

import contextlib
import errno
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.traceback import Traceback
from typer.exceptions import TyperException

from thermo_core.errors import ThermoError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_host.cli import HungUp, Terminated
from thermo_host.commands.table import COMMANDS
from thermo_host.console import PlainConsole

_NO_NUMBER = re.compile(r"is not a valid (float|integer|int)( range)?")


def application(names: Iterable[str] = COMMANDS, whole: bool = True) -> typer.Typer:
    """The command line.

    Args:
        names: the commands it has; each is imported.
        whole: where False none is imported and each is only a name with its summary: enough for help and for typos.
    """
    app = typer.Typer(
        name="thermo-host",
        help="Flash, calibrate, watch and record wearable thermal sensors. Informs only. Not a medical device.",
        epilog="Exit codes:\n\n" + "\n\n".join(meanings()),
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in names:
        entry = COMMANDS[name]
        app.command(name, help=None if whole else entry.summary)(entry.load() if whole else _nothing)
    return app


def run(arguments: Sequence[str]) -> ExitCode:
    """Run one command; errors are told on standard error, with `--json` on standard output too."""
    as_json = "--json" in arguments
    # What a library logs of a wearable's answers is no word for a terminal; errors say what matters.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        try:
            _invoke(list(arguments) or ["--help"])
        finally:
            sys.stdout.flush()
    except ThermoError as error:
        return _fail(exit_code(error), type(error).__name__, str(error), as_json)
    except TyperException as error:
        return _fail(ExitCode.USAGE, "UsageError", _sentence(error), as_json)
    except HungUp:
        return _fail(ExitCode.HUNG_UP, "HungUp", "the terminal was closed.", as_json)
    except Terminated:
        return _fail(ExitCode.TERMINATED, "Terminated", "ended by SIGTERM.", as_json)
    except (KeyboardInterrupt, EOFError):
        return _fail(ExitCode.INTERRUPTED, "Interrupted", "interrupted.", as_json)
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is left in the buffer must not fail again at exit.
        _discard_output()
        return ExitCode.OK
    except Exception as error:
        if _hung_up(error):
            return _fail(ExitCode.HUNG_UP, "HungUp", "the terminal was closed.", as_json)
        if isinstance(error, OSError) and (reason := _unwritable_output()):
            return _fail(ExitCode.FILE, "StorageError", f"Standard output takes no more ({reason}).", as_json=False)
        PlainConsole(stderr=True).print(Traceback.from_exception(type(error), error, error.__traceback__))
        return _fail(ExitCode.BUG, type(error).__name__, f"a bug in thermo-host ({error}): please report it.", as_json)
    return ExitCode.OK


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thermo-host {software_version()}")
        raise typer.Exit


def _options(
    show_version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Stands before all commands."""


def _nothing() -> None:
    """Stands for a command of which only the name is wanted."""


def _invoke(arguments: list[str]) -> None:
    # Only what is asked for is imported: everything together takes a second.
    name = next((word for word in arguments if not word.startswith("-")), "")
    known = name in COMMANDS and arguments[0] == name
    # Not the command's own `main`, which turns Ctrl-C, SIGTERM and a closed pipe into codes of its own.
    command = typer.main.get_command(application([name]) if known else application(whole=False))
    with contextlib.suppress(typer.Exit), command.make_context("thermo-host", arguments) as context:
        command.invoke(context)


def _hung_up(error: BaseException) -> bool:
    """Whether a terminal that is gone is the cause: writing to it fails before or after the signal comes."""
    if isinstance(error, OSError) and error.errno == errno.EIO and sys.stdout.isatty():
        return True
    cause = error.__cause__ or error.__context__
    return isinstance(error, HungUp) or (cause is not None and _hung_up(cause))


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


def _sentence(error: TyperException) -> str:
    text = " ".join(error.format_message().split())
    text = _NO_NUMBER.sub("is no number", text)
    if text.endswith("?"):
        return text
    context = getattr(error, "ctx", None)
    if context is not None and context.parent is not None:
        return f"{text.rstrip('.')}; `{context.command_path} --help` lists what it takes."
    return f"{text.rstrip('.')}; `thermo-host --help` lists the commands, COMMAND --help their arguments."


def _fail(code: ExitCode, kind: str, message: str, as_json: bool) -> ExitCode:
    if as_json:
        answer = {"error": {"kind": kind, "message": message, "exit_code": int(code)}}
        with contextlib.suppress(OSError):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    # Where nobody can be told any more, the code alone says it.
    with contextlib.suppress(OSError):
        PlainConsole(stderr=True, soft_wrap=True).print(f"thermo-host: {clean(message)}")
    return code

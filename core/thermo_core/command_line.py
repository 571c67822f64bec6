"""How every command of ours runs: errors become one sentence, JSON where it was asked for, and a code of one table.

Needs typer, which comes with every extra that has a command.
"""

import contextlib
import errno
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from thermo_core.entry import HungUp, Terminated, interruption
from thermo_core.errors import ThermoError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.text import clean
from thermo_core.version import software_version

_NO_NUMBER = re.compile(r"is not a valid (float|integer|int)( range)?")


def application(
    name: str, what: str, codes: Iterable[ExitCode] = ExitCode, more: str = "", quiet: int | None = None
) -> typer.Typer:
    """An application without commands that knows `-h`, `--help`, `--version` and, where it logs, `--verbose`.

    Args:
        name: of the command.
        what: it does, the first line of its help.
        codes: exit codes it can return, for its help.
        more: what its help says below them.
        quiet: level of what it logs to standard error without `--verbose`; None where it logs nothing.
    """
    app = typer.Typer(
        name=name,
        help=what,
        epilog="Exit codes:\n\n" + "\n\n".join(meanings(tuple(codes))) + (more and "\n\n" + more),
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show(wanted: bool) -> None:
        if wanted:
            typer.echo(f"{name} {software_version()}")
            raise typer.Exit

    version = typer.Option("--version", help="Say which version this is.", is_eager=True, callback=show)

    if quiet is None:

        @app.callback(help=what)
        def options(show_version: Annotated[bool, version] = False) -> None:
            pass

    else:
        level: int = quiet

        @app.callback(help=what)
        def options_with_log(
            verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more to standard error.")] = False,
            show_version: Annotated[bool, version] = False,
        ) -> None:
            logging.basicConfig(
                level=logging.DEBUG if verbose else level,
                format="%(levelname)s %(name)s: %(message)s",
                stream=sys.stderr,
            )

    return app


def run(name: str, build: Callable[[], typer.Typer], words: list[str]) -> int:
    """Run one command line.

    Args:
        name: of the command.
        build: makes its application.
        words: of the command line; with `--json` among them errors are told on standard output too.

    Returns:
        The exit code: of `ExitCode`, or the command's own.
    """
    as_json = "--json" in words
    try:
        try:
            return _invoke(name, build(), words)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except ThermoError as error:
        return _fail(name, exit_code(error), type(error).__name__, str(error), as_json)
    except TyperException as error:
        return _fail(name, ExitCode.USAGE, "UsageError", _sentence(name, error), as_json)
    except (KeyboardInterrupt, EOFError) as error:
        return _interrupted(name, error, as_json)
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is left in the buffer must not fail again at exit.
        _discard_output()
        return ExitCode.OK
    except Exception as error:
        ended = HungUp() if _no_terminal(error) else interruption(error)
        if ended is not None:
            return _interrupted(name, ended, as_json)
        if isinstance(error, OSError) and (reason := _unwritable_output()):
            return _fail(
                name, ExitCode.FILE, "StorageError", f"Standard output takes no more ({reason}).", as_json=False
            )
        traceback.print_exception(error)
        message = f"a bug in {name} ({error}): please report it."
        return _fail(name, ExitCode.BUG, type(error).__name__, message, as_json)


def end_with(name: str, error: ThermoError) -> NoReturn:
    """End a command that has printed its result already: the sentence on standard error alone, and the error's code."""
    _tell(name, str(error))
    raise typer.Exit(int(exit_code(error)))


def _invoke(name: str, app: typer.Typer, words: list[str]) -> int:
    # Not the command's own `main`, which turns Ctrl-C, SIGTERM and a closed pipe into codes of its own.
    command = typer.main.get_command(app)
    try:
        with command.make_context(name, words) as context:
            return int(command.invoke(context) or ExitCode.OK)
    except typer.Exit as ended:
        return ended.exit_code


def _interrupted(name: str, ended: KeyboardInterrupt | EOFError, as_json: bool) -> int:
    if isinstance(ended, HungUp):
        return _fail(name, ExitCode.HUNG_UP, "HungUp", "the terminal was closed.", as_json)
    if isinstance(ended, Terminated):
        return _fail(name, ExitCode.TERMINATED, "Terminated", "ended by SIGTERM.", as_json)
    return _fail(name, ExitCode.INTERRUPTED, "Interrupted", "interrupted.", as_json)


def _no_terminal(error: BaseException) -> bool:
    """Whether a terminal that is gone is the cause: writing to it fails before or after the signal comes."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, OSError) and at.errno == errno.EIO and sys.stdout.isatty():
            return True
        at = at.__cause__ or at.__context__
    return False


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


def _sentence(name: str, error: TyperException) -> str:
    text = _NO_NUMBER.sub("is no number", " ".join(error.format_message().split()))
    if text.endswith("?"):
        return text
    context = getattr(error, "ctx", None)
    if context is not None and context.parent is not None:
        return f"{text.rstrip('.')}; `{context.command_path} --help` lists what it takes."
    return f"{text.rstrip('.')}; `{name} --help` lists the commands, COMMAND --help their arguments."


def _fail(name: str, code: ExitCode, kind: str, message: str, as_json: bool) -> ExitCode:
    if as_json:
        answer = {"error": {"kind": kind, "message": message, "exit_code": int(code)}}
        with contextlib.suppress(OSError):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    _tell(name, message)
    return code


def _tell(name: str, message: str) -> None:
    # Where nobody can be told any more, the code alone says it.
    with contextlib.suppress(OSError):
        print(f"{name}: {clean(message)}", file=sys.stderr, flush=True)

"""How `thermo-quantize` and `thermo-models` run: errors become one sentence, JSON and a code of the table all commands share."""

import contextlib
import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from thermo_core.errors import ThermoError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.text import clean
from thermo_core.version import software_version

_CODES = (
    ExitCode.OK,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.IMAGE,
    ExitCode.FILE,
    ExitCode.ACCURACY,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came: the same way out as Ctrl-C, with another exit code."""


def application(name: str, what: str) -> typer.Typer:
    """An application without commands that knows `-h`, `--help` and `--version`.

    Args:
        name: of the command.
        what: it does, the first line of its help.
    """
    app = typer.Typer(
        name=name,
        help=what,
        epilog="Exit codes:\n\n" + "\n\n".join(meanings(_CODES)),
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show(wanted: bool) -> None:
        if wanted:
            print(f"{name} {software_version()}")
            raise typer.Exit

    @app.callback()
    def options(
        show_version: Annotated[
            bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=show)
        ] = False,
    ) -> None:
        pass

    options.__doc__ = what
    return app


def main(app: typer.Typer, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; ends the process with a code of `thermo_core.exit_codes`."""
    with contextlib.suppress(ValueError):  # not in the main thread, as in some tests
        signal.signal(signal.SIGTERM, _terminate)
    _open_missing_streams()
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    sys.exit(_run(app, words))


def _run(app: typer.Typer, words: list[str]) -> ExitCode:
    name, as_json = str(app.info.name), "--json" in words
    try:
        try:
            _invoke(app, name, words)
        finally:
            sys.stdout.flush()
    except typer.Exit as ended:
        return ExitCode(ended.exit_code)
    except ThermoError as error:
        return _fail(name, exit_code(error), type(error).__name__, str(error), as_json)
    except TyperException as error:
        return _fail(name, ExitCode.USAGE, "UsageError", _sentence(name, error), as_json)
    except _Terminated:
        return ExitCode.TERMINATED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            return _bug(name, error, as_json)
        # Nobody reads on, or there is no room; what is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return ExitCode.OK
        return _fail(name, ExitCode.FILE, "StorageError", f"Standard output takes no more ({error.strerror}).", False)
    except Exception as error:
        return _bug(name, error, as_json)
    return ExitCode.OK


def _invoke(app: typer.Typer, name: str, words: list[str]) -> None:
    # Not the command's own `main`, which turns Ctrl-C and a closed pipe into codes of its own.
    command = typer.main.get_command(app)
    with command.make_context(name, words) as context:
        command.invoke(context)


def end_with(name: str, error: ThermoError) -> NoReturn:
    """End a command that has printed its result already: the sentence on standard error alone, and the error's code."""
    print(f"{name}: {clean(str(error))}", file=sys.stderr)
    raise typer.Exit(int(exit_code(error)))


def _sentence(name: str, error: TyperException) -> str:
    text = " ".join(error.format_message().split())
    if text.endswith("?"):
        return text
    return f"{text.rstrip('.')}; `{name} --help` lists the commands, COMMAND --help their arguments."


def _bug(name: str, error: Exception, as_json: bool) -> ExitCode:
    traceback.print_exception(error)
    return _fail(name, ExitCode.BUG, type(error).__name__, f"a bug in {name} ({error}): please report it.", as_json)


def _fail(name: str, code: ExitCode, kind: str, message: str, as_json: bool) -> ExitCode:
    if as_json:
        print(json.dumps({"error": {"kind": kind, "message": message, "exit_code": int(code)}}), flush=True)
    print(f"{name}: {clean(message)}", file=sys.stderr)
    return code


def _open_missing_streams() -> None:
    """Give the process outputs where its parent closed them, lest a model that is opened becomes descriptor 1."""
    if sys.stdout is None or sys.stderr is None:
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)
        sys.stdout = sys.stdout or os.fdopen(1, "w")
        sys.stderr = sys.stderr or os.fdopen(2, "w")


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise _Terminated

"""How a command of ours begins and ends: signals obeyed from the first moment, streams that are there, one exit code.

Imports the standard library alone: importing a whole application takes a second in which somebody may press Ctrl-C.
"""

import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the same way out as Ctrl-C, with another exit code."""


class HungUp(KeyboardInterrupt):
    """The terminal is gone (SIGHUP): the same way out, and nobody is there to be told."""


def enter(application: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and leave the process with its exit code.

    Args:
        application: module to import, whose `run` takes words and returns the exit code.
        arguments: the words; None for those of the process.
    """
    try:
        _obey_signals()
        _open_missing_streams()
        for stream in (sys.stdout, sys.stderr):
            # What an old terminal's character set lacks becomes a question mark; views know better substitutes.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        run = importlib.import_module(application).run
        sys.exit(run(list(sys.argv[1:] if arguments is None else arguments) or ["--help"]))
    except (Exception, KeyboardInterrupt) as error:
        ended = interruption(error)
        if ended is None:
            raise
        sys.exit(128 + _number(ended))


def interruption(error: BaseException) -> KeyboardInterrupt | None:
    """The signal that an error came of; None where none did.

    A signal is obeyed between any two instructions, those of a lock's own bookkeeping among them (`Condition.wait` gives
    its lock back before it waits for another), and what tidies up there then fails with an error that means nothing.
    """
    at: BaseException | None = error
    while at is not None and not isinstance(at, KeyboardInterrupt):
        at = at.__cause__ or at.__context__
    return at


def _number(ended: KeyboardInterrupt) -> signal.Signals:
    if isinstance(ended, HungUp):
        return signal.SIGHUP
    return signal.SIGTERM if isinstance(ended, Terminated) else signal.SIGINT


def _obey_signals() -> None:
    with contextlib.suppress(ValueError):  # not in the main thread, as in some tests
        signal.signal(signal.SIGTERM, _terminate)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, _hang_up)


def _open_missing_streams() -> None:
    """Give the process a standard output and error where its parent closed them."""
    # Before anything else, such as a serial port, becomes descriptor 1 and gets what is printed.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w")


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _hang_up(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the shell and the kernel may both send it
    raise HungUp

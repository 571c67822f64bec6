"""`thermo-host`: the entry point, which obeys Ctrl-C, SIGTERM and SIGHUP from its first moment on."""

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


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with one of the codes of `thermo_core.exit_codes`."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, _hang_up)
        _open_missing_streams()
        for stream in (sys.stdout, sys.stderr):
            # What an old terminal's character set lacks becomes a question mark; views know better substitutes.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        # Importing everything takes a second in which somebody may press Ctrl-C.
        from thermo_host.application import run

        sys.exit(run(sys.argv[1:] if arguments is None else arguments))
    except HungUp:
        sys.exit(128 + signal.SIGHUP)
    except Terminated:
        sys.exit(128 + signal.SIGTERM)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


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


if __name__ == "__main__":
    # A module that runs as __main__ exists twice; the application knows the importable one.
    from thermo_host.cli import main as run_main

    run_main()

"""`thermo-host`: the entry point, which obeys Ctrl-C and SIGTERM from its first moment on."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the same way out as Ctrl-C, with another exit code."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with one of the codes of `thermo_host.exit_codes`."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        # Importing everything takes a second in which somebody may press Ctrl-C.
        from thermo_host.application import run

        sys.exit(run(sys.argv[1:] if arguments is None else arguments))
    except Terminated:
        sys.exit(128 + signal.SIGTERM)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


if __name__ == "__main__":
    # A module that runs as __main__ exists twice; the application knows the importable one.
    from thermo_host.cli import main as run_main

    run_main()

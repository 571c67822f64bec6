"""What each of the commands returns to the shell for each kind of error: one table for all of them."""

from collections.abc import Iterable
from enum import IntEnum

from thermo_core.errors import (
    AccuracyDropError,
    AmbiguousPortError,
    BusError,
    CalibrationFailedError,
    CorrectionError,
    ImageError,
    LinkError,
    ModelError,
    PortBusyError,
    PortNotFoundError,
    RefusedError,
    StorageError,
    ThermoError,
    UsageError,
)


class ExitCode(IntEnum):
    """Exit codes."""

    OK = 0
    BUG = 1
    USAGE = 2
    PORT_NOT_FOUND = 3
    PORT_BUSY = 4
    LINK = 5
    REFUSED = 6
    IMAGE = 7
    CALIBRATION = 8
    FILE = 9
    DATA = 10
    ACCURACY = 11
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


LABORATORY = (
    ExitCode.OK,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.IMAGE,
    ExitCode.FILE,
    ExitCode.ACCURACY,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)
"""Those of commands that touch no wearable."""

MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.BUG: "a bug: please report it with the traceback",
    ExitCode.USAGE: "wrong arguments",
    ExitCode.PORT_NOT_FOUND: "no such port, or several and none was named",
    ExitCode.PORT_BUSY: "another program holds the port",
    ExitCode.LINK: "no answer, the port vanished, or the versions do not match",
    ExitCode.REFUSED: "the wearable refused the request, its sensors do not answer, or its self-test failed",
    ExitCode.IMAGE: "an image or a model is damaged, unsigned, too old, too large or not supported",
    ExitCode.CALIBRATION: "the calibration gave no result worth writing",
    ExitCode.FILE: "a file cannot be read, written or trusted",
    ExitCode.DATA: "sensor data that cannot be decoded",
    ExitCode.ACCURACY: "a quantised model lost more accuracy than it may",
    ExitCode.HUNG_UP: "the terminal was closed; the device was left quiet and files whole",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C; the device was left quiet and files whole",
    ExitCode.TERMINATED: "ended by SIGTERM; the device was left quiet and files whole",
}

_KINDS: tuple[tuple[type[ThermoError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (PortNotFoundError, ExitCode.PORT_NOT_FOUND),
    (AmbiguousPortError, ExitCode.PORT_NOT_FOUND),
    (PortBusyError, ExitCode.PORT_BUSY),
    (RefusedError, ExitCode.REFUSED),
    (BusError, ExitCode.REFUSED),
    (LinkError, ExitCode.LINK),
    (AccuracyDropError, ExitCode.ACCURACY),
    (ImageError, ExitCode.IMAGE),
    (ModelError, ExitCode.IMAGE),
    (CalibrationFailedError, ExitCode.CALIBRATION),
    (CorrectionError, ExitCode.CALIBRATION),
    (StorageError, ExitCode.FILE),
)


def exit_code(error: ThermoError) -> ExitCode:
    """The code for an error: of the first kind in the table it belongs to, DATA for sensor and wire data."""
    return next((code for kind, code in _KINDS if isinstance(error, kind)), ExitCode.DATA)


def meanings(codes: Iterable[ExitCode] = ExitCode) -> list[str]:
    """A line for each of some codes, for a help page."""
    return [f"{int(code):>3} {MEANINGS[code]}" for code in codes]

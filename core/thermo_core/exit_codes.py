"""What every command returns to the shell for each kind of error: one table for `thermo-host`, `thermo-quantize`, `thermo-models`."""

from enum import IntEnum

from thermo_core.errors import (
    AccuracyDropError,
    AmbiguousPortError,
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
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.BUG: "a bug: please report it with the traceback",
    ExitCode.USAGE: "wrong arguments",
    ExitCode.PORT_NOT_FOUND: "no such port, or several and none was named",
    ExitCode.PORT_BUSY: "another program holds the port",
    ExitCode.LINK: "no answer, the port vanished, or the versions do not match",
    ExitCode.REFUSED: "the wearable refused the request, or failed its self-test",
    ExitCode.IMAGE: "the model or image is damaged, unsigned, too old, too large or cannot run",
    ExitCode.CALIBRATION: "the calibration gave no result worth writing",
    ExitCode.FILE: "a file cannot be read, written or trusted",
    ExitCode.DATA: "sensor data that cannot be decoded",
    ExitCode.ACCURACY: "a quantised model lost more accuracy than it may",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C; the device was left quiet and files whole",
    ExitCode.TERMINATED: "ended by SIGTERM; the device was left quiet and files whole",
}

_KINDS: tuple[tuple[type[ThermoError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (PortNotFoundError, ExitCode.PORT_NOT_FOUND),
    (AmbiguousPortError, ExitCode.PORT_NOT_FOUND),
    (PortBusyError, ExitCode.PORT_BUSY),
    (RefusedError, ExitCode.REFUSED),
    (LinkError, ExitCode.LINK),
    (ImageError, ExitCode.IMAGE),
    (AccuracyDropError, ExitCode.ACCURACY),
    (ModelError, ExitCode.IMAGE),
    (CalibrationFailedError, ExitCode.CALIBRATION),
    (CorrectionError, ExitCode.CALIBRATION),
    (StorageError, ExitCode.FILE),
)


def exit_code(error: ThermoError) -> ExitCode:
    """The code for an error: of the first kind in the table it belongs to, DATA for sensor and wire data."""
    return next((code for kind, code in _KINDS if isinstance(error, kind)), ExitCode.DATA)


def table(codes: tuple[ExitCode, ...] = tuple(MEANINGS)) -> str:
    """The codes with their meanings, a paragraph each, for a command's help."""
    return "Exit codes:\n\n" + "\n\n".join(f"{code.value:4} {MEANINGS[code]}" for code in codes)

"""What `thermo-host` returns to the shell for each kind of error; `thermo-host --help` prints this table."""

from enum import IntEnum

from thermo_core.errors import (
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
    """Exit codes of `thermo-host`."""

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
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.BUG: "a bug in thermo-host: please report it with the traceback",
    ExitCode.USAGE: "wrong arguments",
    ExitCode.PORT_NOT_FOUND: "no such port, or several and none was named",
    ExitCode.PORT_BUSY: "another program holds the port",
    ExitCode.LINK: "no answer, the port vanished, or the versions do not match",
    ExitCode.REFUSED: "the wearable refused the request, or failed its self-test",
    ExitCode.IMAGE: "the image is damaged, unsigned, too old or too large",
    ExitCode.CALIBRATION: "the calibration gave no result worth writing",
    ExitCode.FILE: "a file cannot be read, written or trusted",
    ExitCode.DATA: "sensor data that cannot be decoded",
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
    (ModelError, ExitCode.IMAGE),
    (CalibrationFailedError, ExitCode.CALIBRATION),
    (CorrectionError, ExitCode.CALIBRATION),
    (StorageError, ExitCode.FILE),
)


def exit_code(error: ThermoError) -> ExitCode:
    """The code for an error: of the first kind in the table it belongs to, DATA for sensor and wire data."""
    return next((code for kind, code in _KINDS if isinstance(error, kind)), ExitCode.DATA)

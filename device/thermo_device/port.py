"""The serial port an agent serves: a real tty (UART, USB gadget); a simulated one is made of the same parts.

A port never blocks: reads return what is there, writes take what fits. Everything that means "the other side is gone"
(hangup, EIO, an unplugged gadget) becomes `LinkLostError`, after which the owner closes the port and opens it again.
"""

import contextlib
import errno
import os
import select
import termios
from typing import Protocol

import serial

from thermo_core.errors import LinkError, LinkLostError, PortBusyError, PortNotFoundError, UsageError
from thermo_core.wire.baud import DEFAULT_BAUD

READ_SIZE = 4096
_FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)


class Port(Protocol):
    """What the agent needs of a serial port."""

    @property
    def name(self) -> str:
        """What to open to reach this port, for messages."""
        ...

    def open(self) -> None:
        """Open it.

        Raises:
            LinkError: it is not there, or another program holds it.
        """
        ...

    def close(self) -> None:
        """Close it; harmless when closed."""
        ...

    def fileno(self) -> int:
        """Descriptor to poll."""
        ...

    def read(self) -> bytes:
        """Bytes that wait; b"" when there are none.

        Raises:
            LinkLostError: the port vanished.
        """
        ...

    def write(self, data: bytes) -> int:
        """Hand over what fits and return its length, 0 when the line is full.

        Raises:
            LinkLostError: the port vanished.
        """
        ...

    def discard_output(self) -> None:
        """Throw away what was written and nobody has read, so that whoever opens next finds the line quiet."""
        ...


class DescriptorPort:
    """Reading and writing of an open, non-blocking tty descriptor."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._descriptor = -1

    @property
    def name(self) -> str:
        """Of the port."""
        return self._name

    def fileno(self) -> int:
        """Its descriptor, for `poll`."""
        return self._descriptor

    def read(self) -> bytes:
        """What has come; b"" where nothing has."""
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        try:
            ready = poller.poll(0)
            if not ready:
                return b""
            data = os.read(self._descriptor, READ_SIZE) if ready[0][1] & select.POLLIN else b""
        except OSError as error:
            if error.errno in _FULL:
                return b""
            raise self._lost(error) from error
        if not data:
            raise LinkLostError(f"{self._name} hung up; it is opened again when it returns.")
        return data

    def write(self, data: bytes) -> int:
        """Write what there is room for; how many bytes that was."""
        try:
            return os.write(self._descriptor, data)
        except OSError as error:
            if error.errno in _FULL:
                return 0
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> LinkLostError:
        return LinkLostError(f"{self._name} failed ({error.strerror}); it is opened again when it returns.")


class SerialPort(DescriptorPort):
    """A tty by path.

    Args:
        path: for example /dev/ttyGS0 or /dev/serial0.
        baud_rate: bits per second; ignored by USB gadgets and pseudo-terminals.
    """

    def __init__(self, path: str, baud_rate: int = DEFAULT_BAUD) -> None:
        super().__init__(path)
        self._baud_rate = baud_rate
        self._serial: serial.Serial | None = None

    def open(self) -> None:
        """Open it, alone."""
        try:
            self._serial = serial.Serial(self._name, self._baud_rate, timeout=0, write_timeout=0, exclusive=True)
        except ValueError as error:
            raise UsageError(
                f"{self._name} cannot run at {self._baud_rate} baud; choose another with --baud."
            ) from error
        except OSError as error:
            raise _open_error(self._name, error) from error
        except termios.error as error:
            raise UsageError(f"{self._name} is no serial port ({error.args[-1]}); name a tty with --port.") from error
        self._descriptor = self._serial.fileno()

    def close(self) -> None:
        """Close it; harmless when closed."""
        self._descriptor = -1
        if self._serial is not None:
            with contextlib.suppress(OSError, termios.error):
                self._serial.close()
            self._serial = None

    def discard_output(self) -> None:
        """Throw away what was written and nobody has read."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)


def _open_error(path: str, error: OSError) -> LinkError | UsageError:
    # pyserial wraps what termios says without its number.
    cause = error.__context__
    code = cause.args[0] if error.errno is None and isinstance(cause, termios.error) else error.errno
    if code in (errno.ENOTTY, errno.EISDIR):
        return UsageError(f"{path} is no serial port; name a tty with --port.")
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return PortNotFoundError(f"{path} is not there; plug it in or load its gadget driver.")
    if code in (errno.EBUSY, errno.EAGAIN):
        return PortBusyError(f"{path} is held by another program; stop it, then this one continues.")
    if code == errno.EACCES:
        return PortNotFoundError(f"{path} may not be opened by this user; add the user to the group dialout.")
    return PortNotFoundError(f"{path} cannot be opened ({error}); check that it is a serial port.")

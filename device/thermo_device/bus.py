"""I2C: the bus as the kernel offers it, its errors as ours, and a chip's registers with retries.

Every transaction is a write of the register's address and, after a repeated start, the read: a chip's pointer does not
survive between transactions, so longer reads are split into pieces that are each addressed anew.
"""

import contextlib
import errno
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from smbus2 import SMBus, i2c_msg

from thermo_core.clock import Clock
from thermo_core.errors import (
    BusError,
    BusStuckError,
    NackError,
    ShortReadError,
    UsageError,
)
from thermo_device.counters import Tally

MAX_READ_BYTES = 8192
"""The kernel's own limit for one I2C message."""
ATTEMPTS = 4
"""How often a transaction is tried, where nothing else is said."""
RETRY_US = 250
"""Pause before a transaction is tried again; long enough for a chip that is busy with itself."""

_CURES = {
    errno.ENOENT: "enable it (raspi-config, Interface Options), or name another with --bus",
    errno.EACCES: "add the user to the group i2c",
}
_ELSE = "name an I2C bus with --bus"
_RESERVED_ADDRESS = 0x7F
_NACKS = (errno.ENXIO, errno.EREMOTEIO)
_STUCKS = (errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY)


class I2cBus(Protocol):
    """What the device needs of a bus; simulated ones offer the same."""

    def i2c_rdwr(self, *messages: Any) -> None:
        """Run `smbus2.i2c_msg` objects as one combined transaction; raises OSError as the kernel does."""
        ...

    def recover(self) -> None:
        """Clock SCL at least nine times, so that a chip which holds SDA lets go; never raises."""
        ...


class LinuxBus:
    """An I2C adapter of the Linux kernel, opened by the first transaction: a wearable without chips needs none.

    Args:
        path: for example /dev/i2c-1.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._bus: SMBus | None = None

    def open(self) -> None:
        """Open it.

        Raises:
            UsageError: it cannot be opened.
        """
        try:
            self._bus = self._bus or SMBus(self._path)
        except OSError as error:
            raise UsageError(
                f"The I2C bus {self._path} cannot be opened ({error.strerror}); {_CURES.get(error.errno or 0, _ELSE)}."
            ) from error

    def i2c_rdwr(self, *messages: Any) -> None:
        """One combined transaction; raises OSError."""
        if self._bus is None:
            self._bus = SMBus(self._path)
        self._bus.i2c_rdwr(*messages)

    def recover(self) -> None:
        """Read a byte from an address nobody has: its eight bits and acknowledge are nine clocks, then a STOP.

        The Pi's BSC controller does not look at SDA before it clocks, so this is enough. Adapters whose driver frees
        the bus itself (Raspberry Pi 5, i2c-gpio) have done so when they report the timeout. The adapter is opened anew
        at the next transaction, since a USB adapter may have been replugged.
        """
        with contextlib.suppress(OSError):
            self.i2c_rdwr(i2c_msg.read(_RESERVED_ADDRESS, 1))
        self.close()

    def close(self) -> None:
        """Release the adapter."""
        bus, self._bus = self._bus, None
        if bus is not None:
            with contextlib.suppress(OSError):
                bus.close()


def bus_error(error: OSError, address: int) -> BusError:
    """The kernel's error number as one of ours, with what to do."""
    where = f"I2C chip 0x{address:02X}"
    if error.errno in _NACKS:
        return NackError(f"{where} does not acknowledge; check its address, supply and wiring.", address)
    if error.errno in _STUCKS:
        return BusStuckError(
            f"The I2C bus hung while {where} was addressed ({error.strerror}); check pull-ups and wiring.", address
        )
    if error.errno == errno.EIO:
        return ShortReadError(
            f"A read from {where} ended early; shorten the wires or lower the bus frequency.", address
        )
    return BusError(f"The I2C adapter failed at {where} ({error.strerror}); check that it is still there.", address)


class Registers:
    """Transactions with one chip, each tried several times; every failure is counted.

    Args:
        bus: the bus.
        clock: waits between attempts.
        address: 7-bit address.
        counters: where faults are counted.
        max_read_bytes: longest single read the adapter can do.
        attempts: how often a transaction is tried before its error is raised.

    Raises:
        UsageError: `max_read_bytes` is below one word.
    """

    def __init__(
        self,
        bus: I2cBus,
        clock: Clock,
        address: int,
        counters: Tally,
        max_read_bytes: int = MAX_READ_BYTES,
        attempts: int = ATTEMPTS,
    ) -> None:
        if max_read_bytes < 2:
            raise UsageError(f"A limit of {max_read_bytes} bytes a read cannot carry a word; give 2 or more.")
        self._bus = bus
        self._clock = clock
        self._counters = counters
        self._attempts = attempts
        self._chunk_words = min(max_read_bytes, MAX_READ_BYTES) // 2
        self.address = address

    def read(self, length: int, pointer: bytes = b"") -> bytes:
        """Read bytes in one combined transaction.

        Args:
            length: of them.
            pointer: register address or command as the chip wants it, written before; none where empty.

        Raises:
            BusError: every attempt failed; the last error.
        """
        read = i2c_msg.read(self.address, length)
        self._transfer(*((i2c_msg.write(self.address, pointer),) if pointer else ()), read)
        return bytes(read)

    def write(self, data: bytes) -> None:
        """Write bytes; BusError as `read`."""
        self._transfer(i2c_msg.write(self.address, data))

    def read_words(self, pointer: bytes, count: int) -> NDArray[np.uint16]:
        """Read `count` big-endian words in one combined transaction.

        Args:
            pointer: register address as the chip wants it.
            count: number of words.

        Raises:
            BusError: every attempt failed; the last error.
        """
        return np.frombuffer(self.read(2 * count, pointer), dtype=">u2").astype(np.uint16)

    def read_block(self, address: int, count: int) -> NDArray[np.uint16]:
        """Read `count` words from a 16-bit address on; pieces are repeated alone where one fails.

        Raises:
            BusError: every attempt at a piece failed.
        """
        pieces = [
            self.read_words((address + start).to_bytes(2, "big"), min(self._chunk_words, count - start))
            for start in range(0, count, self._chunk_words)
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def read_word(self, address: int) -> int:
        """Read the word at a 16-bit address; BusError as `read_words`."""
        return int(self.read_words(address.to_bytes(2, "big"), 1)[0])

    def write_word(self, pointer: bytes, word: int) -> None:
        """Write one big-endian word; BusError as `read_words`."""
        self.write(pointer + word.to_bytes(2, "big"))

    def _transfer(self, *messages: Any) -> None:
        for attempt in range(1, self._attempts + 1):
            try:
                self._bus.i2c_rdwr(*messages)
                return
            except OSError as cause:
                error = bus_error(cause, getattr(cause, "address", self.address))
                self._count(error)
                if isinstance(error, BusStuckError) or type(error) is BusError:
                    self._bus.recover()
                    self._counters.add("bus_recovered")
                if attempt == self._attempts:
                    raise error from cause
            self._clock.sleep_until_us(self._clock.now_us() + RETRY_US * attempt)

    def _count(self, error: BusError) -> None:
        names = {NackError: "bus_nack", BusStuckError: "bus_stuck", ShortReadError: "bus_short_read"}
        self._counters.add(names.get(type(error), "bus_error"))

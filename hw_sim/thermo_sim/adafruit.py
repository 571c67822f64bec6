"""A simulated bus as `adafruit_bus_device` expects one, so that CircuitPython drivers run against it unmodified."""

import threading
from typing import Any

from smbus2 import i2c_msg

from thermo_sim.i2c import SimulatedBus


class AdafruitI2C:
    """Duck-typed as `busio.I2C`.

    Args:
        bus: the bus to talk to; errors are its OSError.
    """

    def __init__(self, bus: SimulatedBus) -> None:
        self._bus = bus
        self._lock = threading.Lock()

    def try_lock(self) -> bool:
        """Take the bus; False where another driver has it."""
        return self._lock.acquire(blocking=False)

    def unlock(self) -> None:
        """Give the bus back."""
        self._lock.release()

    def writeto(self, address: int, buffer: Any, *, start: int = 0, end: int | None = None) -> None:
        """One write transaction of `buffer[start:end]`; nothing at all is a probe for the address."""
        self._bus.i2c_rdwr(i2c_msg.write(address, bytes(buffer[start:end])))

    def readfrom_into(self, address: int, buffer: Any, *, start: int = 0, end: int | None = None) -> None:
        """One read transaction into `buffer[start:end]`."""
        message = i2c_msg.read(address, len(buffer[start:end]))
        self._bus.i2c_rdwr(message)
        buffer[start : start + message.len] = bytes(message)

    def writeto_then_readfrom(
        self,
        address: int,
        buffer_out: Any,
        buffer_in: Any,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
    ) -> None:
        """A write and a read in one transaction, with a repeated start between them."""
        read = i2c_msg.read(address, len(buffer_in[in_start:in_end]))
        self._bus.i2c_rdwr(i2c_msg.write(address, bytes(buffer_out[out_start:out_end])), read)
        buffer_in[in_start : in_start + read.len] = bytes(read)

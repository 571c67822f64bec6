"""One I2C transaction as a board's driver asks for it, and what comes of it in the words of the firmware."""

import ctypes
import errno

from smbus2 import i2c_msg

from thermo_sim.i2c import SimulatedBus

OK, NACK, STUCK, SHORT, BUS = range(5)
"""Values of `enum status` in `device/firmware/core/status.h`."""

_STATUS_BY_ERRNO = {
    errno.EREMOTEIO: NACK,
    errno.ENXIO: NACK,
    errno.ETIMEDOUT: STUCK,
    errno.EAGAIN: STUCK,
    errno.EBUSY: STUCK,
    errno.EIO: SHORT,
}


def carry_out(bus: SimulatedBus, address: int, write: bytes, read_size: int) -> tuple[int, bytes]:
    """Write, then read after a repeated start; either may be empty.

    Returns:
        Status, and what was read where it is OK.
    """
    messages = [i2c_msg.write(address, write)] if write else []
    read = i2c_msg.read(address, read_size) if read_size else None
    try:
        bus.i2c_rdwr(*messages, *([read] if read is not None else []))
    except OSError as error:
        return _STATUS_BY_ERRNO.get(error.errno or 0, BUS), b""
    return OK, ctypes.string_at(read.buf, read.len) if read is not None else b""

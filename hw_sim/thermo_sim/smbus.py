"""A simulated bus with the SMBus calls of smbus2, for drivers that know no others."""

from collections.abc import Sequence
from typing import Any

from smbus2 import i2c_msg

from thermo_sim.i2c import SimulatedBus


class Smbus:
    """Duck-typed as `smbus2.SMBus`; errors are its OSError.

    Args:
        bus: the bus to talk to.
    """

    def __init__(self, bus: SimulatedBus) -> None:
        self._bus = bus

    def i2c_rdwr(self, *messages: Any) -> None:
        """One combined transaction."""
        self._bus.i2c_rdwr(*messages)

    def read_i2c_block_data(self, address: int, register: int, length: int) -> list[int]:
        """Bytes from a register on; 32 at most, as the kernel has it."""
        read = i2c_msg.read(address, min(length, 32))
        self._bus.i2c_rdwr(i2c_msg.write(address, [register]), read)
        return list(bytes(read))

    def write_i2c_block_data(self, address: int, register: int, data: Sequence[int]) -> None:
        """Bytes to a register and those behind it."""
        self._bus.i2c_rdwr(i2c_msg.write(address, [register, *data]))

    def read_word_data(self, address: int, register: int) -> int:
        """A word, the low byte first."""
        low, high = self.read_i2c_block_data(address, register, 2)
        return high << 8 | low

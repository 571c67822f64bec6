"""What the simulator's tests share: an I2C master of a few lines, independent of the device package."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from smbus2 import i2c_msg

from thermo_sim.hardware import SimulatedHardware
from thermo_sim.i2c import SimulatedBus

STATUS, CONTROL, RAM, EEPROM = 0x8000, 0x800D, 0x0400, 0x2400


@dataclass
class Master:
    """Talks to one MLX90640 the way a driver does."""

    bus: SimulatedBus
    address: int = 0x33

    def read(self, address: int, words: int = 1) -> NDArray[np.uint16]:
        message = i2c_msg.read(self.address, 2 * words)
        self.bus.i2c_rdwr(i2c_msg.write(self.address, address.to_bytes(2, "big")), message)
        return np.frombuffer(bytes(message), dtype=">u2").astype(np.uint16)

    def word(self, address: int) -> int:
        return int(self.read(address)[0])

    def write(self, address: int, word: int) -> None:
        self.bus.i2c_rdwr(i2c_msg.write(self.address, address.to_bytes(2, "big") + word.to_bytes(2, "big")))

    def wait(self) -> int:
        """Wait for new data; the subpage number."""
        for _ in range(100_000):
            status = self.word(STATUS)
            if status & 8:
                return status & 1
            self.bus.clock.sleep_until_us(self.bus.clock.now_us() + 200)
        raise AssertionError("no new data in 20 simulated seconds")

    def frame(self) -> NDArray[np.uint16]:
        """Wait for a subpage, clear the flag, read RAM: (834,) words."""
        number = self.wait()
        self.write(STATUS, 0x0010)
        return np.concatenate([self.read(RAM, 832), self.read(CONTROL), [number]]).astype(np.uint16)

    def rate(self, code: int) -> None:
        self.write(CONTROL, self.word(CONTROL) & ~0x0380 | code << 7)


@pytest.fixture
def master() -> Callable[..., Master]:
    """Makes a master for a bus."""
    return Master


@pytest.fixture
def hardware() -> SimulatedHardware:
    """A settled wearable with everything random in place, seed 1, at 400 kHz."""
    return SimulatedHardware.from_profile(seed=1, warm_up_tau_s=0, bus_hz=400_000)

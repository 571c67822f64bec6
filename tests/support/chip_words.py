"""What tests read of simulated chips."""

import errno
from typing import Any

from chip_bus import read

from thermo_sim.i2c import SimulatedBus


def nacks(run: Any) -> bool:
    try:
        run()
    except OSError as error:
        assert error.errno == errno.EREMOTEIO
        return True
    return False


def read_word(bus: SimulatedBus, address: int, register: int, size: int = 2) -> int:
    return int.from_bytes(read(bus, address, 2, register.to_bytes(size, "big")), "big")

"""From a LIS3DH's bytes to counts, and from counts to g, in float32; `device/firmware/sensors/lis3dh_decode.c` gives the same bytes."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import SensorError
from thermo_core.sensors.lis3dh.registers import SHIFT
from thermo_core.signals import Values

BYTES = 6
"""Of a sample in the FIFO."""


def counts_of(data: bytes, mode: str) -> NDArray[np.int32]:
    """(n, 3) counts of what was read from the FIFO.

    Args:
        data: six bytes a sample.
        mode: of the settings.

    Raises:
        SensorError: no whole number of samples, or bits are set that the chip leaves 0: nobody drove the bus, or bytes slipped.
    """
    if not data or len(data) % BYTES:
        raise SensorError(
            f"The LIS3DH gave {len(data)} bytes, and a sample has {BYTES}; read its FIFO in whole samples."
        )
    words = np.frombuffer(data, "<i2").astype(np.int32).reshape(-1, 3)
    shift = SHIFT[mode]
    if (words & (1 << shift) - 1).any():
        raise SensorError(
            f"The LIS3DH gave a sample with bits that {mode} mode leaves 0; check its supply, and set it up again."
        )
    return words >> shift


def acceleration(counts: NDArray[np.int32], mg_a_count: int) -> Values:
    """Acceleration, g, of counts."""
    return np.asarray((counts * np.int32(mg_a_count)).astype(np.float32) / np.float32(1000), np.float32)

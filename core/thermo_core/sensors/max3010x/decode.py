"""From a MAX3010x's bytes to counts, and from counts to a photocurrent.

`device/firmware/sensors/max3010x_decode.c` gives the same bytes.
"""

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import SensorError
from thermo_core.sensors.max3010x.registers import BITS, BYTES
from thermo_core.signals import Values

FULL = (1 << BITS) - 1


def counts_of(data: bytes, leds: int) -> NDArray[np.int32]:
    """(n, leds) counts of what was read from the FIFO.

    Raises:
        SensorError: no whole number of samples, or one of more than 18 bits: nobody drove the bus, or bytes slipped.
    """
    if not data or len(data) % (BYTES * leds):
        raise SensorError(
            f"The pulse sensor gave {len(data)} bytes, and a sample has {BYTES * leds}; read its FIFO in whole samples."
        )
    octets = np.frombuffer(data, np.uint8).astype(np.int32).reshape(-1, leds, BYTES)
    counts = octets[..., 0] << 16 | octets[..., 1] << 8 | octets[..., 2]
    if (counts > FULL).any():
        raise SensorError("The pulse sensor gave a sample of more than 18 bits; check its supply, and set it up again.")
    return np.asarray(counts, np.int32)


def photocurrent(counts: NDArray[np.int32], range_na: int) -> Values:
    """Photocurrent, nA, of counts; a step is a power of two of nA, so that float32 holds every one."""
    return np.asarray(counts.astype(np.float32) * np.float32(range_na / (1 << BITS)), np.float32)

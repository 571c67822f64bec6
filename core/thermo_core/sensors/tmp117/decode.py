"""From a TMP117's words to a temperature, in float32; `device/firmware/sensors/tmp117_decode.c` gives the same bytes."""

import numpy as np

from thermo_core.quality import Quality
from thermo_core.sensors.tmp117 import registers

LOWEST, HIGHEST = -55, 150
"""What the chip is made for, degC."""
_COUNTS_A_KELVIN = 128


def celsius(configuration: int, result: int) -> tuple[np.float32, Quality]:
    """Temperature, degC, and what is wrong with it; NaN where it is none.

    Args:
        configuration: register 1 as it announced the result: its ready bit must be set, and no bit that never is.
        result: register 0.
    """
    if configuration & registers.NEVER:
        return np.float32(np.nan), Quality.IMPLAUSIBLE
    if result == registers.NOT_CONVERTED:
        return np.float32(np.nan), Quality.MISSING
    if not configuration & registers.DATA_READY:
        return np.float32(np.nan), Quality.STALE
    counts = result - 0x10000 if result & 0x8000 else result
    if not LOWEST * _COUNTS_A_KELVIN <= counts <= HIGHEST * _COUNTS_A_KELVIN:
        return np.float32(np.nan), Quality.IMPLAUSIBLE
    return np.float32(counts) / np.float32(_COUNTS_A_KELVIN), Quality(0)

"""A scan of thermistors as a block's data: 16-bit counts of each channel, little-endian.

A channel that was not read is -32768, one whose ADC answers and converts nothing -32767; no divider gives either.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import CountsError
from thermo_core.sensors.ads1115_ntc.thermistor import ChannelState

NOT_READ = -32768
FROZEN = -32767


def state(counts: int) -> ChannelState:
    """What is said of a channel in place of its counts; OK where these are counts."""
    return {NOT_READ: ChannelState.MISSING, FROZEN: ChannelState.FROZEN}.get(counts, ChannelState.OK)


def encode(counts: Sequence[int | None]) -> bytes:
    """Data of a scan; None for a channel that did not answer."""
    return np.array([NOT_READ if count is None else count for count in counts], "<i2").tobytes()


def decode(data: bytes, channels: int) -> NDArray[np.int16]:
    """(channels,) int16 counts.

    Raises:
        CountsError: not as many as the sensor has channels.
    """
    if len(data) != 2 * channels:
        raise CountsError(f"A scan of {channels} thermistors has {2 * channels} bytes, not {len(data)}; drop it.")
    return np.frombuffer(data, "<i2").astype(np.int16)

"""A scan of thermistors as a block's data: 16-bit counts of each channel, little-endian; -32768 where a channel was not read."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import CountsError

NOT_READ = -32768


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

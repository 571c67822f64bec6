"""The kind of TMP117 contact thermometers: words to a temperature.

A block holds the configuration word that announced the result, then the result, little-endian. Four bytes: nothing there is worth
coding. Where the driver does not know the result to be new, as of a chip that hangs, the word lacks its ready bit.
"""

import struct

import numpy as np

from thermo_core.errors import CountsError
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.sensors.repeats import Repeats
from thermo_core.sensors.tmp117 import decode
from thermo_core.sensors.tmp117.correction import Tmp117Correction
from thermo_core.sensors.tmp117.settings import Tmp117Settings
from thermo_core.signals import Sample

STALE_S = 300.0
"""Averaged counts of 7.8 mK stand still for a while in a quiet room, but not for this long on a body."""

_WORDS = struct.Struct("<2H")


def encode(configuration: int, result: int) -> bytes:
    """Data of a block."""
    return _WORDS.pack(configuration, result)


class Tmp117Reader:
    """Reads one chip.

    Args:
        settings: of the sensor.
        correction: of the chip, or None.
    """

    def __init__(self, settings: Tmp117Settings, correction: Tmp117Correction | None) -> None:
        (self._signal,) = settings.signals
        self._line = None if correction is None else correction.lines[0]
        self._repeats = Repeats(max(16, round(STALE_S * settings.rate_hz)))

    def push(self, block: Block) -> tuple[Moment]:
        """As `Reader`: -256 degC before the first conversion is no temperature."""
        if len(block.data) != _WORDS.size:
            raise CountsError(f"A reading of a TMP117 has {_WORDS.size} bytes, not {len(block.data)}; drop it.")
        configuration, result = _WORDS.unpack(block.data)
        celsius, flags = decode.celsius(configuration, result)
        value = np.asarray(celsius, np.float32)
        if self._line is None:
            flags |= Quality.UNCALIBRATED
        else:
            value = self._line.apply(value)
        if self._repeats.push(result):
            flags |= Quality.STALE
        return ({self._signal.name: Sample(block.time_us, value, int(flags))},)


KIND = SensorKind(
    Tmp117Settings,
    lambda settings, constants, correction: Tmp117Reader(settings, correction),
    correction=Tmp117Correction,
    surface=True,
)

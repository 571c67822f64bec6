"""The kind of SHT4x air sensors: words to temperature and humidity.

A block holds both words, little-endian and without their check bytes, which whoever read them has checked. Four bytes: nothing
there is worth coding.
"""

import struct

import numpy as np

from thermo_core.errors import CountsError
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.sensors.repeats import Repeats
from thermo_core.sensors.sht4x import decode
from thermo_core.sensors.sht4x.correction import Sht4xCorrection
from thermo_core.sensors.sht4x.settings import Sht4xSettings
from thermo_core.signals import Sample

STALE_READINGS = 32
"""Noise moves words of 2.7 mK and 0.002 % often enough."""

_WORDS = struct.Struct("<2H")
_RAILS = (0, 0xFFFF)


def encode(words: tuple[int, int]) -> bytes:
    """Data of a block: the words of temperature and humidity."""
    return _WORDS.pack(*words)


class Sht4xReader:
    """Reads one chip.

    Args:
        settings: of the sensor.
        correction: of the chip, or None.
    """

    def __init__(self, settings: Sht4xSettings, correction: Sht4xCorrection | None) -> None:
        self._temperature, self._humidity = settings.signals
        self._lines = None if correction is None else correction.lines
        self._repeats = Repeats(STALE_READINGS)

    def push(self, block: Block) -> tuple[Moment]:
        """As `Reader`: a word at the end of its range is no measurement."""
        if len(block.data) != _WORDS.size:
            raise CountsError(f"A reading of an SHT4x has {_WORDS.size} bytes, not {len(block.data)}; drop it.")
        words = _WORDS.unpack(block.data)
        values = [np.asarray(decode.celsius(words[0])), np.asarray(decode.humidity(words[1]))]
        flags = Quality.UNCALIBRATED
        if self._lines is not None:
            values = [line.apply(value) for line, value in zip(self._lines, values, strict=True)]
            values[1] = np.clip(values[1], np.float32(0), np.float32(100))
            flags = Quality(0)
        if self._repeats.push(words):
            flags |= Quality.STALE
        if words[0] in _RAILS:
            values = [np.asarray(np.float32(np.nan))] * 2
            flags |= Quality.IMPLAUSIBLE
        return (
            {
                self._temperature.name: Sample(block.time_us, np.asarray(values[0], np.float32), int(flags)),
                self._humidity.name: Sample(block.time_us, np.asarray(values[1], np.float32), int(flags)),
            },
        )


KIND = SensorKind(
    Sht4xSettings,
    lambda settings, constants, correction: Sht4xReader(settings, correction),
    correction=Sht4xCorrection,
)

"""The kind of MLX90614 thermometers: words to temperatures.

A block holds the sensor's word, then each zone's, little-endian and without their packet error codes, which whoever read them has
checked. Four or six bytes: nothing there is worth coding.
"""

import struct

import numpy as np

from thermo_core.errors import CountsError, EepromError
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.sensors.mlx90614 import decode, registers
from thermo_core.sensors.mlx90614.constants import CONSTANTS, Constants
from thermo_core.sensors.mlx90614.correction import Mlx90614Correction
from thermo_core.sensors.mlx90614.settings import Mlx90614Settings
from thermo_core.sensors.repeats import Repeats
from thermo_core.signals import Sample

STALE_S = 300.0
"""Filtered words of 0.02 K stand still for minutes in a quiet room, but not all of them for this long on a body."""


def encode(words: tuple[int, ...]) -> bytes:
    """Data of a block: the words of the sensor's and the objects' temperatures."""
    return struct.pack(f"<{len(words)}H", *words)


class Mlx90614Reader:
    """Reads one chip.

    Args:
        settings: of the sensor.
        constants: of the chip, as they travel.
        correction: of the chip, or None.

    Raises:
        EepromError: the constants are no healthy chip's, or those of a chip with fewer zones.
    """

    def __init__(self, settings: Mlx90614Settings, constants: bytes, correction: Mlx90614Correction | None) -> None:
        self._signals = settings.signals
        known = Constants.from_bytes(constants)
        if known.zones < settings.zones:
            raise EepromError(
                f"The profile wants {settings.zones} zones of {settings.name} and its MLX90614 has {known.zones}; correct "
                "the profile or fit a part with two."
            )
        self._written = decode.written_emissivity(known.emissivity)
        self._emissivity = np.float32(settings.emissivity)
        reflected = settings.reflected_celsius
        self._reflected = None if reflected is None else np.float32(reflected)
        self._lines = None if correction is None else correction.lines
        self._repeats = Repeats(max(2, round(STALE_S * settings.rate_hz)))
        self._form = struct.Struct(f"<{1 + settings.zones}H")

    def push(self, block: Block) -> tuple[Moment]:
        """As `Reader`: a word that is no temperature has no value, and says so."""
        if len(block.data) != self._form.size:
            raise CountsError(
                f"A reading of an MLX90614 has {self._form.size} bytes here, not {len(block.data)}; drop it."
            )
        words = self._form.unpack(block.data)
        common = Quality(0) if self._lines is not None else Quality.UNCALIBRATED
        if self._repeats.push(words):
            common |= Quality.STALE
        ta, wrong = _checked(words[0], registers.LOWEST_TA, registers.HIGHEST_TA)
        common |= wrong
        moment = {self._signals[1].name: Sample(block.time_us, np.asarray(ta, np.float32), int(common))}
        for zone, word in enumerate(words[1:]):
            to, wrong = _checked(word, registers.LOWEST_TO, registers.HIGHEST_TO)
            value = decode.with_emissivity(to, ta, self._written, self._emissivity, self._reflected)
            if self._lines is not None:
                value = self._lines[zone].apply(value, ta)
            if np.isnan(value) and not (common | wrong) & (Quality.MISSING | Quality.IMPLAUSIBLE):
                wrong |= Quality.IMPLAUSIBLE
            moment[self._signals[2 * zone].name] = Sample(block.time_us, value, int(common | wrong))
        return (moment,)


def _checked(word: int, low: int, high: int) -> tuple[np.float32, Quality]:
    """Temperature of a word and what is wrong with it."""
    if word & registers.ERROR:
        return np.float32(np.nan), Quality.MISSING
    if not low <= word <= high:
        return np.float32(np.nan), Quality.IMPLAUSIBLE
    return decode.celsius(word), Quality(0)


KIND = SensorKind(Mlx90614Settings, Mlx90614Reader, CONSTANTS, Mlx90614Correction, surface=True)

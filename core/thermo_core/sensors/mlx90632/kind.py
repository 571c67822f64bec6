"""The kind of MLX90632 thermopiles: readings to temperatures, in float32."""

import numpy as np

from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.sensors.mlx90632 import codec, decode
from thermo_core.sensors.mlx90632.constants import CONSTANTS, Constants
from thermo_core.sensors.mlx90632.correction import Mlx90632Correction
from thermo_core.sensors.mlx90632.settings import Mlx90632Settings
from thermo_core.sensors.repeats import Repeats
from thermo_core.signals import Sample

OBJECT_CELSIUS = (-40.0, 200.0)
SENSOR_CELSIUS = (-40.0, 125.0)
"""What the chip can measure, with some room; beyond, it is broken or its words came to harm."""
LEAST_REFERENCE = 1024
"""Counts: the reference channel is a voltage of the chip's own, so far above this that less was never measured. Both
temperatures rest on ratios to it, which look sound where all words are 0xFFFF."""
STALE_READINGS = 16
"""Noise of a count or two makes six words repeat now and then, never so often."""


class Mlx90632Reader:
    """Reads one chip.

    Args:
        settings: of the sensor.
        constants: of the chip, as they travel.
        correction: of the chip, or None.

    Raises:
        EepromError: the constants are no healthy chip's.
    """

    def __init__(self, settings: Mlx90632Settings, constants: bytes, correction: Mlx90632Correction | None) -> None:
        self._object, self._ta = settings.signals
        self._constants = Constants.from_bytes(constants).rounded(np.float32)
        self._emissivity = np.float32(settings.emissivity)
        reflected = settings.reflected_celsius
        self._reflected = None if reflected is None else np.float32(reflected)
        self._line = None if correction is None else correction.lines[0]
        self._repeats = Repeats(STALE_READINGS)

    def push(self, block: Block) -> tuple[Moment]:
        """As `Reader`: what cannot be has no value, and says so."""
        reading = codec.decode(block.data)
        reading.cycle  # noqa: B018 (an impossible one is refused)
        first_1, second_1, ambient, first_2, second_2, reference = reading.words
        flags = Quality.UNCALIBRATED if self._line is None else Quality(0)
        if self._repeats.push(reading.words):
            flags |= Quality.STALE
        objects = np.float32(_mean(first_1, second_1) + _mean(first_2, second_2)) * np.float32(0.5)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            amb = decode.ambient_signal(self._constants, np.float32(ambient), np.float32(reference))
            shown = decode.ambient_celsius(self._constants, amb)
            ta = decode.sensor_celsius(self._constants, amb)
            signal = decode.object_signal(self._constants, objects, np.float32(ambient), np.float32(reference))
            to = decode.object_celsius(self._constants, signal, ta, self._emissivity, self._reflected)
            if self._line is not None:
                to = self._line.apply(to, shown)
        if reference < LEAST_REFERENCE or not SENSOR_CELSIUS[0] <= shown <= SENSOR_CELSIUS[1]:
            to = shown = np.float32(np.nan)
            flags |= Quality.IMPLAUSIBLE
        elif abs(objects) > decode.LARGEST_OBJECT:
            to = np.float32(np.nan)
            flags |= Quality.SATURATED
        elif not OBJECT_CELSIUS[0] <= to <= OBJECT_CELSIUS[1]:
            to = np.float32(np.nan)
            flags |= Quality.IMPLAUSIBLE
        return (
            {
                self._object.name: Sample(block.time_us, np.asarray(to, np.float32), int(flags)),
                self._ta.name: Sample(block.time_us, np.asarray(shown, np.float32), int(flags)),
            },
        )


def _mean(first: int, second: int) -> int:
    """Half the sum, towards zero, as the vendor takes it."""
    return int((first + second) / 2)


KIND = SensorKind(Mlx90632Settings, Mlx90632Reader, CONSTANTS, Mlx90632Correction, surface=True)

"""The kind of MAX3010x pulse sensors: bursts of counts to photocurrents.

A block holds a burst (`samples`); the status byte is the chip's first interrupt register, whose ambient light bit says that the
light around was more than it can take away. It needs no calibration: what counts is how the light varies.
"""

import numpy as np

from thermo_core.quality import Quality
from thermo_core.sensors import moments, samples
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.sensors.max3010x import decode, registers
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.repeats import Repeats
from thermo_core.signals import Sample

STALE_SAMPLES = 64
"""Light on skin is never so still, not even for a second."""


class Max3010xReader:
    """Reads one chip.

    Args:
        settings: of the sensor.
    """

    def __init__(self, settings: Max3010xSettings) -> None:
        (self._signal,) = settings.signals
        self._settings = settings
        self._contact = np.float32(settings.contact_na)
        self._repeats = Repeats(STALE_SAMPLES)

    def push(self, block: Block) -> list[Moment]:
        """As `Reader`: little light from every LED is no skin; a count at the end of its range is saturated."""
        burst = samples.unpack(block.data, self._settings.format)
        times_us = moments.times_us(block, burst, self._signal.rate_hz)
        values = decode.photocurrent(burst.values, self._settings.range_na)
        off_skin = (values < self._contact).all(axis=1)
        saturated = (burst.values >= self._settings.full_count).any(axis=1)
        if burst.status & registers.AMBIENT_OVERFLOW:
            saturated[:] = True
        flags = np.where(off_skin, int(Quality.OFF_SKIN), 0) | np.where(saturated, int(Quality.SATURATED), 0)
        stale = np.array(list(moments.stale(burst.values, self._repeats)))
        flags |= np.where(stale & ~off_skin, int(Quality.STALE), 0)
        return [
            {self._signal.name: Sample(times_us[place], values[place], flag, place == 0 and burst.lost > 0)}
            for place, flag in enumerate(flags.tolist())
        ]


KIND = SensorKind(Max3010xSettings, lambda settings, constants, correction: Max3010xReader(settings))

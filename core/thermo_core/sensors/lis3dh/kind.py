"""The kind of LIS3DH accelerometers: bursts of counts to acceleration.

A block holds a burst (`samples`): counts without the zero bits below them; the status byte is 0. The device read the bytes with
`decode.counts_of`, which tells a bus that nobody drives.
"""

import numpy as np

from thermo_core.quality import Quality
from thermo_core.sensors import moments, samples
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.sensors.lis3dh import decode
from thermo_core.sensors.lis3dh.correction import AxesCorrection
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.repeats import Repeats
from thermo_core.signals import Sample

STALE_SAMPLES = 256
"""With steps of 2 mg and less, noise moves one of three axes long before so many samples are equal."""
_FINEST_MG = 2


def stale_samples(settings: Lis3dhSettings) -> int:
    """So many equal samples in a row are a fault; 0 where a count is coarser than noise."""
    return STALE_SAMPLES if settings.mg_a_count <= _FINEST_MG else 0


class Lis3dhReader:
    """Reads one chip.

    Args:
        settings: of the sensor.
        correction: of the chip, or None.
    """

    def __init__(self, settings: Lis3dhSettings, correction: AxesCorrection | None) -> None:
        (self._signal,) = settings.signals
        self._settings = settings
        self._correction = correction
        self._repeats = Repeats(stale_samples(settings))

    def push(self, block: Block) -> list[Moment]:
        """As `Reader`: a count at the end of its range is saturated; no acceleration at all on any axis is none."""
        form = self._settings.format
        burst = samples.unpack(block.data, form)
        times_us = moments.times_us(block, burst, self._signal.rate_hz)
        values = decode.acceleration(burst.values, self._settings.mg_a_count)
        common = Quality.UNCALIBRATED
        if self._correction is not None:
            values, common = self._correction.apply(values), Quality(0)
        nothing = ~burst.values.any(axis=1)
        values[nothing] = np.nan
        flags = np.where(nothing, int(Quality.IMPLAUSIBLE), 0)
        flags |= np.where(
            ((burst.values == form.low) | (burst.values == form.high)).any(axis=1), int(Quality.SATURATED), 0
        )
        flags |= np.where(list(moments.stale(burst.values, self._repeats)), int(Quality.STALE), 0)
        return [
            {
                self._signal.name: Sample(
                    times_us[place], values[place], int(common) | flag, place == 0 and burst.lost > 0
                )
            }
            for place, flag in enumerate(flags.tolist())
        ]


KIND = SensorKind(
    Lis3dhSettings,
    lambda settings, constants, correction: Lis3dhReader(settings, correction),
    correction=AxesCorrection,
)

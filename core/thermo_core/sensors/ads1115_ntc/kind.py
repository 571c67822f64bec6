"""The kind of NTC thermistors behind an ADS1115: counts to temperatures."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from thermo_core.errors import ThermistorError, UsageError
from thermo_core.quality import Quality
from thermo_core.sensors.ads1115_ntc import codec
from thermo_core.sensors.ads1115_ntc.bounds import objection
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.ads1115_ntc.thermistor import ChannelState, ThermistorChannel
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.signals import Sample

_FLAGS = {
    ChannelState.OPEN: Quality.OPEN,
    ChannelState.SHORTED: Quality.SHORTED,
    ChannelState.MISSING: Quality.MISSING,
    ChannelState.FROZEN: Quality.STALE,
}


class ThermistorReader:
    """Reads scans of one ADC.

    Args:
        settings: of the sensor.
        correction: fitted curves, or None.

    Raises:
        UsageError: the profile's curve of a channel is no NTC's.
    """

    def __init__(self, settings: Ads1115NtcSettings, correction: CurveCorrection | None) -> None:
        (self._signal,) = settings.signals
        try:
            channels = tuple(map(ThermistorChannel.from_settings, settings.channels))
        except ThermistorError as error:
            raise UsageError(f"The profile describes an impossible thermistor of {settings.name}: {error}") from error
        curves = () if correction is None else correction.curves
        padded = (*curves[: len(channels)], *(None for _ in channels[len(curves) :]))
        self._read = tuple(
            _remembered(channel if curve is None else replace(channel, curve=curve))
            for channel, curve in zip(channels, padded, strict=True)
        )
        self._flags = int(Quality.UNCALIBRATED) if any(curve is None for curve in padded) else 0

    def push(self, block: Block) -> tuple[Moment]:
        """As `Reader`: a channel that is open, shorted, frozen or was not read has no value, and says so."""
        values = np.full(len(self._read), np.nan, np.float32)
        flags = self._flags
        for place, counts in enumerate(codec.decode(block.data, len(self._read)).tolist()):
            celsius, more = self._read[place](counts)
            values[place] = celsius
            flags |= more
        return ({self._signal.name: Sample(block.time_us, values, flags)},)


def _remembered(channel: ThermistorChannel) -> Callable[[int], tuple[float, int]]:
    """Temperature and flags of a channel by its counts, which are few as long as it is worn."""

    @lru_cache(maxsize=1024)
    def read(counts: int) -> tuple[float, int]:
        if (said := codec.state(counts)) is not ChannelState.OK:
            return math.nan, int(_FLAGS[said])
        celsius, found = channel.celsius(counts)
        state = ChannelState(int(found))
        return (float(celsius) if state is ChannelState.OK else math.nan), int(_FLAGS.get(state, 0))

    return read


KIND = SensorKind(
    Ads1115NtcSettings,
    lambda settings, constants, correction: ThermistorReader(settings, correction),
    correction=CurveCorrection,
    objection=objection,
    surface=True,
)

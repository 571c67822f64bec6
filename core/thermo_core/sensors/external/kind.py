"""The external kind: numbers as they were given."""

import numpy as np

from thermo_core.errors import CountsError
from thermo_core.quality import Quality
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.kind import Block, Moment, SensorKind
from thermo_core.signals import Sample, Values


def encode(values: Values) -> bytes:
    """A sample as a block's data: float32, little-endian."""
    return np.asarray(values, np.float32).astype("<f4").tobytes()


class ExternalReader:
    """Reads what was given.

    Args:
        settings: of the sensor.
    """

    def __init__(self, settings: ExternalSettings) -> None:
        (self._signal,) = settings.signals
        self._low, self._high = np.float32(settings.low), np.float32(settings.high)

    def push(self, block: Block) -> tuple[Moment]:
        """As `Reader`; a number out of range is none, and says so."""
        if len(block.data) != 4 * self._signal.elements:
            raise CountsError(
                f"A sample of {self._signal.name} has {len(block.data)} bytes, not {4 * self._signal.elements}; drop it."
            )
        values = np.frombuffer(block.data, "<f4").astype(np.float32).reshape(self._signal.shape)
        with np.errstate(invalid="ignore"):
            outside = (values < self._low) | (values > self._high)
        flags = int(Quality.OUT_OF_RANGE) if outside.any() else 0
        kept = np.where(outside | ~np.isfinite(values), np.float32(np.nan), values).astype(np.float32)
        return ({self._signal.name: Sample(block.time_us, kept, flags)},)


KIND = SensorKind(ExternalSettings, lambda settings, constants, correction: ExternalReader(settings), surface=True)

"""Pairing the subpages of a sensor to pictures as they come."""

from thermo_core.errors import ThermoError, UsageError
from thermo_core.frames import DecodedSubpage, Picture, Subpage
from thermo_core.mlx90640.decode import Decoder, merge


class PictureAssembler:
    """Decodes subpages of one sensor as they come and pairs consecutive ones to pictures.

    Each subpage is part of at most one picture. Where a subpage is missing, comes twice, cannot be decoded, or has
    another reading pattern than the one before, the older half is dropped and the next one starts a picture.

    Args:
        decoder: of the sensor.

    Attributes:
        decoder: may be exchanged between two subpages, for another emissivity.
        lost: subpages missing from the sequence of indices so far.
        repeated: subpages ignored so far because their index had been seen.
        unpaired: decoded subpages that became part of no picture so far.
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.lost = 0
        self.repeated = 0
        self.unpaired = 0
        self._waiting: DecodedSubpage | None = None
        self._index: int | None = None
        self._sensor: int | None = None

    def push(self, subpage: Subpage) -> Picture | None:
        """Take one subpage; return a picture where it completes one.

        An index below the last one means that the device started again, and the sequence starts anew.

        Raises:
            UsageError: the subpage is of another sensor than those before.
            UsageError, AuxiliaryDataError, SensorError: as `Decoder.decode` and `merge`; the next subpage may follow.
        """
        if self._sensor is None:
            self._sensor = subpage.sensor
        elif subpage.sensor != self._sensor:
            raise UsageError(
                f"Subpage of sensor {subpage.sensor} came to the assembler of sensor {self._sensor}; keep one for each."
            )
        if subpage.index == self._index:
            self.repeated += 1
            return None
        gap = 0 if self._index is None else subpage.index - self._index - 1
        self.lost += max(0, gap)
        self._index = subpage.index
        waiting, self._waiting = self._waiting, None
        try:
            decoded = self.decoder.decode(subpage.words)
        except ThermoError:
            self.unpaired += waiting is not None
            raise
        if waiting is None:
            self._waiting = decoded
            return None
        if gap or decoded.number == waiting.number or decoded.measured[0, 1] == waiting.measured[0, 1]:
            self.unpaired += 1
            self._waiting = decoded
            return None
        return merge(waiting, decoded, subpage.index, subpage.time_us)

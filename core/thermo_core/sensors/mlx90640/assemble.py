"""Pairing the subpages of a sensor to pictures as they come."""

from thermo_core.errors import ThermoError, UsageError
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Picture, Subpage


class PictureAssembler:
    """Pairs consecutive subpages of one sensor and decodes them to pictures.

    Each subpage is part of at most one picture. Where a subpage is missing, comes twice, cannot be decoded, or has another
    reading pattern or other constants than the one before, the older half is dropped and the next one starts a picture.

    Args:
        decoder: of the sensor.

    Attributes:
        decoder: may be exchanged between two subpages, for another emissivity.
        lost: subpages missing from the sequence of indices so far.
        repeated: subpages ignored so far because their index had just been seen.
        unpaired: good subpages that became part of no picture so far.
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.lost = 0
        self.repeated = 0
        self.unpaired = 0
        self._waiting: Subpage | None = None
        self._pattern = (0, False)
        self._last: Subpage | None = None

    def push(self, subpage: Subpage) -> Picture | None:
        """Take one subpage; return a picture where it completes one.

        An index below the last one means that the device started again, and the sequence starts anew.

        Raises:
            UsageError: the subpage is of another sensor than those before.
            UsageError, AuxiliaryDataError, SensorError: as `Decoder.picture`; the next subpage may follow.
        """
        last, waiting = self._last, self._waiting
        gap = 0
        if last is not None:
            if subpage.sensor != last.sensor:
                raise UsageError(
                    f"Subpage of sensor {subpage.sensor} came to the assembler of sensor {last.sensor}; keep one for each."
                )
            gap = subpage.index - last.index - 1
            if gap == -1:
                self.repeated += 1
                return None
            self.lost += max(0, gap)
        self._last, self._waiting = subpage, None
        try:
            pattern = self.decoder.check(subpage.words)
        except ThermoError:
            self.unpaired += waiting is not None
            raise
        follows = waiting is not None and not gap and waiting.constants == subpage.constants
        if waiting is not None and follows and pattern == (1 - self._pattern[0], self._pattern[1]):
            return self.decoder.picture(waiting.words, subpage.words, subpage.index, subpage.time_us)
        self.unpaired += waiting is not None
        self._waiting, self._pattern = subpage, pattern
        return None

"""The constants of the sensor at an address: from its EEPROM, numbered, and held against what was known of it."""

from dataclasses import dataclass, replace

import numpy as np

from thermo_core.errors import EepromError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_device.counters import FAULTS, Counters
from thermo_device.mlx90640 import Mlx90640
from thermo_device.sightings import Sighting, Sightings


@dataclass(frozen=True, slots=True)
class Constants:
    """What an EEPROM held.

    Attributes:
        eeprom: (832,) words, verified.
        sighting: their number and fingerprint.
        calibration: what they say; None where that is impossible.
    """

    eeprom: Words
    sighting: Sighting
    calibration: Constants | None = None

    @property
    def warning(self) -> str:
        """Why temperatures are in doubt, a sentence; "" where they are not."""
        if self.sighting.changed:
            return FAULTS["eeprom_changed"].text
        if self.calibration is not None and self.calibration.doubts:
            return f"{self.calibration.doubts[0]}; temperatures may be wrong."
        return ""


class ConstantsOfSensor:
    """Reads the constants, and finds out whether they are still those of the sensor that answers.

    Args:
        chip: the sensor.
        sightings: numbers constants and knows those of before.
        counters: where changes and doubts are counted.

    Attributes:
        current: as read last; None before. Exchanged as a whole, so that any thread may look at it.
    """

    def __init__(self, chip: Mlx90640, sightings: Sightings, counters: Counters) -> None:
        self._chip = chip
        self._sightings = sightings
        self._counters = counters
        self.current: Constants | None = None

    def load(self) -> None:
        """Read and verify the EEPROM.

        Raises:
            BusError: the sensor does not answer.
            EepromError: reads of the EEPROM do not agree, or it holds impossible constants.
        """
        self._take(self._chip.read_eeprom())

    def refresh(self) -> bool:
        """Compare with the EEPROM of the sensor that answers, and take that where it is another.

        Returns:
            Whether it is the same.

        Raises:
            BusError, EepromError: as `load`.
        """
        known = self.current
        if known is None:
            self.load()
            return False
        other = self._chip.other_than(known.eeprom)
        if other is None:
            return True
        self._take(other)
        return False

    def verify(self) -> bool:
        """As `refresh`, with two reads at least that agree."""
        known = self.current
        if known is None or np.array_equal(self._chip.read_eeprom(), known.eeprom):
            return known is not None
        return self.refresh()

    def same_identity(self) -> bool:
        """Whether the sensor that answers has the identity of the constants."""
        return self.current is not None and self._chip.is_the_one_with(self.current.eeprom)

    def trust(self) -> None:
        """Hold the sensor to the EEPROM it has now."""
        current = self.current
        if current is not None:
            self._sightings.trust(device_id(current.eeprom), current.sighting.fingerprint)
            self.current = replace(current, sighting=replace(current.sighting, changed=False))

    def _take(self, eeprom: Words) -> None:
        known, sighting = self.current, self._sightings.meet(eeprom)
        if known is not None and device_id(known.eeprom) != device_id(eeprom):
            self._counters.add("sensor_changed")
        self.current = Constants(eeprom, sighting)
        if sighting.changed:
            self._counters.add("eeprom_changed")
        try:
            calibration = Constants.from_eeprom(eeprom)
        except EepromError:
            self._counters.add("eeprom_invalid")
            raise
        if calibration.doubts:
            self._counters.add("eeprom_doubtful")
        self.current = Constants(eeprom, sighting, calibration)

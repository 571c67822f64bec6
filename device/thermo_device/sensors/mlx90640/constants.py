"""The constants of the camera at an address: from its EEPROM, numbered, and held against what was known of it."""

from dataclasses import dataclass, replace

import numpy as np

from thermo_core.errors import EepromError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_device.counters import Tally
from thermo_device.sensors.driver import Found
from thermo_device.sensors.mlx90640.chip import Mlx90640
from thermo_device.sightings import Sightings


@dataclass(frozen=True, slots=True)
class Held:
    """What an EEPROM held.

    Attributes:
        eeprom: (832,) words, verified.
        found: whose it is, and its number.
        constants: what it says; None where that is impossible.
    """

    eeprom: Words
    found: Found
    constants: Constants | None = None


class ConstantsOfSensor:
    """Reads the constants, and finds out whether they are still those of the sensor that answers.

    Args:
        chip: the sensor.
        sensor: its number within the wearable.
        sightings: numbers constants and knows those of before.
        tally: where changes and doubts are counted.

    Attributes:
        current: as read last; None before. Exchanged as a whole, so that any thread may look at it.
    """

    def __init__(self, chip: Mlx90640, sensor: int, sightings: Sightings, tally: Tally) -> None:
        self._chip = chip
        self._sensor = sensor
        self._sightings = sightings
        self._tally = tally
        self.current: Held | None = None

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
            sighting = current.found.sighting
            self._sightings.trust(current.found.identity, sighting.fingerprint)
            self.current = replace(current, found=replace(current.found, sighting=replace(sighting, changed=False)))

    def _take(self, eeprom: Words) -> None:
        identity, data = device_id(eeprom), eeprom.astype("<u2").tobytes()
        known, sighting = self.current, self._sightings.meet(self._sensor, identity, data)
        if known is not None and known.found.identity != identity:
            self._tally.add("sensor_changed")
        found = Found(identity, data, sighting, sound=False)
        self.current = Held(eeprom, found)
        if sighting.changed:
            self._tally.add("constants_changed")
        try:
            constants = Constants.from_eeprom(eeprom)
        except EepromError:
            self._tally.add("constants_invalid")
            raise
        if constants.doubts:
            self._tally.add("constants_doubtful")
        doubt = str(constants.doubts[0]) if constants.doubts else ""
        self.current = Held(eeprom, replace(found, sound=True, doubt=doubt), constants)

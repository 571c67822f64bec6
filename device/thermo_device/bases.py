"""What the blocks of each sensor are read with: the constants of the chip that answers, and a correction where it is of this chip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kind import SensorConstants
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wire.events import FAULTS
from thermo_device.counters import Counters
from thermo_device.sensors.driver import Driver, Found


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What blocks of a sensor are read with.

    Attributes:
        constants: of its chip.
        correction: of the chip, or None.
        doubtful: whether the constants are in doubt.
    """

    constants: SensorConstants
    correction: Correction | None
    doubtful: bool


class Bases:
    """The bases of all sensors; `warning` and `corrected` may be asked by any thread.

    Args:
        sensors: settings, by number.
        drivers: of the same.
        corrections: as stored, by number.
        counters: where a correction that is not of its sensor is counted.
    """

    def __init__(
        self,
        sensors: Sequence[SensorSettings],
        drivers: Sequence[Driver],
        corrections: Mapping[int, Correction],
        counters: Counters,
    ) -> None:
        self._sensors, self._drivers = sensors, drivers
        self._corrections = dict(corrections)
        self._counters = counters
        self._known: list[tuple[Found, Correction | None, Basis] | None] = [None] * len(drivers)

    def of(self, sensor: int) -> Basis | None:
        """What the newest block of a sensor is read with; the same object as long as nothing changes."""
        found = self._drivers[sensor].found
        if found is None:
            return None
        known, correction = self._known[sensor], self._corrections.get(sensor)
        if known is not None and known[0] is found and known[1] is correction:
            return known[2]
        usable = self._usable(sensor, found)
        if correction is not None and usable is None:
            self._counters.add("correction_mismatch", sensor=sensor)
        constants = SensorConstants(found.sighting.number, found.constants)
        basis = Basis(constants, usable, bool(self.warning(sensor)))
        self._known[sensor] = found, correction, basis
        return basis

    def correct(self, sensor: int, correction: Correction | None) -> None:
        """Use another correction from the next block on; one of another chip or other constants is counted and not used."""
        if correction is None:
            self._corrections.pop(sensor, None)
        else:
            self._corrections[sensor] = correction
        driver = self._drivers[sensor]
        if driver.found is not None and _vouches(self._usable(sensor, driver.found), driver.found):
            driver.trust()
        driver.restart_keys()  # blocks are read anew, here and by whoever listens
        self._known[sensor] = None

    def warning(self, sensor: int) -> str:
        """Why what a sensor says is in doubt, a sentence; "" where it is not.

        A correction that was made with these very constants has held them to a reference.
        """
        found = self._drivers[sensor].found
        if found is None or _vouches(self._usable(sensor, found), found):
            return ""
        if found.sighting.changed:
            return FAULTS["constants_changed"].text
        return f"{found.doubt}; values may be wrong." if found.doubt else ""

    def corrected(self, sensor: int) -> bool:
        """Whether a correction of the sensor is in use that changes something."""
        found = self._drivers[sensor].found
        correction = None if found is None else self._usable(sensor, found)
        return correction is not None and not correction.is_identity

    def _usable(self, sensor: int, found: Found) -> Correction | None:
        correction = self._corrections.get(sensor)
        if correction is None or correction.kind != self._sensors[sensor].kind:
            return None
        return correction if correction.stamp.fits(found.identity, found.constants) else None


def _vouches(correction: Correction | None, found: Found) -> bool:
    """Whether values with these constants were held to a reference, as a calibration does."""
    if correction is None or correction.is_identity:
        return False
    return correction.stamp.constants_crc32 == found.sighting.fingerprint

"""The corrections of a wearable's sensors: stored one by one, and held to the sensor that answers before they are."""

from collections.abc import Callable
from pathlib import Path

from thermo_core.errors import StorageError
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kinds import KINDS, correction_of
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import Profile
from thermo_core.wire.table import GroupError
from thermo_device.correction_store import PREVIOUS, CorrectionStore
from thermo_device.sensors.driver import Found
from thermo_device.smp_server import group_refusal


class Corrections:
    """The stores of all sensors.

    Args:
        directory: where they lie.
        profile: the wearable.

    Raises:
        StorageError: the system refuses to make the directory.
    """

    def __init__(self, directory: Path, profile: Profile) -> None:
        self._sensors = profile.sensors
        self._stores = [CorrectionStore(directory, sensor) for sensor in range(len(profile.sensors))]

    def load(self, on_problem: Callable[[str], None]) -> dict[int, Correction]:
        """What is stored, by the numbers of sensors.

        Args:
            on_problem: told each correction that is damaged or cannot be read, a sentence.
        """
        corrections = {}
        for sensor, store in enumerate(self._stores):
            try:
                stored = store.load()
            except StorageError as error:
                on_problem(str(error))
                continue
            if stored.problem:
                on_problem(f"{self._sensors[sensor].name}: {stored.problem}")
            if stored.correction is not None:
                corrections[sensor] = stored.correction
        return corrections

    def read(self, sensor: int, slot: int) -> bytes:
        """A stored correction; b"" where there is none; raises StorageError."""
        return self._stores[sensor].read(slot)

    def write(self, sensor: int, data: bytes, found: Found) -> Correction:
        """Verify and store a correction of the chip that was found.

        Raises:
            CorrectionError: it is damaged.
            RequestRefused: it belongs to another sensor or other constants, or contradicts what the sensor can need.
            StorageError: it cannot be written.
        """
        _check(self._sensors[sensor], found, correction_of(data))
        return self._stores[sensor].write(data)

    def roll_back(self, sensor: int) -> Correction:
        """Make the one before current; the current one takes its place.

        Raises:
            RequestRefused: there is none.
            StorageError: it cannot be written.
        """
        if not self._stores[sensor].read(PREVIOUS):
            raise group_refusal(
                GroupError.NO_CORRECTION, "There is no correction before the current one; calibrate anew."
            )
        return self._stores[sensor].rollback()


def _check(settings: SensorSettings, found: Found, correction: Correction) -> None:
    if correction.kind != settings.kind:
        raise group_refusal(
            GroupError.WRONG_SENSOR,
            f"The correction is of a sensor of kind {correction.kind} and {settings.name} is of kind {settings.kind}; "
            "calibrate this sensor.",
        )
    stamp = correction.stamp
    if stamp.sensor_id != found.identity:
        raise group_refusal(
            GroupError.WRONG_SENSOR,
            f"The correction is of sensor {stamp.sensor_id.hex()} and {settings.name} is {found.identity.hex()}; calibrate this sensor.",
        )
    if not stamp.fits(found.identity, found.constants):
        raise group_refusal(
            GroupError.WRONG_SENSOR,
            f"The correction was made when the EEPROM of {settings.name} held something else; calibrate it as it is.",
        )
    objection = KINDS[settings.kind].objection
    problem = "" if objection is None else objection(settings, correction)
    if problem:
        raise group_refusal(GroupError.IMPLAUSIBLE, problem)

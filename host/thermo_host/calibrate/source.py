"""What a calibration needs of a wearable: uncorrected readings as they come, of one sensor and of those beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from thermo_core.sensors.correction import Stamp, fingerprint
from thermo_core.sensors.kind import SensorConstants
from thermo_core.sensors.settings import SensorSettings
from thermo_host.calibrate.procedures import Reading


@dataclass(frozen=True)
class Target:
    """A sensor under calibration.

    Attributes:
        number: within the profile.
        settings: as the profile has it.
        id: of the chip; the correction belongs to it.
        constants: what the chip holds, with which the correction is made.
    """

    number: int
    settings: SensorSettings
    id: bytes
    constants: SensorConstants

    @cached_property
    def crc32(self) -> str:
        """Fingerprint of the constants as files have it; "" where the chip has none."""
        return f"{fingerprint(self.constants.data):08x}" if self.constants.data else ""

    def stamp(self, created_unix_s: int) -> Stamp:
        """Of a correction made of it."""
        return Stamp(self.id, created_unix_s, 0.0, fingerprint(self.constants.data))

    def to_map(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "sensor": self.number,
            "name": self.settings.name,
            "kind": self.settings.kind,
            "id": self.id.hex(),
            "constants_crc32": self.crc32,
        }


@dataclass(frozen=True)
class Subject:
    """The wearable under calibration.

    Attributes:
        name, serial, software, profile: as the wearable says.
        simulated: whether its hardware is simulated.
        lead: the sensor whose readings say when it is steady: the camera, where there is one.
        others: sensors that are calibrated beside it.
    """

    name: str
    serial: str
    software: str
    profile: str
    simulated: bool
    lead: Target
    others: tuple[Target, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """All sensors, the lead first."""
        return (self.lead, *self.others)

    @property
    def readings_per_second(self) -> float:
        """Of the lead, at the set rate."""
        return self.lead.settings.signals[0].rate_hz

    @property
    def emissivity(self) -> float:
        """That the lead's readings are decoded with; 1 for a contact thermometer."""
        return float(getattr(self.lead.settings, "emissivity", 1.0))

    @property
    def reflected(self) -> float | None:
        """Reflected temperature that they are decoded with, degC; None for the one that follows the sensor's own."""
        found: float | None = getattr(self.lead.settings, "reflected_celsius", None)
        return found

    def difference(self, sensors: object) -> str:
        """Why what a file says of its sensors is not what is at hand, as a clause; "" where it is.

        Args:
            sensors: as `to_map` gives them, of any origin.
        """
        if not isinstance(sensors, list) or not all(isinstance(one, dict) for one in sensors):
            return "names no sensors"
        known = {one.get("sensor"): one for one in sensors}
        if set(known) != {target.number for target in self.targets}:
            names = ", ".join(sorted(str(one.get("name")) for one in sensors))
            return f"is of the sensors {names:.200}"
        for target in self.targets:
            whose, made = known[target.number].get("id"), known[target.number].get("constants_crc32")
            if whose != target.id.hex():
                return f"belongs to sensor {whose!r:.30}, but this wearable has {target.id.hex()}"
            if made != target.crc32:
                return f"was measured while the constants of {target.settings.name} held something else"
        return ""

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        return {
            "sensor_id": self.lead.id.hex(),
            "sensors": [target.to_map() for target in self.targets],
            "name": self.name,
            "serial": self.serial,
            "software": self.software,
            "profile": self.profile,
            "simulated": self.simulated,
            "readings_per_second": self.readings_per_second,
            "emissivity": self.emissivity,
            "reflected_c": self.reflected,
        }


class Source(Protocol):
    """A stream of readings that can be begun afresh."""

    @property
    def subject(self) -> Subject:
        """What is being calibrated."""
        ...

    def restart(self) -> None:
        """Forget what was captured before this moment; the next reading was captured after it."""
        ...

    def pause(self) -> None:
        """No readings are wanted for a while (somebody sets a blackbody); `restart` resumes."""
        ...

    def next_reading(self) -> Reading:
        """The next uncorrected reading of the lead. Raises a LinkError where none comes."""
        ...

    def beside(self) -> Mapping[int, tuple[float, ...]]:
        """Mean raw vectors (`Procedure.raw`) since `restart` by sensor; NaN for a number that had no value."""
        ...

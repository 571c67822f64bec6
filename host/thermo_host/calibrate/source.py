"""What a calibration needs of a wearable: uncorrected pictures as they come, and the thermistors' counts."""

from dataclasses import dataclass
from typing import Protocol

from thermo_core.profile import ThermistorSettings

from thermo_core.sensors.mlx90640.frames import Picture


@dataclass(frozen=True, slots=True)
class Subject:
    """The wearable under calibration.

    Attributes:
        sensor_id: of its picture sensor, 6 bytes; the calibration belongs to it.
        name, serial, software, profile: as the wearable says.
        simulated: whether its hardware is simulated.
        pictures_per_second: full pictures, at the set refresh rate.
        emissivity, reflected: what device and host decode with; reflected in degC, None for Ta - 8.
        thermistors: dividers and curves of its thermistors; empty where it has none or does not tell.
        fingerprint: of its picture sensor's EEPROM, with which the calibration is made.
    """

    sensor_id: bytes
    name: str
    serial: str
    software: str
    profile: str
    simulated: bool
    pictures_per_second: float
    emissivity: float
    reflected: float | None
    thermistors: tuple[ThermistorSettings, ...] = ()
    fingerprint: int = 0

    @property
    def eeprom_crc32(self) -> str:
        """The EEPROM's fingerprint as files have it; "" where it is not known."""
        return f"{self.fingerprint:08x}" if self.fingerprint else ""

    def made_with(self, eeprom_crc32: object) -> bool:
        """Whether what a file says it was measured with is the EEPROM at hand, or is not known."""
        return "" in (eeprom_crc32 or "", self.eeprom_crc32) or eeprom_crc32 == self.eeprom_crc32

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        return {
            "sensor_id": self.sensor_id.hex(),
            "eeprom_crc32": self.eeprom_crc32,
            "name": self.name,
            "serial": self.serial,
            "software": self.software,
            "profile": self.profile,
            "simulated": self.simulated,
            "pictures_per_second": self.pictures_per_second,
            "emissivity": self.emissivity,
            "reflected_c": self.reflected,
            "thermistors": [channel.name for channel in self.thermistors],
        }


class Source(Protocol):
    """A stream of pictures that can be begun afresh."""

    @property
    def subject(self) -> Subject:
        """What is being calibrated."""
        ...

    def restart(self) -> None:
        """Forget what was captured before this moment; the next picture was captured after it."""
        ...

    def pause(self) -> None:
        """No pictures are wanted for a while (somebody sets a blackbody); `restart` resumes."""
        ...

    def next_picture(self) -> Picture:
        """The next uncorrected picture. Raises a LinkError where none comes."""
        ...

    def thermistor_counts(self) -> tuple[float, ...]:
        """Mean counts of each channel since `restart`; NaN for a channel that is open, shorted or silent."""
        ...

"""From telemetry to pictures, as the device makes them: unpack counts, decode with the EEPROM, correct per pixel."""

from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.correction import Correction

from thermo_core.errors import CountsError, MissingKeyFrameError, SensorError
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Picture, Subpage, Words
from thermo_core.sensors.mlx90640.identity import fingerprint
from thermo_core.wire.records import SubpageRecord

EMISSIVITY = 0.95


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How counts become temperatures.

    Attributes:
        emissivity: of what is looked at, 0-1; None takes the wearable's.
        reflected: temperature of what it reflects, degC; None takes the wearable's, or the die's less 8 K.
        corrected: whether the per-pixel calibration is applied.
    """

    emissivity: float | None = None
    reflected: float | None = None
    corrected: bool = True


class PictureReader:
    """Pictures of one sensor.

    Args:
        eeprom: (832,) uint16.
        correction: per-pixel calibration to apply; one of another sensor or EEPROM is not.
        emissivity, reflected: as `Decoder`.
        generation: of the EEPROM; subpages of other constants become no pictures.

    Attributes:
        subpages: unpacked so far.
        keyless: subpages thrown away because their key frame was never received.
        invalid: subpages thrown away because their counts cannot be right.
        strange: subpages thrown away because they were made with other constants than these.

    Raises:
        EepromError: the EEPROM is corrupt.
    """

    def __init__(
        self,
        eeprom: Words,
        correction: Correction | None = None,
        emissivity: float = EMISSIVITY,
        reflected: float | None = None,
        generation: int = 0,
    ) -> None:
        self.calibration = Constants.from_eeprom(eeprom)
        self.generation = generation
        self.subpages = 0
        self.keyless = 0
        self.invalid = 0
        self.strange = 0
        self._lost_before = 0
        matches = correction is not None and correction.fits(self.calibration.device_id, fingerprint(eeprom))
        self._correction = correction if matches else None
        self._counts = CountsDecoder()
        self._assembler = PictureAssembler(Decoder(self.calibration, emissivity, reflected))

    @property
    def corrected(self) -> bool:
        """Whether a per-pixel calibration is applied."""
        return self._correction is not None

    @property
    def lost(self) -> int:
        """Subpages missing so far, by their running numbers."""
        return self._lost_before + self._assembler.lost

    def follow(self, before: "PictureReader") -> None:
        """Go on where a reader of the same sensor stopped: with the counts it had unpacked, and its numbers."""
        self.subpages, self.keyless = before.subpages, before.keyless
        self.invalid, self.strange = before.invalid, before.strange
        self._lost_before = before.lost
        self._counts = before._counts

    def unpack(self, record: SubpageRecord) -> Subpage | None:
        """The subpage of a record, None where its counts cannot be had."""
        try:
            words = self._counts.decode(record.packed)
        except MissingKeyFrameError:
            self.keyless += 1
            return None
        except CountsError:
            self.invalid += 1
            return None
        self.subpages += 1
        return Subpage(words, record.index, record.time_us, record.sensor, record.generation)

    def push(self, record: SubpageRecord) -> Picture | None:
        """Take a record; a picture where it completes one."""
        subpage = self.unpack(record)
        if subpage is None:
            return None
        if record.generation != self.generation:
            self.strange += 1
            return None
        return self.push_subpage(subpage)

    def push_subpage(self, subpage: Subpage) -> Picture | None:
        """Take a subpage; a picture where it completes one."""
        try:
            picture = self._assembler.push(subpage)
        except SensorError:
            self.invalid += 1
            return None
        if picture is None or self._correction is None:
            return picture
        return correct(picture, self._correction)


def correct(picture: Picture, correction: Correction) -> Picture:
    """The picture with a per-pixel calibration applied; pixels that it calls bad are not valid."""
    return Picture(
        celsius=correction.apply(picture.celsius, picture.ta),
        valid=picture.valid & ~correction.bad,
        ta=picture.ta,
        vdd=picture.vdd,
        index=picture.index,
        time_us=picture.time_us,
    )


class Pictures:
    """Pictures of all sensors of a wearable, a reader each.

    Args:
        readers: by sensor number.
    """

    def __init__(self, readers: Mapping[int, PictureReader]) -> None:
        self.readers = dict(readers)

    def follow(self, before: "Pictures") -> None:
        """Go on where those of an earlier session of the same wearable stopped."""
        for number, reader in self.readers.items():
            if number in before.readers:
                reader.follow(before.readers[number])

    def push(self, record: SubpageRecord) -> Picture | None:
        """Take a record of any sensor; a picture where it completes one."""
        reader = self.readers.get(record.sensor)
        return None if reader is None else reader.push(record)

    @property
    def lost(self) -> int:
        """Subpages missing so far."""
        return sum(reader.lost for reader in self.readers.values())

    @property
    def invalid(self) -> int:
        """Subpages thrown away so far because their counts cannot be right."""
        return sum(reader.invalid for reader in self.readers.values())

    @property
    def strange(self) -> int:
        """Subpages thrown away so far because they were made with constants that are not known here."""
        return sum(reader.strange for reader in self.readers.values())

"""The kind of the MLX90640 camera: blocks of packed counts to pictures."""

import contextlib
from collections.abc import Sequence

import numpy as np

from thermo_core.errors import EepromError, SensorError, ThermoError, UsageError, WireError
from thermo_core.quality import Quality
from thermo_core.sensors.ahead import Ahead
from thermo_core.sensors.kind import Block, ConstantsKind, Moment, SensorKind
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.bounds import objection
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.fitness import unfitness
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS, Picture, Subpage, Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.sensors.mlx90640.registers import EEPROM_WORDS
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.sensors.repeats import Repeats
from thermo_core.signals import Sample

CONSTANTS_BYTES = 2 * EEPROM_WORDS


def words_of(constants: bytes) -> Words:
    """(832,) uint16 EEPROM words of the constants as they travel, little-endian.

    Raises:
        EepromError: another length.
    """
    if len(constants) != CONSTANTS_BYTES:
        raise EepromError(f"An MLX90640's EEPROM has {CONSTANTS_BYTES} bytes, not {len(constants)}; read it again.")
    return np.frombuffer(constants, "<u2").astype(np.uint16)


STALE_PICTURES = 32
"""So many pictures in a row with one die temperature and one supply to the last bit are a fault: both are measured with noise."""


class CameraReader:
    """Reads one camera.

    Args:
        settings: of the sensor.
        constants: its EEPROM as it travels.
        correction: of its pixels, or None.

    Raises:
        EepromError: the EEPROM is no healthy sensor's.
        UsageError: emissivity or reflected temperature out of range.

    Attributes:
        measured: (24, 32) bool, pixels of the newest picture that are not interpolated from their neighbours.
    """

    def __init__(self, settings: Mlx90640Settings, constants: bytes, correction: PixelCorrection | None) -> None:
        self._picture, self._ta, self._vdd = settings.signals
        self.constants = Constants.from_eeprom(words_of(constants))
        self._assembler = PictureAssembler(Decoder(self.constants, settings.emissivity, settings.reflected_celsius))
        self._counts = CountsDecoder()
        self._ahead: Ahead[Picture | None] = Ahead()
        self.measured = np.ones((ROWS, COLUMNS), np.bool_)
        self._correction = correction
        self._repeats = Repeats(STALE_PICTURES)
        self._flags = 0
        if correction is None or correction.is_identity:  # any other one has held the constants to a reference
            self._flags = int(Quality.UNCALIBRATED | (Quality.SUSPECT if self.constants.doubts else 0))

    def push(self, block: Block) -> tuple[Moment, ...]:
        """As `Reader`: every other subpage completes a picture."""
        picture = self._ahead.take(block) if self._ahead else self._read(block)
        return () if picture is None else (self.moment(picture),)

    def expect(self, blocks: Sequence[Block]) -> None:
        """As `Foreseeing`: pictures of a recording are unpacked and decoded together."""
        self._ahead.drop()
        state = self._counts.copy(), self._assembler.copy()

        def back(taken: Sequence[Block]) -> None:
            self._counts, self._assembler = state
            for block in taken:
                with contextlib.suppress(WireError, SensorError, UsageError):
                    self._read(block)

        self._ahead.load(blocks, self._read_many(blocks), back, self._read)

    def _read(self, block: Block) -> Picture | None:
        words = self._counts.decode(codec.decode(block.data, block.index))
        return self._assembler.push(Subpage(words, block.index, block.time_us, block.sensor, block.constants))

    def _read_many(self, blocks: Sequence[Block]) -> list[Picture | ThermoError | None]:
        found: list[Picture | ThermoError | None] = [None] * len(blocks)
        packed, places = [], []
        for place, block in enumerate(blocks):
            try:
                packed.append(codec.decode(block.data, block.index))
                places.append(place)
            except WireError as error:
                found[place] = error
        words, errors = self._counts.decode_many(packed)
        for row, reason in errors.items():
            found[places[row]] = reason
        if errors:
            rows = [row for row in range(len(places)) if row not in errors]
            words, places = words[rows], [places[row] for row in rows]
        subpages = [
            Subpage(words[row], block.index, block.time_us, block.sensor, block.constants)
            for row, block in enumerate(blocks[place] for place in places)
        ]
        for place, picture in zip(places, self._assembler.push_many(subpages, words), strict=True):
            found[place] = picture
        return found

    def moment(self, picture: Picture) -> Moment:
        """Samples of a decoded picture, corrected and flagged."""
        correction = self._correction
        celsius = picture.celsius if correction is None else correction.apply(picture.celsius, picture.ta)
        valid = picture.valid if correction is None else picture.valid & ~correction.bad
        self.measured = valid
        flags = self._flags | unfitness(valid, picture.ta)
        if self._repeats.push((np.float32(picture.ta), np.float32(picture.vdd))):
            flags |= int(Quality.STALE)
        values = {
            self._picture.name: celsius,
            self._ta.name: np.asarray(picture.ta, np.float32),
            self._vdd.name: np.asarray(picture.vdd, np.float32),
        }
        return {name: Sample(picture.time_us, value, flags) for name, value in values.items()}


def _identity(constants: bytes) -> bytes:
    return device_id(Constants.from_eeprom(words_of(constants)).eeprom)


KIND = SensorKind(
    Mlx90640Settings,
    CameraReader,
    ConstantsKind(CONSTANTS_BYTES, _identity),
    PixelCorrection,
    lambda settings, correction: objection(correction),
    surface=True,
)

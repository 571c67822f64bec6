"""The MLX90640's address map and the fields of its registers (datasheet section 10.5)."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.frames import AUXILIARY_WORDS, COLUMNS, PIXELS, RAM_WORDS, ROWS, Mask

RAM_START = 0x0400
AUXILIARY_START = 0x0700
EEPROM_START = 0x2400
EEPROM_WORDS = 832
STATUS = 0x8000
CONTROL = 0x800D
I2C_CONFIGURATION = 0x800F
I2C_ADDRESS = 0x8010

CONTROL_DEFAULT = 0x1901
I2C_ADDRESS_DEFAULT = 0xBE33
INVALID_WORD = 0x7FFF
"""What an auxiliary word reads that the sensor did not measure."""

VBE = 0x0700
CP_SUBPAGE_0 = 0x0708
GAIN = 0x070A
PTAT = 0x0720
CP_SUBPAGE_1 = 0x0728
VDD = 0x072A

UNUSED_AUXILIARY = frozenset(
    {*range(0x0701, 0x0708), 0x0713, 0x0717, *range(0x0721, 0x0728), 0x0733, 0x0737},
)
"""Auxiliary addresses that may read `INVALID_WORD` on a healthy sensor; everywhere else it is a fault."""

REFRESH_RATES_HZ = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Subpages per second by the code in the control register."""

RESOLUTION_BITS = (16, 17, 18, 19)
"""ADC resolution by the code in the control register and in the EEPROM."""


class RefreshRate:
    """Conversion between subpages per second and the three-bit code of the control register."""

    @staticmethod
    def to_hz(code: int) -> float:
        """Subpages per second of a code; UsageError unless 0 <= code <= 7."""
        if not 0 <= code < len(REFRESH_RATES_HZ):
            raise UsageError(f"Refresh rate code {code} does not exist; use 0 (0.5 Hz) to 7 (64 Hz).")
        return REFRESH_RATES_HZ[code]

    @staticmethod
    def from_hz(hz: float) -> int:
        """Code of a rate; UsageError where the sensor does not have it."""
        try:
            return REFRESH_RATES_HZ.index(float(hz))
        except ValueError:
            known = ", ".join(f"{rate:g}" for rate in REFRESH_RATES_HZ)
            raise UsageError(f"The MLX90640 has no refresh rate of {hz:g} Hz; use one of {known}.") from None


@dataclass(frozen=True, slots=True)
class ControlRegister:
    """Control register 0x800D.

    Attributes:
        subpages: measure the two subpages in turn (bit 0).
        step: measure only when triggered (bit 1).
        data_hold: copy results to RAM only while `StatusRegister.overwrite` allows it (bit 2).
        repeat: measure `selected` alone instead of both in turn (bit 3).
        selected: subpage that is repeated (bits 4-6).
        refresh_code: subpages per second as `RefreshRate` codes them (bits 7-9).
        resolution_code: 0 for 16 bit to 3 for 19 bit (bits 10-11).
        chess: chess pattern, otherwise interleaved rows (bit 12).
        reserved: bits 13 and 14 as read.
        trigger: start one measurement; the sensor clears it (bit 15).
    """

    subpages: bool = True
    step: bool = False
    data_hold: bool = False
    repeat: bool = False
    selected: int = 0
    refresh_code: int = 2
    resolution_code: int = 2
    chess: bool = True
    reserved: int = 0
    trigger: bool = False

    @classmethod
    def from_word(cls, word: int) -> "ControlRegister":
        """Every 16-bit word is a valid register; `to_word` gives it back."""
        return cls(
            subpages=bool(word & 0x0001),
            step=bool(word & 0x0002),
            data_hold=bool(word & 0x0004),
            repeat=bool(word & 0x0008),
            selected=word >> 4 & 7,
            refresh_code=word >> 7 & 7,
            resolution_code=word >> 10 & 3,
            chess=bool(word & 0x1000),
            reserved=word >> 13 & 3,
            trigger=bool(word & 0x8000),
        )

    def to_word(self) -> int:
        """The register as the sensor holds it; UsageError where a field does not fit."""
        for name, value, limit in (
            ("selected", self.selected, 7),
            ("refresh_code", self.refresh_code, 7),
            ("resolution_code", self.resolution_code, 3),
            ("reserved", self.reserved, 3),
        ):
            if not 0 <= value <= limit:
                raise UsageError(f"Field {name} of the control register is {value}; use 0 to {limit}.")
        return (
            self.subpages
            | self.step << 1
            | self.data_hold << 2
            | self.repeat << 3
            | self.selected << 4
            | self.refresh_code << 7
            | self.resolution_code << 10
            | self.chess << 12
            | self.reserved << 13
            | self.trigger << 15
        )

    @property
    def refresh_hz(self) -> float:
        """Subpages per second."""
        return REFRESH_RATES_HZ[self.refresh_code]

    @property
    def resolution_bits(self) -> int:
        """16 to 19."""
        return RESOLUTION_BITS[self.resolution_code]


@dataclass(frozen=True, slots=True)
class StatusRegister:
    """Status register 0x8000.

    Attributes:
        subpage: subpage measured last (bits 0-2).
        new_data: a measurement waits in RAM; written as 0 to clear it (bit 3).
        overwrite: new measurements may replace those in RAM (bit 4).
        start: start of a measurement, written by drivers together with `overwrite` (bit 5).
        reserved: bits 6-15 as read.
    """

    subpage: int = 0
    new_data: bool = False
    overwrite: bool = False
    start: bool = False
    reserved: int = 0

    @classmethod
    def from_word(cls, word: int) -> "StatusRegister":
        """Every 16-bit word is a valid register; `to_word` gives it back."""
        return cls(
            subpage=word & 7,
            new_data=bool(word & 0x0008),
            overwrite=bool(word & 0x0010),
            start=bool(word & 0x0020),
            reserved=word >> 6 & 0x3FF,
        )

    def to_word(self) -> int:
        """The register as the sensor holds it; UsageError where a field does not fit."""
        if not 0 <= self.subpage <= 7 or not 0 <= self.reserved <= 0x3FF:
            raise UsageError(
                f"Status register fields subpage={self.subpage}, reserved={self.reserved} do not fit; "
                "use 0 to 7 and 0 to 1023."
            )
        return self.subpage | self.new_data << 3 | self.overwrite << 4 | self.start << 5 | self.reserved << 6


@cache
def subpage_mask(number: int, chess: bool) -> Mask:
    """Pixels that subpage `number` measures, (24, 32) bool, read-only.

    Chess: row + column has the parity of the subpage; interleaved: the row has. UsageError unless number is 0 or 1.
    """
    if number not in (0, 1):
        raise UsageError(f"The MLX90640 has subpages 0 and 1, not {number}; check word 833 of the frame.")
    rows, columns = np.indices((ROWS, COLUMNS))
    mask: Mask = ((rows + columns if chess else rows) % 2) == number
    mask.flags.writeable = False
    return mask


@cache
def page_reads(number: int, chess: bool) -> tuple[tuple[int, int], ...]:
    """What has to be read of RAM for a page of subpage `number`: (index of the first word, words) of each read.

    Chess: all at once, since own pixels lie in every row. Interleaved: each own row, and the auxiliary words. A read costs the
    39 clocks of its addresses and a word 18, so that a row between two own ones (576) is not worth its reading; the last row
    of subpage 1 is followed by the auxiliary words. Each read is a transaction of its own: adapters such as the Raspberry Pi's
    (i2c-bcm2835) allow one read in a transaction.
    """
    if chess:
        return ((0, RAM_WORDS),)
    rows = [(row * COLUMNS, COLUMNS) for row in range(number, ROWS, 2)]
    if number == 0:
        return (*rows, (PIXELS, AUXILIARY_WORDS))
    last, words = rows[-1]
    return (*rows[:-1], (last, words + AUXILIARY_WORDS))

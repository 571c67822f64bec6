"""What is written in one MLX90614 and how it travels: the 32 words of its EEPROM, little-endian."""

import struct
from dataclasses import dataclass

from thermo_core.errors import EepromError
from thermo_core.sensors.kind import ConstantsKind
from thermo_core.sensors.mlx90614 import registers

SIZE = 2 * registers.EEPROM_WORDS
_LEAST_EMISSIVITY = round(registers.LEAST_EMISSIVITY * registers.FULL_EMISSIVITY)


@dataclass(frozen=True, slots=True)
class Constants:
    """What decoding needs of it.

    Attributes:
        emissivity: word of the emissivity that the chip's temperatures rest on, of 65535.
        zones: thermopiles.
    """

    emissivity: int
    zones: int

    @classmethod
    def from_bytes(cls, data: bytes) -> "Constants":
        """Constants of EEPROM words as they travel.

        Raises:
            EepromError: no healthy chip holds them.
        """
        words = _words(data)
        zones = 2 if words[registers.CONFIG] & registers.DUAL_ZONE else 1
        return cls(words[registers.EMISSIVITY], zones)


def check(data: bytes) -> bytes:
    """Identity, eight bytes, of a chip with these EEPROM words.

    Raises:
        EepromError: no healthy chip holds them.
    """
    _words(data)
    return data[2 * registers.ID :]


def _words(data: bytes) -> tuple[int, ...]:
    if len(data) != SIZE:
        raise EepromError(f"The constants of an MLX90614 have {SIZE} bytes, not {len(data)}; read the chip again.")
    words = struct.unpack(f"<{registers.EEPROM_WORDS}H", data)
    if set(words[registers.ID :]) in ({0}, {0xFFFF}):
        raise EepromError(
            "The MLX90614 has no identity, so nothing answers at its address; check supply, pull-ups and wiring.",
            registers.EEPROM + registers.ID,
            words[registers.ID],
        )
    emissivity = words[registers.EMISSIVITY]
    if emissivity < _LEAST_EMISSIVITY:
        raise EepromError(
            f"The MLX90614 has the emissivity {emissivity / registers.FULL_EMISSIVITY:.3f} written in it, below "
            f"{registers.LEAST_EMISSIVITY:g}; write 0xFFFF there.",
            registers.EEPROM + registers.EMISSIVITY,
            emissivity,
        )
    if words[registers.TO_MAX] <= words[registers.TO_MIN]:
        raise EepromError(
            f"The MLX90614 has a range from {words[registers.TO_MIN]:#06x} to {words[registers.TO_MAX]:#06x} written in it, "
            "which is none; read it again, and replace the chip where it stays.",
            registers.EEPROM + registers.TO_MAX,
            words[registers.TO_MAX],
        )
    return words


CONSTANTS = ConstantsKind(SIZE, check)

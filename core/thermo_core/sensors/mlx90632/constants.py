"""What the factory measured of one MLX90632 and how it travels: the EEPROM words 0x2405-0x242F, 0x2481 and 0x2482, little-endian."""

import struct
from dataclasses import dataclass, fields

import numpy as np

from thermo_core.errors import EepromError
from thermo_core.sensors.kind import ConstantsKind
from thermo_core.sensors.mlx90632 import registers

ADDRESSES = (*range(registers.ID, 0x2430), registers.HA, registers.HB)
"""EEPROM addresses of the words, in order."""
SIZE = 2 * len(ADDRESSES)
DSP_VERSION = 5

_LONG = {
    "p_r": (0x240C, -8),
    "p_g": (0x240E, -20),
    "p_t": (0x2410, -44),
    "p_o": (0x2412, -8),
    "ea": (0x2424, -16),
    "eb": (0x2426, -8),
    "fa": (0x2428, -46),
    "fb": (0x242A, -36),
    "ga": (0x242C, -36),
}
_SHORT = {
    "gb": (0x242E, -10),
    "ka": (0x242F, -10),
    "ha": (registers.HA, -14),
    "hb": (registers.HB, -10),
}


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants of the formulas, scaled; each a whole number of the EEPROM times a power of two.

    Attributes:
        p_r, p_g, p_t, p_o: of the ambient temperature.
        ea, eb: of the sensor's temperature as the object's formula takes it.
        fa, fb, ga: of the object.
        gb, ka: of the reference channel in the ambient's and the object's signal.
        ha, hb: customer's gain and offset of the object.
    """

    p_r: float
    p_g: float
    p_t: float
    p_o: float
    ea: float
    eb: float
    fa: float
    fb: float
    ga: float
    gb: float
    ka: float
    ha: float
    hb: float

    @classmethod
    def from_bytes(cls, data: bytes) -> "Constants":
        """Constants of EEPROM words as they travel.

        Raises:
            EepromError: no healthy chip holds them.
        """
        words = _words(data)
        values = {name: _long(words, address) * 2.0**power for name, (address, power) in _LONG.items()}
        values |= {name: _signed(words[address], 16) * 2.0**power for name, (address, power) in _SHORT.items()}
        return cls(**values)

    def rounded(self, kind: type[np.float32] | type[np.float64]) -> "Constants":
        """The same in a number format."""
        return Constants(**{field.name: kind(getattr(self, field.name)) for field in fields(self)})  # type: ignore[arg-type]


def check(data: bytes) -> bytes:
    """Identity, six bytes, of a chip with these EEPROM words.

    Raises:
        EepromError: no healthy chip holds them.
    """
    words = _words(data)
    return b"".join(words[registers.ID + place].to_bytes(2, "little") for place in range(3))


def _words(data: bytes) -> dict[int, int]:
    if len(data) != SIZE:
        raise EepromError(f"The constants of an MLX90632 have {SIZE} bytes, not {len(data)}; read the chip again.")
    words = dict(zip(ADDRESSES, struct.unpack(f"<{len(ADDRESSES)}H", data), strict=True))
    identity = {words[registers.ID + place] for place in range(3)}
    if identity in ({0}, {0xFFFF}):
        raise EepromError(
            "The MLX90632 has no identity, so nothing answers at its address; check supply and wiring.",
            registers.ID,
            words[registers.ID],
        )
    version = words[registers.VERSION]
    if version & 0xFF != DSP_VERSION:
        raise EepromError(
            f"The chip has the EEPROM version {version:#06x} and an MLX90632 has {DSP_VERSION} in its low byte; check that "
            "it is one.",
            registers.VERSION,
            version,
        )
    for name, (address, _) in _LONG.items():
        value = _long(words, address)
        if (value == 0 and name in ("p_g", "ea", "fa")) or (value < 0 and name == "fa"):
            raise EepromError(
                f"The MLX90632 has {value} as its constant {name}, which none can; replace the chip.", address, value
            )
    if _signed(words[registers.HA], 16) <= 0:
        raise EepromError(
            f"The MLX90632 has the customer gain {words[registers.HA]:#06x}, which makes any object look like none; write "
            "0x4000 there.",
            registers.HA,
            words[registers.HA],
        )
    return words


def _long(words: dict[int, int], address: int) -> int:
    return _signed(words[address] | words[address + 1] << 16, 32)


def _signed(word: int, bits: int) -> int:
    return word - (1 << bits) if word >> bits - 1 else word


CONSTANTS = ConstantsKind(SIZE, check)

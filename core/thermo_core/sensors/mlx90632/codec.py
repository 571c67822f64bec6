"""A reading of an MLX90632 as a block's data: the status word it was announced by, then the words 0x4003-0x4008; little-endian.

Fourteen bytes that share little with those before them: the record around them is longer than what coding them could save.
"""

import struct
from typing import NamedTuple

from thermo_core.errors import CountsError, SensorError
from thermo_core.sensors.mlx90632.registers import MEDICAL_WORDS, cycle_of

_READING = struct.Struct(f"<H{MEDICAL_WORDS}h")


class Reading(NamedTuple):
    """What the chip said once.

    Attributes:
        status: register 0x3FFF.
        words: object twice and ambient of measurement 1, then of measurement 2, signed.
    """

    status: int
    words: tuple[int, ...]

    @property
    def cycle(self) -> int:
        """Measurement that is new: 1 or 2.

        Raises:
            SensorError: another, as while the chip starts or measures in another range.
        """
        cycle = cycle_of(self.status)
        if cycle not in (1, 2):
            raise SensorError(
                f"The MLX90632 says that measurement {cycle} is new, and its medical range has 1 and 2; drop the reading."
            )
        return cycle


def encode(reading: Reading) -> bytes:
    """Data of a block."""
    return _READING.pack(reading.status, *reading.words)


def decode(data: bytes) -> Reading:
    """Inverse of `encode`.

    Raises:
        CountsError: another number of bytes.
    """
    if len(data) != _READING.size:
        raise CountsError(f"A reading of an MLX90632 has {_READING.size} bytes, not {len(data)}; drop it.")
    status, *words = _READING.unpack(data)
    return Reading(status, tuple(words))

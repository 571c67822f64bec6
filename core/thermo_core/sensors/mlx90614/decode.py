"""From an MLX90614's words to temperatures, in float32; `device/firmware/sensors/mlx90614_decode.c` gives the same bytes."""

import numpy as np

from thermo_core.crc8 import crc8
from thermo_core.errors import SensorError
from thermo_core.sensors.mlx90614 import registers
from thermo_core.signals import Values
from thermo_core.units import KELVIN

_KELVIN = np.float32(KELVIN)
_FIFTIETH = np.float32(0.02)


def word_of(answer: bytes, address: int, command: int, check_pec: bool = True) -> int:
    """The word of three bytes read after a command.

    Args:
        answer: low byte, high byte, packet error code.
        address: 7-bit, of the chip.
        command: that was sent.
        check_pec: whether the code must be right.

    Raises:
        SensorError: the packet error code does not hold, or there are not three bytes.
    """
    if len(answer) != 3:
        raise SensorError(f"The MLX90614 answered {len(answer)} bytes and gives 3; read again.")
    low, high, pec = answer
    wanted = crc8(bytes((address << 1, command, address << 1 | 1, low, high)))
    if check_pec and pec != wanted:
        raise SensorError(
            f"The MLX90614 at 0x{address:02X} answered {answer.hex(' ')} and its packet error code should be {wanted:02x}; "
            "read again."
        )
    return high << 8 | low


def write_message(address: int, command: int, word: int) -> bytes:
    """Bytes that write a word: command, word, packet error code."""
    head = bytes((command, word & 0xFF, word >> 8))
    return head + bytes((crc8(bytes((address << 1,)) + head),))


def celsius(word: int) -> np.float32:
    """Temperature of a word without the error bit, degC."""
    return np.float32(np.float32(word) * _FIFTIETH - _KELVIN)


def with_emissivity(
    to: np.float32, ta: np.float32, written: np.float32, emissivity: np.float32, reflected: np.float32 | None
) -> Values:
    """Temperature of an object, degC, of the one that the chip says.

    The chip solves e (To^4 - Ta^4) = S for its own emissivity and for surroundings as warm as itself. The same S is
    e' To'^4 + (1 - e') Tr^4 - Ta^4 for another emissivity and other surroundings (data sheet, section 10.2.3).

    Args:
        to: what the chip says, degC.
        ta: its own temperature, degC.
        written: emissivity in its EEPROM.
        emissivity: of the object.
        reflected: temperature that the object reflects, degC; None for the sensor's own.

    Returns:
        NaN where no temperature gives it.
    """
    ta4 = _fourth_power(ta + _KELVIN)
    signal = written * (_fourth_power(to + _KELVIN) - ta4)
    background = ta4
    if reflected is not None:
        tr4 = _fourth_power(reflected + _KELVIN)
        background = tr4 - (tr4 - ta4) / emissivity
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(np.sqrt(signal / emissivity + background)) - _KELVIN, np.float32)


def written_emissivity(word: int) -> np.float32:
    """Emissivity of the EEPROM's word."""
    return np.float32(np.float32(word) / np.float32(registers.FULL_EMISSIVITY))


def _fourth_power(value: np.float32) -> np.float32:
    square = value * value
    return np.float32(square * square)

"""From an SHT4x's answers to temperature and humidity, in float32; `device/firmware/sensors/sht4x_decode.c` gives the same bytes."""

import numpy as np

from thermo_core.crc8 import crc8
from thermo_core.errors import SensorError

POLYNOMIAL, INITIAL = 0x31, 0xFF
"""Of the check byte behind each word (data sheet, section 4.4): 0xBEEF has 0x92."""
MEASURE = {"high": 0xFD, "medium": 0xF6, "low": 0xE0}
SOFT_RESET, SERIAL_NUMBER = 0x94, 0x89

ANSWER = 6
"""Bytes: two words with a check byte each."""

_FULL = np.float32(65535)


def words_of(answer: bytes) -> tuple[int, int]:
    """Both words of an answer of six bytes.

    Raises:
        SensorError: a check byte does not hold, or there are not six bytes.
    """
    if len(answer) != ANSWER:
        raise SensorError(f"The SHT4x answered {len(answer)} bytes and gives {ANSWER}; measure again.")
    for place in (0, 3):
        if crc8(answer[place : place + 2], POLYNOMIAL, INITIAL) != answer[place + 2]:
            raise SensorError(
                f"The SHT4x answered {answer.hex(' ')}, in which a check byte does not hold; measure again."
            )
    return int.from_bytes(answer[0:2], "big"), int.from_bytes(answer[3:5], "big")


def answer_of(first: int, second: int) -> bytes:
    """Inverse of `words_of`."""
    pair = (first.to_bytes(2, "big"), second.to_bytes(2, "big"))
    return b"".join(word + bytes((crc8(word, POLYNOMIAL, INITIAL),)) for word in pair)


def celsius(word: int) -> np.float32:
    """Temperature, degC."""
    return np.float32(np.float32(-45) + np.float32(175) * np.float32(word) / _FULL)


def humidity(word: int) -> np.float32:
    """Relative humidity, %; the chip's line goes a little beyond 0 and 100, which is cut."""
    line = np.float32(-6) + np.float32(125) * np.float32(word) / _FULL
    return np.float32(min(max(line, np.float32(0)), np.float32(100)))

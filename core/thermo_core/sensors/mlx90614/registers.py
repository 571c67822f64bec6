"""Commands of an MLX90614 and what its words mean (data sheet 3901090614; the vendor's library agrees).

Words are 16 bits, the low byte first on the bus, followed by a packet error code.
"""

from collections.abc import Mapping

RAW_1, RAW_2, TA, TO_1, TO_2 = 0x04, 0x05, 0x06, 0x07, 0x08
EEPROM = 0x20
"""Command of the EEPROM's first word."""
EEPROM_WORDS = 32
TO_MAX, TO_MIN, PWM, TA_RANGE, EMISSIVITY, CONFIG = range(6)
"""Cells of the EEPROM."""
SMBUS_ADDRESS = 0x0E
ALPHA = 0x0F
"""Cell of the sensitivity, which must be rescaled together with the emissivity."""
ID = 0x1C
"""The first of four cells."""

UNLOCK, LOCK = 0x60, 0x61
FLAGS, SLEEP = 0xF0, 0xFF
EEPROM_BUSY, EEPROM_DEAD, NOT_READY = 0x80, 0x20, 0x10

DUAL_ZONE = 0x0040
IIR_MASK, FIR_SHIFT, FIR_MASK = 0x7, 8, 0x7

FULL_EMISSIVITY = 0xFFFF
LEAST_EMISSIVITY = 0.05
ERROR = 0x8000
"""Bit of a temperature that says it is none."""
LOWEST_TA, HIGHEST_TA = 0x2DE4, 0x4DC4
LOWEST_TO, HIGHEST_TO = 0x27AD, 0x7FFF
"""Words of the least and the greatest temperature that the chip says."""

IIR_SHARES = (0.50, 0.25, 0.17, 0.13, 1.00, 0.80, 0.67, 0.57)
"""How much of a new value the IIR filter takes, by code."""
FIRST_FIR = 4
"""Code of 128 taps; those below are not recommended."""
SETTLING_MS: Mapping[int, tuple[tuple[int, ...], ...]] = {
    3: (
        (470, 600, 840, 1330),
        (1100, 1400, 2000, 3200),
        (1800, 2200, 3200, 5000),
        (2400, 3000, 4300, 7000),
        (60, 70, 100, 140),
        (200, 240, 340, 540),
        (380, 480, 670, 1100),
        (420, 530, 750, 1200),
    ),
    5: (
        (300, 370, 540, 860),
        (700, 880, 1300, 2000),
        (1100, 1400, 2000, 3300),
        (1500, 1900, 2800, 4500),
        (40, 50, 60, 100),
        (120, 160, 220, 350),
        (240, 300, 430, 700),
        (260, 340, 480, 780),
    ),
}
"""Time until a reading has settled, ms: by supply in volts, then by IIR code, then by FIR code from 128 taps on."""

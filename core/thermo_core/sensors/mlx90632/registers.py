"""Where things are in an MLX90632 and what their bits mean (data sheet 3901090632; the vendor's library agrees).

Addresses and words are 16 bits, the high byte first on the bus.
"""

EEPROM_START, EEPROM_WORDS = 0x2400, 0x200
USER_EEPROM_START = 0x2480
"""Cells below hold what the factory measured and cannot be written."""
ID = 0x2405
"""Three words."""
PRODUCT_CODE = 0x2409
VERSION = 0x240B
HA, HB = 0x2481, 0x2482
EE_CONTROL, EE_ADDRESS = 0x24D4, 0x24D5
MEASUREMENT_1, MEASUREMENT_2 = 0x24E1, 0x24E2
REFRESH_SHIFT = 8

CONTROL = 0x3001
POWER_MASK = 0x0006
HALT, SLEEPING_STEP, STEP, CONTINUOUS = 0x0000, 0x0002, 0x0004, 0x0006
START_SINGLE = 0x0008
MEASUREMENT_TYPE_MASK = 0x01F0
MEDICAL = 0x0000
START_BURST = 0x0800

COMMAND = 0x3005
RESET = 0x0006
EEPROM_KEY = 0x554C

STATUS = 0x3FFF
NEW_DATA = 0x0001
CYCLE_SHIFT, CYCLE_MASK = 2, 0x1F
BROWN_OUT = 0x0100
EEPROM_BUSY = 0x0200
BUSY = 0x0400

RAM_START, RAM_WORDS = 0x4000, 0x60
MEDICAL_RAM = 0x4003
"""Object twice and ambient of measurement 1, then of measurement 2."""
MEDICAL_WORDS = 6

RATES_HZ = tuple(0.5 * 2**code for code in range(8))


def cycle_of(status: int) -> int:
    """Position in the measurement table of the newest data."""
    return status >> CYCLE_SHIFT & CYCLE_MASK

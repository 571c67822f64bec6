"""Registers of a TMP117 and what their bits mean (data sheet SNOSD82). Words are 16 bits, the high byte first on the bus."""

RESULT, CONFIGURATION, HIGH_LIMIT, LOW_LIMIT, EEPROM_UNLOCK = range(5)
EEPROM = (0x05, 0x06, 0x08)
"""Words of the EEPROM; as they leave the factory they are the chip's identity."""
OFFSET = 0x07
"""Added to each result; at power-on as the EEPROM has it."""
SHIFT = 0x2000
"""64 K, by which a driver moves the offset to see that results follow: more than skin, or any maker's offset, moves by itself."""
DEVICE_ID = 0x0F
ID, ID_MASK = 0x0117, 0x0FFF
"""The four highest bits tell revisions and the TMP119 apart."""

HIGH_ALERT, LOW_ALERT, DATA_READY, EEPROM_BUSY = 0x8000, 0x4000, 0x2000, 0x1000
MODE_MASK, MODE_SHIFT = 0x0C00, 10
CONTINUOUS, SHUTDOWN, ONE_SHOT = 0, 1, 3
CYCLE_MASK, CYCLE_SHIFT = 0x0380, 7
AVERAGING_MASK, AVERAGING_SHIFT = 0x0060, 5
THERM, POLARITY, READY_PIN, SOFT_RESET = 0x0010, 0x0008, 0x0004, 0x0002
NEVER = 0x0003
"""Bits that read as 0 always."""
RESET_CONFIGURATION = 0x0220
EEPROM_UNLOCKED, EEPROM_UNLOCK_BUSY = 0x8000, 0x4000

NOT_CONVERTED = 0x8000
"""Result before the first conversion, -256 degC."""

AVERAGES = (1, 8, 32, 64)
"""Conversions averaged, by code."""
CYCLES_S = (0.0155, 0.125, 0.25, 0.5, 1.0, 4.0, 8.0, 16.0)
"""From one result to the next, s, by code, where the conversions leave that time."""
CONVERSION_S, LONGEST_CONVERSION_S = 0.0155, 0.0175
"""Of one conversion: as a rule, and at most."""

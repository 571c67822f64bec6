"""Registers of a MAX30101 and MAX30102 and what their bits mean (Maxim data sheets 19-7740 and 19-8413)."""

from collections.abc import Mapping

INTERRUPT_1, INTERRUPT_2, ENABLE_1, ENABLE_2 = 0x00, 0x01, 0x02, 0x03
ALMOST_FULL, READY, AMBIENT_OVERFLOW, PROXIMITY, POWER_READY = 0x80, 0x40, 0x20, 0x10, 0x01
DIE_READY = 0x02

WRITE_POINTER, OVERFLOWS, READ_POINTER, FIFO = 0x04, 0x05, 0x06, 0x07
POINTER_MASK = 0x1F
FIFO_DEPTH = 32
MOST_OVERFLOWS = 31
"""The counter stays there."""

FIFO_CONFIG = 0x08
AVERAGING_SHIFT, ROLLOVER, ALMOST_FULL_MASK = 5, 0x10, 0x0F
MODE_CONFIG = 0x09
SHUTDOWN, RESET, MODE_MASK = 0x80, 0x40, 0x07
HEART_RATE, SPO2, MULTI_LED = 2, 3, 7
SPO2_CONFIG = 0x0A
RANGE_SHIFT, RATE_SHIFT = 5, 2
CURRENTS = (0x0C, 0x0D, 0x0E)
"""Of the red, infrared and green LED."""
SLOTS = (0x11, 0x12)
"""Slots 1 and 2, then 3 and 4, four bits each, the first in the lower ones."""
DIE_WHOLE, DIE_FRACTION, DIE_START = 0x1F, 0x20, 0x21
REVISION, PART_ID, PART = 0xFE, 0xFF, 0x15

LEDS = ("red", "ir", "green")
"""By the number of a slot, from 1 on."""
CURRENT_STEP_MA = 0.2
AVERAGES = (1, 2, 4, 8, 16, 32)
RANGES_NA = (2048, 4096, 8192, 16384)
RATES_HZ = (50, 100, 200, 400, 800, 1000, 1600, 3200)
PULSES_US = (69, 118, 215, 411)
"""Width of a pulse, by code; each gives a bit more, from 15 to 18."""
BITS = 18
FIRST_BITS = 15
BYTES = 3
"""Of a value in the FIFO: 18 bits, the high byte first, left-justified whatever the width of a pulse."""

FASTEST_HZ: Mapping[int, tuple[int, int, int]] = {
    69: (3200, 1600, 800),
    118: (1600, 1000, 800),
    215: (1600, 800, 400),
    411: (1000, 400, 400),
}
"""Greatest rate by the width of a pulse, then by LEDs. Of one and two LEDs from the data sheets; of three from the time that a
slot takes. A chip that is set to more takes the greatest rate that it has, and says so only in its register."""

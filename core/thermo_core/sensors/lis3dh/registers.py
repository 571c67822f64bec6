"""Registers of a LIS3DH and what their bits mean (ST data sheet DocID17530; STMems_Standard_C_drivers agrees)."""

from collections.abc import Mapping

WHO_AM_I, IDENTITY = 0x0F, 0x33
CONTROL_1, CONTROL_2, CONTROL_3, CONTROL_4, CONTROL_5 = 0x20, 0x21, 0x22, 0x23, 0x24
STATUS = 0x27
OUT = 0x28
"""First of six bytes: x, y and z, the low byte first, left-justified."""
FIFO_CONTROL, FIFO_SOURCE = 0x2E, 0x2F
AUTO_INCREMENT = 0x80
"""Bit of a register's address that makes the next bytes those of the next registers."""

RATE_SHIFT, LOW_POWER, AXES = 4, 0x08, 0x07
READY_PIN, WATERMARK_PIN, OVERRUN_PIN = 0x10, 0x04, 0x02
BLOCK_UPDATE, BIG_ENDIAN, RANGE_SHIFT, HIGH_RESOLUTION = 0x80, 0x40, 4, 0x08
BOOT, FIFO_ENABLE = 0x80, 0x40
BYPASS, FIFO, STREAM, STREAM_TO_FIFO = 0x00, 0x40, 0x80, 0xC0
FIFO_MODE_MASK, WATERMARK_MASK = 0xC0, 0x1F
WATERMARK, OVERRUN, EMPTY, UNREAD_MASK = 0x80, 0x40, 0x20, 0x1F
NEW_DATA, OVERWRITTEN = 0x08, 0x80
FIFO_DEPTH = 32

RATES_HZ = (1.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0)
"""By code, from 1 on."""
RANGES_G = (2, 4, 8, 16)
"""By code."""
MODES = ("high-resolution", "normal", "low-power")
SHIFT: Mapping[str, int] = {"high-resolution": 4, "normal": 6, "low-power": 8}
"""Bits of a word below the lowest of its count; they are 0."""
MG_A_COUNT: Mapping[str, tuple[int, ...]] = {
    "high-resolution": (1, 2, 4, 12),
    "normal": (4, 8, 16, 48),
    "low-power": (16, 32, 64, 192),
}
"""Sensitivity, mg a count, by mode and range; that of 16 g is not twice that of 8 g."""

"""CRC-8, most significant bit first, as chips send it: SMBus packet error codes (SMBus 3.2, 6.4.1.3) and Sensirion's words."""

from functools import cache

PEC_POLYNOMIAL = 0x07
"""Of SMBus packet error codes, which start with 0."""


def crc8(data: bytes, polynomial: int = PEC_POLYNOMIAL, initial: int = 0) -> int:
    """The check byte of data.

    Args:
        data: what is checked.
        polynomial: without its highest bit.
        initial: what the register starts with.
    """
    table = _table(polynomial)
    crc = initial
    for byte in data:
        crc = table[crc ^ byte]
    return crc


@cache
def _table(polynomial: int) -> bytes:
    table = bytearray()
    for crc in range(256):
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & 0x80 else crc << 1) & 0xFF
        table.append(crc)
    return bytes(table)

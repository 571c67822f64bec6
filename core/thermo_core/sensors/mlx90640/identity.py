"""What tells one sensor, and one content of its EEPROM, from another."""

import zlib

from thermo_core.sensors.mlx90640.frames import Words

_FIRST, _LAST = 7, 10


def device_id(eeprom: Words) -> bytes:
    """The sensor's identity, 6 bytes, of its (832,) EEPROM words (0x2407-0x2409)."""
    return eeprom[_FIRST:_LAST].astype(">u2").tobytes()


def fingerprint(eeprom: Words) -> int:
    """CRC-32 of (832,) EEPROM words, low byte first, as docs/wire.md says: any flip of up to three bits changes it."""
    return zlib.crc32(eeprom.astype("<u2").tobytes())

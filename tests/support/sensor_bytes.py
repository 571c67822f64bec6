"""EEPROMs and blocks of sensors as tests need them."""

import struct

from thermo_core import schema
from thermo_core.sensors.kind import Block, Moment, Reader
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.mlx90632 import constants as mlx90632
from thermo_sim.chips.mlx90640 import eeprom

VENDOR = {
    0x240C: 0x00587F5B,
    0x240E: 0x04A10289,
    0x2410: 0xFFF966F8,
    0x2412: 0x00001E0F,
    0x2424: 4859535,
    0x2426: 5686508,
    0x2428: 53855361,
    0x242A: 42874149,
    0x242C: -14556410 & 0xFFFFFFFF,
}
"""Constants of the MLX90632 that the vendor's own tests use, 32 bits, by address."""
VENDOR_WORDS = {0x242E: 9728, 0x242F: 10752, 0x2481: 16384, 0x2482: 0, 0x240B: 0x0105}


def mlx90632_constants(changes: dict[int, int] | None = None) -> bytes:
    """Constants of an MLX90632 with the vendor's numbers, as they travel."""
    words = {0x2405 + place: 0x1234 + place for place in range(3)} | VENDOR_WORDS
    for address, value in VENDOR.items():
        words[address], words[address + 1] = value & 0xFFFF, value >> 16
    words |= changes or {}
    return struct.pack(f"<{len(mlx90632.ADDRESSES)}H", *(words.get(address, 0) for address in mlx90632.ADDRESSES))


def mlx90614_constants(changes: dict[int, int] | None = None) -> bytes:
    """Constants of an MLX90614 as it leaves the factory, as they travel."""
    words = {0x00: 0x9993, 0x01: 0x62E3, 0x02: 0x0201, 0x03: 0xF71C, 0x04: 0xFFFF, 0x05: 0x9FB4, 0x0E: 0xBE5A}
    words |= {0x1C + place: 0xA0B0 + place for place in range(4)} | (changes or {})
    return struct.pack("<32H", *(words.get(cell, 0) for cell in range(32)))


CONSTANTS = {
    "mlx90632": mlx90632_constants(),
    "mlx90614": mlx90614_constants(),
    "mlx90640": eeprom.generate(1).astype("<u2").tobytes(),
}
ADDRESS = {"mlx90632": 0x3A, "mlx90614": 0x5A, "max3010x": 0x57, "lis3dh": 0x18, "sht4x": 0x44, "tmp117": 0x49}
PATH = {**ADDRESS, "mlx90640": 0x33, "ads1115-ntc": 0x48}
NEEDED: dict[str, dict[str, object]] = {
    "mlx90640": {"rate_hz": 16.0},
    "ads1115-ntc": {"channels": [{"name": "left"}, {"name": "right"}]},
}
"""Settings that have no default."""


def described(kind: str, **settings: object) -> dict[str, object]:
    """A sensor named "s" as a profile has it."""
    return {"kind": kind, "name": "s", "path": [PATH[kind]], **NEEDED.get(kind, {}), **settings}


def reader(kind: str, correction: object = None, constants: bytes | None = None, **settings: object) -> Reader:
    """A reader of a sensor named "s"."""
    row = KINDS[kind]
    plain = described(kind, **settings)
    known = CONSTANTS.get(kind, b"") if constants is None else constants
    return row.reader(schema.from_plain(plain, row.settings, "sensor"), known, correction)


def push(one: Reader, data: bytes, time_us: int = 10_000_000) -> list[Moment]:
    """Moments of a block."""
    return list(one.push(Block(time_us, 0, 0, 0, data)))

"""A blank RP2040 gets its bootloader and a confirmed firmware from one file, through the genuine boot ROM's drive; and later ones by that bootloader."""

import shutil
from pathlib import Path

import pytest
from boot_rom import BootRom, Disk
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from firmware_slots import program
from rp2040_cuts import FLASH_BYTES, Scene, live, loader
from rp2040_fast import FLASH, SLOTS, FastBench

from thermo_core.errors import ImageFormatError, UsageError
from thermo_core.firmware import first_flash, uf2
from thermo_core.firmware.archive import pack, unpack
from thermo_core.firmware.segments import Segment
from thermo_core.firmware.signed import sign
from thermo_core.image import Version
from thermo_host.bootmode import firmware_file
from thermo_quantize.linked import Program
from thermo_quantize.sign_firmware import sign_firmware

pytestmark = pytest.mark.lengthy

HEADER = 256
LOOP = bytes.fromhex("fee7")


def images(key: Ed25519PrivateKey, version: int) -> list[bytes]:
    """A program that does nothing, for both slots."""
    return [
        sign(
            program(SLOTS[slot][0], 8, header=HEADER) + LOOP * 996,
            Version(version),
            key,
            address=SLOTS[slot][0],
            header_size=HEADER,
        )
        for slot in (0, 1)
    ]


def test_a_blank_chip_takes_bootloader_and_firmware_from_its_drive(tmp_path: Path) -> None:
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("hardware absent: no compiler for a microcontroller (arm-none-eabi-gcc is not installed)")
    code, key = loader(tmp_path)
    path = tmp_path / "firmware.zip"
    path.write_bytes(pack("rp2040", images(key, 1), Segment(FLASH, code)))
    firmware = firmware_file.load(path)
    assert firmware.chip == "rp2040"
    chip = BootRom()
    # Not quite blank: a firmware of before in slot B, newer and confirmed, which must not be started instead.
    first, second = (begin - FLASH for begin, _ in SLOTS)
    size = second - first
    stale = images(key, 9)[1]
    chip.flash[second : second + len(stale)] = stale
    chip.flash[second + size - 24 : second + size] = b"\x01".ljust(8, b"\xff") + first_flash.MAGIC
    Disk(chip).write(1000, uf2.encode(firmware.segments, uf2.FAMILIES["rp2040"]))
    chip.wait(lambda: chip.restarts == 1)
    flash = bytearray(chip.flash[:FLASH_BYTES])
    assert flash.startswith(code)
    bench = FastBench(flash)
    bench.run()
    bench.finish()
    assert bench.started == 0 and bench.operations == 0  # it is confirmed: nothing is noted, nothing heard before
    assert live(Scene(bytes(flash), images(key, 2)[1]), bytearray(flash), None) > 0  # and a host brings in the next


def test_without_a_bootloader_the_next_command_is_told(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    path = tmp_path / "firmware.zip"
    path.write_bytes(pack("rp2040", images(key, 1)))
    assert unpack(path.read_bytes()).loader is None
    with pytest.raises(ImageFormatError, match=r"holds no bootloader.*--loader loader\.elf"):
        firmware_file.load(path)
    whole = pack("rp2040", images(key, 1), Segment(FLASH, bytes(64)))
    assert unpack(whole).loader == Segment(FLASH, bytes(64))
    path.write_bytes(pack("rp2040", images(key, 1), Segment(SLOTS[0][0] - 8, bytes(64))))
    with pytest.raises(ImageFormatError, match="overlap"):
        firmware_file.load(path)
    programs = [Program(begin + HEADER, LOOP * 100) for begin, _ in SLOTS]
    with pytest.raises(UsageError, match="reaches into the slots"):
        sign_firmware(programs, "rp2040", Version(1), key, loader=Program(SLOTS[0][0] - 8, bytes(64)))

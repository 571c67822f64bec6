"""A board with a bootloader: firmware linked for both slots, signed under versions that a test wants."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from board_probe import ROOT

from thermo_core.image import Version, load_private_key
from thermo_quantize.linked import read_elf
from thermo_quantize.sign_firmware import sign_firmware

FIRMWARE = ROOT / "device/firmware"
KEY = load_private_key((FIRMWARE / "keys/development_firmware_ed25519.pem").read_bytes())


def update(board: str, *given: str) -> Path:
    """Build the bootloader of a board and firmware for both slots; the folder with loader.elf, slot_a.elf, slot_b.elf."""
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("hardware absent: no compiler for a microcontroller (arm-none-eabi-gcc is not installed)")
    quantize = f"QUANTIZE={sys.executable} -c 'from thermo_quantize.cli import main; main()'"
    command = ["make", "-C", str(FIRMWARE), quantize, *given, f"update_{board}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return FIRMWARE / "build" / board


def signed(built: Path, board: str, version: str, counter: int = 0) -> bytes:
    """A firmware in one file."""
    programs = [read_elf((built / f"slot_{slot}.elf").read_bytes(), slot) for slot in "ab"]
    return sign_firmware(programs, board, Version.parse(version), KEY, counter)

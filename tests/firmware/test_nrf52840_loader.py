"""The nRF52840's bootloader from reset to what it starts: confirmed, on trial, taken back; see thermo_sim.nrf52840.chip."""

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from firmware_slots import program
from nrf52840_loader import Chip, build

from thermo_core.firmware.first_flash import MAGIC
from thermo_core.firmware.signed import sign
from thermo_core.image import Version
from thermo_sim.nrf52840.chip import BY_WATCHDOG, SLOTS

HEADER = 512
LOOP = bytes.fromhex("fee7")
"""An instruction that does nothing for ever."""
CONFIRMED = b"\x01".ljust(8, b"\xff") + MAGIC
AFTER_WATCHDOG_US = 3_000_000


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Ed25519PrivateKey]:
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("hardware absent: no compiler for a microcontroller (arm-none-eabi-gcc is not installed)")
    return build(tmp_path_factory.mktemp("nrf52840"))


def image(key: Ed25519PrivateKey, slot: int, version: int) -> bytes:
    address = SLOTS[slot][0]
    return sign(
        program(address, 8, header=HEADER) + LOOP * 500, Version(version), key, address=address, header_size=HEADER
    )


def test_a_confirmed_firmware_starts_with_the_watchdog_armed(loader: tuple[bytes, Ed25519PrivateKey]) -> None:
    code, key = loader
    chip = Chip(code)
    chip.put(0, image(key, 0, 1), CONFIRMED)
    assert chip.reset() == 0
    assert chip.operations == 0 and chip.waited_us < AFTER_WATCHDOG_US
    assert chip.watchdog_feeds is not None and chip.watchdog_feeds > 0
    assert chip.reset(BY_WATCHDOG) == 0
    assert chip.waited_us >= AFTER_WATCHDOG_US  # hosts were heard before


def test_a_firmware_on_trial_is_started_once_and_taken_back(loader: tuple[bytes, Ed25519PrivateKey]) -> None:
    """It hangs, the watchdog that was armed before the jump bites, and the one before starts."""
    code, key = loader
    chip = Chip(code)
    chip.put(0, image(key, 0, 1), CONFIRMED)
    chip.put(1, image(key, 1, 2), MAGIC)
    assert chip.reset() == 1
    assert chip.operations > 0 and chip.watchdog_feeds
    noted = chip.operations
    assert chip.reset(BY_WATCHDOG) == 0
    assert chip.operations == noted
    assert chip.reset() == 0


def test_an_altered_firmware_is_passed_over(loader: tuple[bytes, Ed25519PrivateKey]) -> None:
    code, key = loader
    chip = Chip(code)
    chip.put(0, image(key, 0, 1), CONFIRMED)
    altered = bytearray(image(key, 1, 2))
    altered[HEADER + 100] ^= 1
    chip.put(1, bytes(altered), CONFIRMED)
    assert chip.reset() == 0
    chip.put(1, image(Ed25519PrivateKey.generate(), 1, 3), CONFIRMED)
    assert chip.reset() == 0

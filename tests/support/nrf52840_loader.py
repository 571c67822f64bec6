"""The nRF52840's bootloader as it is flashed, in unicorn from its reset vector to the first instruction of an image.

The processor is unicorn's Cortex-M4. Of the chip there is what the loader uses: registers that keep what is written, the crystal, a timer
that counts microseconds, the reset's reason, the watchdog, and the flash controller, whose rules QEMU's nRF51 has too (test_nrf52840.py
holds the driver to those): a page is erased where erasing is allowed, a word's bits are cleared where writing is, and otherwise nothing happens.
"""

import contextlib
import subprocess
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from two_slots import FIRMWARE

unicorn: Any = import_module("unicorn")
"""It has no types."""
arm: Any = import_module("unicorn.arm_const")
SLOTS = ((0x10000, 0x50000), (0x50000, 0x90000))
LOADER_BYTES = 0x8000
PAGE = 4096
RESET_REASON, CRYSTAL_STARTED, TIMER_CAPTURED = 0x40000400, 0x40000100, 0x40008540
NVMC_READY, NVMC_CONFIG, NVMC_ERASE_PAGE = 0x4001E400, 0x4001E504, 0x4001E508
WATCHDOG_START, WATCHDOG_RELOAD, WATCHDOG_RELOAD_VALUE = 0x40010000, 0x40010600, 0x40010504
RELOAD_KEY = 0x6E524635
BY_WATCHDOG = 1 << 1
WRITE, ERASE = 1, 2
_RESET_REQUEST, _RESET_KEY = 0xE000ED0C, 0x05FA0004
_LOOK_US = 20
"""What passes between two looks at the timer."""
_WAITS = (bytes.fromhex("30bf"), bytes.fromhex("20bf"))
"""wfi, wfe."""
_SLICE = 100_000


def build(folder: Path) -> tuple[bytes, Ed25519PrivateKey]:
    """The loader, and the private key whose firmware it trusts."""
    keys = {name: Ed25519PrivateKey.generate() for name in ("firmware", "models")}
    for name, key in keys.items():
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pem").write_bytes(public)
    target = folder / "nrf52840" / "loader.elf"
    given = [f"FIRMWARE_KEY={folder}/firmware.pem", f"MODEL_KEY={folder}/models.pem"]
    command = ["make", "-C", str(FIRMWARE), f"BUILD={folder}", f"GENERATED={folder}/generated", *given, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    binary = folder / "nrf52840.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", str(target), str(binary)], check=True)
    return binary.read_bytes(), keys["firmware"]


@dataclass
class Chip:
    """A chip over several resets.

    Attributes:
        loader: content of flash from the beginning.
        slots: content of flash from slot A on.
        operations: erases and programs so far.
        watchdog_feeds: reloads of the watchdog since it was started in this life; None while it does not run.
        waited_us: how long the last life lasted until an image was started.
    """

    loader: bytes
    slots: bytearray = field(default_factory=lambda: bytearray(b"\xff" * (SLOTS[1][1] - SLOTS[0][0])))
    operations: int = 0
    watchdog_feeds: int | None = None
    waited_us: int = 0

    def put(self, slot: int, image: bytes, trailer: bytes) -> None:
        """An image, and the last bytes of its slot."""
        begin, end = (address - SLOTS[0][0] for address in SLOTS[slot])
        self.slots[begin : begin + len(image)] = image
        self.slots[end - len(trailer) : end] = trailer

    def reset(self, reason: int = 0) -> int:
        """Start it; the slot whose image it starts.

        Args:
            reason: as RESETREAS says it.
        """
        life = _Life(self, reason)
        life.run()
        self.watchdog_feeds, self.waited_us = life.feeds, life.now_us
        return life.started


class _Life:
    def __init__(self, chip: Chip, reason: int) -> None:
        self._chip = chip
        self.started = -1
        self.feeds: int | None = None
        self.now_us = 0
        self._registers = {RESET_REASON: reason, CRYSTAL_STARTED: 1, NVMC_READY: 1}
        self._uc = uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        uc.mem_map(0, SLOTS[0][0])
        uc.mem_write(0, chip.loader.ljust(SLOTS[0][0], b"\xff"))
        begin, end = SLOTS[0][0], SLOTS[1][1]
        uc.mmio_map(begin, end - begin, self._read_flash, None, self._write_flash, None)
        uc.mem_map(0x20000000, 0x40000)
        for base, size in ((0x10000000, 0x1000), (0x40000000, 0x20000), (0x50000000, 0x1000), (0xE0000000, 0x100000)):
            uc.mmio_map(base, size, self._reader(base), None, self._writer(base), None)

    def run(self) -> None:
        uc = self._uc
        stack, entry = (int.from_bytes(self._chip.loader[at : at + 4], "little") for at in (0, 4))
        uc.reg_write(arm.UC_ARM_REG_SP, stack)
        at = entry | 1
        for _ in range(20_000):
            # It ends at an instruction that waits, too, and at the first one of an image, which is not memory here.
            with contextlib.suppress(unicorn.UcError):
                uc.emu_start(at, 0xFFFFFFFF, count=_SLICE)
            place = uc.reg_read(arm.UC_ARM_REG_PC)
            self.started = next((slot for slot, (begin, end) in enumerate(SLOTS) if begin <= place < end), -1)
            if self.started >= 0:
                return
            assert place < LOADER_BYTES, f"the processor is at {place:#x}"
            waits = bytes(uc.mem_read(place - 2, 2)) in _WAITS or bytes(uc.mem_read(place, 2)) in _WAITS
            self.now_us += 1000 if waits else 0
            at = (place + 2 if bytes(uc.mem_read(place, 2)) in _WAITS else place) | 1
        raise AssertionError("nothing was started")

    def _read_flash(self, _uc: Any, offset: int, size: int, _data: Any) -> int:
        return int.from_bytes(self._chip.slots[offset : offset + size], "little")

    def _write_flash(self, _uc: Any, offset: int, size: int, value: int, _data: Any) -> None:
        assert size == 4, "flash is written in words"
        if self._registers.get(NVMC_CONFIG) == WRITE:
            self._chip.operations += 1
            kept = int.from_bytes(self._chip.slots[offset : offset + 4], "little") & value
            self._chip.slots[offset : offset + 4] = kept.to_bytes(4, "little")

    def _reader(self, base: int) -> Any:
        def read(_uc: Any, offset: int, size: int, _data: Any) -> int:
            at = base + offset
            if at == TIMER_CAPTURED:
                self.now_us += _LOOK_US
                return self.now_us & 0xFFFFFFFF
            word = self._registers.get(at & ~3, 0)
            return word >> 8 * (at & 3) & ((1 << 8 * size) - 1)

        return read

    def _writer(self, base: int) -> Any:
        def write(_uc: Any, offset: int, _size: int, value: int, _data: Any) -> None:
            at = base + offset
            assert (at, value) != (_RESET_REQUEST, _RESET_KEY), "the loader resets itself"
            if at == NVMC_ERASE_PAGE and self._registers.get(NVMC_CONFIG) == ERASE:
                self._chip.operations += 1
                page = value - SLOTS[0][0]
                self._chip.slots[page : page + PAGE] = b"\xff" * PAGE
            if at == WATCHDOG_START:
                self.feeds = 0
            if (at, value) == (WATCHDOG_RELOAD, RELOAD_KEY) and self.feeds is not None:
                self.feeds += 1
            if at == RESET_REASON:
                value = self._registers[RESET_REASON] & ~value  # ones clear it
            self._registers[at] = value

        return write

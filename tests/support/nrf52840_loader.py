"""The nRF52840's bootloader as it is flashed, from its reset vector to an image that it starts."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from two_slots import FIRMWARE

from thermo_sim.nrf52840.chip import FLASH_BYTES, SLOTS, Machine

STARTED_US = 20_000_000
"""Emulated time in which it has started an image, its hearing of hosts after a watchdog's reset among it."""


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
    """A chip over several power-ups, each of them until an image is started.

    Attributes:
        loader: content of flash from the beginning.
        flash: all of it.
        operations: erases and programs so far.
        watchdog_feeds: reloads of the watchdog since it was started in this life; None while it does not run.
        waited_us: how long the last life lasted until an image was started.
    """

    loader: bytes
    flash: bytearray = field(init=False)
    operations: int = 0
    watchdog_feeds: int | None = None
    waited_us: int = 0

    def __post_init__(self) -> None:
        self.flash = bytearray(self.loader.ljust(FLASH_BYTES, b"\xff"))

    def put(self, slot: int, image: bytes, trailer: bytes) -> None:
        """An image, and the last bytes of its slot."""
        begin, end = SLOTS[slot]
        self.flash[begin : begin + len(image)] = image
        self.flash[end - len(trailer) : end] = trailer

    def reset(self, reason: int = 0) -> int | None:
        """Start it; the slot whose image it starts.

        Args:
            reason: as RESETREAS says it.
        """
        machine = Machine(bytes(self.flash), reason=reason)
        assert machine.run_until(lambda: machine.slot is not None, STARTED_US), "nothing was started"
        assert machine.starts == 1, "the loader resets itself"
        self.flash[:] = machine.flash
        self.operations += machine.erased + machine.written
        self.watchdog_feeds, self.waited_us = machine.feeds, machine.now_us()
        return machine.slot

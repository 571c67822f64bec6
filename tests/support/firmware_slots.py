"""Slots and the loader's choice in C, over a flash that can lose power."""

import ctypes
import subprocess
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from firmware_library import FIRMWARE, HARNESS, build

from thermo_core.firmware.signed import sign
from thermo_core.image import Version

UPDATE = [FIRMWARE / "update" / f"{name}.c" for name in ("ed25519", "image", "sha512", "slots", "trailer", "trial")]
CHOICE = FIRMWARE / "boot" / "choice.c"
THIRD_PARTY = FIRMWARE / "generated" / "third_party"

FAULTS = (
    "good absent cut_short malformed unsupported wrong_address too_old wrong_vectors wrong_key altered forged"
).split()
REFUSALS = ("ok image content older too_large offset length no_image runs on_trial wrong_slot storage").split()
WAYS = ("none confirmed trial last_resort").split()
UNSET, SET, BAD = range(3)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ADDRESSES = (0x10010000, 0x10050000)
RAM = (0x20000000, 0x40000)


def third_party() -> list[Path]:
    """Sources of Ed25519, fetched by their hash where they are not there."""
    done = subprocess.run(["make", "-C", FIRMWARE, "third_party"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return [THIRD_PARTY / "monocypher.c"]


def library(folder: Path) -> ctypes.CDLL:
    """The harness slots.c with loader's choice, slots and images; undefined behaviour aborts."""
    modules = ("flash", "crc", "text", "board")
    return build(
        folder, "slots", modules, *UPDATE, CHOICE, *third_party(), HARNESS / "failing_flash.c",
        FIRMWARE / "boards/simulated/nor_flash.c",
    )  # fmt: skip


class Image(ctypes.Structure):
    """struct image."""

    _fields_ = (
        ("major", ctypes.c_uint8),
        ("minor", ctypes.c_uint8),
        ("revision", ctypes.c_uint16),
        ("build", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("load_address", ctypes.c_uint32),
        ("counter", ctypes.c_uint32),
        ("header_size", ctypes.c_uint32),
        ("payload_size", ctypes.c_uint32),
        ("hashed_size", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("hash", ctypes.c_uint8 * 64),
    )

    @property
    def version(self) -> Version:
        return Version(self.major, self.minor, self.revision, self.build)


def program(address: int, size: int = 700, seed: int = 0, header: int = 32) -> bytes:
    """A payload whose vectors suit a slot that begins at an address."""
    entry = address + header + 8
    vectors = (RAM[0] + RAM[1]).to_bytes(4, "little") + (entry | 1).to_bytes(4, "little")
    return (vectors + bytes((seed + 7 * i) % 251 for i in range(size)))[:size]


def image(slot: int, version: str = "1.0.0", size: int = 700, counter: int = 0, key: Ed25519PrivateKey = KEY) -> bytes:
    """A signed program for a slot."""
    parsed = Version.parse(version)
    payload = program(ADDRESSES[slot], size, parsed.major)
    return sign(payload, parsed, key, address=ADDRESSES[slot], counter=counter, header_size=32)


class Slots:
    """Two slots; what was running is told by `restart`."""

    def __init__(self, c: Any, block: int = 512, blocks: int = 5, unit: int = 8) -> None:
        self.c, self.block, self.blocks = c, block, blocks
        c.flash_bytes.restype = ctypes.POINTER(ctypes.c_uint8)
        c.flash_operations.restype = ctypes.c_long
        c.slots_fault_text.restype = ctypes.c_char_p
        key = KEY.public_key().public_bytes_raw()
        self.usable = bool(
            c.slots_new(
                *map(ctypes.c_size_t, (block, blocks, unit)),
                (ctypes.c_uint32 * 2)(*ADDRESSES),
                key,
                *map(ctypes.c_uint32, RAM),
            )
        )

    @property
    def slot_bytes(self) -> int:
        return self.block * self.blocks

    def write(self, slot: int, data: bytes, trailer: bytes = b"") -> None:
        """As a programmer of bare chips does: the slot erased, the image, a trailer at the end."""
        whole = data.ljust(self.slot_bytes - len(trailer), b"\xff") + trailer
        assert len(whole) == self.slot_bytes
        ctypes.memmove(ctypes.addressof(self.c.flash_bytes().contents) + slot * self.slot_bytes, whole, self.slot_bytes)

    def read(self, slot: int) -> bytes:
        return ctypes.string_at(
            ctypes.addressof(self.c.flash_bytes().contents) + slot * self.slot_bytes, self.slot_bytes
        )

    def verify(self, slot: int) -> tuple[str, Image]:
        image = Image()
        return FAULTS[self.c.slots_verify(slot, ctypes.byref(image))], image

    def choose(self, note: bool = True) -> tuple[str, int, Version | None]:
        """What the loader does at a reset: way, slot, version."""
        image, slot = Image(), ctypes.c_int()
        way = self.c.slots_choose(ctypes.byref(image), ctypes.byref(slot), int(note))
        name = WAYS[way] if way >= 0 else "storage"
        return name, slot.value, image.version if slot.value >= 0 else None

    def restart(self, running: int = -1) -> None:
        self.c.slots_restart(running)

    def boot(self) -> tuple[str, int, Version | None]:
        """Choose, and run what was chosen."""
        way, slot, version = self.choose()
        self.restart(slot)
        return way, slot, version

    def take(self, offset: int, data: bytes, length: int | None = None, sha256: bytes | None = None) -> tuple[str, int]:
        """One part of an upload: refusal, next offset."""
        following = ctypes.c_uint32()
        refusal = self.c.slots_take(
            ctypes.c_uint32(offset), data, ctypes.c_size_t(len(data)), -1 if length is None else length, sha256,
            ctypes.byref(following),
        )  # fmt: skip
        return REFUSALS[refusal], following.value

    def upload(self, data: bytes, sha256: bytes | None = None, part: int = 200) -> str:
        """All of it, as smpclient does; the first refusal."""
        refusal, at = self.take(0, data[:part], len(data), sha256)
        while refusal == "ok" and at < len(data):
            refusal, at = self.take(at, data[at : at + part])
        return refusal

    def test(self, digest: bytes, permanent: bool = False) -> str:
        return REFUSALS[int(self.c.slots_test(digest, ctypes.c_size_t(len(digest)), int(permanent)))]

    def confirm(self) -> str:
        return REFUSALS[int(self.c.slots_keep())]

    def erase(self) -> str:
        return REFUSALS[int(self.c.slots_clear())]

    def marks(self, slot: int) -> tuple[int, int, int]:
        """Magic, copy_done, image_ok: UNSET, SET, BAD."""
        word = self.c.slots_marks(slot)
        return word & 3, word >> 2 & 3, word >> 4 & 3

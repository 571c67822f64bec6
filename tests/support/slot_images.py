"""Signed images for slots, and what a client does with them."""

import hashlib
import random
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thermo_core.bundle import Bundle
from thermo_core.image import Version, parse, sign
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wearable.profile import Model, Profile
from thermo_device.slot_state import UploadStep
from thermo_device.slots import Slots
from thermo_device.upload import SYNC_BYTES

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = [KEY.public_key()]
CAPACITY = 100_000
PLACE = Path("/slots")
PROFILE = Profile(
    name="test",
    version="1.0.0",
    sensors=(Mlx90640Settings(name="skin", path=(0x33,)),),
    models=(Model(name="it", inputs=("skin",), scores=("no", "yes")),),
)


def make(version: str, key: Ed25519PrivateKey = KEY, size: int = 5000, seed: int = 0) -> bytes:
    """A signed image of that version."""
    network = b"\x1c\x00\x00\x00TFL3" + random.Random(seed).randbytes(size)
    bundle = Bundle(profile=PROFILE, networks={"it": network}, card="# Test")
    return sign(bundle.to_payload(), Version.parse(version), key)


ONE, TWO, THREE = make("1.0.0"), make("2.0.0", size=2 * SYNC_BYTES + 3000), make("3.0.0")


def identity(image: bytes) -> bytes:
    """SHA-256 that names an image."""
    return parse(image).sha256


def send(slots: Slots, image: bytes, chunk: int = 2048) -> UploadStep:
    """What an SMP client does: the answer says where to go on."""
    step = slots.upload(0, image[:chunk], len(image), hashlib.sha256(image).digest())
    while not step.complete:
        step = slots.upload(step.offset, image[step.offset : step.offset + chunk])
    return step


def install(slots: Slots, image: bytes) -> None:
    """Upload it and have it run, confirmed."""
    send(slots, image)
    slots.mark(identity(image), permanent=True)
    slots.boot()


def running(slots: Slots) -> str:
    """Version that runs."""
    return "none" if slots.running is None else str(slots.running.image.version)


def flags(slots: Slots) -> dict[str, str]:
    """What MCUboot would show, by slot and version."""
    names = ("pending", "confirmed", "active", "permanent")
    return {
        f"{info.slot}:{info.version}": " ".join(name for name in names if getattr(info, name))
        for info in slots.images()
    }

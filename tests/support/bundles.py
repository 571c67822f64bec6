"""Bundles to test with: the shipped breast patch's, and others made of it."""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from thermo_core.bundle import Bundle
from thermo_core.image import Version, parse, sign
from thermo_core.wearable import file, library
from thermo_core.wearable.file import Wearable

BREAST_PATCH = library.resolve("breast-patch").parent
IMAGE = BREAST_PATCH / library.BUNDLE_NAME
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""Signs what tests make."""


@cache
def breast_patch() -> Bundle:
    """What the shipped image holds."""
    return Bundle.from_payload(parse(IMAGE.read_bytes()).payload)


@cache
def wearable(name: str = "breast-patch") -> Wearable:
    """A shipped wearable's file."""
    return file.read(library.resolve(name))


def image(bundle: Bundle, version: str = "1.0.0", key: Ed25519PrivateKey = KEY) -> bytes:
    """A bundle as a signed image, without the checks of signing: for devices that must refuse it."""
    return sign(bundle.to_payload(), Version.parse(version), key)


def private_pem(folder: Path, key: Ed25519PrivateKey = KEY, name: str = "key") -> Path:
    """A key's file in a folder, and that of its public half (NAME.pub.pem) beside it."""

    path = folder / f"{name}.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pub.pem").write_bytes(public)
    return path

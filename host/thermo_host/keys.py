"""Makes the key pair with which an owner signs bundles for their devices."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.image import key_hash


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where a new pair lies.

    Attributes:
        private: PKCS #8 PEM, mode 0600; stays off the device.
        public: SubjectPublicKeyInfo PEM; goes to the devices.
        key_hash: SHA-256 by which images and refusals name the key (32 bytes).
    """

    private: Path
    public: Path
    key_hash: bytes


def generate_key_pair(path: Path) -> KeyPair:
    """Write a new Ed25519 key pair, whole or not at all; imgtool reads it too.

    Args:
        path: name of the pair, with or without `.pem`: `mine` gives `mine.pem` and `mine.pub.pem`.

    Raises:
        UsageError: the path names a folder or no file, or one of the two files exists: a key is never overwritten.
        StorageError: a file cannot be written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the pair a name in it, as in {path / 'mine'}.")
    name = path.name.removesuffix(".pem").removesuffix(".pub")
    if not name:
        raise UsageError(f"{path} names no file; give the pair a name, as in keys/mine.")
    private, public = path.with_name(f"{name}.pem"), path.with_name(f"{name}.pub.pem")
    for existing in (private, public):
        if os.path.lexists(existing):
            raise UsageError(f"{existing} exists and a key is never overwritten; choose another name.")
    key = Ed25519PrivateKey.generate()
    _write_new(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    try:
        _write_new(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    except (StorageError, UsageError):
        with contextlib.suppress(OSError):
            private.unlink()
        raise
    return KeyPair(private, public, key_hash(key.public_key()))


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """A link, unlike a rename, fails where the name is taken, even by another process a moment ago."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)  # whatever the umask
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.link(temporary, path)
    except FileExistsError as error:
        raise UsageError(f"{path} exists and a key is never overwritten; choose another name.") from error
    except OSError as error:
        raise storage_error("write", path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()

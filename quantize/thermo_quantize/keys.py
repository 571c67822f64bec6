"""Keys from PEM files, with the file's name in what is said of a wrong one."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from thermo_core.errors import UsageError
from thermo_core.files import read_file
from thermo_core.image import load_private_key, load_public_key

MAX_PEM = 64 << 10
_Key = TypeVar("_Key")


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs.

    Raises:
        StorageError: the file cannot be read.
        UsageError: it holds no Ed25519 private key, or one behind a password.
    """
    return _named(load_private_key, path)


def public_key(path: Path) -> Ed25519PublicKey:
    """The key that must have signed.

    Raises:
        StorageError: the file cannot be read.
        UsageError: it holds no Ed25519 public key.
    """
    return _named(load_public_key, path)


def _named(load: Callable[[bytes], _Key], path: Path) -> _Key:
    try:
        return load(read_file(path, MAX_PEM))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error

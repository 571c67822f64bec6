"""Which public keys a device trusts, and whether the one that everybody has is among them."""

from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from thermo_core.errors import StorageError, UsageError
from thermo_core.image import DEVELOPMENT_KEY_SHA256, key_hash, load_public_key

DEFAULT_DIRECTORY = Path("/etc/thermo-edge/keys")


def load_trusted(paths: Iterable[Path]) -> tuple[Ed25519PublicKey, ...]:
    """Public keys from PEM files; a directory stands for all *.pem in it.

    Raises:
        UsageError: a file holds no Ed25519 public key.
        StorageError: a file cannot be read.
    """
    keys: list[Ed25519PublicKey] = []
    for path in paths:
        for file in sorted(path.glob("*.pem")) if path.is_dir() else [path]:
            try:
                keys.append(load_public_key(file.read_bytes()))
            except OSError as error:
                raise StorageError(f"The key {file} cannot be read ({error.strerror}); check --trust.") from error
            except UsageError as error:
                raise UsageError(f"{file}: {error}") from error
    return tuple(keys)


def trusts_development_key(keys: Iterable[Ed25519PublicKey]) -> bool:
    """Whether the key pair whose private half is published with the simulator is among them."""
    return any(key_hash(key) == DEVELOPMENT_KEY_SHA256 for key in keys)


def refuse_development_key(keys: Iterable[Ed25519PublicKey]) -> None:
    """What a device on a real bus does unless it is told otherwise.

    Raises:
        UsageError: the development key is among them.
    """
    if trusts_development_key(keys):
        raise UsageError(
            "The development key is trusted, with which anybody can sign images; make a key with thermo-host keygen "
            "and give its public half with --trust, or add --allow-development-key on a bench."
        )

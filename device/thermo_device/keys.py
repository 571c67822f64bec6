"""Which public keys a device trusts, and whether the one that everybody has is among them."""

import logging
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from thermo_core.errors import StorageError, UsageError
from thermo_core.image import key_hash, load_public_keys, names_development_key

log = logging.getLogger(__name__)

DEFAULT_DIRECTORY = Path("/etc/thermo-edge/keys")
LARGEST_FILE = 65536


def load_trusted(paths: Iterable[Path]) -> tuple[Ed25519PublicKey, ...]:
    """All public keys in PEM files; a directory stands for all *.pem in it. Each once, in their order.

    Raises:
        UsageError: a file holds something else than Ed25519 public keys, or one with which others can sign too.
        StorageError: a file cannot be read.
    """
    keys: dict[bytes, Ed25519PublicKey] = {}
    for path in paths:
        file = path
        try:
            for file in _files(path):
                found = load_public_keys(_read(file))
                keys.update({key.public_bytes_raw(): key for key in found})
                log.info("%s: %d trusted key%s", file, len(found), "s" * (len(found) > 1))
        except OSError as error:
            raise StorageError(f"The key {file} cannot be read ({error.strerror}); check --trust.") from error
        except UsageError as error:
            raise UsageError(f"{file}: {error}") from error
    return tuple(keys.values())


def _files(path: Path) -> list[Path]:
    """The files of a directory's keys, or the one file; a directory that may not be listed raises, unlike with `glob`."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix == ".pem")


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise UsageError(f"A file of more than {LARGEST_FILE} bytes holds no keys; give the .pub.pem of a pair.")
    return data


def trusts_development_key(keys: Iterable[Ed25519PublicKey]) -> bool:
    """Whether one is among them with which whoever holds the published private key can sign."""
    return any(names_development_key(key_hash(key)) for key in keys)


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

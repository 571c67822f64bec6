"""Pseudonyms of wearers: made under a secret of this hub, so that nobody without it finds the wearer or counts up to one."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from thermo_core.file_errors import storage_error

KEY_FILE = "pseudonyms.key"
KEY_BYTES = 32
PSEUDONYM_BYTES = 8


def pseudonym(whom: str, key: bytes) -> str:
    """What is said in place of somebody: 16 hexadecimal digits of keyed BLAKE2b (RFC 7693), always the same under one key."""
    return hashlib.blake2b(whom.encode(), key=key[:64], digest_size=PSEUDONYM_BYTES).hexdigest()


def key_of(path: Path) -> bytes:
    """The secret of which pseudonyms are made; made itself where it is not there.

    Raises:
        StorageError: it can be neither read nor made.
    """
    try:
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise storage_error("read", path, error) from error


def _make(path: Path) -> None:
    """Whole or not at all, for its owner alone; of two that make it at once the first has made it."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    line = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(line, secrets.token_bytes(KEY_BYTES))
        os.fsync(line)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(new)
    finally:
        os.close(line)
        new.unlink()

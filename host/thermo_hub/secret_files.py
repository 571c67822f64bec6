"""Secrets that settings name: files that their owner alone may read."""

from pathlib import Path

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error


def secret_text(path: str) -> str:
    """What a file with a secret holds.

    Raises:
        StorageError: it cannot be read, or others may read it.
        UsageError: it is no text.
    """
    file = Path(path).expanduser()
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise storage_error("read", file, error) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no text; write the secret into its first line.") from error
    if mode & 0o077:
        raise StorageError(f"{file} holds a secret and others may read it; run `chmod 600 {file}`.")
    return text


def secret_of(path: str) -> str:
    """First line of a file that holds a secret.

    Raises:
        StorageError: it cannot be read, or others may read it.
        UsageError: it is empty.
    """
    lines = secret_text(path).splitlines()
    if not lines or not lines[0].strip():
        raise UsageError(f"{Path(path).expanduser()} is empty; write the secret into its first line.")
    return lines[0].strip()

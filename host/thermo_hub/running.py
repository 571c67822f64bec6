"""Where a hub that runs is found: a file in its folder says it as long as it does, and a lock keeps a second one out."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.files import make_folder, read_json, write_file
from thermo_hub.settings import Settings

NAME, LOCK = "running.json", "running.lock"


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Say where the hub is found as long as the block lasts.

    Raises:
        UsageError: another one runs with the same folder.
        StorageError: the folder cannot be written to.
    """
    make_folder(settings.place)
    path, lock = settings.place / NAME, settings.place / LOCK
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_error("write", lock, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"A hub runs with the folder {settings.place} already; `thermo-hub link` lets you in, --folder takes another."
            ) from error
        write_file(path, json.dumps({"origin": settings.origin(settings.port)}).encode())
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def origin_of(settings: Settings) -> str:
    """Where the hub of a folder is found.

    Raises:
        UsageError: none runs with it.
    """
    try:
        said = read_json(settings.place / NAME)
    except (StorageError, UsageError):
        said = None
    origin = said.get("origin") if isinstance(said, dict) else None
    if not isinstance(origin, str):
        raise UsageError(
            f"No hub runs with the folder {settings.place}; start one with `thermo-hub run`, or name its folder."
        )
    return origin

"""Markers from another process: `thermo-host mark` leaves them beside a recording, and its recorder takes them."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from thermo_core.errors import UsageError
from thermo_core.file_errors import storage_error
from thermo_core.recording.layout import Marker
from thermo_core.typed import from_json
from thermo_host.link.foreign import cleaned

LARGEST = 64 << 10
"""Bytes of markers that are taken at once."""


def place_of(recording: Path) -> Path:
    """The file beside a recording in which markers wait for its recorder."""
    return recording.with_name(f".{recording.name}.marks")


def leave(recording: Path, marker: Marker, timeout_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Give a marker to whoever records, and wait until it was taken.

    Raises:
        UsageError: nobody records into that file.
        StorageError: nothing can be written beside it.
    """
    nobody = UsageError(f"Nobody records into {recording}, so it cannot be marked; name a file that is being recorded.")
    if not recording.is_file():
        raise nobody
    place = place_of(recording)
    try:
        with _appended(place, msgspec.json.encode(marker) + b"\n") as file:
            until = time.monotonic() + timeout_s
            # Whoever takes the file unlinks it; another one may have its name by then.
            while os.fstat(file.fileno()).st_nlink:
                if time.monotonic() >= until:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if os.fstat(file.fileno()).st_nlink:
                        place.unlink()
                        raise nobody
                else:
                    sleep(0.02)
    except OSError as error:
        raise storage_error("write", place, error) from error


def taken(recording: Path) -> Iterator[Marker]:
    """Markers that wait, which are gone then; what is none is passed over."""
    place = place_of(recording)
    try:
        with place.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            lines = file.read(LARGEST).splitlines()
            place.unlink()
    except OSError:
        return
    for line in lines:
        try:
            yield cleaned(from_json(line, Marker))
        except msgspec.MsgspecError:
            continue


def _appended(place: Path, line: bytes) -> IO[bytes]:
    """The file of that name with a line more at its end, open and unlocked."""
    while True:
        file = os.fdopen(
            os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666), "wb", buffering=0
        )
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Else it was taken between the two lines above.
            if os.fstat(file.fileno()).st_nlink:
                file.write(line)
                fcntl.flock(file, fcntl.LOCK_UN)
                return file
        except BaseException:
            file.close()
            raise
        file.close()

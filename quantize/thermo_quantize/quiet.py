"""Keeps the chatter of TensorFlow and the runtimes out of our own output."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what C++ parts write to the process's outputs nowhere, for as long as they run."""
    sys.stdout.flush()
    sys.stderr.flush()
    with Path(os.devnull).open("wb") as nowhere:
        kept = [(stream, os.dup(stream)) for stream in (1, 2)]
        try:
            for stream, _ in kept:
                os.dup2(nowhere.fileno(), stream)
            yield
        finally:
            for stream, copy in kept:
                os.dup2(copy, stream)
                os.close(copy)

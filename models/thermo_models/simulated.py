"""Simulated arrays that a task learns from, kept in a file so that they are made once."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.files import write_file
from thermo_models.samples import open_npz


def kept(
    path: Path | None,
    key: str,
    names: Sequence[str],
    simulate: Callable[[], Mapping[str, NDArray[Any]]],
    finite: Sequence[str] = (),
) -> Mapping[str, NDArray[Any]]:
    """Arrays from a file where there is one, or simulated anew and written there; None keeps nothing.

    Args:
        path: of the file.
        key: what decides what a simulation gives (`key_of`).
        names: of the arrays in it.
        simulate: makes them.
        finite: those of `names` that hold nothing but finite numbers.

    Raises:
        UsageError: the file is of another simulation, or damaged.
    """
    if path is not None and path.exists():
        arrays = open_npz(path, ("key", *names))
        if str(arrays["key"]) != key:
            raise UsageError(
                f"{path} was simulated by another version or in another size, so remove it or give another --data."
            )
        for name in finite:
            if not np.isfinite(arrays[name]).all():
                raise UsageError(f"{path} holds a number that is not finite in {name}, so remove it to simulate anew.")
        return arrays
    made = simulate()
    if path is not None:
        content = io.BytesIO()
        np.savez(content, key=np.array(key), **made)
        write_file(path, content.getvalue())
    return made


def key_of(settings: object, modules: Sequence[ModuleType]) -> str:
    """Hash of what decides what a simulation gives: settings, by their `repr`, and the code of modules."""
    digest = hashlib.sha256(repr(settings).encode())
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def digest_of(arrays: Mapping[str, NDArray[Any]], names: Sequence[str]) -> str:
    """Hash of what arrays hold, one behind the other."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in names)).hexdigest()

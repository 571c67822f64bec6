"""What many tests compile is compiled once for all of a run, whichever of pytest's processes wants it first."""

import fcntl
import hashlib
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def shared(folder: Path, name: str) -> Iterator[Path]:
    """A folder that all tests of a run share, for one of them at a time.

    Args:
        folder: a temporary one of pytest's, beside which the shared one lies; what is in none of pytest's is shared with nobody.
        name: of the shared folder.
    """
    run = next((one for one in folder.parents if re.fullmatch(r"pytest-\d+", one.name)), folder)
    place = run / "compiled" / name
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place


def objects(sources: Sequence[Path], command: Sequence[str], folder: Path) -> list[Path]:
    """Object files of C sources that are the same for all tests of a run.

    Args:
        sources: with names that differ, including nothing from a folder of a test.
        command: a compiler and its flags, without files.
        folder: a temporary one of pytest's.

    Raises:
        RuntimeError: what the compiler says of a source.
    """
    found = []
    with shared(folder, hashlib.sha256("\0".join(command).encode()).hexdigest()[:16]) as place:
        for source in sources:
            made = place / f"{source.parent.name}_{source.stem}.o"
            if not made.exists():
                compile_c([*command, "-c", str(source), "-o", str(made)])
            found.append(made)
    return found


def compile_c(command: Sequence[str]) -> None:
    """Run a compiler.

    Raises:
        RuntimeError: what it says.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[:4000])

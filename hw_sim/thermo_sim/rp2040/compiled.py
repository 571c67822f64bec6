"""rp2040py compiled for this Python, which runs firmware several times as fast as its wheel does (bench/emulators.py).

The wheel is for every Python since 3.11 (the limited API), in which each call of a method first looks whether somebody has overridden
it, twice for each instruction. The C that the wheel brings is compiled here for the one Python that runs, once, into the user's cache:

    PYTHONPATH=$(python -m thermo_sim.rp2040.compiled) thermo-sim board rp2040
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from thermo_core.errors import StorageError, ThermoError, UsageError

_PACKAGE = "rp2040py"
_AT_ONCE = 2


def folder() -> Path:
    """Where it is, or will be: a folder for PYTHONPATH."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        return cache / "thermo-edge" / f"{_PACKAGE}-{version(_PACKAGE)}-{sys.implementation.cache_tag}"
    except PackageNotFoundError:
        raise UsageError(f"{_PACKAGE} is not installed; pip install 'thermo-edge[boards]' brings it.") from None


def build() -> Path:
    """Compile it where that is not done.

    Returns:
        The folder for PYTHONPATH.

    Raises:
        UsageError: rp2040py is not installed.
        ThermoError: it cannot be compiled here.
        StorageError: the cache cannot be written.
    """
    place = folder()
    if place.is_dir():
        return place
    spec = find_spec(_PACKAGE)
    assert spec is not None and spec.submodule_search_locations
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{_PACKAGE}-") as name:
            package = Path(name) / "made" / _PACKAGE
            shutil.copytree(spec.submodule_search_locations[0], package, ignore=shutil.ignore_patterns("*.so", "*.pyd"))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(_compile, sorted((package / "native").glob("*.c"))))
            if not place.is_dir():  # somebody else was faster
                package.parent.rename(place)
    except OSError as error:
        raise StorageError(f"{place} cannot be made ({error}); set XDG_CACHE_HOME to a folder that can.") from error
    return place


def _compile(source: Path) -> None:
    linker = shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared")
    made = source.with_name(source.stem + sysconfig.get_config_var("EXT_SUFFIX"))
    command = [*linker, "-O2", "-fPIC", "-w", f"-I{sysconfig.get_path('include')}", str(source), "-o", str(made)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ThermoError(f"There is no compiler {linker[0]}; install one, or go without: it is only slower.") from None
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), f"status {done.returncode}")
        raise ThermoError(f"{source.name} cannot be compiled ({said.strip()}); go without: it is only slower.")


if __name__ == "__main__":
    try:
        print(build())
    except ThermoError as problem:
        sys.exit(f"compiled: {problem}")

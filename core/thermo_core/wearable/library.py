"""The wearables that come with the product, by name: a folder each in `thermo_models/wearables`, read as files."""

import importlib.util
from functools import cache
from pathlib import Path

from thermo_core.errors import UsageError

FILE_NAME = "wearable.toml"
BUNDLE_NAME = "bundle.img"


@cache
def folder() -> Path:
    """Where they are; found without running any of that package's code.

    Raises:
        UsageError: the distribution was installed without them.
    """
    found = importlib.util.find_spec("thermo_models")
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        if (Path(place) / "wearables").is_dir():
            return Path(place) / "wearables"
    raise UsageError("The wearables of thermo-edge are not installed; install it whole, or give a wearable.toml.")


def names() -> tuple[str, ...]:
    """Their names, in order."""
    return tuple(sorted(path.parent.name for path in folder().glob(f"*/{FILE_NAME}")))


def resolve(wanted: str) -> Path:
    """The file of a wearable that is named or whose file, or its folder, is given.

    Raises:
        UsageError: there is neither.
    """
    path = Path(wanted)
    if path.is_dir() and (path / FILE_NAME).is_file():
        return path / FILE_NAME
    if path.suffix == ".toml" or path.is_file():
        return path
    if wanted in names():
        return folder() / wanted / FILE_NAME
    raise UsageError(f"There is no wearable {wanted!r}; choose one of {', '.join(names())}, or give a wearable.toml.")

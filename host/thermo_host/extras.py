"""Libraries that only some commands need, and what brings them."""

import importlib
from typing import Any

from thermo_core.errors import UsageError


def imported(module: str, extra: str, what: str) -> Any:
    """A library of an extra, or a module of ours that needs one.

    Args:
        module: its name.
        extra: of the package.
        what: it is for, as the error's sentence begins.

    Raises:
        UsageError: the library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("thermo_"):
            raise
        raise UsageError(
            f"{what} needs {error.name}, which is not installed; `pip install -e '.[{extra}]'` in the clone brings it."
        ) from error

"""`thermo-sim`: the entry point."""

from collections.abc import Callable, Sequence
from typing import NoReturn

from thermo_core.entry import enter


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with one of the codes of `thermo_core.exit_codes`."""
    enter(_load, arguments)


def _load() -> Callable[[list[str]], int]:
    from thermo_sim.application import run

    return run


if __name__ == "__main__":
    main()

"""`thermo-host`: the entry point."""

from collections.abc import Sequence
from typing import NoReturn

from thermo_core.entry import enter


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with one of the codes of `thermo_core.exit_codes`."""
    enter("thermo_host.application", arguments)


if __name__ == "__main__":
    main()

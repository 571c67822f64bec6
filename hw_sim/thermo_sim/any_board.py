"""A board of whatever kind: its processor a process of its own, or emulated in this one."""

from pathlib import Path
from types import TracebackType
from typing import Protocol

from thermo_core.errors import UsageError
from thermo_sim.board import Board, BoardOptions, kind_of


class AnyBoard(Protocol):
    """What is done with any board."""

    options: BoardOptions
    control_path: Path

    def __enter__(self) -> "AnyBoard":
        """Start it."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
        ...

    def describe(self) -> str:
        """One line for people: what runs, and where."""
        ...

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it ends; True where it was stopped. Raises ThermoError where it ended by itself."""
        ...


def board_of(options: BoardOptions) -> AnyBoard:
    """The board, not yet started.

    Raises:
        UsageError: an option is wrong, or what runs it is missing.
        EepromError, StorageError: as the boards have them.
    """
    if kind_of(options).command is not None:
        return Board(options)
    try:
        from thermo_sim.rp2040.emulated_board import EmulatedBoard
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed, so no {options.kind} can be emulated; "
            "install it with pip install thermo-edge[boards]."
        ) from error
    return EmulatedBoard(options)

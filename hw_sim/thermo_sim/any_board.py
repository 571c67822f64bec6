"""A board of whatever kind: its processor a process of its own, or emulated in this one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol

from thermo_core.errors import UsageError
from thermo_sim.board import Board, BoardOptions, kind_of
from thermo_sim.emulated_board import EmulatedBoard, Make


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
        return EmulatedBoard(options, CHIPS[options.kind]())
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed, so no {options.kind} can be emulated; "
            "install it with pip install thermo-edge[boards]."
        ) from error


def _rp2040() -> Make:
    from thermo_sim.rp2040.emulation import Rp2040

    return Rp2040


def _nrf52840() -> Make:
    from thermo_sim.nrf52840.emulation import Nrf52840

    return Nrf52840


def _nrf52840_fast() -> Make:
    from thermo_sim.nrf52840.fast_emulation import Nrf52840Fast

    return Nrf52840Fast


CHIPS: Mapping[str, Callable[[], Make]] = {
    "rp2040": _rp2040,
    "nrf52840": _nrf52840,
    "nrf52840-fast": _nrf52840_fast,
}
"""What each chip that is emulated in this process is made by; emulators are imported when they are wanted."""

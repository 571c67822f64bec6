"""An nRF52840 of ours as a board's chip: what lies in its flash, the wearable's chips on its bus, its line."""

from collections.abc import Mapping
from typing import Any

from thermo_core.files import read_file
from thermo_core.firmware import elf
from thermo_sim.board import BoardOptions, programmed
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.factory import provision
from thermo_sim.flash_file import FlashFile
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.nrf52840.chip import FLASH_BYTES, PAGE, SLOTS, Machine
from thermo_sim.nrf52840.emulation import check

_FLASH_FILE = "nrf52840-fast.flash"
_BOARD = "nrf52840"
"""Whose firmware it runs."""


class Nrf52840Fast:
    """The chip.

    Args:
        options: its firmware, its number, where its flash is kept.
        hardware: what is on its bus.
        clock: of the bus.

    Raises:
        UsageError: there is no firmware, or none that it starts; or as `FlashFile` has it.
        StorageError, DamagedFileError, ImageFormatError: as `FlashFile` and `provision` have them.
    """

    def __init__(self, options: BoardOptions, hardware: SimulatedHardware, clock: EmulatedClock) -> None:
        slots, firmware = programmed(options, _BOARD)
        check(firmware)
        self._file = None if options.state is None else FlashFile(options.state, _FLASH_FILE, FLASH_BYTES)
        try:
            before = b"\xff" * FLASH_BYTES if self._file is None else self._file.content
            flash = bytearray(before)
            for segment in elf.segments(read_file(firmware)):
                flash[segment.address : segment.address + len(segment.data)] = segment.data
            if slots is not None:
                provision([memoryview(flash)[begin:end] for begin, end in SLOTS], slots)
        except BaseException:
            self.close()
            raise
        self._machine = Machine(bytes(flash), (hardware.bus, clock), number=options.seed)
        self._machine.changed = {
            page for page in range(FLASH_BYTES // PAGE) if flash[page * PAGE :][:PAGE] != before[page * PAGE :][:PAGE]
        }
        self.now_us, self.send, self.take = self._machine.now_us, self._machine.send, self._machine.take
        self._keep()

    def run(self, most_us: int) -> None:
        """Run for about so much of its time."""
        self._machine.run(most_us)
        self._keep()

    def status(self) -> Mapping[str, Any]:
        """How often it was started, and where a fault stopped it last."""
        fault = self._machine.fault_address
        return {"starts": self._machine.starts, "last_fault": {"pc": fault} if fault else None}

    def close(self) -> None:
        """Let go of its flash's file, which has all of it."""
        if self._file is not None:
            self._file.close()

    def _keep(self) -> None:
        changed = self._machine.changed
        if self._file is not None:
            for page in changed:
                self._file.write(page, bytes(self._machine.flash[page * PAGE : (page + 1) * PAGE]))
        changed.clear()

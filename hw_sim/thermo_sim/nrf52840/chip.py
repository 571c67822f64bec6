"""An nRF52840 from its reset vector on, bootloader and firmware as they are flashed, over resets; faster than real time.

The processor is unicorn's (`cortex_m4`). Of the chip there is what our programs use: crystal, timers, the UARTE's DMA and counter, TWIM with
the simulator's chips, the reset's reason, the watchdog, and the flash controller: a page is erased where erasing is allowed, a word's bits
are cleared where writing is, and otherwise nothing happens. It says of itself that it is no silicon: FICR has no part number.
"""

import random
from collections.abc import Callable

from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.i2c import SimulatedBus
from thermo_sim.nrf52840.cortex_m4 import RAM, RAM_BYTES, CortexM4
from thermo_sim.nrf52840.receiver import Receiver
from thermo_sim.nrf52840.twim import Twim

FLASH_BYTES = 1 << 20
PAGE = 4096
SLOTS = ((0x10000, 0x50000), (0x50000, 0x90000))
BY_SOFTWARE, BY_WATCHDOG = 1 << 2, 1 << 1
"""Reasons of a reset, as RESETREAS says them."""

_CLOCK_HZ = 64_000_000
_SLICE_US = 100
_SLICE = _CLOCK_HZ // 1_000_000 * _SLICE_US
_BYTES_A_SLICE = 10
"""That 1 Mbaud brings in a slice."""
_ASLEEP_US = 5
"""What a slice counts that ended because the processor went to sleep."""
_LONGEST_SLEEP_US = 1000
_FEW, _FEW_TIMES = 4, 16
_ERASED_US, _WRITTEN_US, _BYTE_US = 85_000, 41, 10
_WATCHDOG_HZ, _RELOAD_KEY = 32_768, 0x6E524635
_WRITE, _ERASE = 1, 2

_DEVICE_ID = 0x10000060
_CRYSTAL_STARTED, _RESET_REASON = 0x40000100, 0x40000400
_UARTE, _UARTE_IRQ = 0x40002000, 2
_START_TX, _STOP_RX = _UARTE + 0x008, _UARTE + 0x004
_RX_READY, _TX_ENDED, _RX_STOPPED = _UARTE + 0x108, _UARTE + 0x120, _UARTE + 0x144
_TX_POINTER, _TX_SIZE = _UARTE + 0x544, _UARTE + 0x548
_TWIM = 0x40003000
_TIMER0, _TIMER1, _REACHED, _COMPARED = 0x40008000, 0x40009000, 0x40008144, 0x40008544
_WATCHDOG_START, _WATCHDOG_RUNS, _WATCHDOG_SIZE, _WATCHDOG_RELOAD = 0x40010000, 0x40010400, 0x40010504, 0x40010600
_READY, _CONFIG, _ERASE_PAGE = 0x4001E400, 0x4001E504, 0x4001E508
_PINS, _SDA = 0x50000510, 4
_NVIC, _VTOR, _RESET, _RESET_KEY = 0xE000E100, 0xE000ED08, 0xE000ED0C, 0x05FA0004
_PENDED = _NVIC + 0x100
_EVENTS = ((_UARTE_IRQ, _UARTE), (3, _TWIM), (8, _TIMER0))
"""Interrupts, and the peripheral whose events raise each."""
_ENABLED = 0x300


class Machine:
    """The chip.

    Args:
        flash: its content from the beginning; all ones behind that.
        chips: of the simulator: their bus and its clock, which will be the machine's.
        reason: of its first start, as RESETREAS says it.
        number: that the factory gave it.

    Attributes:
        flash: its content.
        changed: pages of it that were written or erased; whoever keeps them clears it.
        starts: how often it was started.
        erased, written: pages and words so far.
        feeds: reloads of the watchdog since it was started; None while it does not run.
    """

    def __init__(
        self,
        flash: bytes,
        chips: tuple[SimulatedBus, EmulatedClock] | None = None,
        reason: int = 0,
        number: int = 0,
    ) -> None:
        self.flash = bytearray(flash.ljust(FLASH_BYTES, b"\xff"))
        self.changed: set[int] = set()
        self.starts = self.erased = self.written = 0
        self.feeds: int | None = None
        self._number = number
        self._now_us = self._fed_us = 0
        self._registers: dict[int, int] = {}
        self._heard, self._said = bytearray(), bytearray()
        self._held = False
        self._processor = CortexM4(self.flash, self)
        self._receiver = Receiver(self)
        self._twim = None if chips is None else Twim(self, *chips)
        if chips is not None:
            chips[1].bind(self.now_us)
        self.start(reason)

    def now_us(self) -> int:
        """Microseconds since it was made."""
        return self._now_us

    @property
    def fault_address(self) -> int:
        """Where the processor was when it last could not go on; 0 where that never happened."""
        return self._processor.fault_address

    @property
    def slot(self) -> int | None:
        """Slot whose image runs; None while the bootloader does."""
        place = self._processor.place
        return next((slot for slot, (begin, end) in enumerate(SLOTS) if begin <= place < end), None)

    def send(self, data: bytes) -> None:
        """Have bytes arrive on its serial line, one after another."""
        self._heard += data

    def take(self) -> bytes:
        """What it said there since the last time."""
        said = bytes(self._said)
        self._said.clear()
        return said

    def skip(self, duration_us: int) -> None:
        """Let time pass in which the processor does nothing that matters, as a loop that hangs."""
        self._now_us += duration_us
        self._restarts()

    def run(self, most_us: int) -> None:
        """Run for about so much of its time."""
        self.run_until(lambda: False, most_us)

    def run_until(self, condition: Callable[[], bool], within_us: int) -> bool:
        """Run until a condition holds; False where it does not within so much emulated time."""
        end_us = self._now_us + within_us
        while not condition():
            if self._now_us >= end_us:
                return False
            self._step(end_us - self._now_us)
        return True

    def power_on(self) -> None:
        """Start it as a supply does, with anything in RAM."""
        self._registers.clear()
        self._processor.put(RAM, random.Random(self.starts).randbytes(RAM_BYTES))
        self._heard.clear()
        self.start(0)

    def start(self, reason: int) -> None:
        """Start it; what is in RAM stays, and so does a watchdog where the software asked for it.

        Args:
            reason: of it, as RESETREAS says it.
        """
        self.starts += 1
        before = self._registers
        kept = {at: before[at] for at in (_WATCHDOG_SIZE, _WATCHDOG_RUNS) if at in before and reason == BY_SOFTWARE}
        if not kept:
            self.feeds = None
        self._registers = {_CRYSTAL_STARTED: 1, _READY: 1, **kept}
        self._registers[_DEVICE_ID] = self._number & 0xFFFFFFFF
        self._registers[_DEVICE_ID + 4] = self._number >> 32
        self._registers[_RESET_REASON] = before.get(_RESET_REASON, 0) | reason
        self._clear_us = self._now_us
        self._counted = 0
        self._tx_ends_us: int | None = None
        self._resets = False
        self._processor.start()

    def read_u32(self, address: int) -> int:
        """A word of memory or a register."""
        if address < FLASH_BYTES or RAM <= address < RAM + RAM_BYTES:
            return int.from_bytes(self._processor.memory(address, 4), "little")
        return self.read(address)

    def write_u32(self, address: int, value: int) -> None:
        """Write a word of RAM or a register."""
        if RAM <= address < RAM + RAM_BYTES:
            self._processor.put(address, value.to_bytes(4, "little"))
        else:
            self.write(address, value)

    def read_memory(self, address: int, size: int) -> bytes:
        """What lies in memory."""
        return self._processor.memory(address, size)

    def set_pin(self, name: str, level: bool) -> None:
        """Have a chip let go of SDA, or hold it."""
        assert name == "sda"
        self._held = not level

    def read(self, address: int) -> int:
        """A register, as the processor reads it."""
        if address == _PINS:
            return 0xFFFFFFFF & ~(self._held << _SDA)
        return self._registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        """A register, as the processor writes it."""
        registers = self._registers
        offset, base = address & 0xFFF, address & ~0xFFF
        if base in (_TIMER0, _TIMER1) and offset < 0x100:
            self._timer(base, offset)
        elif base in (_UARTE, _TWIM, _TIMER0) and offset in (0x304, 0x308):
            enabled = registers.get(base + _ENABLED, 0)
            registers[base + _ENABLED] = enabled | value if offset == 0x304 else enabled & ~value
        elif address in (_NVIC, _PENDED):
            registers[address] = registers.get(address, 0) | value
        elif address in (_NVIC + 0x80, _PENDED + 0x80):
            registers[address - 0x80] = registers.get(address - 0x80, 0) & ~value
        elif address == _RESET_REASON:
            registers[address] &= ~value  # ones clear it
        elif address == _START_TX:
            size = registers[_TX_SIZE]
            self._said += self.read_memory(registers[_TX_POINTER], size)
            self._tx_ends_us = self._now_us + _BYTE_US * size
        elif address == _STOP_RX:
            registers[_RX_STOPPED] = 1
        elif address == _ERASE_PAGE:
            self._erase(value)
        elif address == _WATCHDOG_START:
            registers[_WATCHDOG_RUNS] = 1
            self.feeds, self._fed_us = 0, self._now_us
        elif address == _WATCHDOG_RELOAD:
            if value == _RELOAD_KEY and self.feeds is not None:
                self.feeds, self._fed_us = self.feeds + 1, self._now_us
        elif (address, value) == (_RESET, _RESET_KEY):
            self._resets = True
            self._processor.stop()
        else:
            registers[address] = value

    def store(self, address: int, size: int, before: int, value: int) -> int:
        """What the processor's store leaves in flash."""
        if self._registers.get(_CONFIG) != _WRITE or size != 4:
            return before
        self.written += 1
        self._now_us += _WRITTEN_US
        self.changed.add(address // PAGE)
        return before & value

    def _step(self, most_us: int) -> None:
        """A slice of instructions, or the time until something ends the processor's sleep."""
        processor = self._processor
        if processor.sleeps:
            self._now_us += min(self._sleep_us(), max(most_us, 1))
        else:
            processor.run(_SLICE, self._vectors)
            self._now_us += _ASLEEP_US if processor.sleeps else _SLICE_US
        self._devices()
        if not self._restarts() and self._pending() is not None:
            processor.sleeps = False
            self._unmask()
            if not processor.masked and (number := self._pending()) is not None:
                self._registers[_PENDED] = self._registers.get(_PENDED, 0) & ~(1 << number)
                processor.interrupt(number, self._vectors)
            self._restarts()

    def _restarts(self) -> bool:
        """Start it anew where software wants that or the watchdog has not been fed."""
        if self._resets:
            self.start(BY_SOFTWARE)
        elif self._bites():
            self.start(BY_WATCHDOG)
        else:
            return False
        return True

    @property
    def _vectors(self) -> int:
        return self._registers.get(_VTOR, 0)

    def _unmask(self) -> None:
        """A few instructions, where they are about to allow interrupts: a loop that sleeps with them off allows them in between."""
        for _ in range(_FEW_TIMES):
            if not self._processor.masked or self._processor.sleeps or self._resets:
                return
            self._processor.run(_FEW, self._vectors)

    def _sleep_us(self) -> int:
        """How long nothing happens that could wake it."""
        if self._heard:
            return _SLICE_US
        ends = [_LONGEST_SLEEP_US]
        if self.read(_TIMER0 + _ENABLED) and not self._registers.get(_REACHED):
            ends.append((self._registers.get(_COMPARED, 0) - self._timer_us()) & 0xFFFFFFFF)
        if self._tx_ends_us is not None:
            ends.append(self._tx_ends_us - self._now_us)
        if self._twim is not None:
            ends.append(self._twim.left_us)
        return max(min(ends), 1)

    def _devices(self) -> None:
        """What the chip's devices do by themselves in the time that has passed."""
        registers = self._registers
        if self._heard:
            self._receiver.receive(bytes(self._heard[:_BYTES_A_SLICE]))
            del self._heard[:_BYTES_A_SLICE]
            registers[_RX_READY] = 1
        if self._tx_ends_us is not None and self._now_us >= self._tx_ends_us:
            self._tx_ends_us = None
            registers[_TX_ENDED] = 1
        if self._twim is not None:
            self._twim.look()
        if not (self._timer_us() - registers.get(_COMPARED, 0)) >> 31 & 1:
            registers[_REACHED] = 1

    def _timer_us(self) -> int:
        return self._now_us - self._clear_us & 0xFFFFFFFF

    def _bites(self) -> bool:
        if self.feeds is None:
            return False
        return self._now_us - self._fed_us > self._registers[_WATCHDOG_SIZE] * 1_000_000 // _WATCHDOG_HZ

    def _pending(self) -> int | None:
        """Number of the interrupt that is to be served next."""
        pended = self._registers.get(_PENDED, 0)
        for number, base in _EVENTS:
            if self._registers.get(_NVIC, 0) >> number & 1:
                enabled = self._registers.get(base + _ENABLED, 0)
                events = (bit for bit in range(32) if enabled >> bit & 1)
                if pended >> number & 1 or any(self._registers.get(base + 0x100 + 4 * bit) for bit in events):
                    return number
        return None

    def _timer(self, base: int, offset: int) -> None:
        """A task of a timer: timer 0 counts microseconds, timer 1 what it is told to."""
        if 0x040 <= offset < 0x058:
            count = self._timer_us() if base == _TIMER0 else self._counted
            self._registers[base + 0x500 + offset] = count & 0xFFFFFFFF
        elif offset == 0x008:
            self._counted += 1
        elif offset == 0x00C and base == _TIMER0:
            self._clear_us = self._now_us
        elif offset == 0x00C:
            self._counted = 0

    def _erase(self, address: int) -> None:
        if self._registers.get(_CONFIG) == _ERASE:
            self.erased += 1
            self._now_us += _ERASED_US
            self.flash[address : address + PAGE] = b"\xff" * PAGE
            self.changed.add(address // PAGE)

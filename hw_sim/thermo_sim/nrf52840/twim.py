"""The simulator's chips at the nRF52840's I2C controller, TWIM 0, in whose place an emulator has nothing but memory.

A driver writes where its buffers are and starts a transaction; the rest is the controller's, and is done here as the product
specification has it: DMA, the shortcuts from one part to the next, the events at the end. It takes as long as the bus does.
"""

import sys
from typing import Protocol

from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.i2c import SimulatedBus
from thermo_sim.transaction import BUS, NACK, OK, SHORT, STUCK, carry_out

_AT = 0x40003000
_START_RX, _START_TX, _STOP = _AT, _AT + 0x008, _AT + 0x014
_STOPPED, _ERROR, _ERROR_SOURCE = _AT + 0x104, _AT + 0x124, _AT + 0x4C4
_FREQUENCY = _AT + 0x524
_RX_POINTER, _RX_SIZE, _RX_AMOUNT = _AT + 0x534, _AT + 0x538, _AT + 0x53C
_TX_POINTER, _TX_SIZE, _TX_AMOUNT = _AT + 0x544, _AT + 0x548, _AT + 0x54C
_ADDRESS, _SHORTS = _AT + 0x588, _AT + 0x200
_TX_START_RX = 1 << 7
_OVERRUN, _ADDRESS_NACK = 1, 2
_CLOCK_HZ = 16_000_000
_NVIC_PEND, _IRQ = 0xE000E200, 1 << 3
_SEEN = 1
"""Stands in the frequency's place, where a driver writes another number whenever it switches the controller on."""


class Chip(Protocol):
    """The rest of the chip."""

    def read_u32(self, address: int) -> int:
        """A word of memory or a register."""
        ...

    def write_u32(self, address: int, value: int) -> None:
        """Write a word of memory or a register."""
        ...

    def read_memory(self, address: int, size: int) -> bytes:
        """What lies in memory."""
        ...

    def set_pin(self, name: str, level: bool) -> None:
        """Have SDA released, or held low."""
        ...


class Twim:
    """The controller.

    Args:
        sim: the chip; registers of the controller itself are memory there.
        bus: with the chips.
        clock: of the bus, which is the processor's.
    """

    def __init__(self, sim: Chip, bus: SimulatedBus, clock: EmulatedClock) -> None:
        self._sim, self._bus, self._clock = sim, bus, clock
        self._ends_us: int | None = None
        self._came: tuple[int, bytes] = (OK, b"")
        self._held = False

    @property
    def left_us(self) -> int:
        """How long what is under way still takes, microseconds; for ever where nothing is."""
        return sys.maxsize if self._ends_us is None else self._ends_us - self._clock.now_us()

    def look(self) -> bool:
        """Do what has been asked for, and end what has had its time; whether something ended, which wakes the processor."""
        sim = self._sim
        woken = False
        if (frequency := sim.read_u32(_FREQUENCY)) not in (0, _SEEN):
            sim.write_u32(_FREQUENCY, _SEEN)
            self._bus.frequency_hz = round(frequency * _CLOCK_HZ / (1 << 32))
            self._ends_us = None
            self._bus.recover()  # a driver clocks the lines by hand before it switches the controller on again
        if sim.read_u32(_STOP):
            sim.write_u32(_STOP, 0)
            self._end(_STOPPED)
            woken = True
        if sim.read_u32(_START_TX) or sim.read_u32(_START_RX):
            self._begin()
        if self._ends_us is not None and self._clock.now_us() >= self._ends_us:
            self._ends_us = None
            self._finish()
            woken = True
        held = self._bus.is_held()
        if held != self._held:
            self._held = held
            sim.set_pin("sda", not held)
        return woken

    def _begin(self) -> None:
        sim = self._sim
        writes = bool(sim.read_u32(_START_TX))
        reads = not writes or bool(sim.read_u32(_SHORTS) & _TX_START_RX)
        for task in (_START_TX, _START_RX):
            sim.write_u32(task, 0)
        write = bytes(sim.read_memory(sim.read_u32(_TX_POINTER), sim.read_u32(_TX_SIZE))) if writes else b""
        read_size = sim.read_u32(_RX_SIZE) if reads else 0
        self._clock.forget()
        self._came = carry_out(self._bus, sim.read_u32(_ADDRESS), write, read_size)
        sim.write_u32(_TX_AMOUNT, len(write))
        self._ends_us = None if self._came[0] == STUCK else self._clock.now_us() + self._clock.late_us()

    def _finish(self) -> None:
        status, data = self._came
        if status in (OK, SHORT):
            self._store(self._sim.read_u32(_RX_POINTER), data)
            self._sim.write_u32(_RX_AMOUNT, len(data))
            self._end(_STOPPED)
        else:
            self._sim.write_u32(_ERROR_SOURCE, _ADDRESS_NACK if status == NACK else _OVERRUN if status == BUS else 0)
            self._end(_ERROR)

    def _end(self, event: int) -> None:
        self._sim.write_u32(event, 1)
        self._sim.write_u32(_NVIC_PEND, _IRQ)

    def _store(self, address: int, data: bytes) -> None:
        """By DMA; the words at both ends keep their other bytes."""
        begin, end = address & ~3, (address + len(data) + 3) & ~3
        words = bytearray(self._sim.read_memory(begin, end - begin))
        words[address - begin : address - begin + len(data)] = data
        for at in range(0, len(words), 4):
            self._sim.write_u32(begin + at, int.from_bytes(words[at : at + 4], "little"))

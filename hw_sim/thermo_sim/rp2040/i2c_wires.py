"""The chips of a wearable at the I2C controllers of an emulated RP2040.

rp2040py's controllers take no time, have no mask of interrupts, and take commands after an abort that nobody has seen. Here each
byte takes what it takes on the wire by the clock that the firmware set, the mask works, and such commands are dropped. Both
controllers are on the one bus, so that the pins of any board do.
"""

from collections.abc import Callable
from typing import Any

from rp2040py.gpio_pin import GPIOPinState

from thermo_sim.byte_master import ByteMaster
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.i2c import SimulatedBus
from thermo_sim.rp2040.machine import Machine

_COMMAND, _INTERRUPTS_ENABLED, _ENABLE = 0x10, 0x30, 0x6C
_ABORTED = 1 << 6
_ABORT = 2
_STOP_COMMAND = 1 << 9
_ADDRESS_BITS, _BYTE_BITS = 10, 9
_FREEING_CLOCKS = 9
_SCL_PINS = (5, 7)
"""Of the boards that the firmware knows."""
_I2C_FUNCTION = 3


class I2cWires:
    """Both controllers' wires.

    Args:
        machine: whose they are.
        bus: with the chips.
        clock: of the bus, which is the machine's.
    """

    def __init__(self, machine: Machine, bus: SimulatedBus, clock: EmulatedClock) -> None:
        for model in machine.chip.i2c:
            _Controller(machine, model, bus, clock)
        for pin in _SCL_PINS:
            machine.chip.gpio[pin].add_listener(_clocks(machine.chip.gpio[pin], bus))


class _Controller:
    """One controller's wires."""

    def __init__(self, machine: Machine, model: Any, bus: SimulatedBus, clock: EmulatedClock) -> None:
        self._machine, self._model, self._bus, self._clock = machine, model, bus, clock
        self._master = ByteMaster(bus)
        self._start_number = machine.starts
        self._waits = False
        self._hz = 1
        self._written = model.write_uint32
        model.write_uint32 = self._write
        model.on_start, model.on_connect, model.on_stop = self._start, self._connect, self._stop
        model.on_write_byte, model.on_read_byte = self._write_byte, self._read_byte

    def _after(self, bits: int, act: Callable[[], None]) -> None:
        """Once so many bits have passed, unless the chip was reset meanwhile."""
        number = self._machine.starts

        def run() -> None:
            if number == self._machine.starts:
                act()

        self._machine.later(bits * 1e9 / self._hz, run)

    def _write(self, offset: int, value: int) -> None:
        model = self._model
        if offset == _INTERRUPTS_ENABLED:
            model.int_enable = value & 0x1FFF
            model.check_interrupts()
            return
        if offset == _COMMAND and model.int_raw & _ABORTED:
            return  # silicon holds its FIFO empty until the firmware has seen why
        if offset == _ENABLE:
            self._hz = int(self._machine.chip.clk_peri / max(1, model.scl_high_period + model.scl_low_period))
        self._written(offset, value)
        if offset == _ENABLE and model.enable & _ABORT and self._waits:
            self._waits = False
            model.complete_start()

    def _start(self, repeated: bool) -> None:
        if self._start_number != self._machine.starts:  # who had begun something was reset
            self._start_number, self._waits = self._machine.starts, False
            self._master.stop(self._hz)
        if not self._master.start(self._model.target_address):
            self._waits = True
            self._after(_ADDRESS_BITS * 100, self._look_again)
            return
        late_us = self._clock.late_us()
        if not late_us:
            self._model.complete_start()
            return
        self._waits = True  # a chip stretches the clock
        self._after(round(late_us * self._hz / 1e6), self._go_on)

    def _go_on(self) -> None:
        if self._waits:
            self._waits = False
            self._model.complete_start()

    def _look_again(self) -> None:
        """A controller waits for a bus that is held until it is freed, or the firmware has waited long enough."""
        if not self._waits:
            return
        if self._bus.is_held():
            self._after(_ADDRESS_BITS * 100, self._look_again)
        else:
            self._waits = False
            self._start(False)

    def _connect(self, address: int, mode: int) -> None:
        single = bool(self._model._tx_fifo.peek() & _STOP_COMMAND)
        self._after(
            _ADDRESS_BITS,
            lambda: self._model.complete_connect(self._master.address(address, bool(mode), single, self._hz)),
        )

    def _write_byte(self, value: int) -> None:
        last = bool(self._model._stop)
        self._after(_BYTE_BITS, lambda: self._model.complete_write(self._master.write(value & 0xFF, last, self._hz)))

    def _read_byte(self, more: bool) -> None:
        byte = self._master.read(not more, self._hz)

        def arrive() -> None:
            if byte is None:
                self._master.stop(self._hz)
                self._model.arbitration_lost()
            else:
                self._model.complete_read(byte)

        self._after(_BYTE_BITS, arrive)

    def _stop(self) -> None:
        self._master.stop(self._hz)
        self._model.complete_stop()


def _clocks(pin: Any, bus: SimulatedBus) -> Callable[[GPIOPinState, GPIOPinState], None]:
    """A listener at SCL, which counts the clocks that a program makes by hand to free the bus."""
    count = 0

    def changed(now: GPIOPinState, before: GPIOPinState) -> None:
        nonlocal count
        if pin.function_select == _I2C_FUNCTION:
            count = 0
        elif before == GPIOPinState.LOW:
            count += 1
            if count == _FREEING_CLOCKS:
                bus.recover()

    return changed

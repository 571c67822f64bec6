"""A simulated I2C bus: smbus2's `i2c_rdwr` in front, register-level chips behind, time and faults in between.

A transaction costs simulated time (nine clocks a byte). Errors are those a Raspberry Pi's kernel reports:

* nobody acknowledges: ``EREMOTEIO`` (121);
* SDA held low: ``ETIMEDOUT`` (110) after the adapter's timeout of one second;
* a read that ends early: ``EIO`` (5), the kernel copies nothing to the caller;
* more than 42 messages or more than 8192 bytes a message: ``EINVAL`` (22).
"""

import ctypes
import errno
import os
import threading
from typing import Any, Protocol

from thermo_core.clock import Clock
from thermo_core.errors import UsageError
from thermo_sim.faults import Fault, FaultKind, FaultPlan

_READ_FLAG = 0x0001
_MAX_MESSAGES = 42
_MAX_BYTES = 8192
_TIMEOUT_US = 1_000_000
_GENERAL_CALL = 0x00


class Chip(Protocol):
    """What the bus needs of a chip. Times are simulated microseconds at which the first data byte moves."""

    @property
    def address(self) -> int:
        """7-bit address the chip answers to at this moment."""
        ...

    def power_on(self, time_us: int) -> None:
        """Supply has come up: registers take their defaults."""
        ...

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """Take the bytes of one write message; False where the chip does not acknowledge."""
        ...

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """Give `length` bytes for one read message; None where the chip does not acknowledge."""
        ...

    def stop(self) -> None:
        """A STOP condition ends the transaction."""
        ...

    def general_call(self, data: bytes, time_us: int) -> None:
        """Bytes written to address 0x00, which every chip hears."""
        ...

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """Take a fault that happens within the chip; chips ignore those that they cannot have."""
        ...


class SimulatedBus:
    """One I2C bus, duck-typed as `smbus2.SMBus` for `i2c_rdwr`; may be called from several threads.

    Args:
        clock: simulated time.
        frequency_hz: SCL frequency, 10 kHz to 1 MHz.
        faults: what goes wrong; nothing where omitted.

    Raises:
        UsageError: the frequency is out of range.

    Attributes:
        clock: as given.
        frequency_hz: as given.
        faults: the plan, which may be added to at any time through `add_faults`.
        transactions: how many transactions were attempted.
    """

    def __init__(self, clock: Clock, frequency_hz: int = 400_000, faults: FaultPlan | None = None) -> None:
        if not 10_000 <= frequency_hz <= 1_000_000:
            raise UsageError(f"The I2C frequency is {frequency_hz} Hz; give 10000 to 1000000.")
        self.clock = clock
        self.frequency_hz = frequency_hz
        self.faults = faults if faults is not None else FaultPlan()
        self.transactions = 0
        self.lock = threading.RLock()
        self._chips: list[Chip] = []
        self._absent_until_us: dict[int, int | None] = {}
        self._stuck = False

    def attach(self, chip: Chip) -> None:
        """Put a chip on the bus and power it on.

        Raises:
            UsageError: another chip has that address.
        """
        with self.lock:
            if any(other.address == chip.address for other in self._chips):
                raise UsageError(
                    f"Two chips have the I2C address 0x{chip.address:02X}; give one of them another address."
                )
            self._chips.append(chip)
            chip.power_on(self.clock.now_us())

    def exchange(self, chip: Chip, other: Chip) -> None:
        """Take a chip off the bus and put another in its place, powered on now, before anybody can ask for either."""
        with self.lock:
            self._chips[self._chips.index(chip)] = other
            self._absent_until_us.pop(id(chip), None)
            other.power_on(self.clock.now_us())

    def add_faults(self, faults: str) -> None:
        """Add faults while the bus runs (see `faults.parse_faults`).

        Raises:
            UsageError: the specification does not parse.
        """
        with self.lock:
            self.faults.add(faults)

    def unplug(self, duration_us: int | None = None, address: int | None = None) -> None:
        """Cut the power of a chip (of all where `address` is omitted) for `duration_us`, or until `plug`."""
        with self.lock:
            self._unplug(self.clock.now_us(), duration_us, address)

    def plug(self) -> None:
        """Give power back to every unplugged chip."""
        with self.lock:
            now_us = self.clock.now_us()
            for chip in self._chips:
                if id(chip) in self._absent_until_us:
                    self._absent_until_us[id(chip)] = now_us
            self._return_chips(now_us)

    def recover(self) -> None:
        """Clock SCL nine times and send a STOP: frees SDA."""
        with self.lock:
            self._stuck = False
            for chip in self._chips:
                chip.stop()
            self._sleep_bits(self.clock.now_us(), 10)

    def close(self) -> None:
        """Nothing to release; here because smbus2 has it."""

    def i2c_rdwr(self, *messages: Any) -> None:
        """Run one combined transaction of `smbus2.i2c_msg` objects; read messages are filled in place.

        Raises:
            OSError: as a Raspberry Pi's kernel reports it, see the module's text.
        """
        with self.lock:
            transaction = self.transactions
            self.transactions += 1
            if not messages or len(messages) > _MAX_MESSAGES or any(message.len > _MAX_BYTES for message in messages):
                raise _os_error(errno.EINVAL)
            start_us = self.clock.now_us()
            addresses = frozenset(message.addr for message in messages)
            flips, cut = 0, False
            refused = False
            for fault in self.faults.strike(transaction, addresses):
                if fault.kind is FaultKind.STUCK:
                    self._stuck = True
                elif fault.kind is FaultKind.NACK:
                    refused = True
                elif fault.kind is FaultKind.FLIP:
                    flips += fault.bits
                elif fault.kind is FaultKind.SHORT:
                    cut = True
                elif fault.kind is FaultKind.UNPLUG:
                    self._unplug(start_us, fault.duration_us, fault.address)
                elif fault.kind is FaultKind.DELAY:
                    self.clock.sleep_until_us(start_us + fault.duration_us)
                    start_us = self.clock.now_us()
                else:
                    for chip in self._chips:
                        if fault.address is None or chip.address == fault.address:
                            chip.inject(fault, self.faults, start_us)
            if self._stuck:
                self.clock.sleep_until_us(start_us + _TIMEOUT_US)
                raise _os_error(errno.ETIMEDOUT)
            if refused:
                self._sleep_bits(start_us, 11)
                raise _os_error(errno.EREMOTEIO)
            if self._absent_until_us:
                self._return_chips(start_us)
            self._transfer(messages, start_us, flips, cut)

    def _transfer(self, messages: tuple[Any, ...], start_us: int, flips: int, cut: bool) -> None:
        bits = 0
        received: list[tuple[Any, bytes]] = []
        involved: list[Chip] = []
        try:
            for message in messages:
                bits += 1 + 9  # START and address
                at_us = start_us + bits * 1_000_000 // self.frequency_hz
                bits += 9 * message.len
                if message.addr == _GENERAL_CALL and not message.flags & _READ_FLAG:
                    for chip in self._present():
                        chip.general_call(ctypes.string_at(message.buf, message.len), at_us)
                    continue
                chip_or_none = next((chip for chip in self._present() if chip.address == message.addr), None)
                if chip_or_none is None:
                    raise _os_error(errno.EREMOTEIO)
                involved.append(chip_or_none)
                if message.flags & _READ_FLAG:
                    data = chip_or_none.read(message.len, at_us, self.frequency_hz)
                    if data is None:
                        raise _os_error(errno.EREMOTEIO)
                    received.append((message, data))
                elif not chip_or_none.write(ctypes.string_at(message.buf, message.len), at_us, self.frequency_hz):
                    raise _os_error(errno.EREMOTEIO)
        finally:
            for chip in involved:
                chip.stop()
            self._sleep_bits(start_us, bits + 1)
        if cut and received:
            raise _os_error(errno.EIO)
        for message, data in received:
            if flips:
                data = self.faults.flip_bits(data, flips)
                flips = 0
            ctypes.memmove(message.buf, data, message.len)

    def _present(self) -> list[Chip]:
        if not self._absent_until_us:
            return self._chips
        return [chip for chip in self._chips if id(chip) not in self._absent_until_us]

    def _unplug(self, now_us: int, duration_us: int | None, address: int | None) -> None:
        for chip in self._chips:
            if address is None or chip.address == address:
                self._absent_until_us[id(chip)] = None if duration_us is None else now_us + duration_us

    def _return_chips(self, now_us: int) -> None:
        for chip in self._chips:
            until_us = self._absent_until_us.get(id(chip))
            if until_us is not None and until_us <= now_us:
                del self._absent_until_us[id(chip)]
                chip.power_on(until_us)

    def _sleep_bits(self, start_us: int, bits: int) -> None:
        self.clock.sleep_until_us(start_us - (-bits * 1_000_000 // self.frequency_hz))


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))

"""A simulated I2C bus: smbus2's `i2c_rdwr` in front, register-level chips behind, time and faults in between.

A bus is a tree: a chip may sit behind channels of multiplexers, which are chips themselves, and is heard only while all of them
are open. Chips that answer to one address at once pull the same wire: what is read is the AND of what they say.

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
from dataclasses import dataclass
from typing import Any, Protocol

from thermo_core.clock import Clock
from thermo_core.errors import UsageError
from thermo_sim.faults import Fault, FaultKind, FaultPlan

_READ_FLAG = 0x0001
_MAX_MESSAGES = 42
_MAX_BYTES = 8192
_TIMEOUT_US = 1_000_000
_GENERAL_CALL = 0x00
_LEVELS = {FaultKind.ONES: 0xFF, FaultKind.ZEROS: 0x00}
_ON_THE_WIRE = frozenset({FaultKind.NACK, FaultKind.FLIP, FaultKind.SHORT, *_LEVELS})


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
        """Give `length` bytes of one read message; None where the chip does not acknowledge.

        A controller that moves bytes by itself asks for a message in pieces of two bytes, and of one at its end.
        """
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


class Gate(Protocol):
    """A channel of a multiplexer: the way from one segment of a bus to another."""

    @property
    def chip(self) -> Chip:
        """The multiplexer."""
        ...

    @property
    def number(self) -> int:
        """Of the channel."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether both segments are joined at this moment."""
        ...


@dataclass(eq=False, slots=True)
class _Node:
    """A chip in its place.

    Attributes:
        chip: itself.
        behind: the channel it sits behind; None on the main segment.
        powered: whether it has a supply.
        back_us: when it gets one again; None where nobody knows.
        holds_sda: whether it holds SDA low.
        for_good: whether no clock makes it let go.
    """

    chip: Chip
    behind: Gate | None
    powered: bool = True
    back_us: int | None = None
    holds_sda: bool = False
    for_good: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction that has begun.

    Attributes:
        start_us: when, simulated microseconds.
        chips: those that hear it.
        kinds: of the faults that strike it.
        flips: how many bits of what is read turn.
        held: SDA is low, so that nothing comes of it.
    """

    start_us: int
    chips: list[Chip]
    kinds: frozenset[FaultKind]
    flips: int
    held: bool


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
        self._nodes: list[_Node] = []
        self._stuck = False

    def attach(self, chip: Chip, behind: Gate | None = None) -> None:
        """Put a chip on the bus and power it on.

        Args:
            chip: what to attach.
            behind: channel of a multiplexer that is on the bus already; None for the main segment.

        Raises:
            UsageError: another chip of that segment has that address, or the multiplexer is not on the bus.
        """
        with self.lock:
            if behind is not None and all(node.chip is not behind.chip for node in self._nodes):
                raise UsageError("A channel leads nowhere: attach its multiplexer to the bus first.")
            if any(_same_segment(node.behind, behind) and node.chip.address == chip.address for node in self._nodes):
                raise UsageError(
                    f"Two chips have the I2C address 0x{chip.address:02X}; give one of them another address."
                )
            self._nodes.append(_Node(chip, behind))
            chip.power_on(self.clock.now_us())

    def exchange(self, chip: Chip, other: Chip) -> None:
        """Put another chip in the place of one, and power it on."""
        with self.lock:
            for place, node in enumerate(self._nodes):
                if node.chip is chip:
                    self._nodes[place] = _Node(other, node.behind)
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
            for node in self._nodes:
                if not node.powered:
                    node.back_us = now_us
            self._return_chips(now_us)

    def recover(self) -> None:
        """Clock SCL nine times and send a STOP: whoever hears it lets go of SDA."""
        with self.lock:
            self._stuck = False
            for node in self._reachable():
                node.holds_sda = node.holds_sda and node.for_good
                node.chip.stop()
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
            begun = self._begin(transaction, frozenset(message.addr for message in messages))
            if begun.held:
                self.clock.sleep_until_us(begun.start_us + _TIMEOUT_US)
                raise _os_error(errno.ETIMEDOUT)
            if FaultKind.NACK in begun.kinds:
                self._sleep_bits(begun.start_us, 11)
                raise _os_error(errno.EREMOTEIO)
            received = self._transfer(messages, begun.start_us, begun.chips)
            if FaultKind.SHORT in begun.kinds and received:
                raise _os_error(errno.EIO)
            flips = begun.flips
            for message, data in received:
                ctypes.memmove(message.buf, self.on_wire(data, begun.kinds, flips), message.len)
                flips = 0

    def begin(self, address: int) -> Begun:
        """Begin a transaction of a controller that moves bytes by itself; see `byte_master`. Call it with the lock held.

        Args:
            address: of the first message.
        """
        self.transactions += 1
        return self._begin(self.transactions - 1, frozenset((address,)))

    def is_held(self) -> bool:
        """Whether SDA is low, so that nobody can begin."""
        with self.lock:
            return self._stuck or any(node.holds_sda for node in self._reachable())

    def on_wire(self, data: bytes, kinds: frozenset[FaultKind], flips: int) -> bytes:
        """What comes of bytes that a chip says, by the faults of the transaction."""
        if flips:
            data = self.faults.flip_bits(data, flips)
        for kind, byte in _LEVELS.items():
            if kind in kinds:
                data = bytes((byte,)) * len(data)
        return data

    def _begin(self, transaction: int, addresses: frozenset[int]) -> Begun:
        start_us = self.clock.now_us()
        faults = self.faults.strike(transaction, addresses)
        for fault in faults:
            if fault.kind is FaultKind.STUCK:
                self._hold(fault)
            elif fault.kind is FaultKind.UNPLUG:
                self._unplug(start_us, fault.duration_us, fault.address, fault.channel)
            elif fault.kind is FaultKind.DELAY:
                self.clock.sleep_until_us(start_us + (fault.duration_us or 0))
                start_us = self.clock.now_us()
            elif fault.kind not in _ON_THE_WIRE:
                own_channel = fault.kind is FaultKind.LEFTOPEN  # of a multiplexer, not one that it sits behind
                for node in self._concerned(fault.address, None if own_channel else fault.channel):
                    node.chip.inject(fault, self.faults, start_us)
        self._return_chips(start_us)
        reachable = self._reachable()
        return Begun(
            start_us,
            [node.chip for node in reachable],
            frozenset(fault.kind for fault in faults),
            sum(fault.bits for fault in faults if fault.kind is FaultKind.FLIP),
            self._stuck or any(node.holds_sda for node in reachable),
        )

    def _transfer(self, messages: tuple[Any, ...], start_us: int, chips: list[Chip]) -> list[tuple[Any, bytes]]:
        """Run the messages; what was read, by message."""
        bits = 0
        received: list[tuple[Any, bytes]] = []
        involved: list[Chip] = []
        try:
            for message in messages:
                bits += 1 + 9  # START and address
                at_us = start_us + bits * 1_000_000 // self.frequency_hz
                if message.addr == _GENERAL_CALL and not message.flags & _READ_FLAG:
                    for chip in chips:
                        chip.general_call(ctypes.string_at(message.buf, message.len), at_us)
                    bits += 9 * message.len
                    continue
                answering = [chip for chip in chips if chip.address == message.addr]
                involved += answering
                if message.flags & _READ_FLAG:
                    said = [chip.read(message.len, at_us, self.frequency_hz) for chip in answering]
                    heard = [data for data in said if data is not None]
                    if not heard:
                        raise _os_error(errno.EREMOTEIO)
                    bits += 9 * message.len
                    received.append((message, _together(heard)))
                elif not answering:
                    raise _os_error(errno.EREMOTEIO)
                else:
                    bits += 9 * message.len
                    data = ctypes.string_at(message.buf, message.len)
                    heard_by = [chip.write(data, at_us, self.frequency_hz) for chip in answering]
                    if not any(heard_by):
                        raise _os_error(errno.EREMOTEIO)
        finally:
            for chip in involved:
                chip.stop()
            self._sleep_bits(start_us, bits + 1)
        return received

    def _reachable(self) -> list[_Node]:
        """Chips with power that the main segment is joined to at this moment."""
        found: list[_Node] = []
        joined: set[int] = set()
        for node in self._nodes:  # a multiplexer is attached before what is behind it
            behind = node.behind
            if node.powered and (behind is None or (id(behind.chip) in joined and behind.is_open)):
                found.append(node)
                joined.add(id(node.chip))
        return found

    def _concerned(self, address: int | None, channel: int | None) -> list[_Node]:
        """Chips of that address behind that channel; None for any."""
        return [
            node
            for node in self._nodes
            if (address is None or node.chip.address == address)
            and (channel is None or (node.behind is not None and node.behind.number == channel))
        ]

    def _hold(self, fault: Fault) -> None:
        if fault.address is None:
            self._stuck = True
            return
        for node in self._concerned(fault.address, fault.channel):
            node.holds_sda, node.for_good = True, fault.permanent

    def _unplug(self, now_us: int, duration_us: int | None, address: int | None, channel: int | None = None) -> None:
        for node in self._concerned(address, channel):
            node.powered, node.holds_sda = False, False
            node.back_us = None if duration_us is None else now_us + duration_us

    def _return_chips(self, now_us: int) -> None:
        for node in self._nodes:
            if not node.powered and node.back_us is not None and node.back_us <= now_us:
                node.powered = True
                node.chip.power_on(node.back_us)

    def _sleep_bits(self, start_us: int, bits: int) -> None:
        self.clock.sleep_until_us(start_us - (-bits * 1_000_000 // self.frequency_hz))


def _same_segment(one: Gate | None, other: Gate | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.chip is other.chip and one.number == other.number


def _together(heard: list[bytes]) -> bytes:
    """What is on a wire that several pull low."""
    data = heard[0]
    for other in heard[1:]:
        data = bytes(a & b for a, b in zip(data, other, strict=True))
    return data


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))

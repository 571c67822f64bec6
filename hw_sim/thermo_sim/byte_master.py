"""A controller's side of a simulated bus that moves byte by byte, as real controllers do: START, address, bytes, STOP.

How long each takes is the controller's; chips are asked at the time at which each piece of a message begins.
"""

from thermo_sim.faults import FaultKind
from thermo_sim.i2c import Begun, Chip, SimulatedBus

PIECE = 2
"""Bytes that a chip is asked for at once: registers of one byte are read by themselves, longer ones whole."""


class ByteMaster:
    """One controller.

    Args:
        bus: what it is on.
    """

    def __init__(self, bus: SimulatedBus) -> None:
        self._bus = bus
        self._begun: Begun | None = None
        self._answering: list[Chip] = []
        self._involved: list[Chip] = []
        self._written: bytearray | None = None
        self._piece = b""
        self._flips = 0
        self._reads = 0

    def start(self, address: int) -> bool:
        """A START, repeated or not; False where SDA is held low, and the controller waits for it."""
        with self._bus.lock:
            if self._begun is None:
                begun = self._bus.begin(address)
                if begun.held:
                    return False
                self._begun, self._flips, self._reads = begun, begun.flips, 0
        return True

    def address(self, address: int, read: bool, single: bool, bus_hz: int) -> bool:
        """Whether anybody acknowledges an address.

        Args:
            address: 7 bits.
            read: of a message that is read.
            single: the controller is known to want no more than one byte.
            bus_hz: its clock.
        """
        assert self._begun is not None
        with self._bus.lock:
            if not self._deliver(bus_hz) or FaultKind.NACK in self._begun.kinds:
                return False
            now_us = self._bus.clock.now_us()
            self._answering = [chip for chip in self._begun.chips if chip.address == address]
            self._involved += self._answering
            if read:
                return self._ask(1 if single else PIECE, bus_hz)
            heard_by = [chip.write(b"", now_us, bus_hz) for chip in self._answering]
            self._written = bytearray()
            return any(heard_by) or address == 0

    def write(self, byte: int, last: bool, bus_hz: int) -> bool:
        """Whether a byte is acknowledged; chips take a message at its end."""
        assert self._written is not None
        self._written.append(byte)
        if not last:
            return True
        with self._bus.lock:
            return self._deliver(bus_hz)

    def read(self, last: bool, bus_hz: int) -> int | None:
        """The next byte; None where the read ends early."""
        assert self._begun is not None
        with self._bus.lock:
            if not self._piece and not self._ask(1 if last else PIECE, bus_hz):
                self._piece = b"\xff"  # nobody drives the wire
            if self._reads and FaultKind.SHORT in self._begun.kinds:
                return None
            self._reads += 1
            byte, self._piece = self._piece[0], self._piece[1:]
            return byte

    def stop(self, bus_hz: int) -> None:
        """A STOP ends the transaction, also one that had no answer."""
        with self._bus.lock:
            if self._begun is not None:
                self._deliver(bus_hz)
            for chip in self._involved:
                chip.stop()
        self._begun, self._written, self._piece = None, None, b""
        self._answering, self._involved = [], []

    def _ask(self, length: int, bus_hz: int) -> bool:
        assert self._begun is not None
        now_us = self._bus.clock.now_us()
        said = [chip.read(length, now_us, bus_hz) for chip in self._answering]
        heard = [data for data in said if data is not None]
        if not heard:
            return False
        together = bytes(_and(column) for column in zip(*heard, strict=True))
        self._piece = self._bus.on_wire(together, self._begun.kinds, self._flips)
        self._flips = 0
        return True

    def _deliver(self, bus_hz: int) -> bool:
        """Give chips the message that was written to them; whether they take it."""
        assert self._begun is not None
        written, self._written = self._written, None
        if not written:
            return True
        now_us = self._bus.clock.now_us()
        if not self._answering:  # a general call
            for chip in self._begun.chips:
                chip.general_call(bytes(written), now_us)
            return True
        taken = [chip.write(bytes(written), now_us, bus_hz) for chip in self._answering]  # each hears it
        return any(taken)


def _and(levels: tuple[int, ...]) -> int:
    """What is on a wire that several pull low."""
    level = 0xFF
    for one in levels:
        level &= one
    return level

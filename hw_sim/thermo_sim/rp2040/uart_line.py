"""The host's side of an emulated RP2040's UART: bytes come in at the rate of the wire, and leave as the firmware writes them."""

from collections import deque

from thermo_sim.rp2040.machine import Machine

_AT_ONCE = 16
_BYTE_NS = 10_000
"""Of a million baud."""
_FIFO = 32


class UartLine:
    """The line.

    Args:
        machine: whose UART 0 it is.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._uart = machine.chip.uart[0]
        self._said = bytearray()
        self._coming: deque[int] = deque()
        self._carrying = False
        self._uart.on_byte = self._said.append

    @property
    def waiting(self) -> int:
        """Bytes that are still to arrive."""
        return len(self._coming)

    def send(self, data: bytes) -> None:
        """Have bytes arrive one after another."""
        self._coming += data
        if self._coming and not self._carrying:
            self._carrying = True
            self._machine.later(_AT_ONCE * _BYTE_NS, self._carry)

    def take(self) -> bytes:
        """What the firmware said since the last time."""
        said = bytes(self._said)
        self._said.clear()
        return said

    def _carry(self) -> None:
        room = _FIFO - self._uart.rx_fifo.item_count
        for _ in range(min(_AT_ONCE, room, len(self._coming))):
            self._uart.feed_byte(self._coming.popleft())
        self._carrying = bool(self._coming)
        if self._carrying:
            self._machine.later(_AT_ONCE * _BYTE_NS, self._carry)

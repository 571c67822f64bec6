"""The receiving half of an emulated nRF52840's UARTE 0: bytes go by DMA into RAM."""

from typing import Protocol

_UARTE, _TIMER1, _NVIC_PEND = 0x40002000, 0x40009000, 0xE000E200
_UARTE_IRQ = 1 << 2
_RX_POINTER, _RX_SIZE = _UARTE + 0x534, _UARTE + 0x538
_ENABLE, _ENABLED = _UARTE + 0x500, 8
_COUNT, _CAPTURE_3, _VALUE_3 = _TIMER1 + 0x008, _TIMER1 + 0x04C, _TIMER1 + 0x54C


class Words(Protocol):
    """Memory and registers of an emulated chip."""

    def read_u32(self, address: int) -> int:
        """A word."""
        ...

    def write_u32(self, address: int, value: int) -> None:
        """Write a word."""
        ...


class Receiver:
    """The receiver, as the product specification has it.

    Bytes go by DMA to where RXD.PTR pointed when the buffer was begun, the next buffer begins when one is full, and each byte's event
    counts timer 1 up by PPI. labwired's own gives the end of a buffer early, and counts no bytes.
    """

    def __init__(self, sim: Words) -> None:
        self._sim = sim
        self._pointer = self._left = self._given = 0

    def receive(self, data: bytes) -> None:
        """Have bytes arrive; lost where the firmware has not yet switched the UARTE on."""
        sim = self._sim
        if sim.read_u32(_ENABLE) != _ENABLED:
            return
        sim.write_u32(_CAPTURE_3, 1)
        if sim.read_u32(_VALUE_3) != self._given & 0xFFFFFFFF:  # the firmware has started anew
            self._left = self._given = 0
        for byte in data:
            if not self._left:
                self._pointer, self._left = sim.read_u32(_RX_POINTER), sim.read_u32(_RX_SIZE)
            word, shift = self._pointer & ~3, 8 * (self._pointer & 3)
            sim.write_u32(word, sim.read_u32(word) & ~(0xFF << shift) | byte << shift)
            sim.write_u32(_COUNT, 1)
            self._pointer += 1
            self._left -= 1
            self._given += 1
        sim.write_u32(_NVIC_PEND, _UARTE_IRQ)

"""Buses behind multiplexers: the way to a chip is opened before each transaction, and closed before another one is.

A TCA9548A takes the mask of its open channels as one byte and gives it back when read. Chips behind channels of different
multiplexers may have the same address, so a way that is not used is closed first. After any error nothing is taken for granted:
the multiplexer may have lost its supply.
"""

import errno
from collections.abc import Iterable
from typing import Any

from smbus2 import i2c_msg

from thermo_core.sensors.path import BusPath, Hop
from thermo_device.bus import I2cBus

_Way = tuple[Hop, ...]
_ATTEMPTS = 3


class MultiplexerError(OSError):
    """A multiplexer on the way did not do as it was told.

    Attributes:
        address: of it.
    """

    def __init__(self, error: OSError, address: int) -> None:
        super().__init__(error.errno, error.strerror)
        self.address = address


class Switchboard:
    """All multiplexers of one bus, and which channel of each is open.

    Args:
        bus: the bus itself.
        paths: of all chips.
    """

    def __init__(self, bus: I2cBus, paths: Iterable[BusPath]) -> None:
        self._bus = bus
        self._all = {(path.hops[:depth], hop.address) for path in paths for depth, hop in enumerate(path.hops)}
        self._doubtful = set(self._all)
        self._open: _Way = ()

    def at(self, path: BusPath) -> I2cBus:
        """The bus as a chip on this path sees it."""
        return _Routed(self, path.hops)

    def run(self, way: _Way, messages: tuple[Any, ...]) -> None:
        """One transaction with the way open; what else is open does not matter to a chip on the bus itself."""
        try:
            if way and (way != self._open or self._doubtful):
                self._go(way)
            self._bus.i2c_rdwr(*messages)
        except OSError:
            self._forget()
            raise

    def recover(self) -> None:
        """As `I2cBus.recover`."""
        self._forget()
        self._bus.recover()

    def _forget(self) -> None:
        self._open, self._doubtful = (), set(self._all)

    def _go(self, way: _Way) -> None:
        before, self._open = self._open, ()
        shared = next((n for n, pair in enumerate(zip(before, way, strict=False)) if pair[0] != pair[1]), None)
        kept = min(len(before), len(way)) if shared is None else shared
        for depth in range(len(before) - 1, kept - 1, -1):
            if depth != kept or depth >= len(way) or way[depth].address != before[depth].address:
                self._write(before[depth].address, 0)
        for depth in range(len(way)):
            self._settle(way[:depth], way[depth].address)
            if depth >= kept:
                self._write(way[depth].address, 1 << way[depth].channel)
        self._settle(way, None)
        self._open = way

    def _settle(self, reached: _Way, next_address: int | None) -> None:
        """Close multiplexers that nobody knows the state of, once the way to them is open."""
        for one in sorted(self._doubtful, key=lambda known: known[1]):
            if one[0] == reached:
                if one[1] != next_address:
                    self._close(one[1])
                self._doubtful.discard(one)

    def _close(self, address: int) -> None:
        """Close all channels of a multiplexer; one that never answers has no supply, and is closed by that."""
        for _ in range(_ATTEMPTS):
            try:
                self._write(address, 0)
                return
            except MultiplexerError as error:
                if error.errno not in (errno.ENXIO, errno.EREMOTEIO):
                    raise

    def _write(self, address: int, mask: int) -> None:
        try:
            self._bus.i2c_rdwr(i2c_msg.write(address, [mask]))
            found = i2c_msg.read(address, 1)
            self._bus.i2c_rdwr(found)
        except OSError as error:
            raise MultiplexerError(error, address) from error
        if bytes(found) != bytes((mask,)):
            raise MultiplexerError(OSError(errno.EIO, "it opened other channels than it was told"), address)


class _Routed:
    """The bus of one chip."""

    def __init__(self, board: Switchboard, way: _Way) -> None:
        self._board, self._way = board, way

    def i2c_rdwr(self, *messages: Any) -> None:
        self._board.run(self._way, messages)

    def recover(self) -> None:
        self._board.recover()

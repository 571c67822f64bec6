"""Buses behind multiplexers: the way to a chip is opened before each transaction, and closed before another one is.

A TCA9548A takes the mask of its open channels as one byte and gives it back when read. Chips behind channels of different
multiplexers may have the same address, so a way that is not used is closed first. After any error nothing is taken for granted:
the multiplexer may have lost its supply.

A multiplexer that does not acknowledge while it is to be closed may have a channel open all the same, so nothing is asked through
another one: the transaction fails, and the next one tries again. Without a supply it would block the chips of all others for
good. Hence after so many failures in a row it is taken to have none, and to be closed by that, until it acknowledges anything:
4 where it never did since the start, and 32 where it did, `UNMET_VISITS` and `LOST_VISITS`.
"""

import errno
from collections.abc import Iterable
from typing import Any

from smbus2 import i2c_msg

from thermo_core.sensors.path import BusPath, Hop
from thermo_device.bus import I2cBus

_Way = tuple[Hop, ...]
_Known = tuple[_Way, int]  # the way to a multiplexer, and its address
_ATTEMPTS = 3
UNMET_VISITS = 4
"""As many as a transaction has attempts, so that a multiplexer which is not there costs no chip its start."""
LOST_VISITS = 32
_NACKS = (errno.ENXIO, errno.EREMOTEIO)


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
        self._all: set[_Known] = {
            (path.hops[:depth], hop.address) for path in paths for depth, hop in enumerate(path.hops)
        }
        self._doubtful = set(self._all)
        self._open: _Way = ()
        self._met: set[_Known] = set()
        self._silent = dict.fromkeys(self._all, 0)

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
                self._write((before[:depth], before[depth].address), 0)
        for depth in range(len(way)):
            self._settle(way[:depth], way[depth].address)
            if depth >= kept:
                self._write((way[:depth], way[depth].address), 1 << way[depth].channel)
        self._settle(way, None)
        self._open = way

    def _settle(self, reached: _Way, next_address: int | None) -> None:
        """Close multiplexers that nobody knows the state of, once the way to them is open."""
        for one in sorted(self._doubtful, key=lambda known: known[1]):
            if one[0] == reached:
                if one[1] != next_address:
                    self._close(one)
                self._doubtful.discard(one)

    def _close(self, one: _Known) -> None:
        """Close all channels of a multiplexer, unless it was silent so long that it has no supply."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._write(one, 0)
                return
            except MultiplexerError as error:
                if error.errno not in _NACKS:
                    raise
                if attempt == _ATTEMPTS and not self._is_excused(one):
                    raise

    def _is_excused(self, one: _Known) -> bool:
        """Whether this visit, at which it did not acknowledge, is one too many for a multiplexer with a supply."""
        least = LOST_VISITS if one in self._met else UNMET_VISITS
        self._silent[one] = min(self._silent[one] + 1, least)
        return self._silent[one] == least

    def _write(self, one: _Known, mask: int) -> None:
        address = one[1]
        try:
            self._bus.i2c_rdwr(i2c_msg.write(address, [mask]))
            self._met.add(one)
            self._silent[one] = 0
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

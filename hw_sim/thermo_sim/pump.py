"""Carries bytes between a board's serial line and a pseudo-terminal, over a wire that may be noisy."""

import contextlib
import logging
import os
import random
import select
import socket
import threading
import time
from dataclasses import dataclass

from thermo_core.errors import LinkError, LinkLostError, ThermoError, UsageError
from thermo_device.port import Port
from thermo_sim.tap import Tap

log = logging.getLogger(__name__)

CHUNK = 4096
NOBODY_READS_S = 2.0
"""A wire holds nothing for a host that comes later: after this, what nobody reads is lost, until a host says something."""
_REOPEN_S = 0.05


@dataclass(frozen=True, slots=True)
class LineNoise:
    """What a bad wire does to each byte.

    Attributes:
        flip: probability that one of its bits is turned.
        drop: probability that it is lost.

    Raises:
        UsageError: a probability is outside 0 to 1.
    """

    flip: float = 0.0
    drop: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("flip", self.flip), ("drop", self.drop)):
            if not 0.0 <= value <= 1.0:
                raise UsageError(f"The line noise {name}={value:g} is no probability; give 0 to 1.")

    @classmethod
    def parse(cls, text: str) -> "LineNoise":
        """Noise from text such as "flip=1e-4,drop=2e-5"; none where it is empty.

        Raises:
            UsageError: it is no such text.
        """
        values: dict[str, float] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            try:
                if name not in ("flip", "drop") or name in values:
                    raise ValueError
                values[name] = float(value)
            except ValueError:
                raise UsageError(
                    f"The line noise {part!r} is not known; write for example flip=1e-4,drop=2e-5."
                ) from None
        return cls(**values)


class _Wire:
    """One direction of a noisy wire."""

    def __init__(self, noise: LineNoise, seed: str) -> None:
        self._noise = noise
        self._random = random.Random(seed)
        self.damaged = 0

    def carry(self, data: bytes) -> bytes:
        noise = self._noise
        if not (noise.flip or noise.drop):
            return data
        arrived = bytearray()
        for byte in data:
            if self._random.random() < noise.drop:
                self.damaged += 1
                continue
            if self._random.random() < noise.flip:
                self.damaged += 1
                byte ^= 1 << self._random.randrange(8)
            arrived.append(byte)
        return bytes(arrived)


class Pump:
    """Moves bytes both ways in a thread of its own, and opens the port again whenever it vanishes.

    Args:
        port: the host's side; opened and closed here.
        board: connected socket of the board's serial line.
        noise: what the wire does.
        seed: of the noise.
        tap: a second host, on the board's side of the noise.

    Attributes:
        lost: bytes from the board that nobody was there to read.
    """

    def __init__(
        self, port: Port, board: socket.socket, noise: LineNoise | None = None, seed: int = 0, tap: Tap | None = None
    ) -> None:
        noise = noise if noise is not None else LineNoise()
        self.lost = 0
        self._port = port
        self._board = board
        self._tap = tap
        self._to_host = _Wire(noise, f"{seed} to host")
        self._to_board = _Wire(noise, f"{seed} to board")
        self._host_waits = b""
        self._board_waits = b""
        self._moved_s = 0.0
        self._unread = False
        self._open = False
        self._stopping = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    @property
    def damaged(self) -> int:
        """Bytes that the wire flipped or lost."""
        return self._to_host.damaged + self._to_board.damaged

    def start(self) -> None:
        """Open the port and begin.

        Raises:
            ThermoError: the port cannot be opened.
        """
        self._port.open()
        self._open = True
        self._board.setblocking(False)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and close the port."""
        self._stopping = True
        self.wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._port.close()
        os.close(self._wake)

    def wake(self) -> None:
        """Have the port looked at now; any thread may call it."""
        with contextlib.suppress(OSError):
            os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while not self._stopping:
            if not self._open:
                self._reopen()
            try:
                self._step()
            except LinkLostError as error:
                log.info("%s", error)
                self._port.close()
                self._open = False
                self._host_waits = self._board_waits = b""
                self._unread = False
            except ConnectionError:
                return  # the board is gone; whoever started it knows

    def _reopen(self) -> None:
        try:
            self._port.open()
            self._open = True
        except LinkError:
            pass
        except ThermoError as error:
            log.error("%s", error)

    def _step(self) -> None:
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        board_events = (0 if self._host_waits else select.POLLIN) | (select.POLLOUT if self._board_waits else 0)
        poller.register(self._board, board_events)
        port = -1
        if self._open:
            port = self._port.fileno()
            port_events = (0 if self._board_waits else select.POLLIN) | (select.POLLOUT if self._host_waits else 0)
            poller.register(port, port_events)
        pause_s = _REOPEN_S if not self._open else NOBODY_READS_S if self._host_waits else None
        if self._tap is not None and not self._board_waits and (wait_s := self._tap.wait_s) is not None:
            pause_s = wait_s if pause_s is None else min(pause_s, wait_s)
        ready = dict(poller.poll(None if pause_s is None else pause_s * 1000))
        if self._wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
        if self._stopping:
            return
        if ready.get(self._board.fileno(), 0) & (select.POLLIN | select.POLLHUP | select.POLLERR):
            self._from_board()
        if ready.get(port, 0) & ~select.POLLOUT:
            data = self._to_board.carry(self._port.read())
            self._board_waits = data if self._tap is None else self._tap.from_host(data)
            self._unread = False
        if self._tap is not None and not self._board_waits:
            self._board_waits = self._tap.to_board()
        self._deliver()

    def _from_board(self) -> None:
        if self._host_waits:  # nothing was asked for, so it hung up
            raise ConnectionResetError
        try:
            data = self._board.recv(CHUNK)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError
        if self._tap is not None:
            data = self._tap.from_board(data)
        if self._open and not self._unread:
            self._host_waits = self._to_host.carry(data)
            self._moved_s = time.monotonic()
        else:
            self.lost += len(data)

    def _deliver(self) -> None:
        if self._board_waits:
            with contextlib.suppress(BlockingIOError):
                self._board_waits = self._board_waits[self._board.send(self._board_waits) :]
        if self._host_waits and self._open:
            taken = self._port.write(self._host_waits)
            self._host_waits = self._host_waits[taken:]
            if taken:
                self._moved_s = time.monotonic()
            elif time.monotonic() - self._moved_s >= NOBODY_READS_S:
                self.lost += len(self._host_waits)
                self._host_waits = b""
                self._unread = True
                self._port.discard_output()

"""Memory shared with a simulated board: I2C transactions go through its mailbox, and flash and clock are kept in it.

The layout is that of `device/firmware/boards/simulated/shared_memory.h`. It lies in a file, which the emulator takes as
the board's external RAM.
"""

import contextlib
import ctypes
import fcntl
import logging
import mmap
import os
import select
import socket
import threading
from pathlib import Path

from thermo_core.errors import DamagedFileError, StorageError, UsageError
from thermo_sim.i2c import SimulatedBus
from thermo_sim.transaction import BUS, OK, carry_out

log = logging.getLogger(__name__)

MAGIC = 0x424D4554
VERSION = 1
SIZE = 0x1000000
TRANSFER, RECOVER = 1, 2
MAX_WRITE, MAX_READ = 256, 4096
FLASH_BLOCK_SIZE, FLASH_BLOCKS = 4096, 32
SLOT_BLOCKS = 64
"""Blocks of each of two slots for a firmware that a bootloader starts."""
MODEL_BLOCKS = 32
"""Blocks of each of two slots for a model."""
_LOOK_AGAIN_S = 0.25
"""A ring may be lost while a board is reset, so the mailbox is looked into without one too."""


class Mailbox(ctypes.LittleEndianStructure):
    """`struct mailbox`."""

    _fields_ = (
        ("magic", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("serial", ctypes.c_char * 32),
        ("request", ctypes.c_uint32),
        ("kind", ctypes.c_uint32),
        ("address", ctypes.c_uint32),
        ("write_size", ctypes.c_uint32),
        ("read_size", ctypes.c_uint32),
        ("write_data", ctypes.c_uint8 * MAX_WRITE),
        ("response", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("read_data", ctypes.c_uint8 * MAX_READ),
    )


class RetainedTime(ctypes.LittleEndianStructure):
    """`struct retained_time`."""

    _fields_ = (
        ("magic", ctypes.c_uint32),
        ("current", ctypes.c_uint32),
        ("time_us", ctypes.c_uint64 * 2),
    )


class BoardReport(ctypes.LittleEndianStructure):
    """`struct board_report`."""

    _fields_ = (
        ("starts", ctypes.c_uint32),
        ("stack_used", ctypes.c_uint32),
        ("faults", ctypes.c_uint32),
        ("exception", ctypes.c_uint32),
        ("pc", ctypes.c_uint32),
        ("lr", ctypes.c_uint32),
        ("cfsr", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("now_us", ctypes.c_uint64),
        ("slept_us", ctypes.c_uint64),
    )


class SharedMemory(ctypes.LittleEndianStructure):
    """`struct shared_memory`."""

    _fields_ = (
        ("mailbox", Mailbox),
        ("reserved_1", ctypes.c_uint8 * (0x8000 - ctypes.sizeof(Mailbox))),
        ("time", RetainedTime),
        ("reserved_2", ctypes.c_uint8 * (0x4000 - ctypes.sizeof(RetainedTime))),
        ("report", BoardReport),
        ("reserved_3", ctypes.c_uint8 * (0x4000 - ctypes.sizeof(BoardReport))),
        ("flash", ctypes.c_uint8 * (FLASH_BLOCKS * FLASH_BLOCK_SIZE)),
        ("reserved_4", ctypes.c_uint8 * 0x10000),
        ("slots", ctypes.c_uint8 * (SLOT_BLOCKS * FLASH_BLOCK_SIZE) * 2),
        ("models", ctypes.c_uint8 * (MODEL_BLOCKS * FLASH_BLOCK_SIZE) * 2),
    )


class SharedFile:
    """The file of one board, which nobody else may use meanwhile.

    Args:
        path: made where it is missing; its folder too.
        serial: what the board is to call itself, at most 31 ASCII characters.

    Attributes:
        path: as given.
        memory: its content; valid until `close`.

    Raises:
        UsageError: another board uses it.
        DamagedFileError: it is no such file.
        StorageError: it cannot be made or opened.
    """

    def __init__(self, path: Path, serial: str) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be used ({error.strerror}); give a writable directory with --state."
            ) from error
        try:
            self._map = self._open()
        except BaseException:
            os.close(self._descriptor)
            raise
        self.memory = SharedMemory.from_buffer(self._map)
        mailbox = self.memory.mailbox
        mailbox.response = mailbox.request  # whoever asked is gone
        mailbox.serial = serial.encode("ascii")[:31]
        mailbox.version = VERSION
        mailbox.magic = MAGIC

    def close(self) -> None:
        """Let go of it."""
        del self.memory
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        with contextlib.suppress(BufferError):  # somebody, such as a server that hangs, still looks at it
            self._map.close()
        os.close(self._descriptor)

    def _open(self) -> mmap.mmap:
        path = self.path
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"Another board uses {path.parent}; stop it or give another directory with --state."
            ) from error
        size = os.fstat(self._descriptor).st_size
        fresh = size == 0
        if not fresh and size != SIZE:
            raise DamagedFileError(f"{path} has {size} bytes and no board's memory; remove it or name another --state.")
        try:
            if fresh:
                os.ftruncate(self._descriptor, SIZE)
            memory = mmap.mmap(self._descriptor, ctypes.sizeof(SharedMemory))
        except OSError as error:
            raise StorageError(f"{path} cannot be used ({error.strerror}); name another directory --state.") from error
        if fresh:
            for part in (SharedMemory.flash, SharedMemory.slots, SharedMemory.models):
                memory[part.offset : part.offset + part.size] = b"\xff" * part.size
        elif memory[:4] != MAGIC.to_bytes(4, "little"):
            memory.close()
            raise DamagedFileError(f"{path} is no board's memory; remove it or name another directory with --state.")
        return memory


class MailboxServer:
    """Carries out what a board asks for through its mailbox, in a thread of its own.

    Args:
        memory: the shared memory.
        bus: the bus.
        doorbell: connected socket; a byte either way says "look into the mailbox".

    Attributes:
        served: how many requests were answered.
    """

    def __init__(self, memory: SharedMemory, bus: SimulatedBus, doorbell: socket.socket) -> None:
        self.served = 0
        self._mailbox = memory.mailbox
        self._bus = bus
        self._doorbell = doorbell
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="mailbox", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._doorbell.setblocking(False)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Stop; returns when the transaction under way has ended, or after `timeout_s`."""
        self._wake.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        waiting: list[socket.socket] = [self._doorbell, self._woken]
        while True:
            ready, _, _ = select.select(waiting, [], [], _LOOK_AGAIN_S)
            if self._woken in ready:
                return
            if self._doorbell in ready and not self._hear():
                waiting.remove(self._doorbell)  # the board is gone
            self._serve()

    def _hear(self) -> bool:
        try:
            return bool(self._doorbell.recv(64))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _serve(self) -> None:
        mailbox = self._mailbox
        number = mailbox.request
        if number == mailbox.response:
            return
        kind, address, read_size = mailbox.kind, mailbox.address, mailbox.read_size
        write = bytes(mailbox.write_data[: min(mailbox.write_size, MAX_WRITE)])
        fits = mailbox.write_size <= MAX_WRITE and read_size <= MAX_READ
        if mailbox.request != number:  # the board was reset meanwhile and asks anew
            return
        status, data = BUS, b""
        if kind == RECOVER:
            self._bus.recover()
            status = OK
        elif kind == TRANSFER and fits:
            status, data = carry_out(self._bus, address, write, read_size)
        ctypes.memmove(mailbox.read_data, data, len(data))
        mailbox.status = status
        mailbox.response = number
        self.served += 1
        with contextlib.suppress(OSError):
            self._doorbell.send(b"\1")

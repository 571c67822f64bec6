"""The boot ROM of an STM32F405 at a serial port (ST's AN3155: the protocol; AN2606: what the ROM of each chip knows), on a pseudo-terminal."""

import contextlib
import os
import pty
import threading
import tty
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path

ACK, NACK = b"\x79", b"\x1f"
FLASH, FLASH_BYTES, FLASH_SIZE_AT = 0x08000000, 1 << 20, 0x1FFF7A22
SECTORS = (16, 16, 16, 16, 64, *[128] * 7)
"""kB."""


class Stm32BootRom:
    """Use it in a `with` block.

    Attributes:
        flash: its bytes; programming only clears bits.
        erased: sectors in order; -1 for all at once.
        started: address where it was told to go.
    """

    def __init__(self) -> None:
        self.flash = bytearray(b"\0" * FLASH_BYTES)
        self.erased: list[int] = []
        self.started: int | None = None
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        self.port = Path(os.ttyname(self._theirs))
        self._commands: dict[int, Callable[[], None]] = {
            0x00: self._get, 0x01: self._version, 0x02: self._id, 0x11: self._read,
            0x21: self._go, 0x31: self._write, 0x44: self._erase,
        }  # fmt: skip
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Stm32BootRom":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._theirs)
        os.close(self._ours)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                (first,) = self._take(1)
                if first == 0x7F:
                    self._say(ACK)
                    continue
                (second,) = self._take(1)
                if first ^ second != 0xFF or first not in self._commands:
                    self._say(NACK)
                    continue
                self._say(ACK)
                self._commands[first]()

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += os.read(self._ours, count - len(data))
        return data

    def _say(self, data: bytes) -> None:
        os.write(self._ours, data)

    def _checked(self, data: bytes) -> bool:
        whole = reduce(xor, data) == 0
        self._say(ACK if whole else NACK)
        return whole

    def _address(self) -> int | None:
        data = self._take(5)
        return int.from_bytes(data[:4], "big") if self._checked(data) else None

    def _get(self) -> None:
        self._say(bytes([len(self._commands), 0x31, *self._commands]) + ACK)

    def _version(self) -> None:
        self._say(b"\x31\0\0" + ACK)

    def _id(self) -> None:
        self._say(b"\x01\x04\x13" + ACK)

    def _read(self) -> None:
        address = self._address()
        if address is None:
            return
        count, inverse = self._take(2)
        if count ^ inverse != 0xFF:
            self._say(NACK)
            return
        self._say(ACK)
        size = count + 1
        if FLASH <= address < FLASH + FLASH_BYTES:
            self._say(bytes(self.flash[address - FLASH : address - FLASH + size]))
        elif address == FLASH_SIZE_AT:
            self._say((FLASH_BYTES >> 10).to_bytes(2, "little").ljust(size, b"\0")[:size])
        else:
            self._say(bytes(size))

    def _go(self) -> None:
        self.started = self._address()

    def _write(self) -> None:
        address = self._address()
        if address is None:
            return
        head = self._take(1)
        data = self._take(head[0] + 2)
        if reduce(xor, head + data):
            self._say(NACK)
            return
        for place, byte in enumerate(data[:-1], address - FLASH):
            self.flash[place] &= byte
        self._say(ACK)

    def _erase(self) -> None:
        head = self._take(2)
        count = int.from_bytes(head, "big")
        if count >= 0xFFF0:
            self._take(1)
            self.erased.append(-1)
            self.flash[:] = b"\xff" * FLASH_BYTES
        else:
            rest = self._take(2 * (count + 1) + 1)
            for number in range(count + 1):
                sector = int.from_bytes(rest[2 * number : 2 * number + 2], "big")
                start = 1024 * sum(SECTORS[:sector])
                self.flash[start : start + 1024 * SECTORS[sector]] = b"\xff" * (1024 * SECTORS[sector])
                self.erased.append(sector)
        self._say(ACK)

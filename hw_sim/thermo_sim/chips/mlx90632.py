"""An MLX90632 as seen from the I2C bus: memory map, measurement table, flags, EEPROM (data sheet 3901090632).

Nothing runs by itself: each access first completes the measurements that are due. Where the data sheet is silent:

* After power-on and after a reset the control register is what the EEPROM has for it, and measurement 1 begins.
* A measurement takes its own refresh time, by its cell of the EEPROM as it was when the measurement began.
* Brown-out is flagged after every loss of supply, until the host writes a 0 there.
* Cells take a word only in halt mode, only right after the key, only when erased (otherwise bits add up), and only above the
  factory's. A word that is not taken is acknowledged all the same.
* The extended range can be chosen and has no measurements here: its table stays at position 0 without new data.
"""

from collections.abc import Mapping

import numpy as np

from thermo_core.sensors.mlx90632 import decode
from thermo_core.sensors.mlx90632 import registers as r
from thermo_core.sensors.mlx90632.constants import ADDRESSES, Constants
from thermo_core.sensors.mlx90632.settings import Mlx90632Settings
from thermo_core.units import KELVIN
from thermo_sim.chips.faulty import ChipFaults, generator
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.faults import Fault, FaultKind, FaultPlan
from thermo_sim.surface import ROOM, CelsiusAt, Surface

START_UP_US = 500
RESET_US = 150
EEPROM_US = 8_000
REFERENCE = 23_030
"""Counts of the reference channel."""
NOISE_COUNTS = 3.0
NOISE_K = 0.02
"""What that is of a reading."""
ERROR_K = 0.1
"""Of a medical part between 35 and 42 degC."""
"""RMS of an object channel."""

NOMINAL: Mapping[int, int] = {
    0x240C: 0x00587F5B,
    0x240E: 0x04A10289,
    0x2410: -432392,
    0x2412: 0x1E0F,
    0x2424: 4859535,
    0x2426: 5686508,
    0x2428: 53855361,
    0x242A: 42874149,
    0x242C: -14556410,
}
"""Constants of the chip that the vendor's tests are about, 32 bits each, by address."""
_NOMINAL_WORDS = {r.PRODUCT_CODE: 0x8000, r.VERSION: 0x0105, 0x242E: 9728, 0x242F: 10752, r.HA: 0x4000, r.HB: 0x0000}
_CONTROL = r.CONTINUOUS | r.MEDICAL
_REFRESH_2_HZ = 2 << r.REFRESH_SHIFT


def eeprom(seed: int, address: int = 0x3A) -> dict[int, int]:
    """Words by address of one chip: constants around those of the vendor's, an identity, 2 Hz."""
    rng = generator(seed, 0x632, address)
    words = dict(_NOMINAL_WORDS)
    for start, value in NOMINAL.items():
        spread = 0.02 if start in (0x240E, 0x2424, 0x2428, 0x242A, 0x242C) else 0.0
        whole = round(value * (1 + spread * rng.uniform(-1, 1))) & 0xFFFFFFFF
        words[start], words[start + 1] = whole & 0xFFFF, whole >> 16
    words |= {r.ID + place: int(rng.integers(1, 0xFFFF)) for place in range(3)}
    words |= {r.EE_CONTROL: _CONTROL, r.EE_ADDRESS: 0x003A}
    words |= {r.MEASUREMENT_1: 0x8000 | _REFRESH_2_HZ | 0x0D, r.MEASUREMENT_2: 0x8000 | _REFRESH_2_HZ | 0x1D}
    return words


class SimulatedMlx90632:
    """The chip.

    Args:
        celsius: of what it looks at.
        ambient: of itself, which is what it touches.
        air: what it looks at where it loses touch with skin.
        address: 0x3A, or 0x3B with its pin high.
        seed: of its constants and noise.
        emissivity: of what it looks at.
        reflected: temperature that this reflects; the chip's own where left out.
        noise_counts: RMS of an object channel; the ambient channel has a third of it.
        words: of its EEPROM, by address, instead of made ones.
    """

    def __init__(
        self,
        celsius: CelsiusAt,
        ambient: CelsiusAt = ROOM,
        air: CelsiusAt = ROOM,
        address: int = 0x3A,
        seed: int = 0,
        emissivity: float = 0.98,
        reflected: CelsiusAt | None = None,
        noise_counts: float = NOISE_COUNTS,
        words: Mapping[int, int] | None = None,
    ) -> None:
        self._surface = Surface(celsius, air)
        self._ambient, self._reflected = ambient, reflected
        self._emissivity = emissivity
        self._high_address = address & 1
        self._rng = generator(seed, 0x632, 0x100 | address)
        self._noise_counts = noise_counts
        self._cells = dict(eeprom(seed, address) if words is None else words)
        self._physics = Constants.from_bytes(self.constants)
        self._faults = ChipFaults()
        self._pointer: int | None = None
        self._due_us: int | None = None

    @property
    def address(self) -> int:
        """7-bit I2C address: the upper bits of the EEPROM, the lowest by a pin."""
        return self._i2c_address & 0x7E | self._high_address

    @property
    def constants(self) -> bytes:
        """Its constants as they travel."""
        return b"".join(self._cells.get(address, 0).to_bytes(2, "little") for address in ADDRESSES)

    @property
    def _i2c_address(self) -> int:
        return self._cells.get(r.EE_ADDRESS, 0x3A)

    def power_on(self, time_us: int) -> None:
        """Registers are as the EEPROM has them, RAM is empty, measurement 1 begins."""
        self._status = r.BROWN_OUT
        self._ram = [0] * r.RAM_WORDS
        self._reset(time_us + START_UP_US)

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """Two bytes of address, then words."""
        if time_us < self._deaf_until_us:
            return False
        self._advance(time_us)
        if len(data) < 2:
            return True
        address = self._pointer = int.from_bytes(data[:2], "big")
        for place in range(2, len(data) - 1, 2):
            self._write_word(address, int.from_bytes(data[place : place + 2], "big"), time_us)
            address = address + 1 & 0xFFFF
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """Words from the address written in this transaction on, one after another."""
        if time_us < self._deaf_until_us or self._pointer is None:
            return None
        data = b""
        for place in range((length + 1) // 2):
            at_us = time_us + place * 18_000_000 // bus_hz
            self._advance(at_us)
            data += self._read_word(self._pointer, at_us).to_bytes(2, "big")
            self._pointer = self._pointer + 1 & 0xFFFF
        return data[:length]

    def stop(self) -> None:
        """The address does not survive a STOP."""
        self._pointer = None

    def general_call(self, data: bytes, time_us: int) -> None:
        """0x06 resets it."""
        if data[:1] == b"\x06":
            self._reset(time_us + RESET_US)

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """FREEZE, BROWNOUT, TORN, DRIFT, CONTACT and AMBIENT, as `faults.FaultKind` says; the chip has no others.

        A torn reading has the ambient channels of the measurement before.
        """
        self._advance(time_us)
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        elif not self._faults.take(fault, plan, time_us):
            self._surface.take(fault, time_us)

    def _reset(self, ready_us: int) -> None:
        self._control = self._cells.get(r.EE_CONTROL, _CONTROL)
        self._status &= r.BROWN_OUT
        self._deaf_until_us = ready_us
        self._eeprom_until_us = 0
        self._unlocked = False
        self._pointer = None
        self._number = 1
        self._left = 0
        self._due_us = None
        if self._control & r.POWER_MASK == r.CONTINUOUS:
            self._start(ready_us)

    def _start(self, time_us: int) -> None:
        medical = self._control & r.MEASUREMENT_TYPE_MASK == r.MEDICAL
        cell = self._cells.get(r.MEASUREMENT_1 + self._number - 1, _REFRESH_2_HZ)
        period_us = round(1e6 / r.RATES_HZ[cell >> r.REFRESH_SHIFT & 7])
        self._due_us = time_us + period_us if medical else None

    def _advance(self, time_us: int) -> None:
        if self._due_us is not None and time_us - self._due_us > 10_000_000:
            # Long unread measurements leave no trace but the newest two.
            period_us = round(1e6 / r.RATES_HZ[self._cells.get(r.MEASUREMENT_1, _REFRESH_2_HZ) >> r.REFRESH_SHIFT & 7])
            if self._control & r.POWER_MASK == r.CONTINUOUS:
                self._due_us += max(0, (time_us - self._due_us) // period_us // 2 - 2) * 2 * period_us
        while self._due_us is not None and self._due_us <= time_us:
            done_us = self._due_us
            self._complete(done_us)
            if self._control & r.POWER_MASK == r.CONTINUOUS:
                self._start(done_us)
            elif self._left > 1:
                self._left -= 1
                self._start(done_us)
            else:
                self._due_us, self._left = None, 0
                self._control &= ~(r.START_SINGLE | r.START_BURST)

    def _complete(self, time_us: int) -> None:
        if not self._faults.frozen(time_us):
            objects, ambient = self._counts(time_us / 1e6)
            at = 3 * self._number
            self._ram[at : at + 2] = [self._noisy(objects, 1.0), self._noisy(objects, 1.0)]
            if not (self._number == 1 and self._faults.torn()):
                self._ram[at + 2] = self._noisy(ambient if self._number == 1 else REFERENCE, 1 / 3)
        self._status = self._status & ~(r.CYCLE_MASK << r.CYCLE_SHIFT) | self._number << r.CYCLE_SHIFT | r.NEW_DATA
        self._number = 3 - self._number

    def _counts(self, time_s: float) -> tuple[float, float]:
        """Counts of the object channels and of the ambient channel."""
        reflected = None if self._reflected is None else self._reflected(time_s)
        ambient = self._ambient(time_s) + self._surface.air_change(time_s)
        return counts_of(self._physics, self._surface.celsius(time_s), ambient, self._emissivity, reflected)

    def _noisy(self, counts: float, share: float) -> int:
        return max(-32768, min(32767, round(counts + share * self._noise_counts * float(self._rng.standard_normal()))))

    def _read_word(self, address: int, time_us: int) -> int:
        if r.RAM_START <= address < r.RAM_START + r.RAM_WORDS:
            return self._ram[address - r.RAM_START] & 0xFFFF
        if address == r.STATUS:
            busy = r.BUSY * (self._due_us is not None) | r.EEPROM_BUSY * (time_us < self._eeprom_until_us)
            return self._status | busy
        if address == r.CONTROL:
            return self._control
        return self._cells.get(address, 0)

    def _write_word(self, address: int, word: int, time_us: int) -> None:
        unlocked, self._unlocked = self._unlocked, False
        if address == r.STATUS:
            self._status &= ~(r.NEW_DATA | r.BROWN_OUT) | word
        elif address == r.COMMAND:
            if word == r.RESET:
                self._reset(time_us + RESET_US)
            self._unlocked = word == r.EEPROM_KEY
        elif address == r.CONTROL:
            self._set_control(word, time_us)
        elif r.USER_EEPROM_START <= address < r.EEPROM_START + r.EEPROM_WORDS:
            halted = self._control & r.POWER_MASK == r.HALT
            if unlocked and halted and time_us >= self._eeprom_until_us:
                self._cells[address] = word and self._cells.get(address, 0) | word
                self._eeprom_until_us = time_us + EEPROM_US

    def _set_control(self, word: int, time_us: int) -> None:
        before, self._control = self._control, word
        changed = (before ^ word) & (r.POWER_MASK | r.MEASUREMENT_TYPE_MASK)
        mode = word & r.POWER_MASK
        if changed:
            self._due_us, self._left, self._number = None, 0, 1
            if mode == r.CONTINUOUS:
                self._start(time_us)
        if mode in (r.STEP, r.SLEEPING_STEP) and self._due_us is None and word & (r.START_SINGLE | r.START_BURST):
            self._left = 2 if word & r.START_BURST else 1
            self._start(time_us)


def counts_of(
    constants: Constants, object_celsius: float, ambient_celsius: float, emissivity: float, reflected: float | None
) -> tuple[float, float]:
    """Counts of the object channels and of the ambient channel: the formulas of `decode` run backwards."""
    c = constants
    shown = np.float64(ambient_celsius)
    # Ta = p_o + d / p_g + p_t d^2, of which the root near zero is the chip's.
    offset = c.p_o - shown
    root = np.sqrt(1 / c.p_g**2 - 4 * c.p_t * offset) if c.p_t else 0.0
    above = -2 * offset / (1 / c.p_g + root) if c.p_t else -offset * c.p_g
    amb = c.p_r + above
    share = amb / 524_288
    ambient = 12 * share * REFERENCE / (1 - share * c.gb)
    ta = decode.sensor_celsius(c, np.float64(amb))
    background = (ta + KELVIN) ** 4
    if reflected is not None:
        tr4 = (reflected + KELVIN) ** 4
        background = tr4 - (tr4 - background) / emissivity
    # The last turn of the iteration takes the sensitivity at the temperature of the turn before, which differs by nothing.
    sensitivity = emissivity * c.fa * c.ha * (1 + c.fb * (ta - 25) + c.ga * (object_celsius - 25))
    signal = sensitivity * ((object_celsius + c.hb + KELVIN) ** 4 - background)
    return float(signal / 524_288 * 12 * (REFERENCE + c.ka * ambient / 12)), float(ambient)


def _make(settings: Mlx90632Settings, site: Site) -> SimulatedMlx90632:
    around = site.around
    return SimulatedMlx90632(
        around.seen(settings.name),
        around.die,
        around.beside(settings.name),
        settings.bus_path.address,
        site.seed,
        around.world.emissivity,
        around.air,
    )


def _says(settings: Mlx90632Settings, worn: Worn) -> tuple[Array, Array]:
    object_ = worn.felt() + worn.errors * worn.own.normal(0, ERROR_K) + worn.noise(NOISE_K)
    return object_, worn.around.dies(worn.times_s) + worn.noise(NOISE_K / 3)


KIND = ChipKind(_make, _says)

"""An MLX90614 as seen from the SMBus: commands, packet error codes, filter, EEPROM, sleep (data sheet 3901090614).

It bears 100 kHz and acknowledges nothing faster. A read must follow its command by a repeated start. Where the data sheet is
silent:

* The object's temperature that the chip says rests on the cell of its sensitivity alone. A new emissivity that is written without
  rescaling that cell changes what the chip says of itself, and no temperature.
* Until the first measurement the words of all temperatures are 0.
* A word with a wrong packet error code is not acknowledged and does nothing.
"""

import numpy as np

from thermo_core.crc8 import crc8
from thermo_core.sensors.mlx90614 import registers as r
from thermo_core.sensors.mlx90614.settings import Mlx90614Settings
from thermo_core.units import KELVIN
from thermo_sim.chips.faulty import ChipFaults, generator
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.faults import Fault, FaultKind, FaultPlan
from thermo_sim.surface import ROOM, CelsiusAt, Surface

MAX_BUS_HZ = 100_000
FIRST_DATA_US = 250_000
EEPROM_US = 10_000
WAKE_US = 33_000
NOISE_K = 0.02
ERROR_K = 0.1
"""Of a medical part between 36 and 38 degC."""
WARMING_K_S = 30.0
"""Error of the object for each K/s by which the case warms, K: half a kelvin at a kelvin a minute."""

_FACTORY = {
    r.TO_MAX: 0x9993,
    r.TO_MIN: 0x62E3,
    r.PWM: 0x0201,
    r.TA_RANGE: 0xF71C,
    r.EMISSIVITY: r.FULL_EMISSIVITY,
    r.CONFIG: 0x9FB4,
    r.SMBUS_ADDRESS: 0xBE5A,
    r.ALPHA: 0x1000,
}
_SETTLED = 0.01
"""Share of a step that is left when the data sheet calls it settled."""
_MEMORY = 100
"""Cycles after which the filter has forgotten what came before."""


class SimulatedMlx90614:
    """The chip.

    Args:
        celsius: of what it looks at.
        ambient: of itself.
        air: what it looks at where it loses touch with skin.
        address: in its EEPROM.
        seed: of its identity and noise.
        emissivity: of what it looks at.
        reflected: temperature that this reflects; the chip's own where left out.
        second: of what the second zone looks at; None for a part with one.
        supply_v: 3 or 5, by part.
        noise_k: RMS of an unfiltered reading.
    """

    def __init__(
        self,
        celsius: CelsiusAt,
        ambient: CelsiusAt = ROOM,
        air: CelsiusAt = ROOM,
        address: int = 0x5A,
        seed: int = 0,
        emissivity: float = 1.0,
        reflected: CelsiusAt | None = None,
        second: CelsiusAt | None = None,
        supply_v: int = 3,
        noise_k: float = NOISE_K,
    ) -> None:
        self._surfaces = [Surface(one, air) for one in (celsius, second) if one is not None]
        self._ambient, self._reflected = ambient, reflected
        self._emissivity = emissivity
        self._supply_v = supply_v
        self._rng = generator(seed, 0x614, address)
        self._noise_k = noise_k
        self.cells = [_FACTORY.get(cell, 0) for cell in range(r.EEPROM_WORDS)]
        self.cells[r.ID :] = [int(self._rng.integers(1, 0xFFFF)) for _ in range(4)]
        self.cells[r.SMBUS_ADDRESS] = 0xBE00 | address
        if second is not None:
            self.cells[r.CONFIG] |= r.DUAL_ZONE
        self._faults = ChipFaults()
        self._i2c_address = address
        self._command: int | None = None
        self._rest: bytes | None = None
        self._values: list[float] | None = None
        self.asleep = False

    @property
    def address(self) -> int:
        """7-bit address, which its EEPROM had at power-on."""
        return self._i2c_address

    @property
    def constants(self) -> bytes:
        """Its EEPROM as it travels."""
        return b"".join(word.to_bytes(2, "little") for word in self.cells)

    @property
    def cycle_us(self) -> int:
        """Time of a measurement, microseconds: so many make a step settle in the data sheet's time."""
        iir, fir = self._config & r.IIR_MASK, max(self._config >> r.FIR_SHIFT & r.FIR_MASK, r.FIRST_FIR)
        settling_ms = r.SETTLING_MS[self._supply_v][iir][fir - r.FIRST_FIR]
        share = r.IIR_SHARES[iir]
        cycles = 1.0 if share == 1 else np.log(_SETTLED) / np.log(1 - share)
        return round(1000 * settling_ms / float(cycles))

    def power_on(self, time_us: int) -> None:
        """What the EEPROM says applies; the first measurement begins."""
        self._config = self.cells[r.CONFIG]
        self._i2c_address = self.cells[r.SMBUS_ADDRESS] & 0x7F
        self._alpha = self.cells[r.ALPHA]
        self._eeprom_until_us = 0
        self._wake(time_us)

    def sda_low(self, duration_us: int, time_us: int) -> None:
        """Somebody holds SDA low, which wakes it after 33 ms."""
        if self.asleep and duration_us >= WAKE_US:
            self._wake(time_us + duration_us)

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """A command, or a command with a word and its packet error code."""
        if self.asleep or bus_hz > MAX_BUS_HZ:
            return False
        self._advance(time_us)
        return self._take(data, self.address << 1, time_us)

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """The word of the command in this transaction, its packet error code, then nothing but ones."""
        if self.asleep or self._command is None or bus_hz > MAX_BUS_HZ:
            return None
        if self._rest is None:
            self._advance(time_us)
            word = self._word(self._command, time_us)
            if word is None:
                return None
            sent = bytes((self.address << 1, self._command, self.address << 1 | 1, word & 0xFF, word >> 8))
            self._rest = sent[3:] + bytes((self._faults.check_byte(crc8(sent)),))
        said, self._rest = self._rest[:length], self._rest[length:]
        return said.ljust(length, b"\xff")

    def stop(self) -> None:
        """The command does not survive a STOP."""
        self._command = self._rest = None

    def general_call(self, data: bytes, time_us: int) -> None:
        """It takes words at address 0 as well, which is how an unknown address is written."""
        if not self.asleep:
            self._take(data, 0, time_us)
            self._command = None

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """FREEZE, CHECKSUM, BROWNOUT, DRIFT, CONTACT and AMBIENT, as `faults.FaultKind` says; the chip has no others."""
        self._advance(time_us)
        if fault.kind is FaultKind.BROWNOUT:
            self.power_on(time_us)
        elif not self._faults.take(fault, plan, time_us):
            for surface in self._surfaces:
                surface.take(fault, time_us)

    def _wake(self, time_us: int) -> None:
        self.asleep = False
        self._command = self._values = None
        self._words = [0, 0, 0]
        self._next_us = time_us + FIRST_DATA_US

    def _advance(self, time_us: int) -> None:
        if time_us < self._next_us:
            return
        cycle_us = self.cycle_us
        missed = (time_us - self._next_us) // cycle_us
        if missed > _MEMORY:
            self._next_us += (missed - _MEMORY) * cycle_us
        while self._next_us <= time_us:
            self._measure(self._next_us)
            self._next_us += cycle_us

    def _measure(self, time_us: int) -> None:
        time_s = time_us / 1e6
        ambient, before = (self._ambient(at_s) + self._surfaces[0].air_change(at_s) for at_s in (time_s, time_s - 1))
        warming = ambient - before
        found = [ambient]
        for surface in self._surfaces:
            found.append(self._said(surface.celsius(time_s), ambient, time_s) + WARMING_K_S * warming)
        noisy = [value + self._noise_k * float(self._rng.standard_normal()) for value in found]
        share = r.IIR_SHARES[self._config & r.IIR_MASK]
        last = noisy if self._values is None else self._values
        self._values = [old + share * (new - old) for old, new in zip(last, noisy, strict=True)]
        if not self._faults.frozen(time_us):
            words = [round((value + KELVIN) / 0.02) for value in self._values]
            self._words = [*words, *([0] * (3 - len(words)))]

    def _said(self, celsius: float, ambient: float, time_s: float) -> float:
        """What the chip makes of an object's radiation, degC."""
        ta4 = (ambient + KELVIN) ** 4
        tr4 = ta4 if self._reflected is None else (self._reflected(time_s) + KELVIN) ** 4
        signal = self._emissivity * (celsius + KELVIN) ** 4 + (1 - self._emissivity) * tr4 - ta4
        return float((ta4 + signal * self._alpha / _FACTORY[r.ALPHA]) ** 0.25 - KELVIN)

    def _word(self, command: int, time_us: int) -> int | None:
        """The word that a command asks for; None where nothing answers."""
        busy = time_us < self._eeprom_until_us
        if command in (r.TA, r.TO_1, r.TO_2):
            return self._words[command - r.TA]
        if command in (r.RAW_1, r.RAW_2):
            return max(0, self._words[1 + command - r.RAW_1] - self._words[0]) & 0x7FFF
        if r.EEPROM <= command < r.EEPROM + r.EEPROM_WORDS:
            return None if busy else self.cells[command - r.EEPROM]
        if command == r.FLAGS:
            return r.EEPROM_BUSY * busy | r.NOT_READY * (self._values is None)
        return None

    def _take(self, data: bytes, address_byte: int, time_us: int) -> bool:
        if not data:
            return True
        command = self._command = data[0]
        self._rest = None
        sleeps = command == r.SLEEP
        if len(data) != (2 if sleeps else 4):
            return len(data) == 1
        if crc8(bytes((address_byte,)) + data[:-1]) != data[-1]:
            return False
        if sleeps:
            self.asleep = True
        elif r.EEPROM <= command < r.EEPROM + r.ID:
            if time_us < self._eeprom_until_us:
                return False
            cell, word = command - r.EEPROM, data[1] | data[2] << 8
            self.cells[cell] = word and self.cells[cell] | word
            self._eeprom_until_us = time_us + EEPROM_US
        return True


def _make(settings: Mlx90614Settings, site: Site) -> SimulatedMlx90614:
    around = site.around
    return SimulatedMlx90614(
        around.seen(settings.name),
        around.die,
        around.beside(settings.name),
        settings.bus_path.address,
        site.seed,
        around.world.emissivity,
        around.air,
        around.seen(settings.name, 1) if settings.zones == 2 else None,
    )


def _says(settings: Mlx90614Settings, worn: Worn) -> tuple[Array, ...]:
    die = worn.around.dies(worn.times_s)
    zones = [
        worn.felt(zone) + worn.errors * worn.own.normal(0, ERROR_K) + worn.noise(NOISE_K)
        for zone in range(settings.zones)
    ]
    steps = [np.rint(50 * one) / 50 for one in (zones[0], die + worn.noise(NOISE_K), *zones[1:])]
    return tuple(steps)


KIND = ChipKind(_make, _says)

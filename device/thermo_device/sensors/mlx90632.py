"""An MLX90632 thermopile: constants and rate from its EEPROM, a reading each time its flag rises."""

from thermo_core.errors import SensorError
from thermo_core.sensors.mlx90632 import codec
from thermo_core.sensors.mlx90632 import registers as r
from thermo_core.sensors.mlx90632.constants import ADDRESSES, check
from thermo_core.sensors.mlx90632.kind import STALE_READINGS
from thermo_core.sensors.mlx90632.settings import Mlx90632Settings
from thermo_device.bus import Registers
from thermo_device.sensors.attended import Answer, Attended, ChipReset, Held
from thermo_device.sensors.driver import Place
from thermo_device.sensors.page_schedule import PageSchedule

EEPROM_US = 10_000
"""A cell is written in 8 ms."""
_TRIES = 3


class Mlx90632Chip:
    """How one chip is worked; see `attended.Chip`."""

    same = STALE_READINGS

    def __init__(self, settings: Mlx90632Settings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally)
        self._clock, self._tally = place.clock, place.tally
        self._code = r.RATES_HZ.index(settings.rate_hz) << r.REFRESH_SHIFT
        self._period_us = 1e6 / settings.rate_hz
        self._schedule = PageSchedule(self._period_us)

    def identify(self) -> Held:
        """Read the constants until two reads agree."""
        seen: list[bytes] = []
        for _ in range(_TRIES):
            data = self._read_constants()
            if data in seen:
                return Held(check(data), data)
            if seen:
                self._tally.add("constants_mismatch")
            seen.append(data)
        raise SensorError("The constants of the MLX90632 read differently three times; shorten the wires.")

    def set_up(self) -> int:
        """Medical measurements, one after another, at the rate asked for; clear what it says of a brown-out."""
        for cell in (r.MEASUREMENT_1, r.MEASUREMENT_2):
            word = self._registers.read_word(cell)
            wanted = word & ~(7 << r.REFRESH_SHIFT) | self._code
            if word != wanted:
                self._burn(cell, wanted)
        self._write(r.CONTROL, r.CONTINUOUS | r.MEDICAL)
        self._write(r.STATUS, 0)
        now_us = self._clock.now_us()
        self._schedule.restart(now_us, self._period_us, 2 * self._period_us)
        return self._schedule.poll_us

    def visit(self) -> Answer:
        """Look at the status; read the words where it says so."""
        schedule = self._schedule
        status, now_us = self._registers.read_word(r.STATUS), self._clock.now_us()
        if status & r.BROWN_OUT:
            raise ChipReset
        if not status & r.NEW_DATA:
            schedule.unseen(now_us)
            if now_us > schedule.timeout_us:
                self._tally.add("reading_late")
                raise ChipReset
            return Answer(schedule.poll_us)
        words = self._registers.read_words(r.MEDICAL_RAM.to_bytes(2, "big"), r.MEDICAL_WORDS)
        self._write(r.STATUS, status & ~r.NEW_DATA)
        missed = schedule.arrived(now_us) - 1
        reading = codec.Reading(status, tuple(int(word) for word in words.view("int16")))
        reading.cycle  # noqa: B018 (an impossible one is refused)
        end_us = now_us if schedule.end_us is None else round(schedule.end_us)
        # The position in the cycle goes on where the words hang.
        return Answer(schedule.poll_us, codec.encode(reading), end_us, missed, said=words.tobytes())

    def _read_constants(self) -> bytes:
        first, last = ADDRESSES[0], max(address for address in ADDRESSES if address < r.USER_EEPROM_START)
        words = self._registers.read_block(first, last - first + 1).tolist()
        words += [self._registers.read_word(address) for address in ADDRESSES if address > last]
        return b"".join(word.to_bytes(2, "little") for word in words)

    def _burn(self, cell: int, word: int) -> None:
        """Write a cell of the EEPROM for good: it is erased first, each time in halt mode and after the key."""
        self._write(r.CONTROL, r.HALT)
        for value in (0, word):
            self._write(r.COMMAND, r.EEPROM_KEY)
            self._write(cell, value)
            self._clock.sleep_until_us(self._clock.now_us() + EEPROM_US)

    def _write(self, address: int, word: int) -> None:
        self._registers.write_word(address.to_bytes(2, "big"), word)


def mlx90632(settings: Mlx90632Settings, place: Place) -> Attended:
    """The driver of one chip."""
    return Attended(settings, place, Mlx90632Chip(settings, place), 0.5e6 / settings.rate_hz)

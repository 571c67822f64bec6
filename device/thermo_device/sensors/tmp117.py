"""A TMP117 contact thermometer: a result each time its configuration says that one is ready."""

from thermo_core.errors import SensorError
from thermo_core.sensors.tmp117 import registers as r
from thermo_core.sensors.tmp117.kind import STALE_S, encode
from thermo_core.sensors.tmp117.settings import Tmp117Settings
from thermo_core.sensors.tmp117.setup import configuration, writes
from thermo_device.bus import Registers
from thermo_device.sensors.attended import Answer, Attended, ChipReset, Held
from thermo_device.sensors.driver import Place
from thermo_device.sensors.page_schedule import PageSchedule

_SET = r.MODE_MASK | r.CYCLE_MASK | r.AVERAGING_MASK


class Tmp117Chip:
    """How one chip is worked; see `attended.Chip`."""

    def __init__(self, settings: Tmp117Settings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally)
        self._clock, self._tally = place.clock, place.tally
        self._wanted = configuration(settings)
        self._writes = writes(settings)
        self._period_us = 1e6 / settings.rate_hz
        self._schedule = PageSchedule(self._period_us)
        self.same = max(16, round(STALE_S * settings.rate_hz))

    def identify(self) -> Held:
        """What it is, and the words of its EEPROM that its maker filled with a number of its own."""
        found = self._read(r.DEVICE_ID)
        if found & r.ID_MASK != r.ID:
            raise SensorError(
                f"The chip at 0x{self._registers.address:02X} says it is {found:#06x} and a TMP117 says {r.ID:#06x}; check the profile."
            )
        words = [self._read(pointer) for pointer in r.EEPROM]
        return Held(b"".join(word.to_bytes(2, "big") for word in words))

    def set_up(self) -> int:
        """Measure again and again, at the rate asked for; take the flag of what nobody knows the age of."""
        for message in self._writes:
            self._registers.write(message)
        self._read(r.CONFIGURATION)
        self._schedule.restart(self._clock.now_us(), self._period_us, 2 * self._period_us)
        return self._schedule.poll_us

    def visit(self) -> Answer:
        """Look at the configuration, which tells a reset too; read the result where it is ready."""
        schedule = self._schedule
        found, now_us = self._read(r.CONFIGURATION), self._clock.now_us()
        if (found ^ self._wanted) & _SET:
            raise ChipReset
        if not found & r.DATA_READY:
            schedule.unseen(now_us)
            if now_us > schedule.timeout_us:
                self._tally.add("reading_late")
                raise ChipReset
            return Answer(schedule.poll_us)
        result = self._read(r.RESULT)
        missed = schedule.arrived(now_us) - 1
        end_us = now_us if schedule.end_us is None else round(schedule.end_us)
        data = encode(found, result)
        return Answer(schedule.poll_us, data, end_us, missed, said=data)

    def _read(self, pointer: int) -> int:
        return int(self._registers.read_words(bytes((pointer,)), 1)[0])


def tmp117(settings: Tmp117Settings, place: Place) -> Attended:
    """The driver of one chip."""
    return Attended(settings, place, Tmp117Chip(settings, place), 0.5e6 / settings.rate_hz)

"""A TMP117 contact thermometer: a result each time its configuration says that one is ready."""

from thermo_core.errors import SensorError
from thermo_core.sensors.tmp117 import registers as r
from thermo_core.sensors.tmp117.kind import STALE_S, encode
from thermo_core.sensors.tmp117.settings import CHECK_S, Tmp117Settings
from thermo_core.sensors.tmp117.setup import configuration, writes
from thermo_core.sensors.tmp117.shift import Follows, own_offset
from thermo_device.bus import Registers
from thermo_device.sensors.attended import Answer, Attended, ChipReset, Held
from thermo_device.sensors.driver import Place
from thermo_device.sensors.page_schedule import PageSchedule

TRIES = 3
"""How often the offset is read or written before it counts as something that cannot be trusted."""

_SET = r.MODE_MASK | r.CYCLE_MASK | r.AVERAGING_MASK
_CHECK_US = round(CHECK_S * 1e6)


class Tmp117Chip:
    """How one chip is worked; see `attended.Chip`.

    A chip that hangs goes on saying that a result is ready, and skin is as steady as what it says. So now and then its offset is moved for
    one result, from which the shift is taken away again: where results do not follow, they are marked as no new ones.
    """

    def __init__(self, settings: Tmp117Settings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally)
        self._clock, self._tally = place.clock, place.tally
        self._wanted = configuration(settings)
        self._writes = writes(settings)
        self._period_us = 1e6 / settings.rate_hz
        self._schedule = PageSchedule(self._period_us)
        self._follows = Follows()
        self._own_offset = self._check_us = 0
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
        self._own_offset = own_offset(self._offset())
        self._follows.begin()
        self._write_offset()
        self._check_us = 0
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
        was_frozen, was_shifted, due = self._follows.frozen, self._follows.shifted, now_us >= self._check_us
        result, new = self._follows.take(result, due)
        if due and new:
            self._check_us = now_us + _CHECK_US
        if not new or self._follows.shifted != was_shifted:
            self._write_offset()
        missed = schedule.arrived(now_us) - 1
        end_us = now_us if schedule.end_us is None else round(schedule.end_us)
        data = encode(found if new else found & ~r.DATA_READY, result)
        return Answer(schedule.poll_us, data, end_us, missed, said=data, hangs=self._follows.frozen and not was_frozen)

    def _offset(self) -> int:
        """As two reads agree on."""
        before = self._read(r.OFFSET)
        for _ in range(TRIES):
            found = self._read(r.OFFSET)
            if found == before:
                return found
            before = found
        raise ChipReset

    def _write_offset(self) -> None:
        """What the next result should follow."""
        wanted = (self._own_offset + self._follows.shifted * r.SHIFT) & 0xFFFF
        for _ in range(TRIES):
            self._registers.write(bytes((r.OFFSET,)) + wanted.to_bytes(2, "big"))
            if self._read(r.OFFSET) == wanted:
                return
        raise ChipReset

    def _read(self, pointer: int) -> int:
        return int(self._registers.read_words(bytes((pointer,)), 1)[0])


def tmp117(settings: Tmp117Settings, place: Place) -> Attended:
    """The driver of one chip."""
    return Attended(settings, place, Tmp117Chip(settings, place), 0.5e6 / settings.rate_hz)

"""A MAX30101 or MAX30102 pulse sensor: its FIFO in bursts."""

from thermo_core.errors import SensorError
from thermo_core.sensors.max3010x import decode
from thermo_core.sensors.max3010x import registers as r
from thermo_core.sensors.max3010x.kind import STALE_SAMPLES
from thermo_core.sensors.max3010x.settings import MAX_BURST, Max3010xSettings
from thermo_core.sensors.max3010x.setup import writes
from thermo_core.sensors.repeats import said_of
from thermo_core.sensors.samples import Samples, pack
from thermo_device.bus import Registers
from thermo_device.sensors.attended import Answer, Attended, ChipReset, Held
from thermo_device.sensors.driver import Place
from thermo_device.sensors.sample_clock import SampleClock

RESET_US = 1_000
MOST_PERIODS = 4
"""Without samples for so many bursts it does not measure."""


class Max3010xChip:
    """How one chip is worked; see `attended.Chip`."""

    def __init__(self, settings: Max3010xSettings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally)
        self._clock, self._tally = place.clock, place.tally
        self._settings = settings
        self._pace = SampleClock(1e6 / settings.rate_hz)
        self._lost = 0
        self._heard_us = 0
        self.same = -(-STALE_SAMPLES // settings.burst)

    def identify(self) -> Held:
        """What it is; it has no identity of its own."""
        part = self._registers.read(1, bytes((r.PART_ID,)))[0]
        if part != r.PART:
            raise SensorError(
                f"The chip at 0x57 says it is {part:#04x} and a MAX3010x says {r.PART:#04x}; check the profile."
            )
        return Held()

    def set_up(self) -> int:
        """Reset it, and have it light its LEDs."""
        reset, *others = writes(self._settings)
        self._registers.write(reset)
        self._clock.sleep_until_us(self._clock.now_us() + RESET_US)
        for message in others:
            self._registers.write(message)
        self._registers.read(1, bytes((r.INTERRUPT_1,)))
        self._pace.restart()
        self._lost = 0
        self._heard_us = self._clock.now_us()
        return round(self._heard_us + self._settings.burst * self._pace.period_us)

    def visit(self) -> Answer:
        """How many samples wait, and the samples once there are enough."""
        status = self._registers.read(1, bytes((r.INTERRUPT_1,)))[0]
        if status & r.POWER_READY:
            raise ChipReset
        written, overflows, taken = self._registers.read(3, bytes((r.WRITE_POINTER,)))
        now_us, burst = self._clock.now_us(), self._settings.burst
        lost = overflows & r.POINTER_MASK
        count = written - taken & r.POINTER_MASK or (r.FIFO_DEPTH if lost else 0)
        if count < burst:
            if now_us - self._heard_us > MOST_PERIODS * burst * self._pace.period_us:
                self._tally.add("reading_late")
                raise ChipReset
            return Answer(round(now_us + (burst - count) * self._pace.period_us))
        self._heard_us = now_us
        leds = len(self._settings.leds)
        raw = self._registers.read(r.BYTES * leds * count, bytes((r.FIFO,)))
        counts = decode.counts_of(raw, leds)
        end_us = self._pace.read(now_us, count + lost) - lost * self._pace.period_us
        before, self._lost = self._lost, lost
        if lost:
            self._tally.add("fifo_overflowed")
        data = pack(
            Samples(counts, round(self._pace.period_us), before, status & r.AMBIENT_OVERFLOW), self._settings.format
        )
        left = max(0, count - burst)
        next_us = round(self._clock.now_us() + max(1, burst - left) * self._pace.period_us)
        said = said_of(counts, 0, self._settings.full_count)
        return Answer(next_us, data, round(end_us), -(-before // burst), said)


def max3010x(settings: Max3010xSettings, place: Place) -> Attended:
    """The driver of one chip."""
    room = MAX_BURST + 1 - settings.burst
    return Attended(settings, place, Max3010xChip(settings, place), 0.5e6 * room / settings.rate_hz)

"""A LIS3DH accelerometer: its FIFO in bursts."""

from thermo_core.errors import SensorError
from thermo_core.sensors.lis3dh import decode
from thermo_core.sensors.lis3dh import registers as r
from thermo_core.sensors.lis3dh.kind import stale_samples
from thermo_core.sensors.lis3dh.settings import MAX_BURST, Lis3dhSettings
from thermo_core.sensors.lis3dh.setup import writes
from thermo_core.sensors.repeats import said_of
from thermo_core.sensors.samples import MAX_LOST, Samples, pack
from thermo_device.bus import Registers
from thermo_device.sensors.attended import Answer, Attended, ChipReset, Held
from thermo_device.sensors.driver import Place
from thermo_device.sensors.sample_clock import SampleClock

MOST_PERIODS = 4
"""Without samples for so many bursts it does not measure."""


class Lis3dhChip:
    """How one chip is worked; see `attended.Chip`."""

    def __init__(self, settings: Lis3dhSettings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally)
        self._clock, self._tally = place.clock, place.tally
        self._settings = settings
        self._pace = SampleClock(1e6 / settings.rate_hz)
        self._heard_us = 0
        self.same = -(-stale_samples(settings) // settings.burst)

    def identify(self) -> Held:
        """What it is; it has no identity of its own."""
        found = self._registers.read(1, bytes((r.WHO_AM_I,)))[0]
        if found != r.IDENTITY:
            raise SensorError(
                f"The chip at 0x{self._registers.address:02X} says it is {found:#04x} and a LIS3DH says {r.IDENTITY:#04x}; check the "
                "profile."
            )
        return Held()

    def set_up(self) -> int:
        """Have it measure into its FIFO."""
        for message in writes(self._settings):
            self._registers.write(message)
        self._pace.restart()
        self._heard_us = self._clock.now_us()
        return round(self._heard_us + self._settings.burst * self._pace.period_us)

    def visit(self) -> Answer:
        """How many samples wait, and the samples once there are enough."""
        source = self._registers.read(1, bytes((r.FIFO_SOURCE,)))[0]
        now_us, burst, period_us = self._clock.now_us(), self._settings.burst, self._pace.period_us
        full = bool(source & r.OVERRUN)
        count = r.FIFO_DEPTH if full else source & r.UNREAD_MASK
        if count < burst:
            if now_us - self._heard_us > MOST_PERIODS * burst * period_us:
                raise ChipReset
            return Answer(round(now_us + (burst - count) * period_us))
        self._heard_us = now_us
        raw = self._registers.read(decode.BYTES * count, bytes((r.AUTO_INCREMENT | r.OUT,)))
        counts = decode.counts_of(raw, self._settings.mode)
        lost = self._overwritten(now_us, count) if full else 0
        end_us = self._pace.read(now_us, count + lost)
        form = self._settings.format
        data = pack(Samples(counts, round(self._pace.period_us), min(lost, MAX_LOST)), form)
        next_us = round(now_us + burst * self._pace.period_us)
        return Answer(next_us, data, round(end_us), -(-lost // burst), said_of(counts, form.low, form.high))

    def _overwritten(self, now_us: int, count: int) -> int:
        """Samples that went because nobody read them: the FIFO keeps the newest."""
        self._tally.add("fifo_overflowed")
        if self._pace.end_us is None:
            return 0
        return max(1, round((now_us - self._pace.end_us) / self._pace.period_us) - count)


def lis3dh(settings: Lis3dhSettings, place: Place) -> Attended:
    """The driver of one chip."""
    room = MAX_BURST + 1 - settings.burst
    return Attended(settings, place, Lis3dhChip(settings, place), 0.5e6 * room / settings.rate_hz)

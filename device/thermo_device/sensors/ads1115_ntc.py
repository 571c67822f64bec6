"""Thermistors behind an ADS1115 (TI SBAS444), scanned in steps of one short transaction, so that no page of a camera is late."""

from collections.abc import Generator, Sequence

from thermo_core.errors import BusError, UsageError
from thermo_core.sensors.ads1115_ntc import codec
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.ads1115_ntc.thermistor import ChannelState, ThermistorChannel
from thermo_core.sensors.kind import Block
from thermo_core.wire.management import SelfTestResult
from thermo_device.bus import Registers
from thermo_device.sensors.driver import Found, Place

CONVERSION_US = 1_400
"""A conversion at 860 a second with an oscillator 10 % slow, and the time to wake up."""
TRIES = 3
"""How often one channel is converted before it reads as missing."""
ATTEMPTS = 2
"""Attempts at a transaction: few, because a missing ADC must not hold up others."""

_CONVERSION, _CONFIG = b"\x00", b"\x01"
_START_OR_READY = 0x8000
_SINGLE_ENDED = 0x4000
_CHANNEL_SHIFT = 12
_FULL_SCALE_4_096_V = 0x0200
"""Without it 6.144 V."""
_SINGLE_SHOT = 0x0100
_860_HZ = 0x00E0
_COMPARATOR_OFF = 0x0003
_LEAST_COUNTS = 64
"""Of an input that gains can be told apart by."""
_CONFIGURATION = _START_OR_READY | _SINGLE_ENDED | _FULL_SCALE_4_096_V | _SINGLE_SHOT | _860_HZ | _COMPARATOR_OFF

_Scan = Generator[int, None, list[int | None]]
"""Yields the time from which the next transaction may run; returns the counts of each channel."""


class Thermistors:
    """The thermistors of one ADS1115, one after another; see `sensors.driver.Driver`.

    A result counts once the configuration reads back as written and ready, and two reads of it agree. A channel that
    fails three times reads as missing, and so do all of them when the ADC does not answer.

    An ADC that hangs goes on answering with what it converted last, and skin is as steady as that. So now and then the first
    channel is converted with a wider range just before: where its counts are then not two thirds of those without, nothing is
    converted, and all channels read as frozen until they are.

    Args:
        settings: address, scans a second, channels.
        place: where it sits.
    """

    def __init__(self, settings: Ads1115NtcSettings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally, attempts=ATTEMPTS)
        self._place = place
        self._clock, self._tally = place.clock, place.tally
        self._settings = settings
        self._period_us = round(1e6 / settings.rate_hz)
        self._start_us = self._ready_us = place.clock.now_us()
        self._scan: _Scan | None = None
        self._index = 0
        self._found: Found | None = None
        self._unchecked = 0
        self._frozen = False
        self.fault = ""

    @property
    def due_us(self) -> int:
        """When its next transaction may run."""
        return self._ready_us

    @property
    def late_us(self) -> int:
        """A scan that is late by a whole period goes on at others' expense."""
        return self._start_us + self._period_us + 1

    @property
    def found(self) -> Found | None:
        """The ADC, which holds nothing; known by its place once it has answered."""
        return self._found

    @property
    def rate_hz(self) -> float:
        """Scans a second."""
        return self._settings.rate_hz

    @property
    def period_us(self) -> int:
        """From scan to scan."""
        return self._period_us

    @property
    def in_time(self) -> bool:
        """The rate is kept here and not by the chip."""
        return True

    def poll(self) -> Block | None:
        """One transaction; a block as soon as a scan is complete."""
        if self._scan is None:
            self._scan = self._scan_all()
            next(self._scan)
        try:
            self._ready_us = next(self._scan)
            self._meet()
        except StopIteration as stop:
            self.fault = ""
            return self._finish(stop.value)
        except BusError as error:
            if not self.fault:
                self._tally.add("sensor_lost")
            self.fault = str(error)
            return self._finish([None] * len(self._settings.channels))
        return None

    def resume(self) -> None:
        """Begin with a scan at once."""
        self._scan = None
        self._start_us = self._ready_us = self._clock.now_us()

    def restart_keys(self, key_interval: int | None = None) -> None:
        """Each block stands for itself."""

    def set_rate(self, hz: float) -> float:
        """Raises UsageError: the profile sets it."""
        raise UsageError(f"The rate of {self._settings.name} is that of the profile; sign another one.")

    def trust(self) -> None:
        """It holds no constants."""

    def self_test(self, newest: Block | None, warning: str) -> list[SelfTestResult]:
        """One result a channel, of a scan made now."""
        self.resume()
        block = None
        while block is None:
            self._clock.sleep_until_us(self.due_us)
            block = self.poll()
        counts = codec.decode(block.data, len(self._settings.channels)).tolist()
        return [
            _checked(self._settings.name, ThermistorChannel.from_settings(channel), channel.name, count)
            for channel, count in zip(self._settings.channels, counts, strict=True)
        ]

    def _finish(self, counts: Sequence[int | None]) -> Block | None:
        now_us = self._clock.now_us()
        self._scan = None
        self._start_us += self._period_us
        if self._start_us <= now_us:
            self._start_us = now_us + self._period_us
        self._ready_us = self._start_us
        number = self._meet().sighting.number & 0xFFFF
        index, self._index = self._index, self._index + 1
        self._tally.add("blocks_captured")
        return Block(now_us, self._place.number, number, index, codec.encode(counts))

    def _meet(self) -> Found:
        if self._found is None:
            identity = self._place.identity
            self._found = Found(identity, b"", self._place.sightings.meet(self._place.number, identity, b""))
        return self._found

    def _scan_all(self) -> _Scan:
        counts: list[int | None] = [None] * len(self._settings.channels)
        self._unchecked += 1
        wide = None
        if self._frozen or self._unchecked >= self._settings.check_scans:
            self._unchecked = 0
            wide = yield from self._convert(_CONFIGURATION & ~_FULL_SCALE_4_096_V)
        for channel in range(len(counts)):
            counts[channel] = yield from self._convert(_CONFIGURATION | channel << _CHANNEL_SHIFT)
        if wide is not None and (first := counts[0]) is not None:
            before, self._frozen = self._frozen, first > _LEAST_COUNTS and 6 * wide > 5 * first
            if self._frozen and not before:
                self._tally.add("sensor_frozen")
        return [codec.FROZEN] * len(counts) if self._frozen else counts

    def _convert(self, configuration: int) -> Generator[int, None, int | None]:
        for _ in range(TRIES):
            yield 0
            self._registers.write_word(_CONFIG, configuration)
            yield self._clock.now_us() + CONVERSION_US
            if self._read(_CONFIG) != configuration:
                self._tally.add("reading_late")
                continue
            yield 0
            first = self._read(_CONVERSION)
            yield 0
            second = self._read(_CONVERSION)
            if first == second:
                return first - 65536 if first >= 32768 else first
            self._tally.add("reading_mismatch")
        return None

    def _read(self, pointer: bytes) -> int:
        return int(self._registers.read_words(pointer, 1)[0])


def _checked(sensor: str, channel: ThermistorChannel, name: str, counts: int) -> SelfTestResult:
    state = codec.state(counts)
    detail = f"The channel is {state.name.lower()}."
    if state is ChannelState.OK:
        celsius, found = channel.celsius(counts)
        state = ChannelState(int(found))
        detail = f"{celsius:.2f} degC." if state is ChannelState.OK else f"The channel is {state.name.lower()}."
    return SelfTestResult(name=f"{sensor}: {name}", passed=state is ChannelState.OK, detail=detail)

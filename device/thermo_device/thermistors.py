"""Thermistors behind an ADS1115 (TI SBAS444), scanned between pictures: no transaction of theirs makes a page late."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from thermo_core.profile import Thermistors as ThermistorsSettings

from thermo_core.clock import Clock
from thermo_core.errors import BusError
from thermo_core.sensors.ads1115_ntc.thermistor import ChannelState, SteinhartHart, ThermistorChannel
from thermo_core.wire.records import ChannelReading
from thermo_device.bus import I2cBus, Registers
from thermo_device.counters import Counters

CONVERSION_US = 1_400
"""A conversion at 860 a second with an oscillator 10 % slow, and the time to wake up."""
TRIES = 3
"""How often one channel is converted before it reads as missing."""
ATTEMPTS = 2
"""Attempts at a transaction: few, because a missing ADC must not hold up the pictures."""

_CONVERSION, _CONFIG = b"\x00", b"\x01"
_START_OR_READY = 0x8000
_SINGLE_ENDED = 0x4000
_CHANNEL_SHIFT = 12
_FULL_SCALE_4_096_V = 0x0200
_SINGLE_SHOT = 0x0100
_860_HZ = 0x00E0
_COMPARATOR_OFF = 0x0003
_CONFIGURATION = _START_OR_READY | _SINGLE_ENDED | _FULL_SCALE_4_096_V | _SINGLE_SHOT | _860_HZ | _COMPARATOR_OFF
_FIRST_COST_US = 300
_LARGEST_COST_US = 2_000
"""A transaction that took longer met a fault, which says nothing about the next."""

_Scan = Generator[int, None, list[int | None]]
"""Yields the time from which the next transaction may run; returns the counts of each channel."""


@dataclass(frozen=True, slots=True)
class ThermistorReading:
    """One scan.

    Attributes:
        time_us: end of the scan, device clock, microseconds.
        channels: one reading a channel, in the profile's order.
    """

    time_us: int
    channels: tuple[ChannelReading, ...]


class ThermistorArray:
    """The thermistors of one ADS1115, one after another, in steps of one short transaction.

    A result counts once the configuration reads back as written and ready, and two reads of it agree. A channel that
    fails three times reads as missing, and so do all of them when the ADC does not answer.

    Args:
        bus: I2C bus.
        clock: device's clock.
        settings: address, scans per second, channels.
        counters: where faults are counted.

    Raises:
        ThermistorError: the constants of a channel's curve are no NTC's.
    """

    def __init__(self, bus: I2cBus, clock: Clock, settings: ThermistorsSettings, counters: Counters) -> None:
        self._registers = Registers(bus, clock, settings.address, counters, attempts=ATTEMPTS)
        self._clock = clock
        self._counters = counters
        self._settings = settings.channels
        self._channels: tuple[ThermistorChannel, ...]
        self._period_us = round(1e6 / settings.rate_hz)
        self._due_us = self._ready_us = clock.now_us()
        self._cost_us = _FIRST_COST_US
        self._scan: _Scan | None = None
        self._lost = False
        self.set_curves(())

    def set_curves(self, curves: Sequence[SteinhartHart | None]) -> None:
        """Use calibrated curves, one a channel in order; None or none keeps the profile's."""
        padded = (*curves, *(None for _ in self._settings[len(curves) :]))
        channels = map(ThermistorChannel.from_settings, self._settings)
        self._channels = tuple(
            channel if curve is None else replace(channel, curve=curve)
            for channel, curve in zip(channels, padded, strict=False)
        )

    def scan(self) -> ThermistorReading:
        """Scan all channels now, waiting for each conversion."""
        self._scan, self._due_us = None, self._clock.now_us()
        self._ready_us = self._due_us
        while (reading := self.advance(self._clock.now_us() + 10 * CONVERSION_US)) is None:
            pass
        return reading

    def advance(self, until_us: int) -> ThermistorReading | None:
        """Do what fits in before `until_us` (device clock), sleeping while a conversion runs.

        Where pictures leave no time, a scan that is late by a whole period goes on at their expense.

        Returns:
            A reading as soon as a scan is complete.
        """
        while True:
            now_us = self._clock.now_us()
            at_us = max(now_us, self._ready_us)
            late = now_us > self._due_us + self._period_us
            if at_us + self._cost_us > until_us and not (late and at_us == now_us):
                return None
            self._clock.sleep_until_us(at_us)
            reading = self._step()
            if reading is not None or late:
                return reading

    def _step(self) -> ThermistorReading | None:
        """One transaction."""
        began_us = self._clock.now_us()
        if self._scan is None:
            self._scan = self._scan_all()
            next(self._scan)
        try:
            self._ready_us = next(self._scan)
        except StopIteration as stop:
            self._lost = False
            return self._finish(stop.value)
        except BusError:
            if not self._lost:
                self._counters.add("thermistor_lost")
            self._lost = True
            return self._finish([None] * len(self._channels))
        finally:
            took_us = self._clock.now_us() - began_us
            self._cost_us = min(max(took_us, self._cost_us * 7 // 8), _LARGEST_COST_US)
        return None

    def _finish(self, counts: list[int | None]) -> ThermistorReading:
        now_us = self._clock.now_us()
        self._scan = None
        self._due_us += self._period_us
        if self._due_us <= now_us:
            self._due_us = now_us + self._period_us
        self._ready_us = self._due_us
        self._counters.add("thermistor_scans")
        return ThermistorReading(now_us, tuple(map(_reading, self._channels, counts)))

    def _scan_all(self) -> _Scan:
        counts: list[int | None] = [None] * len(self._channels)
        for channel in range(len(self._channels)):
            counts[channel] = yield from self._convert(channel)
        return counts

    def _convert(self, channel: int) -> Generator[int, None, int | None]:
        configuration = _CONFIGURATION | channel << _CHANNEL_SHIFT
        for _ in range(TRIES):
            yield 0
            self._registers.write_word(_CONFIG, configuration)
            yield self._clock.now_us() + CONVERSION_US
            if self._read(_CONFIG) != configuration:
                self._counters.add("thermistor_late")
                continue
            yield 0
            first = self._read(_CONVERSION)
            yield 0
            second = self._read(_CONVERSION)
            if first == second:
                return first - 65536 if first >= 32768 else first
            self._counters.add("thermistor_mismatch")
        return None

    def _read(self, pointer: bytes) -> int:
        return int(self._registers.read_words(pointer, 1)[0])


def _reading(channel: ThermistorChannel, counts: int | None) -> ChannelReading:
    if counts is None:
        return ChannelReading(0, ChannelState.MISSING, None)
    celsius, state = channel.celsius(counts)
    return ChannelReading(counts, int(state), float(celsius) if state == ChannelState.OK else None)

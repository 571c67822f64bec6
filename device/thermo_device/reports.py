"""What a wearable says of itself unasked: its clock once a second, and each fault at most once a second."""

import time
from collections.abc import Callable, Iterator

from thermo_core.clock import Clock
from thermo_core.wire.events import FAULTS
from thermo_core.wire.records import ClockRecord, EventRecord
from thermo_device.counters import Counters, Key

CLOCK_US = 1_000_000
EVENT_US = 1_000_000
"""Shortest time between two events of the same fault of a sensor; those in between are in the count."""
_FIRST_CERTAIN_YEAR_US = 1_704_067_200_000_000
"""A system clock before 2024 was never set."""


class Reports:
    """Makes clock records and events; what was counted before it began is not told again.

    Args:
        counters: what is told.
        clock: device's clock.
        simulated: a simulated device does not know the time of day.
        fault: why a sensor does not deliver, by its number.
    """

    def __init__(self, counters: Counters, clock: Clock, simulated: bool, fault: Callable[[int], str]) -> None:
        self._counters = counters
        self._clock = clock
        self._simulated = simulated
        self._fault = fault
        self._clock_due_us = clock.now_us()
        self._reported: dict[Key, tuple[int, int]] = {key: (count, 0) for key, count in counters.by_sensor().items()}

    def clock(self) -> Iterator[ClockRecord]:
        """The clock, where it is due."""
        now_us = self._clock.now_us()
        if now_us < self._clock_due_us:
            return
        self._clock_due_us = now_us + CLOCK_US
        unix_us = 0 if self._simulated else time.time_ns() // 1000
        yield ClockRecord(
            time_us=now_us,
            unix_us=unix_us if unix_us >= _FIRST_CERTAIN_YEAR_US else 0,
            lease_left_ms=0,
            dropped=0,
            captured=self._counters.get("blocks_captured"),
            lost=self._counters.get("blocks_lost"),
        )

    def events(self) -> Iterator[EventRecord]:
        """Faults that were counted since they were told last."""
        now_us = self._clock.now_us()
        for key, count in self._counters.by_sensor().items():
            name, sensor = key
            fault = FAULTS.get(name)
            told, next_us = self._reported.get(key, (0, now_us))
            if fault is None or count == told or now_us < next_us:
                continue
            self._reported[key] = (count, now_us + EVENT_US)
            why = self._fault(sensor) if name == "sensor_lost" and sensor is not None else ""
            yield EventRecord(now_us, fault.code, fault.severity, sensor, count, f"{fault.text} {why}".rstrip())

"""Which sensor may have the bus next: the one that is due first, unless its visit would make another one late.

A sensor that must not wait (a camera's page is overwritten) is polled when it is due. All others take the time in between: a visit
that would not end before such a sensor is due waits until after it, but not for ever. Who is late goes first.
"""

from collections.abc import Sequence

from thermo_core.clock import Clock
from thermo_core.sensors.bus_load import clocks
from thermo_core.sensors.kind import Block
from thermo_core.sensors.settings import SensorSettings
from thermo_device.sensors.driver import NEVER_US, Driver

FIRST_COST_US = 300
FED_US = 10_000
"""What another thread feeds waits no longer than this while no other sensor is due."""
FAULTY = 8
"""A visit that took so many times what it should met a fault, which says nothing about the next."""
_USUAL_HZ = 400_000


class Scheduler:
    """Polls the drivers of a wearable.

    Args:
        drivers: by the numbers of sensors.
        settings: of the same sensors.
        clock: device's clock.
    """

    def __init__(self, drivers: Sequence[Driver], settings: Sequence[SensorSettings], clock: Clock) -> None:
        self._drivers = drivers
        self._clock = clock
        self._most_us = [_longest_us(one) for one in settings]
        self._cost_us = [min(FIRST_COST_US, most_us) for most_us in self._most_us]
        self._fed = any(one.bus_path is None for one in settings)

    def poll(self, until_us: int) -> tuple[bool, Block | None]:
        """Wait for the next sensor that is due by then, and poll it.

        Args:
            until_us: device clock; returns at this time where nobody is due before.

        Returns:
            Whether a sensor was polled, and its block where one is complete.
        """
        chosen, at_us = self._choose(now_us := self._clock.now_us())
        while self._fed and now_us + FED_US < min(at_us, until_us):
            self._clock.sleep_until_us(now_us + FED_US)
            chosen, at_us = self._choose(now_us := self._clock.now_us())
        if chosen is None or at_us > until_us:
            self._clock.sleep_until_us(until_us)
            return False, None
        self._clock.sleep_until_us(at_us)
        began_us = self._clock.now_us()
        block = self._drivers[chosen].poll()
        took_us = self._clock.now_us() - began_us
        self._cost_us[chosen] = min(max(took_us, self._cost_us[chosen] * 7 // 8), self._most_us[chosen])
        return True, block

    def _choose(self, now_us: int) -> tuple[int | None, int]:
        """Number of the sensor to poll next and when that is; None where nobody wants anything."""
        firm_us = min((one.due_us for one in self._drivers if one.late_us <= one.due_us), default=None)
        best: int | None = None
        best_us = (0, 0)
        for number, driver in enumerate(self._drivers):
            at_us = max(now_us, driver.due_us)
            firm = driver.late_us <= driver.due_us
            late = not firm and now_us >= max(driver.late_us, driver.due_us)
            if not firm and not late and firm_us is not None and at_us + self._cost_us[number] > firm_us:
                continue
            order = (now_us if late else at_us, driver.late_us)
            if best is None or order < best_us:
                best, best_us = number, order
        return best, NEVER_US if best is None else max(now_us, self._drivers[best].due_us)


def _longest_us(settings: SensorSettings) -> int:
    needed = [sum(map(clocks, visit.transactions)) for visit in settings.visits]
    return round(FAULTY * 1e6 * max(needed, default=1) / _USUAL_HZ)

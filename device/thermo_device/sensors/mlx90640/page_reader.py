"""Pages of one MLX90640: each is read once, and whole, or it is lost under the name of its cause.

A page's own pixels stay in RAM until the page after the next one is complete, so a page may be read late by one period and is
still whole; after that it is overwritten.
"""

from collections.abc import Callable

import numpy as np

from thermo_core.clock import Clock
from thermo_core.sensors.mlx90640 import registers
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS, Words
from thermo_core.sensors.mlx90640.registers import ControlRegister
from thermo_device.counters import Tally
from thermo_device.sensors.mlx90640.chip import Mlx90640
from thermo_device.sensors.page_schedule import PageSchedule

LATEST_READ = 1.97
"""Periods after its end at which a page can no longer be read again: at 2 its pixels are replaced."""
SAME_PAGES = 32
"""So many pages in a row that are equal to the ones before them are a fault."""
_CONFIRMATIONS = 3


class PageReader:
    """Reads the page that a chip shows.

    Args:
        chip: the registers.
        clock: of the device.
        schedule: when pages come; told what is seen.
        counters: where faults are counted.

    Attributes:
        number: subpage that came last; None before the first since a restart.
    """

    def __init__(self, chip: Mlx90640, clock: Clock, schedule: PageSchedule, counters: Tally) -> None:
        self._chip = chip
        self._clock = clock
        self._schedule = schedule
        self._counters = counters
        self._before: dict[int, Words] = {}
        self._stale_seen = False
        self._same = 0
        self.number: int | None = None

    def restart(self, control: ControlRegister, first_us: float) -> None:
        """Clear the flag of a page that nobody knows the age of, and expect the next one within `first_us`."""
        self._chip.clear_flag()
        self._schedule.restart(self._clock.now_us(), 1e6 / control.refresh_hz, first_us)
        self.number = None
        self._stale_seen = False

    def forget(self) -> None:
        """What comes next is of another sensor, or of one that was set up anew."""
        self._before.clear()

    def knows(self, number: int) -> bool:
        """Whether there was a page of this subpage since `forget`."""
        return number in self._before

    def came(self, number: int, now_us: int) -> int:
        """A new page of this subpage was seen; how many have come since the last, itself included."""
        self._stale_seen = False
        return self._schedule.arrived(now_us, self.number != number)

    def read(self, number: int, control: ControlRegister, lost_power: Callable[[], bool]) -> tuple[str, Words | None]:
        """Read the page that the chip shows.

        Args:
            number: of its subpage.
            control: settings that the chip was given.
            lost_power: asks the chip whether it still has them.

        Returns:
            Why the page is lost, or "" and its (832,) words; "" and None where the chip lost its settings.

        Raises:
            BusError: the chip does not answer.
        """
        began_us = self._clock.now_us()
        self._chip.clear_flag()
        if self._clock.now_us() - began_us > self._schedule.period_us / 4:
            return "page_dropped", None  # so late that it may have cleared the flag of a later page
        ram = self._chip.read_page(number, self._before.get(1 - number))
        if lost_power() or _is_empty(ram, number, control):
            return "", None
        settled: Words | None = ram
        before = self._before.get(number)
        if before is not None:
            read_by_us = self._clock.now_us() + self._chip.read_us
            in_time = self._schedule.pages_since(read_by_us) < LATEST_READ
            settled = self._chip.settle(ram, before, number, control, in_time)
        if self._overwritten(number):
            return "page_overwritten", None
        return ("page_unsettled", None) if settled is None else ("", settled)

    def has_reference(self, ram: Words, number: int, control: ControlRegister) -> bool:
        """Keep a page as what the next of its subpage is held to; whether there was one for this.

        Raises:
            BusError: the chip froze, was set up again, and does not answer.
        """
        reference = self._before.get(number)
        self._before[number] = ram
        self._same = self._same + 1 if reference is not None and np.array_equal(reference, ram) else 0
        if self._same >= SAME_PAGES:
            # Equal to the last bit, which noise does not allow.
            self._same = 0
            self._counters.add("sensor_frozen")
            self._chip.set(control)
        return reference is not None

    def is_new(self, number: int, now_us: int) -> bool:
        """Whether the flag stands over a page that was not read yet."""
        if self.number is None or number != self.number or self._schedule.pages_since(now_us) >= 1.5:
            return True
        if not self._stale_seen:
            self._stale_seen = True
            self._counters.add("page_repeated")
        return False

    def _overwritten(self, number: int) -> bool:
        """Whether the page just read may hold pixels of a later one of the same subpage."""
        for _ in range(_CONFIRMATIONS):
            status, now_us = self._chip.look()
            if status.new_data and status.subpage == number:
                return self.is_new(number, now_us)
            if status.new_data:
                self._schedule.seen(now_us)
                self._counters.add("page_overlapped")
                return self._schedule.pages_since(now_us) > 2.5
            if status.subpage == number:
                self._schedule.unseen(now_us)
                return False
            self._counters.add("status_implausible")
        return True


def _is_empty(ram: Words, number: int, control: ControlRegister) -> bool:
    """Whether no pixel of a subpage was measured: RAM is all 0 after power-on."""
    pixels = ram[:PIXELS].reshape(ROWS, COLUMNS)
    return not pixels[registers.subpage_mask(number, control.chess)].any()

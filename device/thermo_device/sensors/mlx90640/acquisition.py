"""The MLX90640 at work: every page once, in time, as it was measured, or counted as lost under the name of its cause.

The sensor raises a flag over each page and goes on measuring; `page_reader` reads what it shows.
"""

from dataclasses import replace

import numpy as np

from thermo_core.errors import BusError, BusTimeoutError, SensorError, UsageError
from thermo_core.sensors.mlx90640 import registers
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import FRAME_WORDS, RAM_WORDS, Subpage, Words
from thermo_core.sensors.mlx90640.frames import SUBPAGE as NUMBER_INDEX
from thermo_core.sensors.mlx90640.registers import ControlRegister, RefreshRate
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_device.sensors.driver import Found, Place
from thermo_device.sensors.mlx90640.chip import Mlx90640
from thermo_device.sensors.mlx90640.constants import ConstantsOfSensor
from thermo_device.sensors.mlx90640.page_reader import PageReader
from thermo_device.sensors.page_schedule import PageSchedule

RATE_TOLERANCE = 0.1
"""Of what is measured, as a part of what is set."""
FIRST_RETRY_US = 20_000
LAST_RETRY_US = 1_000_000
"""Pauses between attempts to reach a sensor that does not answer; they double from the first to the last."""


class PictureSensor:
    """One MLX90640.

    `capture` never raises for what happens on the bus: it repeats what failed, sets the sensor up again when it comes
    back with power-on defaults, and keeps trying while it is absent. Each fault is counted by name.
    Whenever it sets the sensor up again it compares its EEPROM first: another one has constants of another number.

    Args:
        settings: rate, resolution and pattern.
        place: bus, clock, and where faults are counted.

    Attributes:
        fault: why the sensor does not deliver, in a sentence; empty while it does.
    """

    def __init__(self, settings: Mlx90640Settings, place: Place) -> None:
        self._control = _control(settings)
        self._clock = place.clock
        self._counters = place.tally
        self._chip = Mlx90640(
            place.bus,
            place.clock,
            settings.bus_path.address,
            place.tally,
            place.max_read_bytes,
            chess=self._control.chess,
        )
        self._sensor = place.number
        self._schedule = PageSchedule(1e6 / settings.rate_hz)
        self._pages = PageReader(self._chip, place.clock, self._schedule, place.tally)
        self._constants = ConstantsOfSensor(self._chip, place.number, place.sightings, place.tally)
        self._running = False
        self._retry_at_us = 0
        self._retry_us = FIRST_RETRY_US
        self._index = -1
        self._gap_from_us: float | None = None
        self._steady_us = 0.0
        self._foreign = False
        self.fault = ""

    @property
    def found(self) -> Found | None:
        """The sensor as it was found at the last start; None before it. Any thread may ask."""
        held = self._constants.current
        return None if held is None else held.found

    @property
    def eeprom(self) -> Words | None:
        """(832,) EEPROM words as verified at the last start; None before it."""
        held = self._constants.current
        return None if held is None else held.eeprom

    @property
    def constants(self) -> Constants | None:
        """Constants of the sensor; None while its EEPROM was not read or holds impossible ones."""
        held = self._constants.current
        return None if held is None else held.constants

    def trust(self) -> None:
        """Hold the sensor to the EEPROM it has now: its temperatures were compared with a reference."""
        self._constants.trust()

    @property
    def rate_hz(self) -> float:
        """Subpages per second the sensor is set to."""
        return self._control.refresh_hz

    @property
    def measured_rate_hz(self) -> float:
        """Subpages per second as they come, by the device's clock."""
        return 1e6 / self._schedule.period_us

    @property
    def in_time(self) -> bool:
        """Whether they come at about the rate that is set, as far as it is known yet."""
        return abs(self.measured_rate_hz / self.rate_hz - 1) <= RATE_TOLERANCE

    @property
    def running(self) -> bool:
        """Whether the sensor answers and is set up."""
        return self._running

    @property
    def due_us(self) -> int:
        """When it wants the bus next."""
        return self._schedule.poll_us if self._running else self._retry_at_us

    def start(self) -> None:
        """Read and verify the EEPROM, set the sensor up and read the settings back.

        A rate the bus cannot carry is lowered to the fastest one that it can, and counted.

        Raises:
            BusError: the sensor does not answer, or does not keep its settings.
            EepromError: reads of the EEPROM do not agree, or it holds impossible constants.
        """
        self._constants.load()
        self._begin()

    def verify_eeprom(self) -> bool:
        """Read the EEPROM anew; whether it is what the constants in use were taken from. Another one is used from now on.

        Takes two page reads' time, in which pages may be lost.

        Raises:
            BusError, EepromError: as `start`.
        """
        try:
            if self._constants.verify():
                return True
            self._begin()
        except (BusError, SensorError) as error:
            self._fail(error)
            raise
        return False

    def resume(self) -> None:
        """After a pause on purpose: take the next page as the next one, without counting those in between as lost."""
        self._gap_from_us = None
        if not self._running:
            return
        try:
            if self._same_sensor():
                self._await_first_page()
        except (BusError, SensorError) as error:
            self._fail(error)

    def set_rate(self, hz: float) -> float:
        """Change the refresh rate until the next start; it holds from the subpage after the current one.

        Returns:
            Subpages per second now set.

        Raises:
            UsageError: the sensor has no such rate, or the bus cannot carry it.
            BusError: the sensor does not answer or did not take it.
            EepromError: another sensor answers, with impossible constants.
        """
        wanted = replace(self._control, refresh_code=RefreshRate.from_hz(hz))
        if not self._carries(hz):
            raise UsageError(
                f"A page takes {self._chip.read_us / 1000:.0f} ms on this I2C bus, too long for {hz:g} Hz; choose a lower "
                "rate or raise the bus frequency."
            )
        before_hz, self._control = self.rate_hz, wanted
        try:
            if self._running and self._same_sensor():
                self._change(before_hz)
                self._await_first_page()
        except (BusError, SensorError) as error:
            self._fail(error)
            raise
        return self.rate_hz

    def _carries(self, hz: float) -> bool:
        """Whether a page is read within a period, as far as the bus is known."""
        return self._chip.read_us < 1e6 / hz

    def next_subpage(self) -> Subpage:
        """Wait for the next subpage and read it.

        Raises:
            BusTimeoutError: none came for ten periods and a second; the message says why.
        """
        deadline_us = self._clock.now_us() + round(10 * self._schedule.nominal_us) + 1_000_000
        subpage = self.capture(deadline_us)
        while subpage is None:
            if self._clock.now_us() >= deadline_us:
                raise BusTimeoutError(
                    self.fault or "No page came from the picture sensor; run the self-test.", self._chip.address
                )
            subpage = self.capture(deadline_us)
        return subpage

    def capture(self, until_us: int) -> Subpage | None:
        """The next subpage, or None where there is none by `until_us` (device clock) or it was lost.

        Sleeps until the page is due. A page that is due by then is read to its end, however long that takes.
        """
        while True:
            if self.due_us > until_us:
                self._clock.sleep_until_us(until_us)
                return None
            self._clock.sleep_until_us(self.due_us)
            looked, subpage = self._poll()
            if not looked:
                return subpage

    def poll(self) -> Subpage | None:
        """Look once for what is due, without waiting; the next subpage where there is one."""
        return self._poll()[1]

    def _poll(self) -> tuple[bool, Subpage | None]:
        """Whether all that happened is that no new page was there yet, and what was captured."""
        try:
            if not self._running:
                self._restart()
                return True, None
            return self._look()
        except (BusError, SensorError) as error:
            self._fail(error)
            return False, None

    def _look(self) -> tuple[bool, Subpage | None]:
        schedule = self._schedule
        status, now_us = self._chip.look()
        if not (status.new_data and self._pages.is_new(status.subpage, now_us)):
            schedule.unseen(now_us)
            if now_us <= schedule.timeout_us:
                return True, None
            self._counters.add("page_late")
            self._set_up_again()
            return False, None
        pages = self._pages.came(status.subpage, now_us)
        if self._pages.number is None:
            if self._chip.look()[0] != status:
                # A flag over RAM that is empty or old, had a flipped bit raised it.
                self._counters.add("status_implausible")
                self._await_first_page()
                return False, None
            pages = self._pages_in_gap(now_us)
        self._lose("page_missed", pages - 1)
        self._index += pages
        self._pages.number = status.subpage
        if self._foreign:
            self._pass_over(status.subpage)
            return False, None
        ram = self._read_page(status.subpage)
        return False, None if ram is None else self._hand_on(ram, status.subpage)

    def _pass_over(self, number: int) -> None:
        """Leave a page unread whose measurement began before the sensor had its pattern and resolution."""
        self._foreign = False
        if self._pages.knows(number):
            self._lose("page_dropped", 1)
        else:
            self._counters.add("pages_settling")
        self._chip.clear_flag()

    def _pages_in_gap(self, now_us: int) -> int:
        """Pages since the last one before a fault, this one included; 1 at the first start and after a pause."""
        gap_from_us, self._gap_from_us = self._gap_from_us, None
        if gap_from_us is None:
            return 1
        return max(1, round((now_us - gap_from_us) / self._schedule.nominal_us))

    def _read_page(self, number: int) -> Words | None:
        """Read the page the sensor shows, (832,) words; None where it is lost, and counted."""
        try:
            cause, ram = self._pages.read(number, self._control, self._lost_power)
        except BusError:
            self._lose("page_dropped", 1)
            raise
        if cause:
            self._lose(cause, 1)
            return None
        if ram is None:
            self._lose("page_dropped", 1)
            self._set_up_again()
        return ram

    def _hand_on(self, ram: Words, number: int) -> Subpage | None:
        if not self._pages.has_reference(ram, number, self._control):
            # Nothing to hold it against: a damaged word would go unseen.
            self._counters.add("pages_settling")
            return None
        words = np.empty(FRAME_WORDS, dtype=np.uint16)
        words[:RAM_WORDS] = ram
        words[RAM_WORDS] = self._control.to_word()
        words[NUMBER_INDEX] = number
        words.flags.writeable = False
        self._counters.add("blocks_captured")
        end_us = self._schedule.end_us
        time_us = round(end_us) if end_us is not None else self._clock.now_us()
        found = self.found
        number = 0 if found is None else found.sighting.number
        return Subpage(words, self._index, time_us, self._sensor, number)

    def _set_up(self) -> bool:
        """Write the settings where they are not there already, clear the flag and await the first page.

        Returns:
            Whether other settings were found.
        """
        found = self._chip.settings(self._control)
        if found != self._control:
            self._change(found.refresh_hz)
            self._foreign = found.chess != self._control.chess or found.resolution_code != self._control.resolution_code
        self._await_first_page()
        self._running, self.fault = True, ""
        self._retry_us = FIRST_RETRY_US
        return found != self._control

    def _set_up_again(self) -> None:
        """Set up after a fault: pages that should have come meanwhile are lost."""
        if self._gap_from_us is None:
            self._gap_from_us = self._schedule.end_us
        if self._same_sensor() and self._set_up():
            self._counters.add("sensor_reset")

    def _same_sensor(self) -> bool:
        """Whether the sensor that answers has the EEPROM the constants are from; where not, it is set up with its own."""
        if self._constants.refresh():
            return True
        self._begin()
        return False

    def _begin(self) -> None:
        """Set a sensor up whose constants were read just now, so that the bus is known too."""
        self._pages.forget()
        if not self._carries(self.rate_hz):
            self._counters.add("rate_lowered")
            code = max(code for code in range(8) if code == 0 or self._carries(RefreshRate.to_hz(code)))
            self._control = replace(self._control, refresh_code=code)
        self._set_up()

    def _lost_power(self) -> bool:
        """Whether settings are gone; where they are a chip's defaults, whether another sensor answers."""
        if self._chip.settings(self._control) != self._control:
            return True
        return self._control.to_word() == registers.CONTROL_DEFAULT and not self._constants.same_identity()

    def _change(self, before_hz: float) -> None:
        """Write the settings; the page in the making still has the rate of those before."""
        self._steady_us = max(self._steady_us, self._clock.now_us() + 1e6 / before_hz)
        self._chip.set(self._control)

    def _await_first_page(self) -> None:
        """Clear the flag of a page that nobody knows the age of, and expect the next one at the rate that it is made at."""
        period_us = 1e6 / self.rate_hz
        self._pages.restart(self._control, max(period_us, self._steady_us - self._clock.now_us()))

    def _restart(self) -> None:
        """Bring back a sensor that was lost, or never there."""
        if self.constants is None:
            self.start()
        else:
            self._set_up_again()

    def _fail(self, error: BusError | SensorError) -> None:
        if self._running and self._gap_from_us is None:
            self._gap_from_us = self._schedule.end_us
        if self._running or not self.fault:
            self._counters.add("sensor_lost")
            self._retry_us = FIRST_RETRY_US
        self._running, self.fault = False, str(error)
        self._retry_at_us = self._clock.now_us() + self._retry_us
        self._retry_us = min(2 * self._retry_us, LAST_RETRY_US)

    def _lose(self, cause: str, pages: int) -> None:
        if pages > 0:
            self._counters.add(cause, pages)
            self._counters.add("blocks_lost", pages)


def _control(settings: Mlx90640Settings) -> ControlRegister:
    return ControlRegister(
        refresh_code=RefreshRate.from_hz(settings.rate_hz),
        resolution_code=registers.RESOLUTION_BITS.index(settings.resolution_bits),
        chess=settings.pattern == "chess",
    )

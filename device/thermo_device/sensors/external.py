"""What a host gives: each sample it feeds is a block."""

from collections import deque
from collections.abc import Callable

import numpy as np

from thermo_core.clock import Clock
from thermo_core.errors import UsageError
from thermo_core.sensors.external.kind import encode
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.kind import Block
from thermo_core.signals import Values
from thermo_core.wire.management import SelfTestResult
from thermo_device.sensors.driver import NEVER_US, Found, Place

WAITING = 32
"""Samples that may wait for the pipeline."""
PAUSE_US = 1_000
"""Until it is asked again whether there is room for the next."""


class External:
    """One sensor of kind "external"; see `sensors.driver.Driver`. `feed` may be called by any thread.

    Args:
        settings: of the sensor.
        place: its number and clock; it is on no bus.
    """

    def __init__(self, settings: ExternalSettings, place: Place) -> None:
        self._settings = settings
        self._clock: Clock = place.clock
        self._tally = place.tally
        self._number = place.number
        (signal,) = settings.signals
        self._elements = signal.elements
        self._fed: deque[tuple[int, bytes]] = deque()
        self._index = 0
        self.found = Found(place.identity, b"", place.sightings.meet(place.number, place.identity, b""))
        self.fault = ""
        self.room: Callable[[], bool] = lambda: True
        """Whether what reads blocks has room for another: one that a host gave is never passed over."""
        self.period_us = 0
        self.in_time = True
        """It comes when it is fed."""

    @property
    def due_us(self) -> int:
        """At once while samples wait."""
        if not self._fed:
            return NEVER_US
        return self._fed[0][0] if self.room() else self._clock.now_us() + PAUSE_US

    @property
    def late_us(self) -> int:
        """It needs no bus, so it takes nobody's time."""
        return self.due_us

    @property
    def rate_hz(self) -> float:
        """As the profile expects it."""
        return self._settings.rate_hz

    def feed(self, values: Values) -> bool:
        """Take a sample, which has come now; False where too many wait.

        Args:
            values: (n,) float32; NaN where there is none.

        Raises:
            UsageError: not as many numbers as the profile says, or one out of range.
        """
        name, low, high = self._settings.name, self._settings.low, self._settings.high
        if len(values) != self._elements:
            raise UsageError(f"A sample of {name} has {self._elements} numbers, not {len(values)}; give all of them.")
        wrong = values[(values < np.float32(low)) | (values > np.float32(high))]
        if wrong.size:
            raise UsageError(f"{name} can be {low:g} to {high:g} and was given {wrong[0]:g}; correct it.")
        if len(self._fed) >= WAITING:
            return False
        self._fed.append((self._clock.now_us(), encode(values)))
        return True

    def poll(self) -> Block | None:
        """The first sample that waits."""
        if not self._fed or not self.room():
            return None
        time_us, data = self._fed.popleft()
        index, self._index = self._index, self._index + 1
        self._tally.add("blocks_captured")
        return Block(time_us, self._number, self.found.sighting.number & 0xFFFF, index, data)

    def resume(self) -> None:
        """What waits has been fed to a stream that runs, so it is news."""

    def restart_keys(self, key_interval: int | None = None) -> None:
        """Each block stands for itself."""

    def set_rate(self, hz: float) -> float:
        """Raises UsageError: it comes when it is fed."""
        raise UsageError(f"{self._settings.name} comes when it is fed; feed it at the rate you want.")

    def trust(self) -> None:
        """It holds no constants."""

    def self_test(self, newest: Block | None, warning: str) -> list[SelfTestResult]:
        """Nothing of the device can fail here."""
        return []

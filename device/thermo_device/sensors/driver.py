"""What every sensor of a wearable is to the agent: something that wants the bus at a time and says a block now and then."""

from dataclasses import dataclass, field
from typing import Protocol

from thermo_core.clock import Clock
from thermo_core.sensors.kind import Block
from thermo_core.sensors.own_identity import own_identity
from thermo_core.wire.management import SelfTestResult
from thermo_device.bus import I2cBus
from thermo_device.counters import Tally
from thermo_device.sightings import Sighting, Sightings

NEVER_US = 1 << 62
"""Due time of what wants nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """The chip at a sensor's place.

    Attributes:
        identity: its own, or one tied to this device where it has none.
        constants: as they travel; b"" for a kind without.
        sighting: their number, and whether they are those of before.
        sound: whether its blocks can be read with them.
        doubt: what is strange in them, a sentence; "" where nothing is.
    """

    identity: bytes
    constants: bytes
    sighting: Sighting
    sound: bool = True
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What a driver is given beside its settings.

    Attributes:
        number: of the sensor within the wearable.
        bus: as it is seen from the sensor's place.
        clock: device's clock.
        tally: where faults of this sensor are counted.
        sightings: numbers constants and knows those of before.
        serial: of the device; identifies chips that have no identity of their own.
        max_read_bytes: longest single read of the adapter.
    """

    number: int
    bus: I2cBus
    clock: Clock
    tally: Tally
    sightings: Sightings = field(default_factory=Sightings)
    serial: str = ""
    max_read_bytes: int = 8192

    @property
    def identity(self) -> bytes:
        """Of a chip that has none of its own: it is that of this place in this device."""
        return own_identity(self.serial, self.number)


class Driver(Protocol):
    """One sensor at work, used by one thread; `restart_keys`, `fault`, `found` and `rate_hz` by any.

    Nothing that happens on the bus comes out as an exception: a driver repeats what failed, sets the chip up again when it came back
    with its defaults, keeps trying while it is absent, and counts each fault by its name.
    """

    @property
    def due_us(self) -> int:
        """When it wants the bus next."""

    @property
    def late_us(self) -> int:
        """From when on it goes first, whatever others have planned; its due time for what must not wait."""

    @property
    def fault(self) -> str:
        """Why it does not deliver, in a sentence; "" while it does."""

    @property
    def found(self) -> Found | None:
        """The chip that answers; None while none ever did."""

    @property
    def rate_hz(self) -> float:
        """As it is set."""

    @property
    def period_us(self) -> int:
        """From block to block; 0 for what comes now and then."""

    @property
    def in_time(self) -> bool:
        """Whether blocks come at the rate that is set, as far as it is known yet."""

    def poll(self) -> Block | None:
        """Do what is due, without waiting for anything but the bus; a block where one is complete."""

    def resume(self) -> None:
        """Go on after a pause in which nobody polled: what passed meanwhile is no loss."""

    def restart_keys(self, key_interval: int | None = None) -> None:
        """Have the next blocks need none before them, where the codec has such; raises UsageError."""

    def set_rate(self, hz: float) -> float:
        """Change the rate until the next start; the one set.

        Raises:
            UsageError: there is no such rate, or it cannot be changed.
            BusError: the sensor does not answer.
        """

    def trust(self) -> None:
        """Hold the sensor to the constants it has now: what it says was compared with a reference."""

    def self_test(self, newest: Block | None, warning: str) -> list[SelfTestResult]:
        """What it finds out about the sensor.

        Args:
            newest: its newest block; None where none came.
            warning: why what it says is in doubt; "" where it is not.
        """

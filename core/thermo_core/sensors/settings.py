"""What a profile says of any sensor, whatever its kind."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from msgspec import Meta

from thermo_core.errors import SchemaError
from thermo_core.schema import Name, Record, Text
from thermo_core.sensors import path as paths
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal

Hop = Annotated[str, Meta(min_length=8, max_length=32)]
Address = Annotated[int, Meta(ge=paths.FIRST_ADDRESS, le=paths.LAST_ADDRESS)]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a driver has to say to a chip, and hear from it, in one go; between two visits the chip works by itself.

    Attributes:
        about: what for, in words.
        per_second: visits.
        transactions: of each, the bytes of its messages without the address, in order: (2, 4) writes two and, after a
            repeated start, reads four.
        room_s: how late a visit may be before something is lost, s.
    """

    about: str
    per_second: float
    transactions: tuple[tuple[int, ...], ...]
    room_s: float = math.inf


class SensorSettings(Record, frozen=True, tag_field="kind"):
    """Base of the settings of all kinds.

    Attributes:
        name: of the sensor and of its main signal.
        place: where it sits on the body, in words.
    """

    name: Name
    place: Text | None = None

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.__struct_config__.tag)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What its blocks decode to: its main signal, which has its name, then "NAME.PART"."""
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the numbers of its main signal, in their order; none where places alone tell them apart."""
        return ()

    @property
    def moments(self) -> int:
        """Most moments that one of its blocks holds: more than one where a chip's FIFO is read at once."""
        return 1

    @property
    def built_up(self) -> tuple[str, ...]:
        """Signals whose samples come in parts, block by block, so that a driver has to keep what it has of the next one."""
        return ()

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and greatest number its signals can have, where its settings say so."""
        return -math.inf, math.inf

    @property
    def bus_path(self) -> paths.BusPath | None:
        """Where it sits; None for what is on no bus."""
        return None

    @property
    def visits(self) -> tuple[Visit, ...]:
        """What it needs of the bus while it runs without faults; nothing where it is on none."""
        return ()

    @property
    def supply_ma(self) -> float:
        """Mean current it draws while it runs as set, mA, typical; 0 for what is not on the bus."""
        return 0.0

    def problem(self) -> str:
        """What is wrong beyond what types say, as a clause that reads on from the sensor's name; ""."""
        return ""


class BusSensorSettings(SensorSettings, frozen=True, kw_only=True):
    """Settings of a chip on an I2C bus.

    Attributes:
        path: its address, behind the channels of multiplexers that lead to it: ["tca9548a@0x70:0", 0x3A].
    """

    path: Annotated[tuple[Hop | Address, ...], Meta(min_length=1, max_length=paths.MAX_HOPS + 1)]

    max_bus_hz: ClassVar[int] = 400_000
    """Greatest frequency of the bus that the chip bears, Hz."""
    addresses: ClassVar[tuple[int, ...]] = ()
    """Addresses the chip can have; any where there are none."""
    wiring: ClassVar[Wiring]
    """Its pins."""

    @property
    def bus_path(self) -> paths.BusPath:
        """The path, read. Raises SchemaError."""
        return paths.parse(self.path)

    def problem(self) -> str:
        """As the base has it."""
        try:
            address = self.bus_path.address
        except SchemaError as error:
            return f"has a path that {error}"
        if self.addresses and address not in self.addresses:
            possible = ", ".join(f"0x{one:02X}" for one in self.addresses)
            return f"has the address 0x{address:02X}; the chip has {possible}"
        return ""

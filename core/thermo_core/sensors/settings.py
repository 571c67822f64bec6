"""What a profile says of any sensor, whatever its kind."""

from typing import Annotated

from msgspec import Meta

from thermo_core.errors import SchemaError
from thermo_core.schema import Name, Record, Text
from thermo_core.sensors import path as paths
from thermo_core.signals import Signal

Hop = Annotated[str, Meta(min_length=8, max_length=32)]
Address = Annotated[int, Meta(ge=paths.FIRST_ADDRESS, le=paths.LAST_ADDRESS)]


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
    def moments(self) -> int:
        """Most moments that one of its blocks holds: more than one where a chip's FIFO is read at once."""
        return 1

    @property
    def built_up(self) -> tuple[str, ...]:
        """Signals whose samples come in parts, block by block, so that a driver has to keep what it has of the next one."""
        return ()

    @property
    def bus_path(self) -> paths.BusPath | None:
        """Where it sits; None for what is on no bus."""
        return None

    def problem(self) -> str:
        """What is wrong beyond what types say, as a clause that reads on from the sensor's name; ""."""
        return ""


class BusSensorSettings(SensorSettings, frozen=True, kw_only=True):
    """Settings of a chip on an I2C bus.

    Attributes:
        path: its address, behind the channels of multiplexers that lead to it: ["tca9548a@0x70:0", 0x3A].
    """

    path: Annotated[tuple[Hop | Address, ...], Meta(min_length=1, max_length=paths.MAX_HOPS + 1)]

    @property
    def bus_path(self) -> paths.BusPath:
        """The path, read. Raises SchemaError."""
        return paths.parse(self.path)

    def problem(self) -> str:
        """As the base has it."""
        try:
            self.bus_path  # noqa: B018 (parsing is the check)
        except SchemaError as error:
            return f"has a path that {error}"
        return ""

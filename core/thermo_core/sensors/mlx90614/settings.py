"""An MLX90614 in a profile."""

from typing import Annotated

from msgspec import Meta

from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal


class Mlx90614Settings(BusSensorSettings, frozen=True, kw_only=True, tag="mlx90614"):
    """An infrared thermometer of one or two zones. It bears 100 kHz, and slows the whole bus to that.

    Attributes:
        rate_hz: readings a second; the chip's own filter settles in 0.06 to 7 s.
        zones: 1, or 2 for parts with two thermopiles.
        emissivity: of the skin; the one in the chip's EEPROM is calculated out and may stay as it is.
        reflected_celsius: temperature that the skin reflects, degC; the sensor's own where left out.
        check_pec: whether a reading must have a right packet error code.
    """

    max_bus_hz = 100_000
    wiring = Wiring(
        (2.6, 3.6),
        {
            "VDD": "3.3 V, 100 nF close by",
            "VSS": "ground",
        },
        "Parts whose type begins with A need 4.5-5.5 V, and a level shifter on a bus of 3.3 V. Its address is in its "
        "EEPROM, 0x5A from the factory.",
    )

    rate_hz: Annotated[float, Meta(ge=0.01, le=20)] = 2.0
    zones: Annotated[int, Meta(ge=1, le=2)] = 1
    emissivity: Annotated[float, Meta(ge=0.05, le=1.0)] = 0.98
    reflected_celsius: Annotated[float, Meta(ge=-100, le=150)] | None = None
    check_pec: bool = True

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Temperature of the object, of the sensor, and of the second zone's object."""
        names = (self.name, f"{self.name}.ta", f"{self.name}.second")
        return tuple(Signal(name, (), "degC", self.rate_hz, self.name) for name in names[: 1 + self.zones])

    @property
    def supply_ma(self) -> float:
        """1.3 mA; it sleeps on command alone (data sheet, IDD)."""
        return 1.3

    @property
    def visits(self) -> tuple[Visit, ...]:
        """A word for the sensor's and each object's temperature."""
        return (Visit("a reading", self.rate_hz, ((1, 3),) * (1 + self.zones)),)

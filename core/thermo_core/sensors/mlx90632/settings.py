"""An MLX90632 in a profile."""

from typing import Annotated

from msgspec import Meta

from thermo_core.sensors.mlx90632.registers import RATES_HZ
from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal


class Mlx90632Settings(BusSensorSettings, frozen=True, kw_only=True, tag="mlx90632"):
    """A thermopile for skin: one spot, medical range.

    Attributes:
        rate_hz: readings a second, one of 0.5 to 64 in powers of two; each rests on the newest two measurements.
        emissivity: of the skin.
        reflected_celsius: temperature that the skin reflects, degC; the sensor's own where left out.
    """

    addresses = (0x3A, 0x3B)
    wiring = Wiring(
        (3.0, 3.6),
        {
            "VDD": "3.3 V, 100 nF close by",
            "GND": "ground",
            "ADDR": "ground: 0x3A, VDD: 0x3B",
        },
        "Parts ordered for a bus of 1.8 V bear no 3.3 V on it.",
    )

    rate_hz: Annotated[float, Meta(ge=RATES_HZ[0], le=RATES_HZ[-1])] = 2.0
    emissivity: Annotated[float, Meta(ge=0.05, le=1.0)] = 0.98
    reflected_celsius: Annotated[float, Meta(ge=-100, le=150)] | None = None

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Temperature of the object, then of the sensor."""
        return (
            Signal(self.name, (), "degC", self.rate_hz, self.name),
            Signal(f"{self.name}.ta", (), "degC", self.rate_hz, self.name),
        )

    @property
    def supply_ma(self) -> float:
        """1 mA in continuous mode (data sheet)."""
        return 1.0

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Status, six words, flag cleared."""
        return (Visit("a reading", self.rate_hz, ((2, 2), (2, 12), (4,))),)

    def problem(self) -> str:
        """As the base has it."""
        if self.rate_hz not in RATES_HZ:
            return f"has a rate of {self.rate_hz:g} Hz; the chip has {', '.join(f'{rate:g}' for rate in RATES_HZ)}"
        return super().problem()

"""An SHT4x in a profile."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal

CONVERSION_MS: Mapping[str, float] = {"high": 8.2, "medium": 4.5, "low": 1.7}
"""Longest time of a measurement by its repeatability, ms."""


class Sht4xSettings(BusSensorSettings, frozen=True, kw_only=True, tag="sht4x"):
    """A sensor of a room's or a garment's air.

    Attributes:
        rate_hz: measurements a second; one a second warms the chip by less than 0.01 K.
        repeatability: "high", "medium" or "low", by how long it measures.
    """

    addresses = (0x44, 0x45, 0x46)
    wiring = Wiring(
        (1.08, 3.6),
        {
            "VDD": "3.3 V, 100 nF close by",
            "VSS": "ground",
        },
        "Its address goes by the part that is ordered: SHT4x-A 0x44, -B 0x45, -C 0x46.",
    )

    rate_hz: Annotated[float, Meta(ge=0.001, le=20)] = 0.1
    repeatability: Literal["high", "medium", "low"] = "high"

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Temperature, then relative humidity."""
        return (
            Signal(self.name, (), "degC", self.rate_hz, self.name),
            Signal(f"{self.name}.rh", (), "%", self.rate_hz, self.name),
        )

    @property
    def supply_ma(self) -> float:
        """0.32 mA while it measures and 0.08 uA between (data sheet, IDD)."""
        measuring = min(1.0, self.rate_hz * CONVERSION_MS[self.repeatability] / 1000)
        return 0.32 * measuring + 0.00008 * (1 - measuring)

    @property
    def visits(self) -> tuple[Visit, ...]:
        """A command, and the answer once it is measured."""
        return (Visit("a measurement", self.rate_hz, ((1,),)), Visit("its answer", self.rate_hz, ((6,),)))

"""A TMP117 in a profile."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.tmp117.registers import CONVERSION_S
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal

CHECK_S = 10.0
"""From one look at whether the chip still converts to the next, s."""
RATES_HZ = (0.0625, 0.125, 0.25, 1.0, 2.0, 4.0, 8.0)


class Tmp117Settings(BusSensorSettings, frozen=True, kw_only=True, tag="tmp117"):
    """A contact thermometer of 7.8 mK a count.

    Attributes:
        rate_hz: results a second, one of 0.0625, 0.125, 0.25, 1, 2, 4, 8.
        averages: conversions of 15.5 ms that a result is the mean of: 1, 8, 32 or 64.
    """

    addresses = (0x48, 0x49, 0x4A, 0x4B)
    wiring = Wiring(
        (1.8, 5.5),
        {
            "V+": "3.3 V, 100 nF close by",
            "GND": "ground",
            "ADD0": "ground: 0x48, V+: 0x49, SDA: 0x4A, SCL: 0x4B",
        },
        "ALERT stays open. The pad below the chip is left unsoldered where its stress would move the reading.",
    )

    rate_hz: Annotated[float, Meta(ge=RATES_HZ[0], le=RATES_HZ[-1])] = 1.0
    averages: Literal[1, 8, 32, 64] = 8

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The temperature."""
        return (Signal(self.name, (), "degC", self.rate_hz, self.name),)

    @property
    def supply_ma(self) -> float:
        """0.135 mA while it converts and 1.25 uA between (data sheet, IQ and ISB)."""
        converting = min(1.0, self.rate_hz * self.averages * CONVERSION_S)
        return 0.135 * converting + 0.00125 * (1 - converting)

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Configuration with its ready bit, then the result; now and then the offset, there and back, each read again."""
        checks = min(2 / CHECK_S, self.rate_hz)
        return (Visit("a result", self.rate_hz, ((1, 2), (1, 2))), Visit("a check", checks, ((3,), (1, 2))))

    def problem(self) -> str:
        """As the base has it."""
        if self.rate_hz not in RATES_HZ:
            return f"has a rate of {self.rate_hz:g} Hz; the chip has {', '.join(f'{rate:g}' for rate in RATES_HZ)}"
        if self.averages * CONVERSION_S * self.rate_hz > 1:
            return (
                f"averages {self.averages} conversions, which take {self.averages * CONVERSION_S:.2f} s, {self.rate_hz:g} times "
                "a second; average fewer or measure less often"
            )
        return super().problem()

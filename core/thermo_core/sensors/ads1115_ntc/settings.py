"""NTC thermistors behind an ADS1115, in a profile."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.schema import Record, Text
from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal

MAX_CHANNELS = 4


class Thermistor(Record, frozen=True, kw_only=True):
    """One thermistor's divider and curve.

    Attributes:
        name: where it sits, in words.
        series_ohm: resistor in series, ohm.
        supply_v: supply of the divider, V.
        ntc: what the NTC connects the tap to.
        curve: (a, b, c) of Steinhart-Hart, or (R25 in ohm, beta in K).
        self_heating_k_per_mw: K a mW that it dissipates.
    """

    name: Text
    series_ohm: Annotated[float, Meta(ge=1, le=1e8)] = 10_000.0
    supply_v: Annotated[float, Meta(ge=0.1, le=24)] = 3.3
    ntc: Literal["to ground", "to supply"] = "to ground"
    curve: Annotated[tuple[float, ...], Meta(min_length=2, max_length=3)] = (10_000.0, 3950.0)
    self_heating_k_per_mw: Annotated[float, Meta(ge=0, le=100)] = 0.0


CHECK_S = 10.0
"""From one time that it is looked whether the ADC converts at all to the next."""
CONVERSION_S = 1 / 860
"""Of a channel, at the 860 samples a second that drivers ask for."""


class Ads1115NtcSettings(BusSensorSettings, frozen=True, kw_only=True, tag="ads1115-ntc"):
    """An ADC with up to four thermistors.

    Attributes:
        rate_hz: scans of all channels a second.
        channels: in the order of the chip's inputs, AIN0 first.
    """

    addresses = (0x48, 0x49, 0x4A, 0x4B)
    wiring = Wiring(
        (2.0, 5.5),
        {
            "VDD": "3.3 V, 100 nF close by",
            "GND": "ground",
            "ADDR": "ground: 0x48, VDD: 0x49, SDA: 0x4A, SCL: 0x4B",
            "AIN0-AIN3": "between resistor and thermistor",
        },
        "Of each channel the resistor goes from VDD to the input and the thermistor from the input to ground; unused "
        "inputs go to ground. ALERT stays open.",
    )

    channels: Annotated[tuple[Thermistor, ...], Meta(min_length=1, max_length=MAX_CHANNELS)]
    rate_hz: Annotated[float, Meta(ge=0.01, le=100)] = 2.0

    @property
    def labels(self) -> tuple[str, ...]:
        """As the base has it."""
        return tuple(channel.name for channel in self.channels)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Temperatures of the channels."""
        return (Signal(self.name, (len(self.channels),), "degC", self.rate_hz, self.name),)

    @property
    def check_scans(self) -> int:
        """Every so many scans it is looked whether the ADC converts at all: one more conversion, with another gain."""
        return max(1, round(CHECK_S * self.rate_hz))

    @property
    def supply_ma(self) -> float:
        """0.15 mA while it converts (data sheet, IQ), 1.2 ms a channel; and the dividers, whose taps are taken for half their supply."""
        converting = min(1.0, self.rate_hz * len(self.channels) * CONVERSION_S)
        return 0.15 * converting + sum(500 * one.supply_v / one.series_ohm for one in self.channels)

    @property
    def visits(self) -> tuple[Visit, ...]:
        """A conversion started, then whether it is the one asked for and its result twice, for each channel."""
        per_second = self.rate_hz * (len(self.channels) + 1 / self.check_scans)
        return (
            Visit("a channel", per_second, ((3,),)),
            Visit("its result", per_second, ((1, 2), (1, 2), (1, 2))),
        )
